"""A replay at a party: an honest session agrees, a party that broke the rounds is found.

Whoever lies here does so in a way that no counterpart could notice. What could not be checked never
passes for checked.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa
from organisations import Wire, copy_pair, make_pair, run_both
from test_session import ask, match, reach
from typer.testing import CliRunner

from client.render_replay import replay_document
from client.sdk.log import Audit
from commonground.cli import app
from party import driver, inputs, session_record
from party.artefacts import SessionFolder, artefact_digest
from party.driver import Driver
from party.errors import InUse, PartyError
from party.evidence import StoredLog
from party.occupied import replaying
from party.own_side import OwnSide
from party.replay import Verdict, replay
from party.retention import prune
from party.schema import RESULTS, SALTS, SESSIONS
from party.session_record import result_message, seal_context
from party.terms import Terms
from privacy.counts import NoisyTable
from privacy.release import Release, release_table
from psi.curve import Scalar, raise_points
from psi.identifiers import Profile
from psi.legs import Order
from psi.own import OwnSet
from psi.sets import LabelledSet

OTHER = Scalar.from_bytes(b"\x05" * 32)
DAY = 86_400


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ready")
    made, _ = make_pair(folder)
    for party in made.values():
        party.close()
    return folder


@pytest.fixture
def parties(ready, tmp_path):
    found, _ = copy_pair(ready, tmp_path)
    yield found
    for party in found.values():
        party.close()


def carried(parties, build=reach):
    request = ask(parties, build(parties["advertiser"].contract(None)))
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    return request


def differing(done):
    return [check.what for check in done.of(Verdict.DIFFERS)]


@pytest.mark.parametrize("build", [reach, match])
def test_an_honest_session_agrees_at_both_parties_and_leaves_nothing(parties, build):
    request = carried(parties, build)
    for name, party in parties.items():
        size = len(list(StoredLog(party.store, party.identity).entries()))
        done = replay(party, request.id[:8])
        assert done.verdict is Verdict.AGREES, done.checks
        steps = [check.what for check in done.checks if check.what.startswith("step ")]
        assert len(steps) == len(set(steps)) == len(Terms.of(request).table.steps)
        assert {path.name for path in (party.folder / "sessions").iterdir()} == {request.id}
        assert len(list(StoredLog(party.store, party.identity).entries())) == size
        assert done.role == Terms.of(request).role_of(name)


# -- whoever broke the rounds -------------------------------------------------------------


def people_under_another_scalar(monkeypatch, liar):
    """So it would count people and dummies apart, and learn exact numbers."""
    honest = OwnSide.blind

    def blind(self, executor, meter):
        built = honest(self, executor, meter)
        if self._own.party != liar:
            return built
        elements = np.array(built.labelled.elements)
        own = np.flatnonzero(built.source >= 0)
        elements[own] = raise_points(np.ascontiguousarray(elements[own]), OTHER)
        return OwnSet(LabelledSet(built.labelled.sizes, elements), built.source)

    monkeypatch.setattr(OwnSide, "blind", blind)


def without_agreed_dummies(monkeypatch, liar):
    honest = OwnSide.dummies

    def dummies(self):
        piles = honest(self)
        return [pile.slice(0, 0) for pile in piles] if self._own.party == liar else piles

    monkeypatch.setattr(OwnSide, "dummies", dummies)


def counts_of_its_own(monkeypatch, liar):
    honest = driver.tabulate
    monkeypatch.setattr(driver, "tabulate", lambda sets: honest(sets) + 5)


def no_noise_but_a_commitment(monkeypatch, liar):
    """It sends exact counts to somebody it is friends with, and commits to noise that it drew."""

    def release(exact, epsilon_nano, sensitivity):
        drawn = release_table(exact, epsilon_nano, sensitivity)
        return Release(NoisyTable(np.array(exact._counts)), drawn.noise)

    monkeypatch.setattr(session_record, "release_table", release)


def a_target_under_another_scalar(monkeypatch, liar):
    """The sender of a list so learns whether the receiver has one person."""
    honest, blinding, target = Driver._raise, OwnSide.blind, []

    def blind(self, executor, meter):
        built = blinding(self, executor, meter)
        if self._own.party != liar:
            target.append(int(np.flatnonzero(built.source >= 0)[0]))
        return built

    def raised(self, owner, hop, form, order):
        answer = honest(self, owner, hop, form, order)
        if order is not Order.KEPT:
            return answer
        elements = np.array(answer.elements)
        elements[target[0]] ^= 1
        return LabelledSet(answer.sizes, elements)

    monkeypatch.setattr(OwnSide, "blind", blind)
    monkeypatch.setattr(Driver, "_raise", raised)


LIES = [
    (people_under_another_scalar, reach, "channel", "own set"),
    (without_agreed_dummies, reach, "channel", "own set"),
    (counts_of_its_own, reach, "channel", "released table"),
    (no_noise_but_a_commitment, reach, "channel", "released table"),
    (a_target_under_another_scalar, match, "advertiser", "list.disclosed"),
    (without_agreed_dummies, reach, "advertiser", "own set"),
]


@pytest.mark.parametrize(
    ("lie", "build", "liar", "where"), LIES, ids=[f"{lie.__name__}-{by}" for lie, _, by, _ in LIES]
)
def test_a_party_that_broke_the_rounds_is_found_at_its_premises_and_named(
    parties, monkeypatch, lie, build, liar, where
):
    with monkeypatch.context() as lying:
        lie(lying, liar)
        request = carried(parties, build)
    done = replay(parties[liar], request.id)
    assert done.verdict is Verdict.DIFFERS
    assert where in differing(done)[0], done.checks
    other = next(name for name in parties if name != liar)
    assert replay(parties[other], request.id).verdict is Verdict.AGREES


def test_a_liar_that_puts_honest_artefacts_in_place_afterwards_is_found_too(parties, monkeypatch):
    with monkeypatch.context() as lying:
        people_under_another_scalar(lying, "channel")
        request = carried(parties)
    party = parties["channel"]
    honest = {}

    def store(self, step, artefact, write=SessionFolder.store):
        digest = write(self, step, artefact)
        if self.path.name.startswith("replay-"):
            honest.setdefault(step, artefact)
        return digest

    with monkeypatch.context() as watching:
        watching.setattr(SessionFolder, "store", store)
        replay(party, request.id)
    party.session_folder(request.id).store(0, honest[0])
    done = replay(party, request.id)
    assert "own set" in differing(done)[0]

    body = json.loads(party.store.row(sa.select(RESULTS.c.body))[0])
    body["transcript"]["steps"][0] = artefact_digest(0, honest[0]).hex()
    text = json.dumps(body)
    signature = party.identity.sign_own(result_message(request.id, text))
    party.store.write(
        lambda c: c.execute(sa.update(RESULTS).values(body=text, signature=signature))
    )
    done = replay(party, request.id)
    assert differing(done) == ["the transcript is the one in the log"]


def test_another_seed_than_was_committed_to_is_found(parties):
    request = carried(parties)
    party = parties["channel"]
    sealed = party.identity.seal(b"\x07" * 32, seal_context(request.id))
    party.store.write(lambda c: c.execute(sa.update(SESSIONS).values(sealed_seed=sealed)))
    done = replay(party, request.id)
    assert "committed to before the first byte" in differing(done)[0]


def test_people_who_were_left_out_of_the_same_dataset_are_found(parties, monkeypatch):
    honest = inputs.prepare

    def without_some(definition, **options):
        taken = honest(definition, **options)
        if definition.name != "receipts":
            return taken
        kept = len(taken.keys) - 5
        owners = taken.owners[taken.owners[:, 0] < kept]
        return replace(
            taken, keys=taken.keys.slice(0, kept), labels=taken.labels[:kept], owners=owners
        )

    with monkeypatch.context() as lying:
        lying.setattr(inputs, "prepare", without_some)
        request = carried(parties)
    done = replay(parties["channel"], request.id)
    assert differing(done) == ["the input is that of the dataset, by consent at the snapshot"]


# -- what cannot be checked ---------------------------------------------------------------


def test_a_dataset_that_changed_leaves_its_set_unchecked_and_the_rest_checked(tmp_path):
    parties, _ = make_pair(tmp_path)
    request = carried(parties)
    path = tmp_path / "data" / "channel" / "receipts.csv"
    path.write_text(
        path.read_text().replace("person30@", "somebody-else@", 1).replace("yes", "no", 1)
    )
    done = replay(parties["channel"], request.id)
    assert done.verdict is Verdict.UNCHECKED
    assert not done.of(Verdict.DIFFERS)
    unchecked = [check.what for check in done.of(Verdict.UNCHECKED)]
    assert len(unchecked) == 2
    assert unchecked[0].startswith("the input")
    assert "the tabulator's own set" in unchecked[1]
    path.unlink()
    assert replay(parties["channel"], request.id).verdict is Verdict.UNCHECKED
    for party in parties.values():
        party.close()


def test_another_profile_of_identifiers_accuses_nobody(parties, monkeypatch):
    request = carried(parties)
    honest = Profile.current
    monkeypatch.setattr(Profile, "current", lambda **given: replace(honest(**given), phone="0"))
    monkeypatch.setattr(inputs, "_input_root", lambda prepared, salt: bytes(32))
    done = replay(parties["channel"], request.id)
    assert done.verdict is Verdict.UNCHECKED
    assert not done.of(Verdict.DIFFERS)


def test_what_a_killed_replay_left_goes_with_the_next_or_with_the_session(parties):
    request = carried(parties)
    party = parties["channel"]
    party.replay_folder(request.id).write_bytes("00.set", b"points")
    with replaying(party.folder, request.id), pytest.raises(InUse, match="another command"):
        replay(party, request.id)
    assert replay(party, request.id).verdict is Verdict.AGREES
    left = party.replay_folder(request.id)
    left.write_bytes("00.set", b"points")
    now = party.clock()
    party.clock = lambda: now + 91 * DAY
    prune(party)
    assert not left.path.exists()


def test_artefacts_that_are_gone_or_changed_are_said_to_be(parties):
    request = carried(parties)
    folder = parties["channel"].folder / "sessions" / request.id
    kept = (folder / "02.set").read_bytes()
    (folder / "02.set").write_bytes(kept[:32] + bytes(32) + kept[64:])
    done = replay(parties["channel"], request.id)
    assert done.verdict is Verdict.DIFFERS
    assert any("changed after it had come in" in check.why for check in done.checks)
    for file in folder.glob("02.*"):
        file.unlink()
    done = replay(parties["channel"], request.id)
    assert done.verdict is Verdict.UNCHECKED
    assert "not kept any more" in done.of(Verdict.UNCHECKED)[-1].why


def test_the_opening_of_the_noise_may_be_gone_and_the_counts_are_then_unchecked(parties):
    request = carried(parties)
    party = parties["channel"]
    party.store.write(lambda c: c.execute(sa.delete(SALTS)))
    done = replay(party, request.id)
    assert done.verdict is Verdict.UNCHECKED
    assert done.of(Verdict.UNCHECKED)[0].why == "the noise is deleted"


def test_only_a_finished_session_whose_seed_is_kept_can_be_replayed(tmp_path):
    parties, _ = make_pair(tmp_path, beside="replay_days: 200\n")
    request = ask(parties, reach(parties["advertiser"].contract(None)))
    party = parties["channel"]
    with pytest.raises(PartyError, match="no finished session"):
        replay(party, request.id)
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    now = party.clock()
    party.clock = lambda: now + 199 * DAY
    prune(party)
    assert replay(party, request.id).verdict is Verdict.AGREES
    party.clock = lambda: now + 201 * DAY
    prune(party)
    with pytest.raises(PartyError, match="replay_days"):
        replay(party, request.id)
    for one in parties.values():
        one.close()


def test_the_command_and_the_program_say_the_same_and_the_log_says_who_looked(parties):
    request = carried(parties)
    folder = parties["channel"].folder
    run = CliRunner().invoke(
        app, ["audit", "replay", request.id[:8], "--party", str(folder), "--json"]
    )
    assert run.exit_code == 0, run.output
    said = json.loads(run.stdout)
    done = Audit(parties["channel"]).replay(request.id[:8])
    assert said == replay_document(done)
    reads = [
        one.body
        for one in StoredLog(parties["channel"].store, parties["channel"].identity).parsed()
        if one.kind == "audit.read"
    ]
    assert [(one.what, one.subject) for one in reads] == [("audit.replay", request.id)] * 2
    for file in (folder / "sessions" / request.id).glob("02.*"):
        file.unlink()
    run = CliRunner().invoke(app, ["audit", "replay", request.id, "--party", str(folder)])
    assert run.exit_code == 6
    assert "– the steps that follow" in run.output
