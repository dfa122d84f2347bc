"""Which letter a change is worth, by which way it goes, and when it is not true any more: pure decisions."""

from dataclasses import replace

import pytest

from gateway.domain.ids import ParcelNumber
from gateway.domain.letters import (
    KINDS,
    TRUE_IN,
    Letter,
    News,
    NotYetError,
    OutdatedError,
    Recipient,
    check_current,
    owed,
    ways,
)
from gateway.domain.parcels import STATES, Parcel

NOW_S = 1_800_000_000
DAY_S = 86_400


def parcel(state: str = "deposited", **more: object) -> Parcel:
    made = Parcel(
        number=ParcelNumber(1),
        label="label-1",
        locker="mairie-1",
        size="S",
        carrier="colibri",
        merchant="",
        accessible=False,
        heavy=False,
        state=state,
        expected_s=NOW_S,
        compartment=1,
        deposit=7,
        deposited_s=NOW_S,
        deadline_s=NOW_S + DAY_S // 2,
        ended_s=NOW_S if state in ("collected", "taken_back") else None,
    )
    return replace(made, **more)


def letter(kind: str) -> Letter:
    return Letter(1, ParcelNumber(1), kind, 7, "mail", NOW_S, NOW_S)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("told", [None, *STATES])
def test_what_is_owed_follows_from_what_is_and_from_what_was_told(state: str, told: str | None) -> None:
    kind = owed(News(parcel(state), told, None), NOW_S)
    wanted = {"deposited": "code_changed" if told == "deposited" else "arrived"}
    wanted |= {"expired": "expired", "collected": "collected"}
    assert kind == wanted.get(state)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
def test_a_letter_is_true_in_one_state_only(kind: str, state: str) -> None:
    if TRUE_IN[kind] == state:
        check_current(letter(kind), parcel(state), NOW_S)
    else:
        with pytest.raises(OutdatedError):
            check_current(letter(kind), parcel(state), NOW_S)


def test_a_letter_with_a_code_is_about_that_code_and_a_reminder_about_any() -> None:
    for kind in ("arrived", "code_changed"):
        with pytest.raises(OutdatedError):
            check_current(letter(kind), parcel(deposit=8), NOW_S)
    check_current(letter("reminder"), parcel(deposit=8), NOW_S)


def test_a_reminder_goes_with_its_deadline_when_that_moves() -> None:
    with pytest.raises(NotYetError) as moved:
        check_current(letter("reminder"), parcel(deadline_s=NOW_S + 3 * DAY_S), NOW_S)
    assert moved.value.due_s == NOW_S + 2 * DAY_S
    with pytest.raises(NotYetError) as paused:
        check_current(letter("reminder"), parcel(paused_s=NOW_S), NOW_S)
    assert NOW_S < paused.value.due_s <= NOW_S + 3_600


@pytest.mark.parametrize(
    ("mail", "phone", "configured", "urgent", "other"),
    [
        ("m", "p", ("mail", "sms"), ("mail", "sms"), ("mail",)),
        ("m", "p", ("sms",), ("sms",), ("sms",)),
        ("m", None, ("mail", "sms"), ("mail",), ("mail",)),
        (None, "p", ("mail", "sms"), ("sms",), ("sms",)),
        (None, "p", ("mail",), (), ()),
        (None, None, ("mail", "sms"), (), ()),
    ],
)
def test_ways_to_a_recipient(
    mail: str | None, phone: str | None, configured: tuple[str, ...], urgent: tuple[str, ...], other: tuple[str, ...]
) -> None:
    who = Recipient(None, mail, phone)
    for kind in KINDS:
        assert ways(kind, who, configured) == (urgent if kind in ("arrived", "code_changed") else other)


def test_a_recipient_shows_in_no_repr() -> None:
    assert "secret" not in repr(Recipient("secret", "secret@x.example", "secret"))
