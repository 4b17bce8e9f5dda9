"""The pages: a module an area, each with its `router`; and the menu that leads to them."""

from __future__ import annotations

from typing import Final

from client.console.areas import Area
from client.console.pages import (
    account,
    audit,
    audit_verify,
    budget,
    choices,
    contracts,
    datasets,
    documents,
    evidence,
    health,
    home,
    lists,
    people,
    registering,
    reports,
    requests,
    retention,
    sign_in,
    standing,
    static,
)
from languages import message

ROUTERS: Final = (
    home.router,
    standing.router,
    reports.router,
    requests.router,
    lists.router,
    contracts.router,
    budget.router,
    health.router,
    registering.router,
    retention.router,
    datasets.router,
    audit_verify.router,
    evidence.router,
    documents.router,
    audit.router,
    people.router,
    sign_in.router,
    account.router,
    choices.router,
    static.router,
)
AREAS: Final = (
    Area("home", message("Home")),
    Area("reports", message("Reports")),
    Area("requests", message("Requests")),
    Area("lists", message("Lists")),
    Area("contracts", message("Contracts")),
    Area("budget", message("Budget")),
    Area("datasets", message("Datasets"), beside=("/register", "/retention")),
    Area("audit", message("Audit")),
    Area("people", message("People")),
    Area("incidents", message("Incidents")),
    Area("health", message("Health")),
)
"""The menu, in its order; each role sees what it may open."""
