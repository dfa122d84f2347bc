"""The personal link of a parcel cannot be guessed, and no other text leads to a parcel."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Refusal
from gateway.domain.ids import NUMBER_MAX, ParcelNumber
from gateway.domain.links import link_secret, parcel_of

KEY = bytes(range(32))
numbers = st.integers(1, NUMBER_MAX).map(ParcelNumber)


def refused(key: bytes, secret: str) -> bool:
    with pytest.raises(Refusal) as failure:
        parcel_of(key, secret)
    return failure.value.code == "unknown_page"


@given(numbers)
def test_a_link_leads_to_its_parcel(parcel: ParcelNumber) -> None:
    secret = link_secret(KEY, parcel)
    assert parcel_of(KEY, secret) == parcel and len(secret) == 32
    number = parcel.to_bytes(8, "big")
    mac = hmac.new(KEY, b"page" + number, hashlib.sha256).digest()[:16]
    assert secret == urlsafe_b64encode(number + mac).decode()


@given(numbers, st.integers(0, 31), st.integers(1, 63))
def test_a_link_with_one_other_letter_leads_nowhere(parcel: ParcelNumber, place: int, step: int) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    secret = link_secret(KEY, parcel)
    other = letters[(letters.index(secret[place]) + step) % 64]
    assert refused(KEY, secret[:place] + other + secret[place + 1 :])


@given(st.text(max_size=64))
def test_no_text_is_a_link_by_chance(text: str) -> None:
    assert refused(KEY, text)


@given(numbers)
def test_a_link_of_another_gateway_leads_nowhere(parcel: ParcelNumber) -> None:
    assert refused(KEY, link_secret(bytes(32), parcel))


def test_a_link_cut_short_or_with_signs_of_the_other_base64_leads_nowhere() -> None:
    secret = link_secret(KEY, ParcelNumber(1))
    for wrong in (secret[:-1], secret + "=", secret + "A", secret[:-1] + "+", secret[:-1] + "=", ""):
        assert refused(KEY, wrong), wrong
    number = bytes(8)
    mac = hmac.new(KEY, b"page" + number, hashlib.sha256).digest()[:16]
    assert refused(KEY, urlsafe_b64encode(number + mac).decode()), "parcel 0 is none"
