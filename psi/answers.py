"""Known answers: fillers whose image their owner can compute (docs/protocol.md, Known answers).

A filler of owner O is `X25519(o, X25519(s, 9))` for a random `s`, which no raiser can tell
from data. Once the raisers' joint base point `K` is known, and never before their answers
are complete, O computes what must have come back: `X25519(o, X25519(s, K))`. A raiser that
answered a share f of the points falsely passes F such checks with (1 - f)^F.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from psi.curve import Scalar, public_points, raise_points, raise_to_each
from psi.errors import WrongAnswer
from psi.legs import Form
from psi.seed import Seed
from psi.sets import Buffer, LabelledSet, contains


@dataclass(frozen=True)
class Fillers:
    """The fillers of one label: its known answers, and what follows them."""

    secrets: tuple[Scalar, ...]


def derive_fillers(seed: Seed, session_id: bytes, label: int, count: int) -> Fillers:
    """Derive the first `count` fillers: known answers, noise on the label's size, a reserve."""
    secrets = seed.derive_many(session_id, f"filler/{label}", count)
    return Fillers(tuple(Scalar.from_bytes(secret) for secret in secrets))


def filler_points(fillers: Fillers, owner: Scalar, *, executor: Executor | None = None) -> Buffer:
    """Return the fillers as points, shape (n, 32)."""
    return raise_points(public_points(fillers.secrets, executor=executor), owner, executor=executor)


def known_points(secrets: Sequence[Scalar], owner: Scalar, route_key: bytes) -> Buffer:
    """Return the images that known answers must have under `route_key`, shape (n, 32).

    Raises:
        InvalidPoint: the route key is not canonical, or its image is zero.
    """
    return raise_points(raise_to_each(route_key, secrets), owner)


def require_known_tags(answer: LabelledSet, expected: Sequence[Buffer]) -> None:
    """Require the expected points, as tags, among each label's tags.

    Args:
        answer: tags by label.
        expected: for each label, points (n, 32) whose tags must stand under it.

    Raises:
        WrongAnswer: at least one is missing.
    """
    for label, points in enumerate(expected):
        if not contains(answer.label(label), points[:, : Form.TAGS.value]).all():
            raise WrongAnswer(
                "a known answer did not come back under its label: the counterpart did not "
                "raise this set with one scalar. Nothing is released; talk to them"
            )


def require_known_places(answer: LabelledSet, places: Sequence[int], expected: Buffer) -> None:
    """Require the expected points, as tags, at their places in an answer that kept its order.

    Raises:
        WrongAnswer: at least one differs.
    """
    got = answer.elements[np.asarray(places, dtype=np.int64)]
    if not np.array_equal(got, expected[:, : Form.TAGS.value]):
        raise WrongAnswer(
            "a known answer did not come back in its place: the counterpart did not raise "
            "this set with one scalar. No list is made; talk to them"
        )


def require_complete(answer: LabelledSet, sent: Sequence[int]) -> None:
    """Require as many answers under each label as points were sent.

    That the answers are distinct is `psi.curve.require_distinct`'s to check.

    Raises:
        WrongAnswer: a label came back with another size.
    """
    if tuple(answer.sizes) != tuple(sent):
        raise WrongAnswer("a label came back with another number of tags than were sent")


def commit_seed(seed: Seed, input_root: bytes) -> bytes:
    """Return the commitment to seed and input that is logged before the first step."""
    return hashlib.sha256(b"commonground/seed/v1" + seed.secret_bytes() + input_root).digest()
