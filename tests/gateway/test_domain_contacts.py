"""How a mail address and a telephone number look, and what becomes of a text that was made to be hard to read."""

import re

import pytest

from gateway.domain.contacts import MAIL, PHONE, is_mail, is_phone
from gateway.limits import MAIL_SIZE_MAX


@pytest.mark.parametrize("text", ["anne@exemple.fr", "a.b+c@mail.exemple.co.uk", "é@château.fr", "x@1.2"])
def test_what_may_be_an_address_is_taken(text: str) -> None:
    assert is_mail(text)


@pytest.mark.parametrize(
    "text", ["", "anne", "anne@", "@exemple.fr", "a@b", "a@b.", "a@.b", "a@b..c", "a b@c.d", "a@b@c.d", "a@b.c\n"]
)
def test_what_cannot_be_an_address_is_not(text: str) -> None:
    assert not is_mail(text)
    assert not is_mail("a" * MAIL_SIZE_MAX + "@exemple.fr")


def test_a_telephone_number_begins_with_a_digit_and_has_three() -> None:
    assert is_phone("+33 3 22 00 00 00") and is_phone("032")
    assert not any(map(is_phone, ("03", "abc", "", "0" * 33)))


@pytest.mark.parametrize("text", ["a@" + "." * 200_000 + " ", "a@" + "b." * 100_000 + " ", "@" * 200_000])
def test_a_text_made_to_be_hard_is_refused_while_it_is_read(text: str) -> None:
    """With two ways to fit it, such a text held the whole gateway for half an hour: this would not end."""
    assert re.fullmatch(MAIL, text) is None
    assert re.fullmatch(PHONE, "0" + "-" * 200_000 + "x") is None
