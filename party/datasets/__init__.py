"""A party's datasets: described in YAML, read from files, made into the keys of a session.

Names are loaded when they are asked for: what only asks until when a dataset may be used
(`party.datasets.retention`) loads nothing that reads data.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from party.datasets.consent import ConsentSnapshot
    from party.datasets.definition import Definition, load_definition
    from party.datasets.prepare import Prepared
    from party.datasets.quality import QualityReport, inspect
    from party.datasets.steps import BoundStep
    from party.datasets.timed import Timed

__all__ = [
    "BoundStep",
    "ConsentSnapshot",
    "Definition",
    "Prepared",
    "QualityReport",
    "Timed",
    "inspect",
    "load_definition",
]

_HOMES: Final = {
    "BoundStep": "steps",
    "ConsentSnapshot": "consent",
    "Definition": "definition",
    "Prepared": "prepare",
    "QualityReport": "quality",
    "Timed": "timed",
    "inspect": "quality",
    "load_definition": "definition",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is exported
    if name not in _HOMES:
        raise AttributeError(f"module 'party.datasets' has no attribute '{name}'")
    return getattr(import_module(f"party.datasets.{_HOMES[name]}"), name)
