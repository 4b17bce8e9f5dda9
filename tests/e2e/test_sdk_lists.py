"""`party.lists`, `suppress` and `overlap_by_identifier` over two parties on loopback TLS.

What a list must hold is computed from the synthetic people, without the product.
"""

import asyncio
import csv
import hashlib
import inspect
import re
import time
from pathlib import Path

import pytest
import typer
from known_people import email, reference
from sdk_pair import make_pair, true_match

import commonground
from commonground import CancelToken, Party, errors
from commonground.cli import app

NAME = "summer"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    advertiser, channel = make_pair(tmp_path_factory.mktemp("sdk-lists"))
    with advertiser, channel, channel.serve():
        advertiser.match(name=NAME, use="exclude", suppression_runs=2)
        yield advertiser, channel


@pytest.fixture(scope="module")
def refreshed(pair):
    """Refresh the list in a task, telling how far it is."""
    told = []
    return told, asyncio.run(pair[0].aio.lists.refresh(NAME, progress=told.append))


@pytest.fixture(scope="module")
def by_type(pair):
    """Cancel an overlap by identifier at the first thing that it tells, and go on with it."""
    token = CancelToken()
    arguments = {"epsilon": "5", "epsilon_dummies": "5"}
    with pytest.raises(errors.Cancelled):
        pair[0].overlap_by_identifier(**arguments, progress=lambda _: token.cancel(), cancel=token)
    begun = [one.id for one in pair[0].requests.list() if one.state == "approved"]
    done = asyncio.run(pair[0].aio.overlap_by_identifier(**arguments, resume=True))
    return begun, done


def expected():
    return sorted(reference("advertiser", i) for i in true_match())


# -- lists ---------------------------------------------------------------------------------------


def test_a_list_is_found_by_its_name_and_says_what_it_is(pair, refreshed):
    found = pair[0].lists.show(NAME)
    assert (found.name, found.use, found.peer, found.state) == (NAME, "exclude", "channel", "live")
    assert sorted(found.to_pandas()["reference"]) == expected()
    assert found.to_dict()["people"] == len(expected())
    [line] = pair[0].lists.to_pandas().to_dict("records")
    assert (line["name"], line["state"], line["people"]) == (NAME, "live", len(expected()))
    assert line["request"] == found.id
    assert pair[1].lists.list() == []


def test_a_refresh_in_a_task_takes_the_place_of_the_list_and_tells_its_changes(pair, refreshed):
    told, audience = refreshed
    assert told
    assert [one.id for one in pair[0].lists.list()] == [audience.id]
    assert (len(audience.added), len(audience.removed)) == (0, 0)
    assert list(audience.added.columns) == ["reference", "matched_by"]
    assert audience.use == "exclude"


def test_an_export_is_in_the_platforms_form_and_says_what_was_written(pair, refreshed, tmp_path):
    done = pair[0].lists.export(NAME, "meta", tmp_path / "meta.csv", identifiers=["email"])
    with done.file.open(newline="", encoding="utf-8") as file:
        found = {row["email"] for row in csv.DictReader(file)}
    assert found == {hashlib.sha256(email(i).encode()).hexdigest() for i in true_match()}
    assert (done.lines, done.left_out) == (len(expected()), 0)
    assert done.manifest.is_file()
    said = done.to_dict()
    assert (said["file"], said["lines"]) == (str(done.file), len(expected()))
    alone = pair[0].lists.export(NAME, "meta", tmp_path / "alone.csv", identifiers="email")
    assert alone.file.read_bytes() == done.file.read_bytes()
    own = asyncio.run(pair[0].aio.lists.export(NAME, "csv", str(tmp_path / "own.csv")))
    assert own.lines == len(expected())
    kinds = [entry.kind for entry in pair[0].audit.entries()]
    assert kinds.count("export.made") == 3


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        (("tiktok", "x.csv"), errors.Refusal, "does not grant"),
        (("fax", "x.csv"), errors.PartyError, "and not to 'fax'"),
        (("meta", "nowhere/x.csv"), errors.PartyError, "there is no folder"),
    ],
)
def test_an_export_that_does_not_serve_writes_nothing(
    pair, refreshed, tmp_path, arguments, kind, says
):
    to, out = arguments
    with pytest.raises(kind, match=says):
        pair[0].lists.export(NAME, to, tmp_path / out)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_list_no_part_and_no_use_is_said(pair, refreshed, tmp_path):
    advertiser, channel = pair
    with pytest.raises(errors.PartyError, match="there is no list called winter"):
        advertiser.lists.show("winter")
    with pytest.raises(errors.PartyError, match="no part 'gone'"):
        advertiser.lists.export(NAME, "csv", tmp_path / "x.csv", part="gone")
    with pytest.raises(errors.PartyError, match="is called summer and stays so"):
        advertiser.lists.name(NAME, "other")
    with pytest.raises(errors.ContractError, match="there is no contract other"):
        advertiser.lists.refresh(NAME, contract="other")
    with pytest.raises(errors.PartyError, match="only its receiver has one"):
        channel.lists.show(refreshed[1].id)
    asked = len(advertiser.requests.list())
    with pytest.raises(errors.PartyError, match="to include or to exclude people, not to 'sell'"):
        advertiser.match(use="sell")
    with pytest.raises(errors.PartyError, match="there is a list called summer already"):
        advertiser.match(name=NAME)
    with pytest.raises(errors.PartyError, match="leave out --name"):
        advertiser.match(receiver="channel", name="theirs")
    for runs in (-1, 32):
        with pytest.raises(errors.Refusal, match=f"{runs} suppression_runs were asked for: a list"):
            advertiser.quote.match(suppression_runs=runs)
    assert len(advertiser.requests.list()) == asked


def test_a_list_that_has_ended_is_told_of_and_not_shown(pair, refreshed):
    with Party(pair[0].folder) as later:
        later._party.clock = lambda: time.time() + 400 * 86_400
        [ended] = later.lists.list()
        assert (ended.name, ended.state) == (NAME, "expired")
        assert "expired on" in str(ended)
        assert list(later.lists.to_pandas()["state"]) == ["expired"]
        for verb in (later.lists.show, later.lists.refresh):
            with pytest.raises(errors.Refusal) as refused:
                verb(NAME)
            assert refused.value.status is errors.RefusalStatus.EXPIRED
        with pytest.raises(errors.Refusal, match="expired on"):
            ended.to_pandas()


def test_who_withdraws_is_taken_off_a_list_by_a_run(pair, refreshed):
    advertiser, channel = pair
    audience = refreshed[1]
    with pytest.raises(errors.Waiting, match="only dials"):
        channel.suppress(audience.id, cover=True)
    assert channel.audit.entries()
    done = asyncio.run(advertiser.aio.suppress(audience.id))
    assert (done.did, done.to_dict()) == ("applied", {"runs": {"applied": 1, "left": None}})
    assert advertiser.suppress(NAME).runs == 0
    assert advertiser.lists.show(NAME).to_dict()["suppressed"]["run"] == 1


def test_a_request_that_left_no_list_has_no_runs(pair, by_type):
    with pytest.raises(errors.PartyError):
        pair[0].suppress(by_type[0][0])


# -- an overlap by identifier --------------------------------------------------------------------


def test_an_overlap_by_identifier_goes_on_where_it_was_and_pays_once(pair, by_type):
    begun, done = by_type
    assert len(begun) == 1
    assert begun[0] in done.requests.values()
    assert list(done.requests) == ["phone", "email"]
    ledger = pair[0].ledger().to_pandas()
    assert sorted(ledger[ledger["request"].isin(done.requests.values())]["what"]) == ["session"] * 2


def test_an_overlap_by_identifier_is_a_frame_with_verdicts(by_type):
    _, done = by_type
    assert set(done.to_pandas()["label"]) == {"phone", "email"}
    assert set(done.to_pandas()["kind"]) == {"shareable"}
    assert all(kind.startswith("private") for kind in done.private.to_pandas()["kind"])
    assert list(done.verdicts_to_pandas()["type"]) == ["phone", "email"]
    assert done.to_dict()["report"] == "overlap by identifier"
    assert "Overlap by identifier" in str(done)
    assert "<th>verdict</th>" in done._repr_html_()


def test_the_quote_of_all_types_adds_up_and_asks_for_nothing(pair):
    asked = len(pair[0].requests.list())
    quote = pair[0].quote.overlap_by_identifier(epsilon="2")
    paid = dict(quote.to_pandas()[["party", "epsilon"]].to_numpy().tolist())
    assert paid == {"channel": "6", "advertiser": "2"}
    assert quote.wire_bytes > 0
    assert "2 tables, one a type" in str(quote)
    assert len(pair[0].requests.list()) == asked


def test_what_does_not_fit_a_budget_together_is_not_begun(pair):
    asked = len(pair[0].requests.list())
    with pytest.raises(errors.Refusal) as refused:
        pair[0].overlap_by_identifier(epsilon="60", epsilon_dummies="1")
    assert refused.value.status is errors.RefusalStatus.BUDGET_EXHAUSTED
    assert len(pair[0].requests.list()) == asked


# -- the verbs and the commands ------------------------------------------------------------------

VERBS = {
    "init": Party.create,
    "serve": Party.serve,
    "invite": Party.invite,
    "join": Party.join,
    "peers forget": "peers.forget",
    "peers renew": "peers.renew",
    "peers revoke": "peers.revoke",
    "peers restore": "peers.restore",
    "keys show": "keys.show",
    "keys rotate": "keys.rotate",
    "keys tell": "keys.tell",
    "keys move-node-key": "keys.move_node_key",
    "invitations withdraw": "invitations.withdraw",
    "dataset add": "datasets.add",
    "dataset check": "datasets.check",
    "dataset buckets": "datasets.buckets",
    "dataset top-bound": "datasets.top_bound",
    "dataset top-bounds": "datasets.top_bounds",
    "dataset show": "datasets.show",
    "consent record": "consent.record",
    "consent withdraw": "consent.withdraw",
    "consent import": "consent.import_",
    "consent show": "consent.show",
    "consent receipt": "consent.receipt",
    "consent verify": "consent.verify",
    "contract propose": "contracts.propose",
    "contract sign": "contracts.sign",
    "contract import": "contracts.import_",
    "contract show": "contracts.show",
    "contract documents": "contracts.documents",
    "quote": "quote.match quote.reach quote.overlap quote.lift quote.overlap_by_identifier "
    "quote.attribution",
    "match": Party.match,
    "report reach": Party.reach,
    "report insights": Party.insights,
    "report funnel": Party.funnel,
    "report lift": Party.lift,
    "report cross-channel": Party.cross_channel,
    "report table": Party.table,
    "report attribution": Party.attribution,
    "report delay": Party.delay,
    "report overlap": "overlap overlap_by_identifier",
    "report show": Party.result,
    "report save": "templates.save",
    "report run": "templates.run templates.quote",
    "report templates remove": "templates.remove",
    "report schedule": "schedules.make schedules.quote",
    "report schedules cancel": "schedules.cancel",
    "report due": "schedules.due",
    "lists show": "lists.show",
    "lists name": "lists.name",
    "lists refresh": "lists.refresh",
    "lists export": "lists.export",
    "requests list": "requests.list requests.fetch",
    "requests show": "requests.show",
    "requests approve": "requests.approve",
    "requests refuse": "requests.refuse",
    "requests resume": "requests.resume",
    "suppress": Party.suppress,
    "lookalike": Party.lookalike,
    "retention show": "retention.show",
    "retention run": "retention.run",
    "subject access": "subjects.access",
    "subject consent": "subjects.consent",
    "subject erase": "subjects.erase",
    "audit verify": "audit.verify verify_log",
    "audit receipt": "audit.receipt",
    "audit check-receipt": "check_receipt",
    "audit witness": "audit.witness",
    "audit show": "audit.entries audit.show",
    "audit filter": "audit.filter",
    "audit export": "audit.export",
    "audit evidence": "audit.evidence",
    "audit replay": "audit.replay",
    "lineage show": "lineage.show",
    "lineage send": "lineage.send",
    "access add": "access.add",
    "access remove": "access.remove",
    "console users add": "users.add",
    "console users remove": "users.remove",
    "console users password": "users.password",
    "console users role": "users.role",
    "console tokens add": "tokens.add",
    "console tokens revoke": "tokens.revoke",
    "doctor": Party.doctor,
    "backup": Party.backup,
    "restore": Party.restore,
}
NAMED = {  # what a command calls otherwise than its verb
    "listen": "address", "contract_id": "id", "wanted": "which", "others": "with_",
    "identifier": "identifiers", "id_": "id", "token_file": "access", "fingerprint": "access",
    "passphrase_file": "passphrase",
}  # fmt: skip
OTHERWISE = {  # an option whose part another verb, property or word has: docs/sdk.md says which
    "--ask", "--out", "--private", "--their-people", "--match-rate", "--by-identifier", "--upgrade",
    "--log-format", "--log-level", "--last", "--lines", "--html", "--png", "--cost",
    "--language", "--tiles", "--svg",
}  # fmt: skip


def arguments(party, verbs):
    found = [verbs] if callable(verbs) else []
    for path in [] if callable(verbs) else verbs.split():
        verb = party if hasattr(party, path.partition(".")[0]) else commonground
        for name in path.split("."):
            verb = getattr(verb, name)
        found.append(verb)
    return {name for verb in found for name in inspect.signature(verb).parameters}


@pytest.mark.parametrize("command", VERBS)
def test_each_option_of_a_command_is_an_argument_of_its_verb_or_the_document_says_why_not(
    pair, command
):
    found = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    has = arguments(pair[0], VERBS[command])
    document = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text(encoding="utf-8")
    for option in found.params:
        if option.name in {"party", "as_json"} or option.name in has:
            continue
        if NAMED.get(option.name) in has or option.param_type_name == "argument":
            continue
        written = option.opts[0].replace("--shareable", "--private")
        assert written in OTHERWISE, f"{command} {written}"
        assert re.search(rf"`(\S+ )*{written}[`, ]", document), written


def test_every_command_has_a_verb_or_stays_one():
    def commands(group, before=()):
        for name, one in group.commands.items():
            if hasattr(one, "commands"):
                yield from commands(one, (*before, name))
            else:
                yield " ".join((*before, name))

    plain = {"status", "ledger show", "dataset list", "lists list", "peers list", "access list"}
    plain |= {"console users list", "console tokens list"}
    plain |= {"report templates list", "report schedules list"}
    only_commands = {"sandbox"}
    without = set(commands(typer.main.get_command(app))) - set(VERBS)
    assert without == plain | only_commands | {"invitations list"}
