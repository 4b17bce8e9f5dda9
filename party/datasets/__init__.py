"""A party's datasets: described in YAML, read from files, made into the keys of a session."""

from party.datasets.consent import ConsentSnapshot
from party.datasets.definition import Definition, load_definition
from party.datasets.prepare import Prepared, prepare
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
    "prepare",
]
