"""The templates: those of this package, and as `page/…` those of the pages that are passed on.

Every text is escaped, and a name that a template misses is an error.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from client.console.static import Files
from client.page.glossary import REASONS
from privacy.units import format_delta, format_epsilon

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(files: Files) -> Environment:
    """Return what makes pages of templates."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

    engine = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=ChoiceLoader(
            [
                PackageLoader("client.console", "templates"),
                PrefixLoader({"page": PackageLoader("client.page", "")}),
            ]
        ),
    )
    engine.globals |= {"static": files.address, "reasons": REASONS}
    engine.filters |= {"epsilon": format_epsilon, "delta": format_delta, "iso": _iso}
    return engine


def _iso(seconds: int) -> str:
    """Return a moment (Unix seconds) as RFC 3339 writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
