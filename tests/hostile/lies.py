"""The lies, each with where it is told and what has to come of it.

A lie before the charge costs nothing. One that is told later ends a session that was charged before
its first byte, as every session is (docs/protocol.md); it never costs a second charge, and releases
nothing that was not out before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import calls
import changes
from changes import FORGER, ROOT, consent, of_the_hello

from party.messages import CheckpointOffer, Closing, Cosignature, Finish, Hello, Nonce

DAY = 86_400
BEFORE, CHARGED, RELEASED = "nothing", "the charge", "the charge, released before"


@dataclass(frozen=True)
class Lie:
    """A lie in a session of a kind, or outside of any (`kind` None).

    `kind` is what the liar is there: recipient, tabulator, or who receives or sends a list. `says`
    is part of what the victim says where the status alone could mean another lie.
    """

    name: str
    kind: str | None
    status: str
    costs: str
    incident: str | None
    message: type | None = None
    step: int | None = None
    change: Callable | None = None
    call: Callable | None = None
    outside: Callable | None = None
    says: str = ""

    def said(self, message, link):
        if self.message is None or not isinstance(message, self.message):
            return message
        if self.call is not None:
            self.call(link)
        return message if self.change is None else self.change(message, link)

    def sent(self, step, artefact, link):
        if step != self.step:
            return artefact
        if self.call is not None:
            self.call(link, step, artefact)
        return artefact if self.change is None else self.change(artefact)

    def asked(self, step, link):
        if step == self.step and self.call is not None:
            self.call(link, step, None)


BAD, POINT, ANSWER, TRANSCRIPT = "bad_message", "invalid_point", "wrong_answer", "transcript"
TOO_MUCH = "too_much"


def in_words(name, status, incident, message, change, *, costs=BEFORE, kind="recipient"):
    return Lie(name, kind, status, costs, incident, message=message, change=change)


def in_logs(name, incident, change, says):
    """Show another history once the result stands: it does, and nothing is cosigned."""
    return Lie(
        name, "recipient", "BAD_REQUEST", RELEASED, incident,
        message=CheckpointOffer, change=change, says=says,
    )  # fmt: skip


def in_step(name, kind, step, change, status, incident, *, costs=CHARGED):
    return Lie(name, kind, status, costs, incident, step=step, change=change)


def on_the_wire(name, kind, step, call, status, incident, *, costs=CHARGED):
    return Lie(name, kind, status, costs, incident, step=step, call=call)


def outside(name, call, status, incident, *, costs=BEFORE):
    return Lie(name, None, status, costs, incident, outside=call)


LIES = [
    # before the charge
    in_words(
        "hello in another's name",
        "BAD_REQUEST",
        BAD,
        Hello,
        of_the_hello(party=lambda _: "vendor"),
    ),
    in_words("hello under another contract", "BAD_REQUEST", BAD, Hello, changes.other_contract),
    in_words(
        "consent of the day before yesterday",
        "CONSENT_STALE",
        "stale_consent",
        Hello,
        consent(taken_at=lambda h: h.consent.taken_at - 2 * DAY),
    ),
    in_words(
        "consent of tomorrow",
        "CONSENT_STALE",
        "stale_consent",
        Hello,
        consent(taken_at=lambda h: h.consent.taken_at + DAY),
    ),
    in_words(
        "consent without a snapshot", "BAD_REQUEST", BAD, Hello, consent(sequence=lambda _: 0)
    ),
    in_words(
        "a checkpoint that is too long",
        "LIMIT_EXCEEDED",
        TOO_MUCH,
        Hello,
        of_the_hello(checkpoint=lambda _: "x" * 16_385),
    ),
    in_words(
        "another nonce than committed to",
        "BAD_REQUEST",
        BAD,
        Nonce,
        lambda nonce, link: replace(nonce, nonce=ROOT),
        costs=CHARGED,
    ),
    # a recipient's own set, and the tabulator's as it raises it
    in_step("low-order point", "recipient", 2, changes.low_order, "INVALID_POINT", POINT),
    in_step(
        "low-order point of the twist",
        "recipient",
        2,
        changes.low_order_of_the_twist,
        "INVALID_POINT",
        POINT,
    ),
    in_step(
        "point that is not canonical", "recipient", 2, changes.not_canonical, "INVALID_POINT", POINT
    ),
    in_step("repeated point", "recipient", 2, changes.repeated, "INVALID_POINT", POINT),
    in_step(
        "point repeated across labels",
        "recipient",
        2,
        changes.repeated_across_labels,
        "INVALID_POINT",
        POINT,
    ),
    in_step("a label less", "recipient", 2, changes.a_label_less, "INVALID_POINT", POINT),
    in_step(
        "several scalars for one set",
        "recipient",
        1,
        changes.half_by_another_scalar,
        "WRONG_ANSWER",
        ANSWER,
    ),
    in_step(
        "another label's points",
        "recipient",
        1,
        changes.another_labels_points,
        "WRONG_ANSWER",
        ANSWER,
    ),
    in_step("too few answers", "recipient", 1, changes.one_less, "WRONG_ANSWER", ANSWER),
    in_step("too many answers", "recipient", 1, changes.one_more, "WRONG_ANSWER", ANSWER),
    in_step("another route key", "recipient", 3, changes.another_key, "WRONG_ANSWER", ANSWER),
    in_step(
        "route key of low order", "recipient", 3, changes.low_order_key, "INVALID_POINT", POINT
    ),
    # a tabulator's release
    in_step("release of another shape", "tabulator", 4, changes.another_shape, "BAD_REQUEST", BAD),
    in_step(
        "label numbers that are none", "tabulator", 4, changes.another_numbering, "BAD_REQUEST", BAD
    ),
    # a list, from either side
    in_step(
        "wrong order of a list's answers", "sends", 4, changes.turned_round, "WRONG_ANSWER", ANSWER
    ),
    in_step(
        "false tags of a list", "sends", 4, changes.half_by_another_scalar, "WRONG_ANSWER", ANSWER
    ),
    in_step(
        "false tags to a list's sender",
        "receives",
        2,
        changes.half_by_another_scalar,
        "WRONG_ANSWER",
        ANSWER,
    ),
    # on the wire
    on_the_wire(
        "tags of 8 bytes", "receives", 2, calls.with_header(calls.short_tags), "BAD_REQUEST", BAD
    ),
    on_the_wire(
        "2³¹ points and more",
        "receives",
        0,
        calls.with_header(calls.many_points),
        "LIMIT_EXCEEDED",
        TOO_MUCH,
    ),
    on_the_wire(
        "4,097 labels",
        "receives",
        0,
        calls.with_header(calls.many_labels),
        "LIMIT_EXCEEDED",
        TOO_MUCH,
    ),
    on_the_wire(
        "wrong digest of a chunk",
        "receives",
        0,
        calls.with_chunks(lambda cs: [replace(cs[0], digest=bytes(32))]),
        "BAD_REQUEST",
        BAD,
    ),
    on_the_wire(
        "a chunk that is cut short",
        "receives",
        0,
        calls.with_chunks(calls.cut_short),
        "BAD_REQUEST",
        BAD,
    ),
    on_the_wire(
        "chunks out of order",
        "receives",
        0,
        calls.with_chunks(lambda cs: [replace(cs[0], index=7)]),
        "BAD_REQUEST",
        BAD,
    ),
    on_the_wire(
        "route key before its answers", "receives", 1, calls.before_its_turn, "BAD_REQUEST", BAD
    ),
    # at the end
    in_words(
        "other digests of what both saw",
        "TRANSCRIPT_MISMATCH",
        TRANSCRIPT,
        Closing,
        changes.other_digest,
        costs=RELEASED,
    ),
    in_words(
        "a step that nobody is said to have seen",
        "TRANSCRIPT_MISMATCH",
        TRANSCRIPT,
        Closing,
        changes.a_step_less,
        costs=RELEASED,
    ),
    in_words(
        "forged transcript",
        "TRANSCRIPT_MISMATCH",
        TRANSCRIPT,
        Finish,
        lambda finish, link: replace(finish, transcript=ROOT),
        costs=RELEASED,
    ),
    in_logs(
        "another log of the size that was cosigned",
        "log_forked",
        FORGER.forked_offer,
        "has signed two different logs",
    ),
    in_logs(
        "a longer log that branches off before",
        "log_not_extended",
        FORGER.branched_offer,
        "does not extend the one of",
    ),
    in_logs(
        "log that was rolled back",
        "log_not_extended",
        FORGER.rolled_back_offer,
        "was rolled back, or an old checkpoint was sent",
    ),
    in_words(
        "cosignature on another log, the last word",
        "BAD_REQUEST",
        BAD,
        Cosignature,
        FORGER.cosigns_another_tree,
        costs=RELEASED,
    ),
    # outside of sessions
    outside(
        "forged signature of a request",
        calls.submit_bytes(calls.forged_signature),
        "BAD_REQUEST",
        BAD,
    ),
    outside(
        "request of another author", calls.submit_bytes(calls.of_another_author), "BAD_REQUEST", BAD
    ),
    outside("another request under a known id", calls.anothers_id, "BAD_REQUEST", BAD),
    outside("replayed session", calls.replayed_session, "BAD_REQUEST", BAD, costs=RELEASED),
    outside("deep nesting: JSON", calls.submit_bytes(lambda _: b"[" * 200_000), "BAD_REQUEST", BAD),
    outside("deep nesting: protobuf", calls.raw("Attend", b"\x0b" * 4_000), "BAD_REQUEST", BAD),
    outside(
        "huge text",
        calls.submit_bytes(lambda _: b'"' + b"x" * (1 << 20)),
        "LIMIT_EXCEEDED",
        TOO_MUCH,
    ),
    outside(
        "protobuf bomb", calls.raw("Close", calls.many_small_parts()), "LIMIT_EXCEEDED", TOO_MUCH
    ),
    outside("message above 4 MiB", calls.raw("Attend", bytes(5 << 20)), "RESOURCE_EXHAUSTED", None),
    outside("compression bomb", calls.compressed, "UNIMPLEMENTED", None),
    outside("300 connections that say nothing", calls.silent_connections, "taken", None),
    outside("header flood", calls.header_flood, "RESOURCE_EXHAUSTED", None),
]


def faults(lie, told):
    """Name what did not come of a lie as it must."""
    incidents = (f"incident.{lie.incident}",) if lie.incident else ()
    held = {
        "status": told.status == lie.status,
        "what it says": lie.says in told.reason,
        "incident": told.incidents == incidents,
        "charge": told.charges == (lie.costs != BEFORE),
        "release": told.released == 0 or lie.costs == RELEASED,
        "cosignature": not told.cosigned or lie.message is not CheckpointOffer,
        "service": told.answers,
    }
    return [name for name, well in held.items() if not well]
