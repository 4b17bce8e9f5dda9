"""What an asker expects of the other parties is read as it was typed, or refused."""

from types import SimpleNamespace

import pytest

from client.guess import Guess
from party.errors import PartyError
from psi.sets import MAX_KEYS

OF_THREE = SimpleNamespace(participants=("channel", "advertiser", "vendor"))


def people(*typed):
    return Guess.of(typed).people_of(OF_THREE, "advertiser", 60)


def test_one_number_is_for_each_other_party():
    assert people("100000") == {"channel": (100_000, True), "vendor": (100_000, True)}


def test_a_number_by_name_is_for_that_party_and_the_others_are_as_large_as_this_one():
    both = {"channel": (100_000, True), "vendor": (20_000, True)}
    assert people("vendor=20000", "channel=100000") == both
    assert people("channel=100000") == {"channel": (100_000, True), "vendor": (60, False)}
    assert people() == {"channel": (60, False), "vendor": (60, False)}


@pytest.mark.parametrize("name", ["advertiser", "nobody", "a=b"])
def test_people_of_somebody_else_are_refused(name):
    with pytest.raises(PartyError, match="is no other party of this request; there is channel"):
        people(f"{name}=5")


@pytest.mark.parametrize(
    "typed",
    [
        ("1", "2"), ("channel=1", "2"), ("channel=1", "channel=1"), ("=5",), ("channel=",), ("",),
        ("ten",), ("1.5",), ("-1",), ("channel=-1",), ("1e6",), ("٣",), ("9" * 5_000,),
        (str(MAX_KEYS + 1),), (f"channel={MAX_KEYS + 1}",),
    ],
)  # fmt: skip
def test_what_is_no_number_of_people_is_refused(typed):
    with pytest.raises(PartyError, match="--their-people"):
        Guess.of(typed)


def test_a_program_states_people_by_name_as_well():
    guess = Guess({"vendor": 20})
    assert guess.people_of(OF_THREE, "advertiser", 60)["vendor"] == (20, True)
    with pytest.raises(PartyError, match="of 'vendor' is -1"):
        Guess({"vendor": -1})
