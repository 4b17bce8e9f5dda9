"""Lists taken out: to platforms and as references, with consent, grant, log and end.

What a file must hold is computed here from the synthetic people, with `hashlib` alone.
"""

import hashlib
import json
import stat
from base64 import b64encode

import pyarrow.parquet as pq
import pytest
from interleaved import meanwhile
from listed_parties import (
    NAME,
    another_contract,
    copy_listed,
    make_listed,
    of_people,
    read_csv,
)

from party import list_files
from party.activation import Order, export_list
from party.activation import export as exporting
from party.activation.export import TARGETS
from party.contract_terms import Platform
from party.errors import DatasetError, PartyError, Refusal, RefusalStatus, ResultError
from party.list_files import Part
from party.list_names import Naming
from party.subjects.erase import erase
from party.subjects.person import Wanted, find

MATCHED = range(20, 60)


def email(i):
    return hashlib.sha256(f"person{i}@example.com".encode())


def phone(i, plus="+"):
    return hashlib.sha256(f"{plus}1202555{i:04d}".encode()).hexdigest() if i % 9 else ""


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    listed = make_listed(folder)
    listed.match(Naming(NAME))
    listed.close()
    return folder


@pytest.fixture
def listed(ready, tmp_path):
    listed = copy_listed(ready, tmp_path / "copy")
    yield listed
    listed.close()


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "list.csv"


def export(listed, out, to="csv", part=Part.WHOLE, *identifiers):
    found = listed.lists.find(NAME)
    order = Order(to, out, part, identifiers)
    return export_list(listed.channel, listed.contract, found, order, actor="test")


def nothing_was_written(listed, out):
    assert list(out.parent.iterdir()) == []
    assert listed.entries("export.made") == []


# What is written


def test_google_gets_a_line_a_person_with_hashed_values(listed, out):
    export(listed, out, "google-customer-match")
    header, *lines = read_csv(out)
    assert header == ["Email", "Phone"]
    assert sorted(lines) == sorted([email(i).hexdigest(), phone(i)] for i in MATCHED)


def test_meta_gets_phones_without_a_plus(listed, out):
    export(listed, out, "meta")
    header, *lines = read_csv(out)
    assert header == ["email", "phone"]
    assert sorted(lines) == sorted([email(i).hexdigest(), phone(i, "")] for i in MATCHED)


def test_tiktok_gets_one_type_of_identifier_one_a_line(listed, out):
    export(listed, out, "tiktok", Part.WHOLE, "phone")
    header, *lines = read_csv(out)
    assert header == ["Phone_SHA256"]
    assert sorted(lines) == sorted([phone(i)] for i in MATCHED if phone(i))


def test_uid2_gets_base64(listed, out):
    export(listed, out, "uid2", Part.WHOLE, "email")
    header, *lines = read_csv(out)
    assert header == ["email_hash"]
    assert sorted(lines) == sorted([b64encode(email(i).digest()).decode()] for i in MATCHED)


def test_a_choice_of_identifiers_leaves_the_others_out(listed, out):
    export(listed, out, "meta", Part.WHOLE, "email")
    assert read_csv(out)[0] == ["email"]


def test_several_identifiers_of_one_person_stand_under_repeated_headers(listed, out):
    rows = [["ref", "email", "phone", "frequency", "consent", "second"]]
    for i, row in enumerate(of_people(20, 90), start=20):
        rows.append([*row, f"Other{i}@Example.com" if i % 2 else f"person{i}@example.com"])
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    (listed.data / "receipts.csv").write_text(text)
    listed.register(
        lambda text: text.replace("email: id.email", "email: id.email\n  second: id.email")
    )
    export(listed, out, "google-customer-match", Part.WHOLE, "email")
    header, *lines = read_csv(out)
    assert header == ["Email", "Email"]
    other = {i: hashlib.sha256(f"other{i}@example.com".encode()).hexdigest() for i in MATCHED}
    assert sorted(lines) == sorted(
        [email(i).hexdigest(), other[i] if i % 2 else ""] for i in MATCHED
    )


def device(i):
    return f"aece52e7-03ee-455a-b3c4-{i:012x}"


def with_devices(listed):
    """Let a device id stand beside each of the channel's people."""
    rows = [["ref", "email", "phone", "frequency", "consent", "device"]]
    rows += [[*row, device(i).upper()] for i, row in enumerate(of_people(20, 90), start=20)]
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    (listed.data / "receipts.csv").write_text(text)
    listed.register(
        lambda text: text.replace("email: id.email", "email: id.email\n  device: id.maid")
    )


def test_google_gets_device_ids_in_a_file_of_their_own_as_they_are(listed, out):
    with_devices(listed)
    done = export(listed, out, "google-customer-match")
    assert read_csv(out)[0] == ["Email", "Phone"]
    assert done.apart == ("maid",)
    devices = out.with_name("devices.csv")
    done = export(listed, devices, "google-customer-match", Part.WHOLE, "maid")
    assert done.apart == ()
    assert read_csv(devices)[0] == ["Mobile Device ID"]
    assert sorted(read_csv(devices)[1:]) == sorted([device(i)] for i in MATCHED)
    mixed = out.with_name("mixed.csv")
    with pytest.raises(PartyError, match="takes maid in a file and a list of its own"):
        export(listed, mixed, "google-customer-match", Part.WHOLE, "maid", "email")
    assert not mixed.exists()


def test_a_dataset_of_device_ids_alone_makes_the_file_of_device_ids(listed, out):
    with_devices(listed)
    listed.register(
        lambda text: (
            text.replace("  email: id.email\n", "  email: attribute\n").replace(
                "{kind: id.phone, region: US}", "attribute"
            )
            + "scan: {not_personal: [email, phone]}\n"
        )
    )
    export(listed, out, "google-customer-match")
    assert read_csv(out)[0] == ["Mobile Device ID"]
    assert len(read_csv(out)) == len(MATCHED) + 1


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_own_references_need_no_grant_and_are_the_whole_list(ready, tmp_path, out, to):
    listed = copy_listed(ready, tmp_path / "copy")
    done = export(listed, out, to)
    if to == "csv":
        header, *lines = read_csv(out)
        assert header == ["reference", "matched_by"]
        found = {line[0] for line in lines}
    else:
        found = set(pq.read_table(out)["reference"].to_pylist())
    assert found == {f"ref{i}" for i in MATCHED}
    assert (done.lines, done.left_out) == (len(MATCHED), 0)
    listed.close()


def test_only_those_who_were_added_can_be_taken_to_a_platform(listed, out):
    listed.set_people(of_people(10, 50))
    listed.refresh()
    export(listed, out, "meta", Part.ADDED, "email")
    assert sorted(read_csv(out)[1:]) == sorted([email(i).hexdigest()] for i in range(10, 20))
    gone = out.with_name("gone.csv")
    export(listed, gone, "csv", Part.REMOVED)
    assert {line[0] for line in read_csv(gone)[1:]} == {f"ref{i}" for i in range(50, 60)}


def test_who_was_removed_is_named_where_the_list_before_was_taken(listed, out):
    """In the same form as those who are added: platforms take both alike."""
    forms = {
        "google-customer-match": lambda i: email(i).hexdigest(),
        "tiktok": lambda i: email(i).hexdigest(),
        "uid2": lambda i: b64encode(email(i).digest()).decode(),
    }
    for to in forms:
        export(listed, out.with_name(f"{to}.csv"), to, Part.WHOLE, "email")
    withdrawn = {30, 31}
    listed.set_people(of_people(5, 55, consent=lambda i: "no" if i in withdrawn else "yes"))
    listed.refresh()
    for to, written in forms.items():
        gone = out.with_name(f"{to}-gone.csv")
        done = export(listed, gone, to, Part.REMOVED, "email")
        header, *lines = read_csv(gone)
        assert header == read_csv(out.with_name(f"{to}.csv"))[0]
        assert sorted(lines) == sorted([written(i)] for i in withdrawn)
        assert (done.lines, done.left_out) == (2, 5)  # 55 to 59 are not in the dataset any more
        manifest = json.loads(done.manifest.read_text())
        assert (manifest["part"], manifest["to"]) == ("removed", to)
        assert manifest["reminder"].startswith("Take these people off the audience")
    assert [entry.body.to for entry in listed.entries("export.made")] == [*forms, *forms]
    listed.verify()
    with pytest.raises(PartyError, match="was not taken to meta"):
        export(listed, out, "meta", Part.REMOVED, "email")


def test_a_part_in_which_nobody_is_is_not_exported(listed, out):
    export(listed, out, "meta")
    listed.refresh()
    for part in (Part.ADDED, Part.REMOVED):
        with pytest.raises(PartyError, match=f"nobody was {part} at the last refresh of the list"):
            export(listed, out.with_name("part.csv"), "meta", part)


def test_removed_people_who_are_all_gone_from_the_dataset_make_no_file(listed, out):
    export(listed, out, "meta")
    listed.set_people(of_people(5, 50))
    listed.refresh()
    with pytest.raises(PartyError, match="Replace the audience by the whole list"):
        export(listed, out.with_name("gone.csv"), "meta", Part.REMOVED)


@pytest.mark.parametrize("to", ["csv", "meta"])
def test_who_does_not_consent_at_the_export_or_is_gone_is_left_out(listed, out, to):
    withdrawn = {21, 22, 58}
    listed.set_people(of_people(20, 55, consent=lambda i: "no" if i in withdrawn else "yes"))
    done = export(listed, out, to)
    left = [i for i in MATCHED if i < 55 and i not in withdrawn]
    found = {line[0] for line in read_csv(out)[1:]}
    assert found == {email(i).hexdigest() if to == "meta" else f"ref{i}" for i in left}
    assert (done.lines, done.left_out) == (len(left), len(MATCHED) - len(left))


def test_the_file_is_for_its_owner_alone_and_its_manifest_says_when_it_ends(listed, out):
    done = export(listed, out, "meta")
    for file in (out, done.manifest):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    manifest = json.loads(done.manifest.read_text())
    assert manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (manifest["list"], manifest["use"], manifest["to"]) == (NAME, "include", "meta")
    assert manifest["expires"] in manifest["reminder"]
    assert manifest["contract"] == listed.contract.digest
    assert {file.name for file in out.parent.iterdir()} == {out.name, done.manifest.name}


def test_each_export_is_logged_without_a_count_and_the_log_verifies(listed, out):
    export(listed, out, "meta")
    export(listed, out.with_suffix(".parquet"), "parquet")
    entries = listed.entries("export.made")
    assert [entry.body.to for entry in entries] == ["meta", "parquet"]
    found = listed.lists.find(NAME)
    for entry in entries:
        assert (entry.body.request, entry.body.expires_at) == (found.request.id, found.expires_at)
        assert entry.contract == listed.contract.digest
        body = json.loads(entry.encode())["body"]
        assert set(body) == {"request", "to", "file_commitment", "expires_at"}
        assert hashlib.sha256(out.read_bytes()).hexdigest() not in json.dumps(body)
    listed.verify()


# What is refused


@pytest.mark.parametrize("of_matches", ["", ", export_to: [tiktok]"])
def test_a_platform_without_the_grant_is_refused_and_own_references_are_not(
    tmp_path, out, of_matches
):
    listed = make_listed(tmp_path / "ungranted", of_matches)
    listed.match(Naming(NAME))
    with pytest.raises(Refusal, match="does not grant that this list is taken to meta") as refused:
        export(listed, out, "meta")
    assert refused.value.status is RefusalStatus.NOT_GRANTED
    nothing_was_written(listed, out)
    export(listed, out, "csv")
    listed.close()


def test_a_place_that_nobody_knows_is_refused(listed, out):
    with pytest.raises(PartyError, match="and not to 'fax'"):
        export(listed, out, "fax")
    nothing_was_written(listed, out)


@pytest.mark.parametrize("to", TARGETS)
def test_an_expired_list_is_not_exported(listed, out, to):
    listed.at(days=31)
    with pytest.raises(Refusal, match="expired on") as refused:
        export(listed, out, to)
    assert refused.value.status is RefusalStatus.EXPIRED
    nothing_was_written(listed, out)


@pytest.mark.parametrize("to", TARGETS)
def test_a_list_that_was_changed_is_not_exported(listed, out, to):
    file = listed.lists.find(NAME).parts[Part.WHOLE].file
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ResultError, match="was changed after it was made"):
        export(listed, out, to)
    nothing_was_written(listed, out)


def test_nothing_is_written_over(listed, out):
    out.write_text("mine")
    with pytest.raises(PartyError, match="exists already"):
        export(listed, out)
    assert out.read_text() == "mine"
    out.unlink()
    manifest = out.with_name(f"{out.name}.manifest.json")
    manifest.write_text("mine")
    with pytest.raises(PartyError, match="exists already"):
        export(listed, out)
    assert [file.read_text() for file in out.parent.iterdir()] == ["mine"]
    with pytest.raises(PartyError, match="there is no folder"):
        export(listed, out.parent / "nowhere" / "list.csv")
    assert listed.entries("export.made") == []


def test_an_export_that_the_log_does_not_take_leaves_no_file(listed, out, monkeypatch):
    def fails(*_args, **_more):
        raise PartyError("the log")

    monkeypatch.setattr(listed.channel.journal, "append", fails)
    with pytest.raises(PartyError, match="the log"):
        export(listed, out, "meta")
    nothing_was_written(listed, out)


def take_off(listed, name):
    """Erase one of the channel's people, which writes its list anew."""
    erase(listed.channel, find(listed.channel, Wanted(name)), actor="test")


CHANGES = {
    "somebody comes off it": lambda listed: take_off(listed, "ref25"),
    "a refresh takes its place": lambda listed: listed.refresh(),
    "it is deleted": lambda listed: (listed.refresh(), listed.pruned()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_list_that_changes_while_consent_is_read_is_not_exported(
    listed, out, monkeypatch, change
):
    meanwhile(monkeypatch, exporting, "open_source", lambda: change(listed))
    with pytest.raises(PartyError, match="changed meanwhile"):
        export(listed, out)
    nothing_was_written(listed, out)
    export(listed, out)
    assert {line[0] for line in read_csv(out)[1:]} == listed.references(Part.WHOLE)
    listed.verify()


def test_a_list_is_exported_as_it_is_and_not_as_it_was_when_it_was_looked_up(listed, out):
    found = listed.lists.find(NAME)
    take_off(listed, "ref25")
    order = Order("csv", out)
    export_list(listed.channel, listed.contract, found, order, actor="test")
    names = {line[0] for line in read_csv(out)[1:]}
    assert names == {f"ref{i}" for i in MATCHED if i != 25}


def test_nobody_comes_off_a_list_while_it_is_read(listed, out, monkeypatch):
    waits = meanwhile(
        monkeypatch, list_files, "require_unchanged", lambda: take_off(listed, "ref25")
    )
    export(listed, out)
    assert len(waits) == 1


def test_who_was_removed_is_not_named_to_a_platform_that_did_not_get_the_list(listed, out):
    listed.set_people(of_people(10, 50))
    listed.refresh()
    with pytest.raises(PartyError, match="so nobody is to be removed there"):
        export(listed, out, "meta", Part.REMOVED)
    nothing_was_written(listed, out)
    export(listed, out, "meta", Part.WHOLE, "email")  # the list after the refresh: too late
    again = out.with_name("again.csv")
    with pytest.raises(PartyError, match="was not taken to meta"):
        export(listed, again, "meta", Part.REMOVED, "email")
    ungranting, found = another_contract(listed), listed.lists.find(NAME)
    with pytest.raises(Refusal, match="does not grant"):
        export_list(
            listed.channel, ungranting, found, Order("meta", again, Part.REMOVED), actor="test"
        )
    assert not again.exists()


def test_a_list_that_was_never_refreshed_has_no_changes_to_export(listed, out):
    with pytest.raises(PartyError, match="has no part 'added'"):
        export(listed, out, "csv", Part.ADDED)
    nothing_was_written(listed, out)


@pytest.mark.parametrize("to", ["tiktok", "uid2"])
def test_a_file_of_one_type_asks_which(listed, out, to):
    with pytest.raises(PartyError, match="say which with --identifier email or phone"):
        export(listed, out, to)
    nothing_was_written(listed, out)


def test_identifiers_that_the_platform_or_the_dataset_does_not_have_are_refused(listed, out):
    with pytest.raises(PartyError, match="there is no column for imei"):
        export(listed, out, "meta", Part.WHOLE, "email", "imei")
    with pytest.raises(PartyError, match="there is no column for maid"):
        export(listed, out, "tiktok", Part.WHOLE, "maid")
    with pytest.raises(PartyError, match="own references have no identifiers"):
        export(listed, out, "csv", Part.WHOLE, "email")
    nothing_was_written(listed, out)


def test_a_column_of_digests_that_the_platform_cannot_use_is_refused_by_name(listed, out):
    rows = of_people(20, 90)
    digests = [(ref, mail, phone(i), *rest) for i, (ref, mail, _, *rest) in enumerate(rows, 20)]
    listed.set_people(digests)
    listed.register(lambda text: text.replace("{kind: id.phone, region: US}", "id.phone_sha256"))
    with pytest.raises(PartyError, match=r"column .phone.: holds digests.*--identifier email"):
        export(listed, out, "meta")
    nothing_was_written(listed, out)
    export(listed, out, "meta", Part.WHOLE, "email")
    google = out.with_name("google.csv")
    export(listed, google, "google-customer-match", Part.WHOLE, "phone")
    assert sorted(read_csv(google)[1:]) == sorted([phone(i)] for i in MATCHED if phone(i))


@pytest.mark.parametrize("to", ["csv", "meta"])
def test_a_list_of_which_nobody_consents_any_more_is_not_exported(listed, out, to):
    listed.set_people(of_people(20, 90, consent=lambda i: "no"))
    with pytest.raises(PartyError, match="nobody of the list summer is left"):
        export(listed, out, to)
    nothing_was_written(listed, out)


def test_a_dataset_that_is_gone_exports_nothing(listed, out):
    (listed.data / "receipts.csv").unlink()
    with pytest.raises(DatasetError, match="no such file"):
        export(listed, out, "csv")
    nothing_was_written(listed, out)


def test_people_told_by_row_numbers_are_exported_only_from_the_same_files(listed, out):
    listed.register(lambda text: text.replace("person: ref\n", ""))
    listed.match(Naming("rows"))
    found = listed.lists.find("rows")
    order = Order("meta", out)
    export_list(listed.channel, listed.contract, found, order, actor="test")
    assert len(read_csv(out)) == len(MATCHED) + 1
    listed.set_people(of_people(21, 90))
    listed.register(lambda text: text.replace("person: ref\n", ""))
    with pytest.raises(PartyError, match="its files have changed since the list was made"):
        export_list(
            listed.channel, listed.contract, found, Order("csv", out.with_name("b.csv")),
            actor="test",
        )  # fmt: skip


def test_people_told_by_row_numbers_are_exported_after_another_event_of_consent(listed, out):
    """Events come every day; the rows keep their places, and whoever withdrew is left out."""
    events = ["ref,state,purpose,recipient,time"]
    events += [f"ref{i},yes,dpv:TargetedAdvertising,advertiser,2026-01-01" for i in range(20, 90)]
    table = listed.data / "events.csv"
    table.write_text("\n".join(events) + "\n")

    def by_events(text):
        start, end = text.index("consent:\n  column"), text.index("labels:")
        section = "consent: {table: events.csv, key: ref, state: state, given: ['yes'], "
        section += "purpose: purpose, recipient: recipient, time: time}\n"
        text = text[:start] + section + text[end:]
        return text.replace("person: ref\n", "").replace("  consent: consent\n", "")

    listed.register(by_events)
    listed.match(Naming("rows"))
    withdrawn = "ref20,no,dpv:TargetedAdvertising,advertiser,2026-02-01"
    table.write_text("\n".join([*events, withdrawn]) + "\n")
    found = listed.lists.find("rows")
    export_list(listed.channel, listed.contract, found, Order("meta", out), actor="test")
    assert len(read_csv(out)) == len(MATCHED)


def test_every_platform_has_a_target():
    assert set(TARGETS) == {*(platform.value for platform in Platform), "csv", "parquet"}
