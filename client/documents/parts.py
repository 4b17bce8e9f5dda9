"""The parts that both documents have: who, what for, whereto, for how long, how protected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from client.documents.blocks import Block, Facts, Heading, Paragraph, Points, Rows
from client.documents.facts import Known
from languages import Language, message
from party.contract import Contract
from party.contract_terms import Approval, Grant, OutputKind
from party.places import EEA
from party.transfers import Basis
from privacy.units import format_delta, format_epsilon
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD

KINDS: Final = {
    OutputKind.MATCH: message("list of shared people"),
    OutputKind.REACH: message("how many were reached, and how often"),
    OutputKind.OVERLAP: message("how many people are shared"),
    OutputKind.INSIGHTS: message("what shared people are like"),
    OutputKind.FUNNEL: message("how people go from stage to stage"),
    OutputKind.ATTRIBUTION: message("what had reached people before they converted"),
    OutputKind.DELAY: message("how long it took until people converted"),
    OutputKind.LIFT: message("what a treatment has changed"),
    OutputKind.TABLE: message("counts of any label of one side by any of the other"),
    OutputKind.CROSS_CHANNEL: message("reach of two channels without double counting"),
}
BASES: Final = {
    Basis.SECURITY_ASSESSMENT: message("security assessment by the authority (PIPL 38(1)(1))"),
    Basis.CERTIFICATION: message("certification (PIPL 38(1)(2); GDPR 46(2)(f))"),
    Basis.STANDARD_CONTRACT: message("standard contract of the authority (PIPL 38(1)(3))"),
    Basis.EXEMPTION: message(
        "exemption in the authority's rules on cross-border data flows (PIPL 38(1)(4))"
    ),
    Basis.ADEQUACY: message("adequacy decision (GDPR 45)"),
    Basis.STANDARD_CLAUSES: message("standard contractual clauses (GDPR 46(2)(c))"),
    Basis.BINDING_RULES: message("binding corporate rules (GDPR 47)"),
    Basis.CODE_OF_CONDUCT: message("approved code of conduct (GDPR 46(2)(e))"),
    Basis.DEROGATION: message("derogation for a specific situation (GDPR 49)"),
    Basis.LOCAL_LAW: message("the law of the country of origin"),
}


def reference(known: Known, _: Language) -> Facts:
    """Return which contract this is, and what fixes the state that was read."""
    contract, log = known.contract, known.log
    return Facts(
        [
            (_("Contract"), f"{contract.id} – {contract.title}"),
            (_("Hash of the contract (SHA-256)"), contract.digest),
            (_("In force from"), moment(contract.starts, _)),
            (_("Until"), moment(contract.ends, _)),
            (
                _("Signed"),
                _("by all parties, and imported here")
                if known.stored
                else _("not yet by all, or not imported here: this is a draft"),
            ),
            (_("Written for"), f"{known.me} ({contract.parties[known.me].organisation})"),
            (_("Written on"), moment(known.now, _)),
            (
                _("Log of this party at that time"),
                _("{origin}, {size} entries, root {root}", origin=log.origin, size=log.size,
                  root=log.root),
            ),
        ]
    )  # fmt: skip


def parties(known: Known, _: Language) -> list[Block]:
    """Return who takes part, and where each is."""
    rows = [
        (
            name,
            card.organisation,
            card.places.jurisdiction if card.places else _("not declared"),
            ", ".join(card.places.storage) if card.places else _("not declared"),
            card.fingerprint,
        )
        for name, card in known.contract.parties.items()
    ]
    head = (
        _("Party"),
        _("Organisation"),
        _("Law of"),
        _("Data lies in"),
        _("Certificate"),
    )
    return [
        Rows(head, rows, ""),
        Paragraph(_("Countries are written as in ISO 3166-1, as each party declared them.")),
    ]


def activities(known: Known, _: Language) -> list[Block]:
    """Return what is granted: purpose, roles, and who decides."""
    rows = [
        (
            _(KINDS[grant.kind]),
            grant.purpose,
            _roles(grant, _),
            _("each time by a person")
            if grant.approval is Approval.MANUAL
            else _("by the contract"),
        )
        for grant in known.contract.outputs
    ]
    head = (_("Processing"), _("Purpose (W3C DPV)"), _("Who has which part"), _("Approved"))
    return [Rows(head, rows, "")]


def recipients(known: Known, _: Language) -> list[Block]:
    """Return who learns something, and what."""
    contract = known.contract
    found: dict[tuple[str, str], list[str]] = {}
    for grant in contract.outputs:
        for learned in _learned(grant, _):
            found.setdefault(learned, []).append(_(KINDS[grant.kind]))
    rows = [(who, what, _("; ").join(dict.fromkeys(kinds))) for (who, what), kinds in found.items()]
    head = (_("Recipient"), _("What it learns"), _("Of which processing"))
    blocks: list[Block] = [Rows(head, rows, "")]
    platforms = sorted({to.value for grant in contract.outputs for to in grant.export_to})
    if platforms:
        blocks.append(
            Paragraph(
                _(
                    "Lists may be taken to these platforms by their receiver: {platforms}. Where "
                    "a platform keeps data is not known here; it is a transfer of the receiver's "
                    "own, with a basis of its own.",
                    platforms=", ".join(platforms),
                )
            )
        )
    return blocks


def transfers(known: Known, _: Language) -> list[Block]:
    """Return what crosses borders, on which basis."""
    contract = known.contract
    if all(card.places is None for card in contract.parties.values()):
        return [
            Paragraph(
                _(
                    "No party has declared in the contract where its data lies, so whether data "
                    "crosses a border is not known here. Declare it, and agree on a new contract."
                )
            )
        ]
    rows = [
        (
            one.crossing.sender,
            one.crossing.receiver,
            _("European Economic Area") if one.crossing.out_of == EEA else one.crossing.out_of,
            _(BASES[one.basis]),
            one.reference,
            _("no end stated") if one.until is None else moment(one.until, _),
        )
        for one in contract.transfers
    ]
    head = (
        _("From"),
        _("To"),
        _("Out of"),
        _("Basis"),
        _("Filing or agreement"),
        _("Basis ends"),
    )
    return [Rows(head, rows, _("By what the parties declared, no data crosses a border."))]


def retention(known: Known, _: Language) -> list[Block]:
    """Return when what is deleted."""
    contract = known.contract
    return [
        Facts(
            [
                (
                    _("Lists, at their receiver"),
                    _("{days} days after their request", days=contract.list_expiry_days),
                ),
                (
                    _("Whose the points of a list are, sealed, at its sender"),
                    _("{days} days after their request", days=contract.list_expiry_days),
                ),
                (
                    _("Blinded sets, tables in transit and seeds of a session"),
                    _(
                        "{days} days after the session",
                        days=contract.replay_days or contract.retention_days,
                    ),
                ),
                (
                    _("Results, as this party keeps them"),
                    _("no end agreed")
                    if contract.result_days is None
                    else _("{days} days after they were made", days=_.number(contract.result_days)),
                ),
                (
                    _("Records of consent, where this party keeps them here"),
                    _("not deleted by the program; an erasure makes it unknown whose they are"),
                ),
                (
                    _("Log and contracts"),
                    _("not deleted by the program; they hold no personal data"),
                ),
                (
                    _("Source data of a dataset"),
                    _(
                        "stays where the party keeps it; it is read until the end that its "
                        "description declares"
                    ),
                ),
            ]
        )
    ]


def measures(known: Known, _: Language) -> list[Block]:
    """Return the measures that the program enforces, with this contract's numbers."""
    contract = known.contract
    budget = contract.budgets[known.me]
    return [
        Points(
            [
                _(
                    "Identifiers are hashed and blinded with a secret of each side and session "
                    "(Curve25519); the other side sees no identifier and no hash of one."
                ),
                _(
                    "Counts are released with noise of differential privacy. On people of this "
                    "party at most ε = {epsilon} and δ = {delta} are spent in {days} days; what "
                    "is spent is recorded before the noise is drawn.",
                    epsilon=budget.epsilon,
                    delta=budget.delta,
                    days=contract.window_days,
                ),
                _(
                    "A list of fewer than {people} people is not made; a count below {cell} is "
                    "not shown.",
                    people=_.number(contract.min_match),
                    cell=contract.min_cell,
                ),
                _(
                    "Whoever has not consented to the purpose, for the recipient, is left out "
                    "before anything is blinded; consent is read at most {hours} hours before a "
                    "session.",
                    hours=contract.consent_max_age_hours,
                ),
                _withdrawals(contract, _),
                _(
                    "Parties talk over TLS 1.3 with certificates that the contract names, and "
                    "sign what they ask for."
                ),
                _(
                    "Every step stands in an append-only log with signed checkpoints, which the "
                    "other parties countersign; it can be verified without the program."
                ),
                _(
                    "A daily task deletes what has come to its end, and the deletion stands in the "
                    "log."
                ),
            ]
        )
    ]


def _withdrawals(contract: Contract, _: Language) -> str:
    """Say what a withdrawal does, and by when."""
    if contract.suppression_days is None:
        return _(
            "Who withdraws takes no part in the next session, and is taken off lists that are out "
            "by suppression runs, which the receiver acknowledges; the contract sets no deadline, "
            "so at the latest when the list ends."
        )
    return _(
        "Who withdraws takes no part in the next session, and is taken off lists that are out "
        "by suppression runs within {days} days, which the receiver acknowledges.",
        days=contract.suppression_days,
    )


def happened(known: Known, _: Language) -> list[Block]:
    """Return what has been done under the contract so far."""
    if not known.results and not known.accounts:
        return [Paragraph(_("Nothing has been processed under this contract here so far."))]
    rows = [
        (_(KINDS[OutputKind(kind)]), _.number(count))
        for kind, count in sorted(known.results.items())
    ]
    spent = [
        (
            one.account.population,
            format_epsilon(one.spent.epsilon_nano),
            format_delta(one.spent.delta_e15),
            moment(one.account.window_start, _),
            moment(one.renews_at, _),
        )
        for one in known.accounts
    ]
    head = (_("People of"), _("ε spent"), _("δ spent"), _("Since"), _("Renews on"))
    return [
        Rows(
            (_("Processing"), _("Results kept here")),
            rows,
            _("No result of this contract is kept here."),
        ),
        Paragraph(
            _("Lists of this contract that are kept here now: {number}.", number=known.lists)
        ),
        Rows(head, spent, _("No budget of this party is open now.")),
    ]


def titled(title: str, blocks: list[Block]) -> Iterator[Block]:
    """Yield a heading and what stands under it."""
    yield Heading(title)
    yield from blocks


def _roles(grant: Grant, _: Language) -> str:
    names = {
        RECEIVER: _("receiver"),
        SENDER: _("sender"),
        TABULATOR: _("counts"),
        RECIPIENT: _("receives"),
        THIRD: _("adds labels"),
    }
    parts = (
        _("{party}: {role}", party=party, role=names[role]) for role, party in grant.roles.items()
    )
    return _("; ").join(parts)


def _learned(grant: Grant, _: Language) -> Iterator[tuple[str, str]]:
    """Yield who learns what, as docs/protocol.md states it (§7)."""
    roles = grant.roles
    if grant.kind is OutputKind.MATCH:
        yield (
            roles[RECEIVER],
            _("which of its own people {sender} has too; a noisy size", sender=roles[SENDER]),
        )
        yield roles[SENDER], _("a noisy size of the match; nobody of it")
        return
    yield roles[RECIPIENT], _("a table of noisy counts; noisy sizes")
    yield roles[TABULATOR], _("counts with the dummies of the others in them; noisy sizes")
    if THIRD in roles:
        yield roles[THIRD], _("noisy sizes")


def moment(seconds: int, _: Language) -> str:
    """Write Unix seconds to the minute."""
    return _.moment(datetime.fromtimestamp(seconds, UTC))
