"""A place in the menu."""

from __future__ import annotations

from dataclasses import dataclass

from audit.roles import Role


@dataclass(frozen=True)
class Area:
    """The name of its route, what it is called (a message), and from which role on it is seen.

    `beside` are addresses of its pages that do not lie below its own.
    """

    route: str
    name: str
    role: Role = Role.COMPLIANCE
    beside: tuple[str, ...] = ()

    def has(self, path: str, place: str) -> bool:
        """Say whether a page is one of those behind the area, which itself is at `place`."""
        below = (place, *self.beside)
        return any(path == one or path.startswith(f"{one}/") for one in below if one != "/")
