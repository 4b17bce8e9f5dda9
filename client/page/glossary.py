"""Words of a report that are data in English: metrics, units, roles, steps.

A rendering, its JSON and the stored steps call things by these names in every language. A page says
them in its own: here are the names, as messages, and how a text is recognised as one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from languages import Language, Message, message


class Glossary:
    """Names, some of them with values in braces, which may be names themselves."""

    def __init__(self, names: Iterable[Message]) -> None:
        self._plain = frozenset(str(name) for name in names if "{" not in name)
        self._patterns = [(_pattern(name), str(name)) for name in names if "{" in name]

    def said(self, text: str, _: Language) -> str:
        """Say one of these names, and a message; any other text stays as it is."""
        if text in self._plain or isinstance(text, Message):
            return _(text)
        for pattern, name in self._patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                values = found.groupdict()
                return _(name, **{key: self.said(one, _) for key, one in values.items()})
        return text

    def knows(self, text: str) -> bool:
        """Whether it is one of these names."""
        return text in self._plain or any(one.fullmatch(text) for one, _ in self._patterns)


def _pattern(name: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", name)
    return re.compile(
        "".join(
            re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+)" for at, part in enumerate(parts)
        ),
        re.DOTALL,
    )


METRICS = Glossary(
    (
        message("{metric}, by attribute"),
        message("conversions, {model}"),
        message("value, {model}"),
        message("cost per acquisition, {model}"),
        message("ROAS, {model}"),
        message("arrived there or later"),
        message("audience"),
        message("average basket"),
        message("average frequency"),
        message("average value"),
        message("base"),
        message("conversion rate"),
        message("conversions"),
        message("conversions by age"),
        message("cost"),
        message("cost per acquisition"),
        message("cost per incremental conversion"),
        message("cost per person reached"),
        message("coverage"),
        message("flow"),
        message("found of the smaller side"),
        message("impressions"),
        message("incremental conversions"),
        message("incremental ROAS"),
        message("incremental value"),
        message("index"),
        message("index to audience"),
        message("lift"),
        message("match rate"),
        message("matched"),
        message("matched and known"),
        message("matched and not known"),
        message("matched with"),
        message("offered"),
        message("offered coverage"),
        message("on-target share"),
        message("own people above the top"),
        message("own value cut off"),
        message("p-value"),
        message("path"),
        message("people"),
        message("reach"),
        message("reach at least"),
        message("reach exactly"),
        message("reach share"),
        message("reached"),
        message("reached by"),
        message("reached by both"),
        message("reached by it alone"),
        message("reached exactly"),
        message("relative lift"),
        message("ROAS"),
        message("share"),
        message("share by then"),
        message("share known"),
        message("share of base"),
        message("share of matched"),
        message("share of own people"),
        message("share of reach"),
        message("share of value"),
        message("share reached"),
        message("step conversion"),
        message("unattributed conversions"),
        message("value"),
        message("value a person"),
        message("with a refund"),
        message("with a value"),
        # models of attribution
        message("last"),
        message("first"),
        message("linear"),
        message("position"),
        message("decay"),
        message("shapley"),
        message("markov"),
    )
)
UNITS = Glossary(
    (
        message("people"),
        message("keys"),
        message("share"),
        message("impressions"),
        message("times"),
        message("index"),
        message("rate"),
        message("points"),
        message("value"),
        message("conversions"),
        message("cost"),
        message("ratio"),
        message("probability"),
    )
)
TITLES = Glossary(
    (
        message("attribution"),
        message("cross-channel reach"),
        message("delay"),
        message("funnel"),
        message("insights"),
        message("lift"),
        message("overlap"),
        message("overlap by identifier"),
        message("reach"),
        message("reach by campaign"),
        message("table"),
    )
)
KINDS = Glossary((message("private: not to be passed on"), message("shareable")))
ROLES = Glossary((message("tabulator"), message("recipient"), message("third")))
STEPS = Glossary(
    (
        message("rows of a person"),
        message("people"),
        message("people who consent"),
        message("people who were not erased"),
        message("people without an identifier of somebody who was erased"),
        message("people of {age} years or more"),
        message("people of {age} years or more, or with a guardian's consent"),
        message("people with separate consent for {column} ({category})"),
        message("values, added up for each person"),
        message("values within the bounds, others cut"),
        message("people whose rows agree on the label"),
        message("people with a requested label"),
        message("people with an identifier"),
        message("people with rows left"),
        message("people whose value is in a range"),
        message("people on whose rows the expression works, with their values in a range"),
        message("keys, each once"),
        message("keys under one label"),
        message("identifiers, each once"),
        message("identifiers of one person"),
        message("identifiers, at most {most} of a person"),
        message("conversions of people who consent, with a time"),
        message("conversions of people with an identifier"),
        message("conversions in the window"),
        message("conversions with a requested label"),
        message("conversions, the first {most} of a person"),
        message("touches of people who consent, with a time"),
        message("touches of a listed campaign"),
        message("touches that count in the window"),
        message("intervals of touches, at most {most} keys a person"),
        message("people counted to have at most {most} keys, under one label"),
        message("people counted to have at most {most} records"),
        message("invalid traffic: {rule}"),
        message("no readable time"),
        message("later than now"),
    )
)

REASONS = Glossary(
    (
        message("placeholder"),
        message("space or invisible character inside"),
        message("not one local part, one @, one domain"),
        message("nothing left of the local part"),
        message("domain ends with a dot"),
        message("domain without a dot"),
        message("domain is not valid under IDNA"),
        message("not a phone number for this region"),
        message("impossible length for its country"),
        message("not an advertising id"),
        message("not 14 or 15 digits"),
        message("check digit is wrong"),
        message("not twelve hex digits"),
        message("neither hex nor base64"),
        message("base64 is not canonical"),
        message("wrong length for {algorithm}"),
        message("digest of a placeholder"),
        message("no digest"),
    )
)
"""Why a value is refused (`psi.reasons`), and what is no digest."""
