"""A sentence that knows what it was made of, so that it can be said again in another language.

It is its English text, for logs, terminals and JSON. Values stand in braces, as in `str.format`,
and are never read as a sentence themselves, whatever a counterpart wrote into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Forms(NamedTuple):
    """A sentence as the catalogue has it: of one, of many, and how many there are."""

    one: str
    many: str | None = None
    number: int = 1


class Message(str):
    """Text in English, with its template and values."""

    forms: Forms
    values: Mapping[str, object]


def message(template: str, /, **values: object) -> Message:
    """Return a sentence; of the values, those that are messages are translated as well."""
    return _made(Forms(template), template, values)


def messages(one: str, many: str, number: int, /, **values: object) -> Message:
    """Return a sentence about some number of things, which it may name as {number}."""
    template = one if number == 1 else many
    return _made(Forms(one, many, number), template, {"number": number, **values})


def _made(forms: Forms, template: str, values: Mapping[str, object]) -> Message:
    made = Message(template.format(**values) if values else template)
    made.forms, made.values = forms, values
    return made
