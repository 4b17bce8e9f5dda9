"""A privacy budget over time: what is used up, what is held, what there is, and each list.

Used up is the budget less the largest release that still fits, by the filter that the contract
fixes: with the basic one it is the sum of ε. Releases with noise raise the line; a list is a
disclosure, which costs no ε and stands on the line as a mark of its own. No hue tells anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from client.page.drawing import as_svg, configured, require_charts
from client.page.marks import BAR, EDGE, INK, PAPER
from languages import ENGLISH, Language
from party.ledger import Balance
from party.ledger_history import Due, Window
from privacy.accounting import Spend
from privacy.units import NANO

if TYPE_CHECKING:
    import altair as alt

_NAME: Final = "budget"
_WIDTH, _HEIGHT = 800, 230
_ABOVE: Final = 1.12
"""Room above the budget's line, for what stands on it."""
ALLOWED, SPENT, HELD, DISCLOSED = "allowed", "spent", "held", "disclosed"


@dataclass(frozen=True)
class BudgetChart:
    """An account's windows, oldest first, and what is held of it for requests to come.

    `balance` is how it stands at `now` (Unix seconds).
    """

    balance: Balance
    windows: Sequence[Window]
    due: Sequence[Due]
    now: int
    language: Language = ENGLISH

    @property
    def alternative(self) -> str:
        """What a person who does not see the chart is told."""
        _ = self.language
        return _(
            "The privacy budget of {population} over {count} windows: a line that rises with each "
            "report, marks for lists, and the budget above. The same numbers stand in the table.",
            population=self.balance.account.population,
            count=_.number(len(self.windows)),
        )

    def used(self, spend: Spend) -> float:
        """Return how much ε of the budget a spend uses up."""
        allowance = self.balance.allowance
        left, _ = allowance.rule.left(spend)
        return (allowance.epsilon_nano - left) / NANO

    def points(self) -> list[dict[str, str | float]]:
        """Return the chart as data: a point where a line begins, changes or ends."""
        window = self.windows[-1]
        return [self._point(ALLOWED, window, self.now, Spend()), *self._spent(), *self._held()]

    def svg(self) -> str:
        """Draw it.

        Raises:
            PartyError: the extra is not installed.
        """
        require_charts()
        return as_svg(configured(self.chart(), {_NAME: self.points()}, self.language))

    def chart(self) -> alt.LayerChart:
        """Return it as Altair describes it."""
        import altair as alt

        _ = self.language
        budget = self.balance.allowance.epsilon_nano / NANO
        across = alt.X("at:T", title=None, axis=alt.Axis(format="%Y-%m-%d", tickCount=6))
        up: dict[str, Any] = {
            "scale": alt.Scale(domain=[0, budget * _ABOVE], nice=False),
            "axis": alt.Axis(title=_("ε used up"), tickCount=5),
        }
        height = alt.Y("used:Q", **up)
        of = _of_kind
        area = of(SPENT).mark_area(
            interpolate="step-after", color=BAR, stroke=INK, strokeWidth=1.4, line=False
        )
        held = of(HELD).mark_line(
            interpolate="step-after", color=INK, strokeDash=[4, 3], strokeWidth=1.2
        )
        marks = of(DISCLOSED).mark_point(
            shape="diamond", size=80, color=INK, fill=PAPER, opacity=1, strokeWidth=1.2
        )
        counts = of(DISCLOSED).mark_text(dy=-13, fontSize=11, color=INK)
        line = of(ALLOWED).mark_rule(color=INK, strokeWidth=1)
        said = of(ALLOWED).mark_text(
            align="left", baseline="bottom", dx=4, dy=-3, fontSize=11, color=INK
        )
        renews = alt.Chart().mark_rule(color=EDGE, strokeWidth=0.8, strokeDash=[2, 2])
        window = alt.Detail("window:N")
        return alt.LayerChart(
            data={"name": _NAME},
            layer=[
                renews.encode(x=alt.X("ends:T")),
                area.encode(x=across, y=height, detail=window),
                held.encode(x=across, y=height, detail=window),
                line.encode(y=alt.YDatum(budget, **up)),
                said.encode(
                    y=alt.YDatum(budget, **up), x=alt.value(0), text=alt.TextValue(self._budget())
                ),
                marks.encode(x=across, y=height),
                counts.encode(x=across, y=height, text="lists:N"),
            ],
        ).properties(width=_WIDTH, height=_HEIGHT)

    def _budget(self) -> str:
        _ = self.language
        days, nano = self.balance.allowance.window_days, self.balance.allowance.epsilon_nano
        return _("budget: ε {epsilon} in {days} days", epsilon=f"{nano / NANO:g}", days=days)

    def _spent(self) -> Iterator[dict[str, str | float]]:
        for window in self.windows:
            until = min(window.end, max(self.now, window.start))
            sums = list(accumulate((day.spend for day in window.days), initial=Spend()))
            at = [window.start, *(day.start for day in window.days)]
            for moment, spend in zip([*at, until], [*sums, sums[-1]], strict=True):
                yield self._point(SPENT, window, max(moment, window.start), spend)
            for day, spend in zip(window.days, sums[1:], strict=True):
                if day.disclosures:
                    point = self._point(DISCLOSED, window, day.start, spend)
                    yield {**point, "lists": self.language.number(day.disclosures)}

    def _held(self) -> Iterator[dict[str, str | float]]:
        """Yield what the present window will have cost when all is asked that is held for."""
        window = self.windows[-1]
        spend = self.balance.spent
        coming = [one for one in self.due if one.due_at < window.end]
        if not coming:
            return
        yield self._point(HELD, window, self.now, spend)
        for one in coming:
            spend = spend + one.spend
            yield self._point(HELD, window, max(one.due_at, self.now), spend)
        yield self._point(HELD, window, window.end, spend)

    def _point(self, kind: str, window: Window, at: int, spend: Spend) -> dict[str, str | float]:
        return {
            "kind": kind,
            "window": str(window.start),
            "at": _time(at),
            "ends": _time(window.end),
            "used": self.used(spend),
        }


def _of_kind(kind: str) -> alt.Chart:
    import altair as alt

    return alt.Chart().transform_filter(alt.datum.kind == kind)


def _time(seconds: int) -> str:
    """Write a time as the drawing program reads it: without a zone, which here is always UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
