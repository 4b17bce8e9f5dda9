"""What the people of a report are worth, and what they cost: the metrics that marketers expect.

Beside the numbers of a report, by the labels that it names: where the recipient's labels are value
buckets, value, conversion and baskets; where a cost is given, cost and return. Each is computed
from the same table, with its error. What the table cannot tell is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from languages import message
from reports.cells import CellEstimates
from reports.costs import Costs
from reports.estimate import Estimate, Unit, exact_number, noisy_number, withheld
from reports.laws import Spread
from reports.linear import Indices
from reports.rendering import Row
from reports.sums import ValueBlock, ValueTable

Groups = Sequence[tuple[str | None, Indices]]
"""The rows of each label that a report names, and of all of them (None)."""

VALUE_NOTES = (
    message(
        "Values are sums of public bounds, to which each person's own was rounded at random such "
        "that the expectation is exact. The intervals cover the rounding. What lies above the top "
        "bound is cut off."
    ),
    message(
        "'with a value' and 'conversion rate' count people at a bound above 0: too few where "
        "values lie below the lowest bound."
    ),
)
COST_NOTES = (
    message(
        "Costs are as they were given. ROAS is the value of the people reached, divided by the "
        "cost. It is not what the campaign has caused."
    ),
)


def value_rows(estimates: CellEstimates, groups: Groups) -> Iterator[Row]:
    """Yield value, conversion and baskets by label and segment; nothing without value buckets."""
    table = ValueTable.find(estimates)
    if table is None:
        return
    for segment, _ in table.values.blocks:
        for label, rows in groups:
            for metric, unit, number in _of_block(estimates, table.block(rows, segment)):
                yield Row(metric, unit, number, label, segment)
        yield from _known(estimates, table, segment)


def cost_rows(estimates: CellEstimates, groups: Groups, costs: Costs) -> Iterator[Row]:
    """Yield cost and return by label, for those whose cost is known."""
    table = ValueTable.find(estimates)
    total = costs.total_of([label for label, _ in groups if label is not None])
    for label, rows in groups:
        cost = total if label is None else costs.by_label.get(label)
        if cost is None:
            continue
        reached = estimates.count(rows, estimates.all_columns)
        yield Row("cost", "value", exact_number(float(cost)), label)
        yield Row("cost per person reached", "cost", cost_of_each(cost, reached), label)
        if table is not None:
            block = table.block(rows)
            buyers = estimates.count(rows, block.earning)
            yield Row("cost per acquisition", "cost", cost_of_each(cost, buyers), label)
            yield Row("ROAS", "ratio", return_on(cost, block.total()), label)


def _of_block(estimates: CellEstimates, block: ValueBlock) -> Iterator[tuple[str, Unit, Estimate]]:
    rows, columns = block.rows, block.columns
    yield "value", "value", block.total()
    yield "average value", "value", block.average()
    yield "share of value", "share", block.share()
    yield "with a value", "people", estimates.count(rows, block.earning)
    yield "conversion rate", "share", estimates.part(rows, block.earning, rows, columns)
    yield "average basket", "value", block.average_basket()
    if block.refunded:
        yield "with a refund", "people", estimates.count(rows, block.refunded)


def _known(estimates: CellEstimates, table: ValueTable, segment: str | None) -> Iterator[Row]:
    """Yield what the recipient alone knows of its own values: nothing in what may be passed on."""
    known = estimates.known_values()
    if known is None:
        return
    columns = [column for part in dict(table.values.blocks)[segment] for column in part]
    cut, amount = (sum(part[column] for column in columns) for part in (known.cut, known.amount))
    above = sum(known.above[column] for column in columns)
    yield Row("own people above the top", "people", exact_number(above), segment=segment)
    if cut + amount:
        share = exact_number(cut / (cut + amount))
        yield Row("own value cut off", "share", share, segment=segment)


def cost_of_each(cost: Decimal, people: Estimate) -> Estimate:
    """Return a cost by person, or by conversion (delta method); withheld unless there are some."""
    if not people.clear:
        return withheld()
    value = float(cost) / people.value
    error = Spread(people.standard_error, people.half_width).scaled(value / people.value)
    return noisy_number(value, error)


def return_on(cost: Decimal, value: Estimate) -> Estimate:
    """Return a value over its cost."""
    if value.suppressed:
        return value
    factor = 1 / float(cost)
    return Estimate(
        factor * value.value,
        factor * value.standard_error,
        factor * value.half_width,
        epsilon_factor=value.epsilon_factor,
    )
