"""Every message that the sources mark is said in every language, with the values that it has."""

import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_sources import entries, forms, marked, placeholders

from languages import ENGLISH, LANGUAGES, LanguageError, language, message, messages

OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated_once_and_none_is_left_over(code):
    there, times = entries(code)
    sources = marked()
    assert sorted(map(str, sources.keys() - there.keys())) == []
    assert sorted(map(str, there.keys() - sources.keys())) == []
    assert [name for name, number in times.items() if number > 1] == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_empty_or_fuzzy_or_loses_a_value(code):
    there, _ = entries(code)
    for name, entry in there.items():
        assert not entry.fuzzy, name
        for said in forms(entry.string):
            assert said.strip(), name
            assert set(placeholders(said)) == set(placeholders(forms(name)[-1])), name


def test_a_message_is_its_english_text_and_is_said_again_with_its_values():
    zh = language("zh")
    said = message("not known to {party}", party="channel")
    assert said == "not known to channel"
    assert zh(said) == "channel 未知的人"
    assert zh.own(said) == zh(pickle.loads(pickle.dumps(said)))
    counted = "A person counts at most once.", "A person counts at most {number} times."
    one, many = (messages(*counted, number) for number in (1, 2))
    assert (one, many) == (counted[0], "A person counts at most 2 times.")
    assert (zh(one), zh(many)) == ("每人最多计 1 次。", "每人最多计 2 次。")


@given(st.text())
def test_what_a_counterpart_wrote_is_never_read_as_a_message(name):
    zh = language("zh")
    for text in (name, "suppressed", "{party}", f"{{{name}}}"):
        assert zh(message("not known to {party}", party=text)) == f"{text} 未知的人"
        assert zh.own(text) == text


def test_what_is_ours_among_the_values_is_translated_too():
    zh = language("zh")
    inner = message("suppressed")
    assert zh(message("not known to {party}", party=inner)) == "已隐藏 未知的人"


def test_a_message_that_lacks_its_values_takes_them_when_it_is_said():
    marked = message("not known to {party}")
    assert ENGLISH(marked, party="channel") == "not known to channel"
    assert language("zh")(marked, party="channel") == "channel 未知的人"


def test_numbers_and_dates_are_written_as_the_language_has_them():
    zh = language("zh")
    moment = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    assert (ENGLISH.number(1_234_567), zh.number(1_234_567)) == ("1,234,567", "1,234,567")
    assert ENGLISH.moment(moment) == "2026-02-03 04:05 UTC"
    assert zh.moment("2026-02-03T12:05:00+08:00") == "2026年2月3日 04:05 UTC"


def test_another_language_is_refused_by_name():
    with pytest.raises(LanguageError, match=r"'fr'.*en or zh"):
        language("fr")
