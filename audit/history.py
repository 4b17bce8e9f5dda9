"""What the entries of a log say together: the rules that tie an entry to earlier ones.

- the log begins with its party and its key, and stays with that party;
- from the first member on, each entry was written by a member whose role may write its kind, and
  among members there is always an operator;
- statements of keys count from 1, its own and each counterpart's, and nothing begins, is charged
  or leaves under a contract with a counterpart that is revoked (`audit.succession`);
- a contract is signed once, and everything is held to the contract that it names;
- a session starts at most once and ends at most once, and its entries agree on contract and id;
- a session's consent snapshot stands earlier and was not older than the contract allows;
- a snapshot leaves minors out by the rule with which its dataset was registered, and names no
  sensitive column that was not declared as one;
- consent is read of no dataset that has come to the end of its retention;
- a session is told of as a lineage event after it was so, once each;
- what is released or disclosed was charged before, and what was skipped was due and is never
  charged;
- people are taken off a list by runs that count from 1 without a gap, after the list was made and
  before its end;
- people are scored by a table that this party released, after its session has finished, under the
  contract of its request and by their consent for another party of it;
- a list is exported after its match has finished and before it ends or is deleted, and to a
  platform only where the contract grants it to the log's party;
- the charges of a population towards a coalition since a window began, under whatever contract,
  and those towards any coalition that has a member of it, stay within the contract's budget, by
  its filter; the windows of one contract are whole lengths
  apart and none begins after the charge, so that naming another window gives no second budget;
- a party that was restored from a backup spends nothing in a window that had begun by then, unless
  its operator answers for it that nothing was spent since the backup.

`History` holds what entries established so far; it reads nothing and stores nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Final

from audit.accounting import Spent, require_within
from audit.bodies import (
    COALITION_SEPARATOR,
    OWN_REFERENCES,
    BoundChosen,
    Budget,
    BudgetSpent,
    ConsentReference,
    ConsentSnapshot,
    ContractSigned,
    DocumentMade,
    ExportMade,
    LineageEmitted,
    ListDisclosed,
    ListSuppressed,
    LookalikeMade,
    PartyCreated,
    PartyRestored,
    PeerForgotten,
    PeerPinned,
    ReportReleased,
    ReportSkipped,
    RequestStep,
    RetentionPruned,
    SessionFailed,
    SessionFinished,
    SessionStarted,
)
from audit.dataset_ends import DatasetEnds
from audit.deadlines import Deadlines
from audit.entry import Entry
from audit.errors import RuleError
from audit.membership import Members
from audit.protection import Protection
from audit.succession import Succession

DAY_SECONDS: Final = 86_400
FINISHED: Final = "finished"
FAILED: Final = "failed"
DP: Final = "dp"
DISCLOSURE: Final = "disclosure"
CLOSED: Final = "closed"
_TOLD_AFTER: Final = {"START": None, "COMPLETE": FINISHED, "FAIL": FAILED}

_Snapshot = tuple[str, int, int]
"""Root, number and time of a consent snapshot."""
_OfSession = (
    SessionStarted
    | BudgetSpent
    | ReportReleased
    | ListDisclosed
    | ListSuppressed
    | LineageEmitted
    | SessionFinished
    | SessionFailed
)


@dataclass(slots=True)
class SessionHistory:
    """What the log says about the session of one request so far.

    Args:
        contract: the hash that all its entries name.
        session: its id, None until an entry names one.
        parties: who takes part, in order of name; None until it has started.
        started: whether it has started.
        outcome: `finished`, `failed`, or None while it is open.
        transcript: the hash at its end, None when none was reached.
        begins_at: the index of its first entry.
        ends_at: the index of the entry that ended it.
        list_ends: when its list ends (POSIX seconds), None while no entry says so.
        list_deleted: whether its list was deleted.
        released: whether its table was released by the log's party.
        runs: the digests of the suppression runs on its list, in order.
        told: the lineage events that told of it.
    """

    contract: str
    begins_at: int
    session: str | None = None
    parties: tuple[str, ...] | None = None
    started: bool = False
    outcome: str | None = None
    transcript: str | None = None
    ends_at: int | None = None
    list_ends: int | None = None
    runs: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    list_deleted: bool = False
    released: bool = False
    _paid: tuple[str, ...] = ()

    def pay(self, what: str) -> None:
        """Note a charge of this kind."""
        if what not in self._paid:
            self._paid = (*self._paid, what)

    @property
    def disclosed(self) -> bool:
        """Whether its list was charged as a disclosure, and so is another party's."""
        return DISCLOSURE in self._paid

    def require_paid(self, what: str) -> None:
        """Raise `RuleError` when no charge of this kind came before."""
        if what not in self._paid:
            raise RuleError(f"no budget.spent ({what}) for its request stands before it")

    def end_list(self, moment: int) -> None:
        """Note when the list ends, as an entry says; raise `RuleError` when another differs."""
        if self.list_ends not in (None, moment):
            raise RuleError("earlier entries of its request let the list end at another time")
        self.list_ends = moment


@dataclass
class _Charges:
    """The charges of one population towards one coalition: times, and the sum before each.

    Times do not go back, which the replay has checked.
    """

    times: list[float] = field(default_factory=list)
    sums: list[Spent] = field(default_factory=lambda: [Spent()])

    def add(self, time: float, spend: BudgetSpent) -> None:
        self.times.append(time)
        new = Spent(spend.epsilon_nano, spend.rho_nano, spend.delta_e15)
        self.sums.append(self.sums[-1].plus(new))

    def since(self, window: int) -> Spent:
        """Return the sum of what was charged since a window began."""
        return self.sums[-1].since(self.sums[bisect_left(self.times, window)])


class History:
    """The rules, and what the entries admitted so far have established."""

    def __init__(self, vkey: str) -> None:
        self._vkey = vkey
        self._party: str | None = None
        self._members = Members()
        self._succession = Succession(vkey)
        self.deadlines = Deadlines()
        self._pinned: dict[str, tuple[str, str]] = {}
        self._contracts: dict[str, ContractSigned] = {}
        self._coalitions: dict[str, str] = {}
        self._datasets = DatasetEnds()
        self._snapshots: dict[_Snapshot, frozenset[str]] = {}
        self._protection = Protection()
        self._charges: dict[tuple[str, str], _Charges] = {}
        self._first_windows: dict[str, int] = {}
        self._requests: dict[str, str] = {}
        self._matches: set[str] = set()
        self._charged: set[str] = set()
        self._skipped: set[str] = set()
        self._chosen: set[str] = set()
        self._closed_until = -math.inf
        self.sessions: dict[str, SessionHistory] = {}
        self.spends = 0

    def admit(self, entry: Entry) -> None:
        """Hold the next entry against the rules and take it in.

        Raises:
            RuleError: it contradicts what stands before it.
        """
        self._admit_party(entry)
        self._protection.admit(entry.body)
        self._members.admit(entry)
        self.deadlines.admit(entry)
        self._datasets.admit(entry.body)
        self._succession.admit(entry.body, self._contracts.get(entry.contract or ""))
        match entry.body:
            case PeerPinned(peer=peer, vkey=vkey, certificate=certificate):
                if vkey == self._vkey:
                    raise RuleError("a party does not pin itself")
                self._pinned[peer] = (vkey, certificate)
            case PeerForgotten(peer=peer, vkey=vkey, certificate=certificate):
                if self._pinned.pop(peer, None) != (vkey, certificate):
                    raise RuleError("it forgets keys that were not pinned under this name")
            case ContractSigned() as terms:
                self._sign(entry, terms)
            case ConsentSnapshot(recipient=recipient) as snapshot:
                named, before = _named_in(recipient), self._snapshots.get(_key_of(snapshot))
                self._snapshots[_key_of(snapshot)] = named if before is None else before | named
            case (
                SessionStarted()
                | BudgetSpent()
                | ReportReleased()
                | ListDisclosed()
                | ListSuppressed()
                | LineageEmitted()
                | SessionFinished()
                | SessionFailed()
            ) as body:
                self._admit_to_session(entry, body)
            case RequestStep(request=request, kind="match"):
                self._matches.add(request)
            case RetentionPruned(request=request, what="list") if request in self.sessions:
                self.sessions[request].list_deleted = True
            case ExportMade() | LookalikeMade() as use:
                self._use(entry, use)
            case PartyRestored() | ReportSkipped() | BoundChosen() | DocumentMade() as beside:
                self._admit_beside(entry, beside)

    def _admit_party(self, entry: Entry) -> None:
        if self._party is None:
            if not isinstance(entry.body, PartyCreated):
                raise RuleError("a log begins with party.created")
            if entry.body.vkey != self._vkey:
                raise RuleError("the log was created with another key than the one it is read by")
            self._party = entry.party
            return
        if isinstance(entry.body, PartyCreated):
            raise RuleError("a party is created once, at the beginning of its log")
        if entry.party != self._party:
            raise RuleError("it is about another party than the log is")

    def _restore(self, entry: Entry, restored: PartyRestored) -> None:
        if restored.entries != entry.seq:
            raise RuleError(
                "it follows another number of entries than it says came out of a backup"
            )
        if restored.budgets == CLOSED:
            self._closed_until = entry.seconds

    def _sign(self, entry: Entry, terms: ContractSigned) -> None:
        contract = entry.contract or ""
        if contract in self._contracts:
            raise RuleError("the contract was signed before; other terms need another contract")
        if entry.party not in terms.parties:
            raise RuleError("the log's own party is not among the parties of the contract")
        self._contracts[contract] = terms
        self._coalitions[contract] = terms.coalition_against(entry.party)

    def _admit_to_session(self, entry: Entry, body: _OfSession) -> None:
        session = self._session_of(entry, body.request)
        terms = self._contracts[session.contract]
        match body:
            case SessionStarted():
                self._start(entry, session, body, terms)
            case BudgetSpent():
                self._spend(entry, body, session.contract)
                session.pay(body.what)
            case ReportReleased():
                _require_open_for_release(session)
                session.require_paid(DP)
                session.released = True
            case ListDisclosed():
                _require_open_for_release(session)
                _require_party(body.recipient, terms)
                session.require_paid(DP if body.recipient == entry.party else DISCLOSURE)
                session.end_list(body.expires_at)
            case ListSuppressed():
                _require_party(body.recipient, terms)
                _suppress(entry, session, body)
            case LineageEmitted():
                _tell(session, body)
            case SessionFinished():
                if not session.started:
                    raise RuleError("the session finishes and no session.started stands before it")
                _end(session, FINISHED, body.transcript, entry.seq)
            case SessionFailed():
                _end(session, FAILED, body.transcript, entry.seq)

    def _use(self, entry: Entry, use: ExportMade | LookalikeMade) -> None:
        """Hold what is made of a result against the session that it came from."""
        if isinstance(use, ExportMade):
            self._export(entry, use)
        else:
            self._score(entry, use)

    def _export(self, entry: Entry, export: ExportMade) -> None:
        session = self.sessions.get(export.request)
        if session is None or session.outcome != FINISHED or export.request not in self._matches:
            raise RuleError("no finished match stands before it that would have made a list")
        if session.contract != entry.contract:
            raise RuleError("earlier entries of its request name another contract")
        if session.disclosed:
            raise RuleError("its list is the counterpart's, to whom this party disclosed it")
        session.end_list(export.expires_at)
        if session.list_deleted or entry.seconds >= export.expires_at:
            raise RuleError("its list had ended or was deleted before")
        granted = (self._contracts[session.contract].export_to or {}).get(entry.party, ())
        if export.to not in (*OWN_REFERENCES, *granted):
            raise RuleError("the contract does not grant this party to take lists there")

    def _score(self, entry: Entry, made: LookalikeMade) -> None:
        session = self.sessions.get(made.request)
        if session is None or session.outcome != FINISHED or not session.released:
            raise RuleError("no finished table of this party's own release stands before it")
        if session.contract != entry.contract:
            raise RuleError("earlier entries of its request name another contract")
        _require_party(made.recipient, self._contracts[session.contract])
        if made.recipient == entry.party:
            raise RuleError("its recipient is the party itself: consent is held for another")

    def _admit_beside(
        self, entry: Entry, body: PartyRestored | ReportSkipped | BoundChosen | DocumentMade
    ) -> None:
        """Take in what belongs to the party, or to a contract and to no session."""
        if isinstance(body, PartyRestored):
            self._restore(entry, body)
            return
        self._require_contract(entry)
        if isinstance(body, ReportSkipped):
            self._skip(entry, body)
        elif isinstance(body, BoundChosen):
            self._choose(body)

    def _skip(self, entry: Entry, skipped: ReportSkipped) -> None:
        if skipped.due_at > entry.seconds:
            raise RuleError("its run was not due yet, so it was not skipped")
        if skipped.request in self._charged:
            raise RuleError("its request was charged before, so it was not skipped")
        if skipped.request in self._skipped:
            raise RuleError("its request was skipped before: a run is skipped once")
        self._skipped.add(skipped.request)

    def _choose(self, chosen: BoundChosen) -> None:
        if chosen.request not in self._charged:
            raise RuleError("nothing was charged for the bound that it tells of")
        if chosen.request in self._chosen:
            raise RuleError("its charge has brought a bound before: another is charged again")
        self._chosen.add(chosen.request)

    def _require_contract(self, entry: Entry) -> str:
        contract = entry.contract or ""
        if contract not in self._contracts:
            raise RuleError("it names a contract that no contract.signed before it has")
        return contract

    def _session_of(self, entry: Entry, request: str) -> SessionHistory:
        """Return the session of a request, with the entry's contract and id held against it."""
        contract = self._require_contract(entry)
        session = self.sessions.get(request)
        if session is None:  # one text for all sessions of a contract
            session = self.sessions[request] = SessionHistory(intern(contract), entry.seq)
        elif session.contract != contract:
            raise RuleError("earlier entries of its request name another contract")
        if entry.session is None:
            return session
        if session.session not in (None, entry.session):
            raise RuleError("earlier entries of its request name another session")
        if self._requests.setdefault(entry.session, request) != request:
            raise RuleError("its session was already that of another request")
        session.session = entry.session
        return session

    def _start(
        self,
        entry: Entry,
        session: SessionHistory,
        body: SessionStarted,
        terms: ContractSigned,
    ) -> None:
        if session.started or session.outcome:
            raise RuleError("the session has started or ended before: a session starts once")
        if entry.party in body.others or not set(body.others) <= set(terms.parties):
            raise RuleError("the other parties that it names are not others of the contract")
        consent = body.consent
        recipients = self._snapshots.get(_key_of(consent))
        if recipients is None:
            raise RuleError("it rests on a consent snapshot that no consent.snapshot before it has")
        if not recipients.issuperset(body.others):
            raise RuleError("its consent snapshot is not for all the other parties that it names")
        age = entry.seconds - consent.taken_at
        if age < 0:
            raise RuleError("its consent snapshot was taken after the session started")
        if age > terms.consent_max_age_seconds:
            raise RuleError(
                f"its consent snapshot was {int(age)} seconds old; "
                f"the contract allows {terms.consent_max_age_seconds}"
            )
        session.started = True
        session.parties = _together(entry.party, body.others)

    def _spend(self, entry: Entry, spend: BudgetSpent, contract: str) -> None:
        terms = self._contracts[contract]
        budget = terms.budgets.get(entry.party)
        if spend.request in self._skipped:
            raise RuleError("a run that was skipped is charged")
        self._charged.add(spend.request)
        if budget is None:
            raise RuleError("the contract has no budget for the party that spends")
        if spend.coalition != self._coalitions[contract]:
            raise RuleError("its coalition is not all the other parties of the contract")
        time = entry.seconds
        self._require_window(spend.window, time, contract, budget)
        if spend.window <= self._closed_until and _costs(spend):
            raise RuleError("its window was closed when the party was restored from a backup")
        self._charges.setdefault((spend.population, spend.coalition), _Charges()).add(time, spend)
        require_within(budget, terms.filter, self._shared_with(spend))
        self.spends += 1

    def _shared_with(self, spend: BudgetSpent) -> Spent:
        """Return what the members of a coalition have learnt since the window, wherever they did.

        Counterparts that stand in one contract may pool what they learn (docs/protocol.md,
        Charges).
        """
        members, total = _named_in(spend.coalition), Spent()
        for (population, coalition), charges in self._charges.items():
            if population == spend.population and not members.isdisjoint(_named_in(coalition)):
                total = total.plus(charges.since(spend.window))
        return total

    def _require_window(self, window: int, time: float, contract: str, budget: Budget) -> None:
        """Refuse a window that begins late, and so leaves out charges that it should count.

        A window that begins early is harmless: it counts more.
        """
        if window > time:
            raise RuleError("its window begins after it")
        first = self._first_windows.setdefault(contract, window)
        if (window - first) % (budget.window_days * DAY_SECONDS):
            raise RuleError(
                f"its window is not a whole number of {budget.window_days} days from the "
                "contract's other windows"
            )


def _key_of(snapshot: ConsentSnapshot | ConsentReference) -> _Snapshot:
    return snapshot.root, snapshot.sequence, snapshot.taken_at


@lru_cache(maxsize=1024)
def _named_in(names: str) -> frozenset[str]:
    """Return the names in a text of several; a log has few such texts."""
    return frozenset(names.split(COALITION_SEPARATOR))


@lru_cache(maxsize=1024)
def _together(party: str, others: tuple[str, ...]) -> tuple[str, ...]:
    """Return all parties of a session in order, the same for all of these."""
    return tuple(sorted((party, *others)))


def _end(session: SessionHistory, outcome: str, transcript: str | None, index: int) -> None:
    if session.outcome:
        raise RuleError(f"the session had {session.outcome} before: a session ends once")
    session.outcome, session.transcript, session.ends_at = outcome, transcript, index


def _costs(spend: BudgetSpent) -> bool:
    return bool(spend.epsilon_nano or spend.rho_nano or spend.delta_e15 or spend.what == DISCLOSURE)


def _require_open_for_release(session: SessionHistory) -> None:
    if not session.started:
        raise RuleError("no session.started for its request stands before it")
    if session.outcome == FAILED:
        raise RuleError("its session had failed before")


def _tell(session: SessionHistory, told: LineageEmitted) -> None:
    if not session.started:
        raise RuleError("no session.started for its request stands before it")
    if session.outcome != _TOLD_AFTER[told.event]:
        raise RuleError("it tells of another end of the session than the log has")
    if told.event in session.told:
        raise RuleError("the session was told of so before: an event is emitted once")
    session.told = (*session.told, told.event)


def _suppress(entry: Entry, session: SessionHistory, body: ListSuppressed) -> None:
    """Take in a run on a list: the sender's log has disclosed it, the receiver's finished it."""
    if body.recipient == entry.party and session.outcome != FINISHED:
        raise RuleError("no session.finished for its request stands before it")
    if body.recipient != entry.party:
        if session.list_ends is None:
            raise RuleError("no list.disclosed for its request stands before it")
        if entry.seconds >= session.list_ends:
            raise RuleError("its list had come to its end before")
    if body.run != len(session.runs) + 1:
        raise RuleError("the runs on a list count from 1 without a gap, and each is entered once")
    if body.digest in session.runs:
        raise RuleError("an earlier run on this list had the same points")
    session.runs = (*session.runs, body.digest)


def _require_party(name: str, terms: ContractSigned) -> None:
    if name not in terms.parties:
        raise RuleError("its recipient is not among the parties of the contract")
