"""What privacy refuses, rooted in one class."""

from __future__ import annotations


class PrivacyError(Exception):
    """Root of every refusal of this package."""


class InvalidParameter(PrivacyError):  # noqa: N818
    """A privacy parameter that cannot be read exactly or would make no sense."""


class BudgetExhausted(PrivacyError):  # noqa: N818
    """A spend that the filter does not admit.

    Attributes:
        epsilon_left_nano: the largest single pure release that would still fit, in 1e-9.
        delta_left_e15: the δ that is left, in 1e-15.
    """

    def __init__(self, message: str, epsilon_left_nano: int, delta_left_e15: int) -> None:
        super().__init__(message)
        self.epsilon_left_nano = epsilon_left_nano
        self.delta_left_e15 = delta_left_e15
