"""Strict reading of a parsed document (YAML or JSON): every value is named by its path.

A `Section` is a mapping whose keys are known in advance: one that is missing or unknown is an
error before anything is read. Values have exactly the type and the size that the reader states;
nothing is converted, defaulted or ignored. The caller says which error a fault becomes, so that
the same reader serves a file that a person wrote and a message that a peer sent.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import rfc8785

from languages import message

Fail = Callable[[str], Exception]
"""Makes the error for a message; the reader raises it."""

_SHOWN = 48  # characters of a faulty value that a message repeats


@dataclass(frozen=True)
class TextRule:
    """What a text must look like: a whole-match pattern, a length, and how to say so."""

    expects: str
    pattern: re.Pattern[str] | None = None
    most: int = 200

    def broken_by(self, text: str) -> str | None:
        """Return why `text` breaks the rule, or None."""
        if not text or len(text) > self.most:
            return message(
                "expected {expects}, 1 to {most} characters; found {number}",
                expects=self.expects,
                most=self.most,
                number=len(text),
            )
        if self.pattern is not None:
            fits = self.pattern.fullmatch(text) is not None
            if fits:
                return None
            return message(
                "expected {expects}; found {found}", expects=self.expects, found=_shown(text)
            )
        if not text.isprintable():
            return message(
                "expected {expects}; found a control or invisible character", expects=self.expects
            )
        return None


SIGNATURE: Final = TextRule(
    message("an Ed25519 signature: 64 bytes in canonical base64"),
    re.compile(r"[A-Za-z0-9+/]{85}[AQgw]=="),
)
"""One spelling a signature: the last letter has no stray bits, so a signed text has one form."""


def read_canonical(data: bytes, fail: Fail) -> object:
    """Return the document in `data`, of which only the RFC 8785 form is read."""
    try:
        document = json.loads(data)
        canonical = rfc8785.dumps(document)
    except (ValueError, RecursionError):
        raise fail(message("it is not JSON that RFC 8785 can write")) from None
    if canonical != data:
        raise fail(message("it is not in its canonical form (RFC 8785)"))
    return document


class Section:
    """One mapping of a document, whose keys are exactly the `required` and some `optional`.

    The path names this mapping in errors (`datasets.channel.receipts`); the root's is empty.
    """

    def __init__(
        self,
        value: object,
        path: str,
        fail: Fail,
        *,
        required: Collection[str],
        optional: Collection[str] = (),
    ) -> None:
        self.path = path
        self._fail = fail
        self._values = _mapping(value, path, fail)
        known = [*required, *optional]
        for key in self._values:
            if key not in known:
                raise fail(
                    message(
                        "{value}unknown key{key}",
                        value=_at(self._path(key)),
                        key=_nearest(key, known),
                    )
                )
        for key in required:
            if key not in self._values:
                raise fail(
                    message(
                        "{value}is missing; add it",
                        value=_at(self._path(key)),
                    )
                )

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def has_section(self, key: str) -> bool:
        """Return whether a mapping stands at `key`; for values with a short and a long form."""
        return isinstance(self._values.get(key), dict)

    def fault(self, key: str, problem: str) -> Exception:
        """Return the error that names `key` by its path; for rules that the caller checks."""
        return self._fail(message("{path}{problem}", path=_at(self._path(key)), problem=problem))

    def text(self, key: str, rule: TextRule) -> str:
        """Return the text at `key`, which follows `rule`."""
        return _text(self._values[key], self._path(key), rule, self._fail)

    def optional_text(self, key: str, rule: TextRule) -> str | None:
        """Return the text at `key`, or None where the key is absent."""
        return self.text(key, rule) if key in self._values else None

    def nullable_text(self, key: str, rule: TextRule) -> str | None:
        """Return the text at `key`, or None where the value is null."""
        return None if self._values[key] is None else self.text(key, rule)

    def integer(self, key: str, least: int, most: int) -> int:
        """Return the whole number at `key`, least ≤ it ≤ most."""
        value = self._values[key]
        expected = f"expected a whole number from {least} to {most}, without quotes"
        if type(value) is not int:
            raise self.fault(
                key,
                message(
                    "{expected}; found {value}",
                    expected=expected,
                    value=_kind(value),
                ),
            )
        if not least <= value <= most:
            raise self.fault(
                key,
                message(
                    "{expected}; found {value}",
                    expected=expected,
                    value=_shown(str(value)),
                ),
            )
        return value

    def integers(self, key: str, least: int, most: int, *, items: int) -> tuple[int, ...]:
        """Return the list at `key`: 1 to `items` whole numbers, least ≤ each ≤ most."""
        read = []
        for index, value in enumerate(self._list(key, items)):
            if type(value) is not int or not least <= value <= most:
                found = _shown(str(value)) if type(value) is int else _kind(value)
                expected = f"expected a whole number from {least} to {most}, without quotes"
                raise self.fault(
                    f"{key}[{index}]",
                    message(
                        "{expected}; found {found}",
                        expected=expected,
                        found=found,
                    ),
                )
            read.append(value)
        return tuple(read)

    def flag(self, key: str) -> bool:
        """Return the truth value at `key`."""
        value = self._values[key]
        if type(value) is not bool:
            raise self.fault(
                key,
                message(
                    "expected true or false; found {value}",
                    value=_kind(value),
                ),
            )
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """Return the text at `key`, which is one of `allowed`."""
        value = self._values[key]
        if not isinstance(value, str) or value not in allowed:
            found = _shown(value) if isinstance(value, str) else _kind(value)
            raise self.fault(
                key,
                message(
                    "expected one of {allowed}; found {found}",
                    allowed=", ".join(allowed),
                    found=found,
                ),
            )
        return value

    def is_mapping(self, key: str) -> bool:
        """Return whether the value at `key` is a mapping; for keys that take either form."""
        return isinstance(self._values[key], dict)

    def is_list(self, key: str) -> bool:
        """Return whether the value at `key` is a list; for keys that take either form."""
        return isinstance(self._values[key], list)

    def texts(self, key: str, rule: TextRule, *, most: int) -> tuple[str, ...]:
        """Return the list at `key`: 1 to `most` different texts that follow `rule`."""
        values = self._list(key, most)
        path = self._path(key)
        read = tuple(
            _text(value, f"{path}[{index}]", rule, self._fail) for index, value in enumerate(values)
        )
        if len(set(read)) != len(read):
            twice = Counter(read).most_common(1)[0][0]
            raise self.fault(
                key,
                message(
                    "{twice} stands twice; keep one",
                    twice=_shown(twice),
                ),
            )
        return read

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """Return the list at `key`: 1 or more different texts of `allowed`."""
        read = self.texts(key, TextRule(f"one of {', '.join(allowed)}"), most=len(allowed))
        for text in read:
            if text not in allowed:
                raise self.fault(
                    key,
                    message(
                        "expected some of {allowed}; found {text}",
                        allowed=", ".join(allowed),
                        text=_shown(text),
                    ),
                )
        return read

    def section(
        self, key: str, *, required: Collection[str], optional: Collection[str] = ()
    ) -> Section:
        """Return the mapping at `key`."""
        return Section(
            self._values[key], self._path(key), self._fail, required=required, optional=optional
        )

    def sections(
        self, key: str, *, required: Collection[str], optional: Collection[str] = (), most: int
    ) -> list[Section]:
        """Return the list of 1 to `most` mappings at `key`."""
        path = self._path(key)
        return [
            Section(item, f"{path}[{index}]", self._fail, required=required, optional=optional)
            for index, item in enumerate(self._list(key, most))
        ]

    def names(self, key: str, rule: TextRule, *, least: int = 1, most: int) -> tuple[str, ...]:
        """Return the keys of the mapping at `key`: names of the writer's choice under `rule`."""
        values = _mapping(self._values[key], self._path(key), self._fail)
        if not least <= len(values) <= most:
            raise self.fault(
                key,
                message(
                    "expected {least} to {most} entries; found {number}",
                    least=least,
                    most=most,
                    number=len(values),
                ),
            )
        for name in values:
            problem = rule.broken_by(name)
            if problem:
                raise self.fault(
                    key,
                    message(
                        "the name {name} does not serve: {problem}",
                        name=_shown(name),
                        problem=problem,
                    ),
                )
        return tuple(values)

    def _list(self, key: str, most: int) -> Sequence[object]:
        value = self._values[key]
        if not isinstance(value, list):
            raise self.fault(
                key,
                message(
                    "expected a list; found {value}",
                    value=_kind(value),
                ),
            )
        if not 1 <= len(value) <= most:
            raise self.fault(
                key,
                message(
                    "expected a list of 1 to {most}; found {number}",
                    most=most,
                    number=len(value),
                ),
            )
        return value

    def _path(self, key: str) -> str:
        shown = key if key.isprintable() and len(key) <= _SHOWN else _shown(key)
        return f"{self.path}.{shown}" if self.path else shown


def _mapping(value: object, path: str, fail: Fail) -> dict[str, object]:
    if not isinstance(value, dict):
        raise fail(
            message(
                "{path}expected a mapping of keys to values; found {value}",
                path=_at(path),
                value=_kind(value),
            )
        )
    for key in value:
        if not isinstance(key, str):
            raise fail(
                message(
                    "{path}the key {key} is {kind}; put it in quotes",
                    path=_at(path),
                    key=_shown(str(key)),
                    kind=_kind(key),
                )
            )
    return value


def _text(value: object, path: str, rule: TextRule, fail: Fail) -> str:
    if not isinstance(value, str):
        hint = message("; put it in quotes") if isinstance(value, (bool, int, float)) else ""
        raise fail(
            message(
                "{path}expected {expects}; found {value}{hint}",
                path=_at(path),
                expects=rule.expects,
                value=_kind(value),
                hint=hint,
            )
        )
    problem = rule.broken_by(value)
    if problem:
        raise fail(message("{path}{problem}", path=_at(path), problem=problem))
    return value


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def _shown(text: str) -> str:
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return ascii(cut) if not cut.isprintable() else f"'{cut}'"


def _nearest(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key[:_SHOWN], known, n=1)
    if near:
        return message("; did you mean '{key}'?", key=near[0])
    return message("; the keys here are {keys}", keys=", ".join(known))


def _kind(value: object) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, message("a truth value")),
    (int, message("a whole number")),
    (float, message("a decimal number")),
    (str, message("text")),
    (dict, message("a mapping")),
    (list, message("a list")),
    (type(None), message("nothing")),
)
