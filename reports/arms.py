"""The arms of an experiment, and what counts as its outcome, as the two sides' labels say it.

The tabulator's labels are two arms, or two arms × exposed or not. Their order in the contract says
what they are: the first arm is the treatment, the second the control; the first word of exposure
means exposed. In the control arm that is a ghost exposure: the person would have been shown it. The
recipient's labels are those of people who converted: kinds of conversion, or value buckets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from languages import message
from reports.crosstab import blocks
from reports.errors import UnsuitableLabels
from reports.linear import Indices
from reports.sums import ValueColumns
from reports.table import JOINT

_ARMS: Final = 2
_WITH_EXPOSURE: Final = 4


@dataclass(frozen=True)
class Group:
    """People of one arm, or of one arm and one exposure: a name and rows of the table."""

    name: str
    rows: Indices


@dataclass(frozen=True)
class Arms:
    """Two arms; with exposure, who was exposed in the first, and would have been in the second."""

    treatment: Group
    control: Group
    exposed: Group | None = None
    ghosts: Group | None = None

    @property
    def said(self) -> str:
        """Which label is which, in words."""
        roles = message(
            "treatment is '{treatment}' and control '{control}'",
            treatment=self.treatment.name,
            control=self.control.name,
        )
        if self.exposed is None or self.ghosts is None:
            return roles
        return message(
            "{roles}; '{exposed}' saw it, '{ghosts}' would have seen it",
            roles=roles,
            exposed=self.exposed.name,
            ghosts=self.ghosts.name,
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        """The arms, and then the exposed of either."""
        return tuple(
            group
            for group in (self.treatment, self.control, self.exposed, self.ghosts)
            if group is not None
        )


@dataclass(frozen=True)
class Outcome:
    """A kind of conversion, or all of them (None): its columns and, of buckets, their bounds."""

    segment: str | None
    columns: Indices
    bounds: tuple[float, ...] | None = None


def arms_of(labels: Sequence[str]) -> Arms:
    """Return the arms that the tabulator's labels are; UnsuitableLabels where they are none."""
    parts = [tuple(label.split(JOINT)) for label in labels]
    if len(labels) == _ARMS and all(len(part) == 1 for part in parts):
        return Arms(Group(labels[0], (0,)), Group(labels[1], (1,)))
    arms = list(dict.fromkeys(part[0] for part in parts))
    exposures = list(dict.fromkeys(part[-1] for part in parts))
    if (
        len(labels) != _WITH_EXPOSURE
        or len(arms) != _ARMS
        or parts != list(product(arms, exposures))
    ):
        raise UnsuitableLabels(
            message(
                "lift needs two arms, the treatment first in the contract, or "
                "two arms × exposed or not, as in 'treatment{joint}exposed', "
                "'treatment{joint}not exposed', 'control{joint}exposed', "
                "'control{joint}not exposed'; here are {number} labels: "
                "{labels}{advice}",
                joint=JOINT,
                number=len(labels),
                labels=", ".join(labels[:_WITH_EXPOSURE]),
                advice=_several(len(arms)),
            )
        )
    return Arms(
        Group(arms[0], (0, 1)),
        Group(arms[1], (2, 3)),
        Group(labels[0], (0,)),
        Group(labels[2], (2,)),
    )


def _several(arms: int) -> str:
    """Say what to do with more arms than two."""
    if arms <= _ARMS:
        return ""
    return (
        ". Of several arms make a label for each comparison, with two of them as its values, and "
        "ask for a lift of each; `report table` has the conversions of all arms in one"
    )


def outcomes_of(labels: tuple[str, ...]) -> list[Outcome]:
    """Return the outcomes that the recipient's labels are, all of them together (None) last.

    Labels that are value buckets, or kinds × value buckets, have their bounds, in units of money.
    """
    values = ValueColumns.find(labels)
    if values is None:
        return [Outcome(segment, columns) for segment, columns in blocks(labels)]
    return [
        Outcome(
            segment,
            tuple(column for columns in buckets for column in columns),
            values.weights * len(buckets),
        )
        for segment, buckets in values.blocks
    ]
