"""A party in a Python program: one object a folder, with a method or a group for each command.

It refuses what the commands refuse, with the exceptions that stand behind their exit codes. Who
listens is added by the root, which knows a server (`commonground.Party`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from client.actors import OPERATOR
from client.asking import Choice, TableChoice
from client.by_identifier import carry_all, plan, require_room
from client.cancelling import CancelToken
from client.founding import Founding, found
from client.sdk.access import Access
from client.sdk.asking import OVERLAP, Asked, ListChoice, in_force
from client.sdk.backup import BackupVerbs
from client.sdk.by_identifier import OverlapByIdentifier
from client.sdk.calls import Calls
from client.sdk.consent import Consent
from client.sdk.console import ConsoleVerbs
from client.sdk.contracts import Contracts
from client.sdk.conversions import ConversionVerbs
from client.sdk.datasets import Datasets
from client.sdk.lineage import Lineage
from client.sdk.lists import Lists
from client.sdk.log import Audit, Ledger
from client.sdk.lookalike import LookalikeVerb
from client.sdk.peers import Invitations, Keys, Peers
from client.sdk.quotes import Quotes
from client.sdk.requests import Requests
from client.sdk.results import Audience, Report, audience_of, outcome_of
from client.sdk.retention import Retention
from client.sdk.subjects import Subjects
from client.sdk.tables import TableVerbs
from client.sdk.templates import Schedules, Templates
from client.suppressing import Suppressed, Suppressor
from party.desk import Desk
from party.driver import Progress
from party.organisation import CARD_FILE, Organisation
from party.places import Places
from party.retention import prune
from party.workers import require_no_worker

if TYPE_CHECKING:
    from client.peer_diagnosis import Check
    from client.sdk.asynchronous import Asynchronous


class Party(TableVerbs, ConversionVerbs, LookalikeVerb, BackupVerbs, ConsoleVerbs):
    """One organisation's folder, opened; `close` it, or use it as a context manager.

    It may be used from several threads. Closing suspends what is under way.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open a folder that `create` or `commonground init` has made.

        Raises:
            SettingsError, IdentityError, StoreError: a part of it is missing or damaged.
            PartyError: this is a worker process, which imports the calling script again.
        """
        require_no_worker()
        self._party = Organisation.open(Path(folder).absolute())
        prune(self._party)
        self._calls = Calls(self._party)

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        name: str,
        organisation: str,
        origin: str,
        jurisdiction: str,
        storage: Sequence[str] = (),
        listen: str | None = None,
        address: str | None = None,
        workers: int = 0,
        store: str = "",
    ) -> Self:
        """Make a party as `commonground init` does, and open it.

        `jurisdiction` is the country under whose law it is established, `storage` those in which
        its data lies, that one if empty: two letters of ISO 3166-1 each, which contracts state.
        `listen` and `address` are host:port; without them the party only dials. `workers` is the
        number of processes for the curve work, 0 for one a processor; `store` the URL of a
        PostgreSQL database, empty for SQLite in the folder.

        Raises:
            SettingsError, IdentityError: there is a party already, or a value does not serve.
            StoreError: the store cannot be reached, or holds another party.
        """
        require_no_worker()
        places = Places.of(jurisdiction, storage)
        founding = Founding(name, organisation, origin, places, listen, address, workers, store)
        made, _ = found(Path(folder), founding)
        made.close()
        return cls(folder)

    # -- what it is -------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The party's folder."""
        return self._party.folder

    @property
    def name(self) -> str:
        """The party's name."""
        return self._party.identity.name

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its certificate, to be compared by telephone."""
        return self._party.identity.fingerprint

    @property
    def card(self) -> Path:
        """The file for counterparts; it holds no secret."""
        return self._party.folder / CARD_FILE

    @property
    def datasets(self) -> Datasets:
        """`commonground dataset`."""
        return Datasets(self._party)

    @property
    def retention(self) -> Retention:
        """`commonground retention`."""
        return Retention(self._party)

    @property
    def consent(self) -> Consent:
        """`commonground consent`."""
        return Consent(self._party)

    @property
    def contracts(self) -> Contracts:
        """`commonground contract`."""
        return Contracts(self._party)

    @property
    def quote(self) -> Quotes:
        """`commonground quote`."""
        return Quotes(self._party)

    @property
    def requests(self) -> Requests:
        """`commonground requests`."""
        return Requests(self._party, self._calls)

    @property
    def lists(self) -> Lists:
        """`commonground lists`."""
        return Lists(self._party, self._calls)

    @property
    def audit(self) -> Audit:
        """`commonground audit`."""
        return Audit(self._party)

    @property
    def lineage(self) -> Lineage:
        """`commonground lineage`."""
        return Lineage(self._party)

    @property
    def access(self) -> Access:
        """`commonground access`."""
        return Access(self._party)

    @property
    def peers(self) -> Peers:
        """`commonground peers`."""
        return Peers(self._party)

    @property
    def keys(self) -> Keys:
        """`commonground keys`."""
        return Keys(self._party)

    @property
    def invitations(self) -> Invitations:
        """`commonground invitations`."""
        return Invitations(self._party)

    @property
    def subjects(self) -> Subjects:
        """`commonground subject`."""
        return Subjects(self._party, self._calls)

    @property
    def templates(self) -> Templates:
        """`commonground report save`, `run` and `templates`."""
        return Templates(self._party, self._calls)

    @property
    def schedules(self) -> Schedules:
        """`commonground report schedule`, `schedules` and `due`."""
        return Schedules(self._party, self._calls)

    @property
    def aio(self) -> Asynchronous:
        """The verbs that take time, for asyncio."""
        from client.sdk.asynchronous import Asynchronous

        return Asynchronous(self)

    # -- asking -----------------------------------------------------------------------------

    def match(
        self,
        receiver: str | None = None,
        *,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        delta: str | None = None,
        suppression_runs: int | None = None,
        name: str | None = None,
        use: str | None = None,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Audience:
        """Make a list: `receiver` (you, if None) learns which of its people the sender has too.

        ε and δ are those of dummies and sizes, as exact decimal text. `use` is include or exclude,
        which both sides sign: if None, the one that is granted, or include. `name` is what you call
        your list. `suppression_runs` is how often people who withdraw may be taken off it, once a
        day of the list if None.

        Raises:
            Refusal: it is not granted, here or by the counterpart.
            SessionSuspended: it waits for the counterpart (`Waiting`), broke off, or was cancelled
                (`Cancelled`); `requests.resume` goes on.
            PartyError: the name or the use does not serve; nothing was asked.
            ContractError, DatasetError, PrivacyError: what was asked does not serve.
        """
        choice = Choice(dataset, their_dataset, None, epsilon, delta)
        wanted = ListChoice(receiver, use, suppression_runs, name)
        asked = Asked.list_(self._party, contract, wanted, choice)
        return audience_of(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

    def overlap_by_identifier(
        self,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        resume: bool = False,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> OverlapByIdentifier:
        """Measure the overlap by each identifier type, and say why a type finds few.

        Each type is a table of its own, and is charged. With `resume` what an earlier call has
        asked for in the same way is taken up again, and not paid for again.

        Raises:
            Refusal: as `match`; BUDGET_EXHAUSTED, before anything is asked, if not all of it fits.
            SessionSuspended: as `match`; the same call with `resume` goes on with all types.
            ContractError, DatasetError, PrivacyError: as `match`.
        """
        agreed = in_force(self._party, contract)
        table = TableChoice(OVERLAP, recipient, tabulator)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = plan(self._party, agreed, table, choice, resume=resume)
        require_room(self._party, asked)
        with self._calls.carrying(progress, cancel, wait=wait) as carrier:
            finished = carry_all(carrier, asked, actor=OPERATOR)
        return OverlapByIdentifier(self._party, finished)

    def suppress(self, request: str, *, cover: bool = False) -> Suppressed:
        """Take people who have withdrawn off a list that is out; return how many runs that took.

        `request` may be your list's name. With `cover` the sender makes a run in any case.

        Raises:
            Refusal: the list has no runs, no more or no longer, or the counterpart refused one.
            SessionSuspended: the counterpart is to dial (`Waiting`), or is not there.
            DatasetError: the dataset does not say who has withdrawn.
        """
        with self._calls.carrying(None, None):
            suppressor = Suppressor(self._party)
            return suppressor.suppress(suppressor.find(request), cover=cover)

    def result(self, request: str, *, model: str | None = None) -> Report | Audience:
        """Return what a finished request has brought, by its id or the id's first digits.

        An attribution is computed under one `model` (last, first, linear, position, decay, shapley,
        markov) or all of them, from the stored table, at no cost.

        Raises:
            PartyError: there is no such request, no result yet, or no such model.
            ResultError: it was changed after it was made.
        """
        return outcome_of(self._party, Desk(self._party).find(request), model)

    # -- meeting counterparts ---------------------------------------------------------------

    def invite(
        self,
        for_name: str | None = None,
        *,
        hours: int = 24,
        replace: bool = False,
        offer: Collection[str] = (),
    ) -> str:
        """Return one line with which one counterpart joins, once, while this party serves.

        `for_name` lets only the party of this name use it; `replace` lets it come with new keys.
        `offer` names datasets of which the joiner's draft is to say what they hold.

        Raises:
            SettingsError: this party has no address.
            InvitationError: the name does not serve, or the datasets are too much to tell.
            DatasetError: a dataset is not registered.
        """
        from party.reception import Reception

        made = Reception(self._party).invite(
            hours=hours, for_name=for_name, replace=replace, datasets=offer
        )
        return made.line

    def join(
        self,
        line: str,
        *,
        id: str = "contract",  # noqa: A002 - the command's word
        out: str | Path | None = None,
        third: str | Path | None = None,
        transfers: Sequence[str] = (),
        replace: bool = False,
    ) -> Path:
        """Use an invitation: both sides pin each other. Return the path of a draft contract.

        `third` is the card, or the name of a pinned peer, whose labels are to be added to tables.
        `transfers` is as in `contracts.propose`.

        Raises:
            InvitationError: the line was mistyped, or is not for this party to use.
            DialError: nobody answers, somebody else does, or a proxy refuses.
            Refusal: the invitation was used, has ended, or is for another party.
            ContractError: the file exists, and the invitation is then not used; or a transfer
                across a border is not stated, and the same line serves again.
        """
        from client.drafting import Draft, draft_path, find_card
        from client.joining import join_with_draft
        from party.transfers import Transfer

        path = Path(out or draft_path(id))
        added = None if third is None else find_card(self._party, str(third))
        stated = tuple(map(Transfer.parse, transfers))
        draft = Draft(id, None, 365, they_measure=False, third=added, transfers=stated)
        join_with_draft(self._party, line, draft, path, replace=replace)
        return path

    # -- looking ----------------------------------------------------------------------------

    def ledger(self) -> Ledger:
        """Return what was spent on this party's own people, and what is left."""
        return Ledger(self._party)

    def status(self) -> dict[str, Any]:
        """Return what is in force, what waits, what runs and what is left, as JSON values."""
        from client.render_status import status_document
        from party.standing import standing_of

        return status_document(self._party, standing_of(self._party))

    def doctor(self, peer: str | None = None) -> list[Check]:
        """Look at what may keep the party from working; dial `peer` too, if one is named."""
        from client.diagnosis import diagnose

        return list(diagnose(self._party, peer))

    # -- the end ----------------------------------------------------------------------------

    def close(self) -> None:
        """Suspend what is under way, and end workers and connections; twice is once."""
        self._calls.suspend()
        self._party.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Party {self.name} in {self.folder}>"
