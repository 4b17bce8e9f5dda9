"""What campaigns have cost, as a person gives it: a number, or a CSV file by campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from languages import message
from reports.costs import Costs
from reports.errors import UnsuitableCosts

_MOST_BYTES: Final = 1 << 20


def read_costs(given: str) -> Costs:
    """Return the costs in a file, or the one cost that a number is.

    Raises:
        UnsuitableCosts: it is neither, or cannot be read.
    """
    path = Path(given)
    if path.suffix.lower() != ".csv":
        return _number(given)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnsuitableCosts(
            message(
                "{path}: cannot be read: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    if len(data) > _MOST_BYTES:
        raise UnsuitableCosts(
            message(
                "{path} has more than {most_bytes} bytes",
                path=path,
                most_bytes=f"{_MOST_BYTES:,}",
            )
        )
    try:
        return Costs.of_table(data.decode("utf-8"), str(path))
    except UnicodeDecodeError:
        raise UnsuitableCosts(
            message(
                "{path} is not UTF-8",
                path=path,
            )
        ) from None


def typed_costs(text: str) -> Costs:
    """Return the costs that somebody has typed: a number, or a line NAME=NUMBER for each campaign.

    Raises:
        UnsuitableCosts: it is neither, or a campaign stands twice.
    """
    if "=" not in text:
        return Costs.of_everything(text)
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, cost = (part.strip() for part in line.rpartition("="))
        if not name or name in found:
            raise UnsuitableCosts(
                f"'{line[:64]}': write a number, or a line NAME=NUMBER for each campaign, once each"
            )
        found[name] = cost
    return Costs.of_campaigns(found)


def _number(given: str) -> Costs:
    try:
        return Costs.of_everything(given)
    except UnsuitableCosts as error:
        raise UnsuitableCosts(
            message(
                "{error}, and names no file that ends in .csv",
                error=error,
            )
        ) from None
