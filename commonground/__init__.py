"""commonground: match audiences and measure campaigns without showing each other data.

`from commonground import Party` is the way in for a Python program (docs/sdk.md). Names are loaded
when they are asked for: every worker process imports this package, and needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from client.cancelling import CancelToken
    from client.log_places import LogAccess
    from client.sdk.by_identifier import OverlapByIdentifier, QuoteByIdentifier
    from client.sdk.datasets import Dataset, Diagnosis
    from client.sdk.log import Ledger, check_receipt, verify_log
    from client.sdk.results import Audience, Quote, Report
    from client.sdk.templates import QuoteOfSeries
    from client.suppressing import Suppressed
    from commonground import errors
    from commonground.sdk import Party
    from party.activation import Exported
    from party.driver import Progress
    from party.series import Series
    from party.templates import Template

__all__ = [
    "Audience",
    "CancelToken",
    "Dataset",
    "Diagnosis",
    "Exported",
    "Ledger",
    "LogAccess",
    "OverlapByIdentifier",
    "Party",
    "Progress",
    "Quote",
    "QuoteByIdentifier",
    "QuoteOfSeries",
    "Report",
    "Series",
    "Suppressed",
    "Template",
    "check_receipt",
    "errors",
    "verify_log",
]

_HOMES: Final = {
    "Audience": "client.sdk.results",
    "CancelToken": "client.cancelling",
    "Dataset": "client.sdk.datasets",
    "Diagnosis": "client.sdk.datasets",
    "Exported": "party.activation",
    "Ledger": "client.sdk.log",
    "LogAccess": "client.log_places",
    "OverlapByIdentifier": "client.sdk.by_identifier",
    "Party": "commonground.sdk",
    "Progress": "party.driver",
    "Quote": "client.sdk.results",
    "QuoteByIdentifier": "client.sdk.by_identifier",
    "QuoteOfSeries": "client.sdk.templates",
    "Report": "client.sdk.results",
    "Series": "party.series",
    "Suppressed": "client.suppressing",
    "Template": "party.templates",
    "check_receipt": "client.sdk.log",
    "verify_log": "client.sdk.log",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is exported
    if name == "errors":
        return import_module("commonground.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'commonground' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
