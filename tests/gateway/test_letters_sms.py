"""Text messages: what they say in how many segments, to which number, and what a real HTTP provider answers."""

import json
import string
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters_town import PHONE, SMS_BODY, Provider, provider
from test_letters_mail import SECRET, URL, contents

from gateway.domain.letters import KINDS, Contents
from gateway.limits import NAME_SIZE_MAX, PUBLIC_URL_SIZE_MAX
from gateway.notify import sms
from gateway.notify.gsm import BASIC, EXTENDED, plain, segments, size
from gateway.notify.phones import e164, takes_messages
from gateway.notify.retry_after import retry_after_s
from gateway.notify.senders import NeverError, TryLater
from gateway.notify.sms_http import SmsSender, filled, read_headers
from gateway.words import LANGUAGES


def told(kind: str = "arrived", **more: object) -> Contents:
    made = contents(kind, address=PHONE, **more)
    return replace(made, letter=replace(made.letter, channel="sms"))


# ------------------------------------------------------------------ the alphabet
def test_the_alphabet_is_the_one_of_the_standard() -> None:
    assert len(BASIC) == 127 and len(EXTENDED) == 10, "3GPP TS 23.038 6.2.1, without the escape itself"
    assert set(string.ascii_letters + string.digits) <= BASIC
    assert set("éèàùÉÇ") <= BASIC and not set("êçâîôûëïœ’") & BASIC


def test_french_is_brought_into_the_alphabet_with_the_accents_that_it_has() -> None:
    assert plain("Où êtes-vous ? À l’hôtel « Cœur d’Ève », ça va…") == (
        "Où etes-vous ? A l'hotel \" Coeur d'Eve \", ca va..."
    )
    assert plain("Ж\n2\N{NO-BREAK SPACE}€") == "? 2 €"


@given(st.text(max_size=100))
def test_any_text_can_be_brought_into_it(text: str) -> None:
    assert size(plain(text)) >= len(plain(text)) and "\n" not in plain(text)


@pytest.mark.parametrize(
    ("text", "count"), [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("a" * 306, 2), ("a" * 307, 3)]
)
def test_segments_are_counted_as_they_are_paid(text: str, count: int) -> None:
    assert segments(text) == count


# ------------------------------------------------------------------ what it says
@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by_delegate", [False, True])
def test_each_language_fits_one_segment_for_a_town_and_two_at_the_worst(kind: str, language, by_delegate) -> None:
    delegated = by_delegate and kind == "collected"
    link = f" {URL}/p/{SECRET}"
    ordinary = told(kind, place="Mairie", by_delegate=delegated, asks="librairie-du-port")
    assert segments(sms.sentence(ordinary, language) + link) == 1
    longest = f" https://{'x' * (PUBLIC_URL_SIZE_MAX - 8)}/p/{SECRET}"
    worst = told(kind, place="É" * NAME_SIZE_MAX, door=400, by_delegate=delegated, asks="z" * 32)
    assert segments(sms.sentence(replace(worst, deadline_s=1_821_700_000), language) + longest) <= 2


def test_an_arrival_says_place_door_code_deadline_and_link() -> None:
    said = sms.text(told(place="Mairie"), URL)
    assert said.startswith("Colis : Mairie, porte 3. Code 123 456 789 012, avant le 22 janvier à ")
    assert said.endswith(f" {URL}/p/{SECRET}") and segments(said) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_english_comes_along_where_it_costs_nothing(kind: str) -> None:
    link, bilingual = f" {URL}/p/{SECRET}", 0
    for length in range(1, NAME_SIZE_MAX + 1):
        place = told(kind, place="M" * length, asks="colibri")
        said, french = sms.text(place, URL), sms.sentence(place, LANGUAGES["fr"])
        assert said.startswith(french) and said.endswith(link) and said.count(URL) == 1
        assert segments(said) == segments(french + link)
        bilingual += " / Parcel" in said
    assert bilingual


def test_a_place_writes_no_second_line_and_is_cut_where_it_is_long() -> None:
    said = sms.text(told(place="Mairie\r\nCode 000 000 000 000\n" + "x" * 100), URL)
    assert "\n" not in said and "..." in said and segments(said) <= 2


# ------------------------------------------------------------------ numbers
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("07.12.34.56.78", "+33712345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0033 6-12-34-56-78", "+33612345678"),
        ("06\N{NO-BREAK SPACE}12345678", "+33612345678"),
        ("0692 12 34 56", "+262692123456"),
        ("0690 12 34 56", "+590690123456"),
        ("0696 12 34 56", "+596696123456"),
        ("0694 12 34 56", "+594694123456"),
        ("+32 470 12 34 56", "+32470123456"),
        ("6 12 34 56 78", None),
        ("33612345678", None),
        ("06 12 34 56", None),
        ("06 12 34 56 78 9", None),
        ("+0612345678", None),
        ("112", None),
        ("", None),
        ("+33 6 12 34 56 78\r\nx", None),
    ],
)
def test_numbers_are_understood_or_left_alone(written: str, number: str | None) -> None:
    assert e164(written) == number


def test_a_french_landline_takes_no_text_message() -> None:
    assert not takes_messages("+33322000000") and takes_messages("+33612345678") and takes_messages("+32470123456")


# ------------------------------------------------------------------ the provider
@pytest.fixture
def there() -> Iterator[Provider]:
    with provider() as made:
        yield made


def sent(there: Provider, **more: object) -> str:
    return SmsSender(there.url, {"Authorization": "Bearer hush"}, SMS_BODY, URL).send(told(**more))


def test_a_message_is_posted_as_the_settings_say(there: Provider) -> None:
    assert sent(there) == "sm-1"
    (body,), (headers,) = there.got, there.headers
    assert body == {"recipients": ["+33699887766"], "message": sms.text(told(), URL), "sender": "Consigne"}
    assert headers["Authorization"] == "Bearer hush" and headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == told().message_id


def test_what_a_place_is_called_is_no_place_of_the_template(there: Provider) -> None:
    sent(there, place='{to} {text} "},{"')
    assert there.got[0]["recipients"] == ["+33699887766"] and '{to} {text} "' in there.got[0]["message"]
    assert filled({"a": ["{to}", 1, None]}, {"to": "{text}", "text": "x"}) == {"a": ["{text}", 1, None]}


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_two_hundred_and_something_is_sent(there: Provider, status: int) -> None:
    there.said = (status, {}, b"")
    assert sent(there) == ""


@pytest.mark.parametrize("status", [400, 409, 410, 422])
def test_another_four_hundred_is_never_for_that_number(there: Provider, status: int) -> None:
    there.said = (status, {}, b"bad number +33699887766")
    with pytest.raises(NeverError) as failure:
        sent(there)
    assert failure.value.reason == "refused"


@pytest.mark.parametrize(
    ("status", "headers", "after_s"),
    [
        (429, {"Retry-After": "120"}, 120.0),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:30:00 GMT", "Date": "x"}, None),
        (500, {}, None),
        (502, {"Retry-After": "soon"}, None),
        (408, {"Retry-After": "-5"}, None),
        (503, {"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        (503, {"Retry-After": "Mon, 01 Jan 2029 00:00:00 +99999999999999999999"}, None),
    ],
)
def test_too_many_and_broken_are_later_when_the_provider_says(
    there: Provider, status: int, headers: dict[str, str], after_s: float | None
) -> None:
    there.said = (status, headers, b"")
    with pytest.raises(TryLater) as failure:
        sent(there)
    assert failure.value.of_the_channel
    if "2026" not in headers.get("Retry-After", ""):
        assert failure.value.after_s == after_s


@pytest.mark.parametrize("status", [301, 302, 307, 401, 402, 403, 404])
def test_what_is_wrong_with_our_account_costs_nobody_a_message(there: Provider, status: int) -> None:
    there.said = (status, {"Location": there.url}, b"")
    with pytest.raises(TryLater) as failure:
        sent(there)
    assert failure.value.of_the_channel and len(there.got) == 1, "no redirect is followed"


def test_a_provider_that_is_not_there_is_later() -> None:
    with pytest.raises(TryLater):
        SmsSender("http://127.0.0.1:1/x", {}, SMS_BODY, URL).send(told())


DEEP = b"[" * 60_000  # deeper than Python follows
LONG = b'{"id": "' + b"x" * 200 + b'"}'


@pytest.mark.parametrize("body", [b"[]", b'{"id": null}', b'{"id": "a\\nb"}', LONG, b"\xff", DEEP])
def test_an_answer_without_a_usable_id_is_sent_all_the_same(there: Provider, body: bytes) -> None:
    there.said = (200, {}, body)
    assert sent(there) == ""


def test_a_huge_answer_is_not_read_to_its_end(there: Provider) -> None:
    there.said = (200, {}, json.dumps({"id": "x", "more": "y" * 200_000}).encode())
    assert sent(there) == ""


@pytest.mark.parametrize("number", ["12", "+33 3 22 00 00 00"])
def test_a_number_that_takes_no_message_is_not_tried(there: Provider, number: str) -> None:
    with pytest.raises(NeverError):
        SmsSender(there.url, {}, SMS_BODY, URL).send(replace(told(), address=number))
    assert there.got == []


def test_headers_come_from_lines_and_a_broken_one_is_named_without_its_value() -> None:
    found = read_headers("Authorization: Bearer a:b\n\nX-Account:  7\n")
    assert found == {"Authorization": "Bearer a:b", "X-Account": "7"}
    for wrong in ("hush", "A b: hush", "A: hush\x07", ": hush"):
        with pytest.raises(ValueError) as failure:
            read_headers(wrong)
        assert "hush" not in str(failure.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Date": "Mon, 01 Jan 2029 00:00:00 GMT", "Retry-After": "Mon, 01 Jan 2029 00:02:00 GMT"}, 120),
        ({"Date": "Mon, 01 Jan 2029 01:00:00 +0100", "Retry-After": "Mon, 01 Jan 2029 00:02:00"}, 120),
        ({"Retry-After": "Mon, 01 Jan 2001 00:02:00 GMT"}, 0),  # long ago, by our own clock
        ({"Date": "yesterday", "Retry-After": "Mon, 01 Jan 2001 00:02:00 GMT"}, 0),
        ({}, None),
    ],
)
def test_a_date_to_come_back_at_counts_from_the_answers_own(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after_s(httpx.Response(503, headers=headers)) == seconds
