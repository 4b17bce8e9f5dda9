"""One language: what its catalogue says, and how it writes numbers and dates.

After GNU gettext: a message that a catalogue lacks is said in English. A test holds the catalogues
against the sources, so none is missing from what ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from languages.message import Forms, Message


class LanguageError(ValueError):
    """Nothing is written in this language here."""


@dataclass(frozen=True)
class Language:
    """A language that the product speaks; call it with a message to have that said.

    Attributes:
        code: as people name it: `en`, `zh`.
        tag: after BCP 47, as HTML has it.
        fonts: names of fonts that have its letters, the ones most wanted first.
        space: what stands between two sentences.
        letters: two of its letters, which look alike only where no font has them.
    """

    code: str
    tag: str
    fonts: tuple[str, ...]
    space: str
    letters: tuple[str, str]
    catalogue: NullTranslations = field(repr=False, compare=False)

    def __call__(self, text: str, /, **values: object) -> str:
        """Say a message, with the values that it lacks; or the catalogue's entry of a text."""
        if isinstance(text, Message):
            return self._said(text.forms, {**values, **text.values})
        return self._said(Forms(text), values)

    def own(self, text: str) -> str:
        """Say what is ours among data: a message; any other text stays as it is."""
        return self(text) if isinstance(text, Message) else text

    def number(self, number: int) -> str:
        """Write a whole number with its thousands apart."""
        if self.code == ENGLISH.code:
            return f"{number:,}"
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self.code)

    def date(self, moment: datetime | str) -> str:
        """Write the day of a moment (RFC 3339 where it is text) in UTC; English as ISO 8601."""
        when = _utc(moment)
        if self.code == ENGLISH.code:
            return f"{when:%Y-%m-%d}"
        from babel.dates import format_date

        return format_date(when, format="long", locale=self.code)

    def moment(self, moment: datetime | str) -> str:
        """Write a moment to the minute, in UTC."""
        return f"{self.date(moment)} {_utc(moment):%H:%M} UTC"

    def _said(self, forms: Forms, values: Mapping[str, object]) -> str:
        one, many, number = forms
        if many is None:
            template = self.catalogue.gettext(one)
        else:
            template = self.catalogue.ngettext(one, many, number)
        if not values:
            return template
        return template.format(**{name: self._value(value) for name, value in values.items()})

    def _value(self, value: object) -> object:
        if isinstance(value, Exception) and len(value.args) == 1:
            value = value.args[0]  # an error that this one tells of
        return self.own(value) if isinstance(value, str) else value


_LATIN: Final = ("Liberation Sans", "Arial", "Helvetica")
_CHINESE: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei",
    "WenQuanYi Micro Hei", "SimHei",
)  # fmt: skip
ENGLISH: Final = Language("en", "en", _LATIN, " ", ("a", "b"), NullTranslations())
LANGUAGES: Final = ("en", "zh")
"""Codes of all that there are: English, and Chinese in simplified characters."""


@lru_cache
def language(code: str) -> Language:
    """Return a language by its code.

    Raises:
        LanguageError: there is no catalogue of it.
    """
    if code == ENGLISH.code:
        return ENGLISH
    if code not in LANGUAGES:
        raise LanguageError(f"there is no language {code!r} here; choose {' or '.join(LANGUAGES)}")
    return Language(code, "zh-Hans", (*_CHINESE, *_LATIN), "", ("中", "国"), _compiled(code))


def _compiled(code: str) -> NullTranslations:
    """Return all catalogues of a language as one."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    together = NullTranslations()
    for entry in sorted(files("languages").joinpath(code).iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".po"):
            compiled = BytesIO()
            with entry.open("rb") as source:
                write_mo(compiled, read_po(source, locale=code, abort_invalid=True))
            compiled.seek(0)
            part = GNUTranslations(compiled)
            part.add_fallback(together)
            together = part
    return together


def _utc(moment: datetime | str) -> datetime:
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return when.astimezone(UTC)
