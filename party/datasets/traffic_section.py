"""Reads the section `invalid_traffic` of a dataset's description.

A rule that could never take a row out, or that the description lacks something for, is a fault:
invalid traffic must not be counted because of a misspelt rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from languages import message
from party.datasets.joined import read_columns
from party.datasets.rules import CELL, COLUMN, PATH
from party.datasets.times import UNREADABLE, microseconds_of
from party.datasets.traffic import OWN_STEPS, InvalidTraffic
from party.datasets.traffic_rules import Declared, Flight, OutsideFlight, Rate, Repeats, Rule
from party.document import Section, TextRule

_MOST_RULES: Final = 32
_MOST_SECONDS: Final = 31 * 86_400
_MOST_EVENTS: Final = 1_000_000
_MOST_TEXTS: Final = 1_000
_NAME: Final = TextRule(message("a rule's name in plain words, such as double clicks"), most=64)
_TIME: Final = TextRule(
    message("a time in ISO 8601, such as 2026-01-31 or 2026-01-31T12:00:00Z"), most=40
)
_TEXT_KEYS: Final = ("values", "contains", "values_in", "contains_in")
_FLIGHT_KEYS: Final = ("from", "before")


def read_invalid_traffic(root: Section) -> InvalidTraffic | None:
    """Read the section; None where the description has none."""
    if "invalid_traffic" not in root:
        return None
    section = root.section(
        "invalid_traffic", required=("rules",), optional=("time", "without_time")
    )
    entries = section.sections("rules", required=("name",), optional=_EVERY_KEY, most=_MOST_RULES)
    rules: list[Rule] = []
    for entry in entries:
        rule = _read_rule(entry)
        if rule.name in (*OWN_STEPS, *(one.name for one in rules)):
            raise entry.fault("name", f"there is a step '{rule.name}' already; choose another name")
        rules.append(rule)
    time = section.optional_text("time", COLUMN)
    needing = next((rule for rule in rules if rule.times), None)
    if time is None and (needing or "without_time" in section):
        whose = f"the rule '{needing.name}'" if needing else "'without_time'"
        raise section.fault("time", f"is missing: {whose} needs the column of the events' times")
    stay = "without_time" in section and section.choice("without_time", ("leave", "stay")) == "stay"
    return InvalidTraffic(tuple(rules), time, stay)


def require_usable(root: Section, traffic: InvalidTraffic, kinds: Mapping[str, str]) -> None:
    """Raise the fault of a rule that the dataset's columns do not fit.

    `kinds` are the declared kinds. Without a column or identifiers that make people, each row is
    a person, and no rule on a person's rows can find anything: `person` is then missing.
    """
    if kinds.get(traffic.time or "", "event_time") not in ("event_time", "attribute"):
        raise root.fault(
            "invalid_traffic", f"the times stand in '{traffic.time}', which is declared as "
            f"{kinds[traffic.time or '']}; declare it as event_time"
        )  # fmt: skip
    for rule in traffic.rules:
        for column in rule.columns:
            if kinds.get(column) == "consent":
                raise root.fault(
                    "invalid_traffic", f"the rule '{rule.name}' reads '{column}', which is "
                    "consent; traffic is told by other columns"
                )  # fmt: skip
        if rule.of_person and "person" not in root:
            raise root.fault(
                "invalid_traffic", f"the rule '{rule.name}' compares the rows of a person, and "
                "each row is a person here; add 'person'"
            )  # fmt: skip


def _read_rule(entry: Section) -> Rule:
    forms = {_FORMS[key] for key in _FORMS if key in entry}
    if len(forms) != 1:
        raise entry.fault(
            "name", "beside it stands exactly one of repeats_of, more_than, column, or a flight "
            "(from, before)"
        )  # fmt: skip
    (read,) = forms
    return read(entry)


def _read_repeats(entry: Section) -> Repeats:
    _only(entry, "repeats_of", "within_seconds")
    name, alike = entry.text("name", _NAME), read_columns(entry, "repeats_of")
    return Repeats(name, alike, _seconds(entry))


def _read_rate(entry: Section) -> Rate:
    _only(entry, "more_than", "within_seconds", "per")
    most = entry.integer("more_than", 1, _MOST_EVENTS)
    per = read_columns(entry, "per") if "per" in entry else ()
    return Rate(entry.text("name", _NAME), most, _seconds(entry), per)


def _read_of_column(entry: Section) -> Declared | OutsideFlight:
    if "flights" in entry:
        return _read_flights(entry)
    _only(entry, "column", *_TEXT_KEYS)
    given = [key for key in _TEXT_KEYS if key in entry]
    if len(given) != 1:
        raise entry.fault(
            "column", f"beside it stands exactly one of {', '.join((*_TEXT_KEYS, 'flights'))}"
        )
    (key,) = given
    name, column = entry.text("name", _NAME), entry.text("column", COLUMN)
    parts = key.startswith("contains")
    if key.endswith("_in"):
        return Declared(name, column, parts, (), entry.text(key, PATH))
    return Declared(name, column, parts, entry.texts(key, CELL, most=_MOST_TEXTS), None)


def _read_flights(entry: Section) -> OutsideFlight:
    _only(entry, "column", "flights")
    sections = entry.sections(
        "flights", required=("value",), optional=_FLIGHT_KEYS, most=_MOST_TEXTS
    )
    flights = tuple(_read_flight(one, one.text("value", CELL)) for one in sections)
    return OutsideFlight(entry.text("name", _NAME), entry.text("column", COLUMN), flights)


def _read_overall(entry: Section) -> OutsideFlight:
    _only(entry, *_FLIGHT_KEYS)
    return OutsideFlight(entry.text("name", _NAME), None, (_read_flight(entry, None),))


def _read_flight(section: Section, value: str | None) -> Flight:
    start, stop = (section.optional_text(key, _TIME) for key in _FLIGHT_KEYS)
    for key, text in zip(_FLIGHT_KEYS, (start, stop), strict=True):
        if text is not None and microseconds_of(text) == UNREADABLE:
            raise section.fault(key, f"expected {_TIME.expects}")
    if start is None and stop is None:
        raise section.fault("from", "is missing, and so is 'before'; a flight has one at least")
    flight = Flight(value, start, stop)
    first, end = flight.bounds()
    if first >= end:
        raise section.fault("before", "the flight ends before it begins; exchange its ends")
    return flight


def _seconds(entry: Section) -> int:
    if "within_seconds" not in entry:
        raise entry.fault("within_seconds", "is missing; add it")
    return entry.integer("within_seconds", 0, _MOST_SECONDS)


def _only(entry: Section, *keys: str) -> None:
    """Raise the fault of a key that says nothing in a rule of this form."""
    for key in _EVERY_KEY:
        if key in entry and key not in keys:
            raise entry.fault(key, f"says nothing in this rule; beside name go {', '.join(keys)}")


_FORMS: Final[dict[str, Callable[[Section], Rule]]] = {
    "repeats_of": _read_repeats,
    "more_than": _read_rate,
    "column": _read_of_column,
    "from": _read_overall,
    "before": _read_overall,
}
_EVERY_KEY: Final = (*_FORMS, "within_seconds", "per", *_TEXT_KEYS, "flights")
