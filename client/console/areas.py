"""A place in the menu."""

from __future__ import annotations

from dataclasses import dataclass

from audit.roles import Role


@dataclass(frozen=True)
class Area:
    """The name of its route, what it is called (a message), and from which role on it is seen."""

    route: str
    name: str
    role: Role = Role.COMPLIANCE
