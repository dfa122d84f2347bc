"""What people are told: every language says all of it, with the same places to fill in."""

import pytest

from gateway import words
from gateway.domain.people import SCOPES
from gateway.words import LANGUAGES, accepted, places

FRENCH = LANGUAGES["fr"]
OTHERS = [language for code, language in LANGUAGES.items() if code != "fr"]


def test_french_comes_first_and_english_is_there() -> None:
    assert next(iter(LANGUAGES)) == "fr" == words.FIRST and "en" in LANGUAGES


@pytest.mark.parametrize("language", OTHERS, ids=lambda language: language.code)
def test_every_language_says_everything(language: words.Words) -> None:
    assert language.texts.keys() == FRENCH.texts.keys()
    assert {name: len(items) for name, items in language.lists.items()} == {
        name: len(items) for name, items in FRENCH.lists.items()
    }
    for name, text in language.texts.items():
        assert places(text) == places(FRENCH.texts[name]), name


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_nothing_is_left_empty(language: words.Words) -> None:
    assert all(text.strip() for text in language.texts.values())
    assert all(item.strip() for items in language.lists.values() for item in items)


def test_french_signs_stand_behind_a_space_that_does_not_break() -> None:
    said = [*FRENCH.texts.values(), *(item for items in FRENCH.lists.values() for item in items)]
    for text in said:
        for sign in ("?", "!", ";", "»"):
            assert f" {sign}" not in text, text
        assert " :" not in text and "« " not in text, text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,fr;q=0.5,en;q=0.7", "en"),
        ("de", "fr"),
        ("en;q=0,fr", "fr"),
        ("en;q=high", "fr"),
        ("*", "fr"),
        ("," * 500, "fr"),
    ],
)
def test_a_browser_gets_the_best_language_of_ours(header: str, code: str) -> None:
    assert accepted(header).code == code


def test_every_right_can_be_said() -> None:
    """A new one without words would end its page with an error."""
    assert {f"scope.{scope}" for scope in SCOPES} <= FRENCH.texts.keys()
