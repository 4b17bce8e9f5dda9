"""Erased people: nobody who is called so, or has an identifier that was theirs, is in a session."""

from dataclasses import replace

import numpy as np
from dataset_builder import SALT, prepared, references_of, row, steps_of, write
from hypothesis import given
from hypothesis import strategies as st

from party.datasets.erased import Erased, identifier_tokens, reference_tokens
from party.subjects.participants import Participants
from psi.arrow import texts
from psi.columns import ColumnSpec, read_column
from psi.keys import Keys
from psi.seed import Seed

KEY = bytes(range(32))
EMAIL = {"email": "id.email", "opt_in": "consent"}


def erased(names=(), mails=(), population="people"):
    tokens = [reference_tokens(KEY, population, texts(list(names)))]
    for mail in mails:
        digests = read_column(ColumnSpec.parse("email"), texts([mail])).digests
        tokens.append(identifier_tokens(KEY, "email", digests))
    return Erased(KEY, "people", np.concatenate(tokens))


def taking_part(definition, who):
    result = prepared(replace(definition, erased=who), identifiers=["email"])
    kept = result.person_refs.take(np.unique(result.owners[:, 1]))
    return kept.to_pylist(), result


def test_who_is_called_so_leaves_before_consent_is_looked_at(tmp_path):
    rows = [row(name, f"{name}@example.com") for name in "abc"]
    definition = write(tmp_path, rows, columns=EMAIL)
    names, result = taking_part(definition, erased(["b"]))
    assert names == ["a", "c"]
    assert steps_of(result)["people who were not erased"] == (3, 2)
    assert list(steps_of(result)).index("people who were not erased") == 2
    assert taking_part(definition, erased(["b"], population="others"))[0] == ["a", "b", "c"]
    without = write(tmp_path, [rows[0], rows[2]], columns=EMAIL)
    assert result.consent.root == prepared(without, identifiers=["email"]).consent.root


def test_a_new_number_brings_nobody_back(tmp_path):
    rows = [row("a", "a@example.com"), row("new", "x@example.com"), row("new", "y@example.com")]
    names, result = taking_part(write(tmp_path, rows, columns=EMAIL), erased([], ["x@example.com"]))
    assert names == ["a"], "neither by the old identifier nor by the other one"
    assert steps_of(result)["people without an identifier of somebody who was erased"] == (2, 1)


def test_rows_that_are_people_are_left_out_by_identifier(tmp_path):
    rows = [row("", "a@example.com"), row("", "b@example.com")]
    definition = write(tmp_path, rows, columns=EMAIL, person=None)
    assert taking_part(definition, erased(["2"], ["a@example.com"]))[0] == ["2"]


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("vwxyz")), min_size=1,
             max_size=15),
    st.sets(st.sampled_from("abcde")),
    st.sets(st.sampled_from("vwxyz")),
)  # fmt: skip
def test_exactly_the_others_take_part(tmp_path_factory, pairs, names, mails):
    rows = [row(name, f"{mail}@example.com") for name, mail in [*pairs, ("z", "z1")]]
    definition = write(tmp_path_factory.mktemp("drawn"), rows, columns=EMAIL, labels=None)
    who = erased(sorted(names), [f"{mail}@example.com" for mail in sorted(mails)])
    result = prepared(
        replace(definition, erased=who), identifiers=["email"], label=None, values=["all"]
    )
    held = {name: {mail for one, mail in pairs if one == name} for name, _ in pairs}
    expected = {name for name in held if name not in names and not held[name] & mails}
    kept = result.person_refs.take(np.unique(result.owners[:, 1])).to_pylist()
    assert set(kept) == expected | {"z"}
    assert set(references_of(result)) >= set(kept)


def test_rows_that_are_people_took_part_by_their_keys(tmp_path):
    rows = [row("", "a@example.com"), row("", "b@example.com", opt_in="no")]
    result = prepared(write(tmp_path, rows, columns=EMAIL, person=None), identifiers=["email"])
    seed = Seed(SALT)
    people = Participants.of(result, seed, by_reference=False)
    keys = {
        name: Keys.from_digests(
            "email", read_column(ColumnSpec.parse("email"), texts([f"{name}@example.com"])).digests
        )
        for name in "ab"
    }
    assert [people.include((), keys[name], seed) for name in "ab"] == [True, False]
    assert not people.without((), keys["a"], seed).include((), keys["a"], seed)
    assert not people.include((), keys["a"], Seed(bytes(32))), "tokens are of one session"
