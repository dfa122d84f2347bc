"""Ids, roles, badges and codes; and what a locker may be described as."""

from dataclasses import replace

import pytest
from books_town import cabinet

from gateway.domain import ids
from gateway.domain.codes import badge_token, pickup_token, typed_code
from gateway.domain.errors import Refusal
from gateway.domain.lockers import NewLocker, NewModule, check_locker
from gateway.domain.parcels import Parcel
from gateway.domain.people import COURIER, MERCHANT, OPERATOR, Principal, check_badge, check_credential
from gateway.keys import Keys
from protocol import otp, tokens
from protocol.tokens import open_token

KEYS = Keys.from_secrets(bytes(range(32)), bytes(range(32, 64)))


def test_an_id_says_of_what_it_is_and_comes_back_as_the_same_number() -> None:
    for number in (1, 31, 32, 2**40 + 7, 2**63 - 1):
        text = ids.parcel_id(ids.ParcelNumber(number))
        assert text.startswith("par_") and len(text) == 17
        assert ids.parcel_number(text) == number
        assert ids.operation_number(ids.operation_id(ids.OperationNumber(number))) == number
        assert ids.credential_number(ids.credential_id(ids.CredentialNumber(number))) == number


@pytest.mark.parametrize(
    "text", ["", "par_", "par_0000000000000", "op_0000000000001", "par_000000000000u", "par_zzzzzzzzzzzzz"]
)
def test_what_is_no_id_is_unknown(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        ids.parcel_number(text)
    assert refused.value.code == "unknown_parcel"


def test_numbers_are_never_zero_and_fit_63_bits() -> None:
    assert ids.number_from(bytes(8)) == 1
    assert ids.number_from(b"\xff" * 8) == ids.NUMBER_MAX


def test_a_principal_sees_its_own_tenants_parcels() -> None:
    everything = frozenset({"parcels:read"})
    assert Principal(OPERATOR, "", everything, "x").may_see("colibri", "bookshop")
    assert Principal(COURIER, "colibri", everything, "x").may_see("colibri", "bookshop")
    assert not Principal(COURIER, "bookshop", everything, "x").may_see("colibri", "bookshop")
    assert Principal(MERCHANT, "bookshop", everything, "x").may_see("colibri", "bookshop")
    assert not Principal(MERCHANT, "colibri", everything, "x").may_see("colibri", "bookshop")


@pytest.mark.parametrize(
    ("role", "tenant", "scopes"),
    [
        ("king", "", {"parcels:read"}),
        (OPERATOR, "colibri", {"parcels:read"}),
        (COURIER, "", {"parcels:read"}),
        (COURIER, "colibri", {"doors:open"}),
        (COURIER, "colibri", {"lockers:write"}),
        (MERCHANT, "bookshop", {"badges:write"}),
        (MERCHANT, "bookshop", {"credentials:write"}),
        (MERCHANT, "bookshop", set[str]()),
    ],
)
def test_a_credential_that_gives_too_much_or_nothing_is_refused(role: str, tenant: str, scopes: set[str]) -> None:
    with pytest.raises(Refusal) as refused:
        check_credential(role, tenant, frozenset(scopes), "name")
    assert refused.value.code == "bad_value"


@pytest.mark.parametrize(
    ("carrier", "holder", "days"), [("", "a", 1), ("a", "Anna Bertin", 1), ("a", "b", 0), ("a", "b", 401)]
)
def test_a_badge_that_cannot_be_is_refused(carrier: str, holder: str, days: int) -> None:
    with pytest.raises(Refusal):
        check_badge(carrier, holder, days)


def test_the_typed_code_is_the_one_the_locker_derives() -> None:
    key = KEYS.hmac("mairie-1", 1, "code")
    assert typed_code(key, 7, 3, 12) == otp.typed_code(key, 7, 3, 12)
    assert len(typed_code(key, 7, 3, 16)) == 16


def test_tokens_are_opened_by_what_lockers_hold_and_name_nobody() -> None:
    parcel = Parcel(
        ids.ParcelNumber(5), "label", "mairie-1", "S", "colibri", "", False, False, "deposited", 1, 7, 3, 1, 2_000
    )
    opened = open_token(pickup_token(parcel, b"12345678", KEYS.kid, KEYS.sign), KEYS.trusted)
    assert (opened.role, opened.locker, opened.compartment, opened.deposit) == (tokens.PICKUP, "mairie-1", 7, 3)
    assert (opened.expiry_s, opened.id, opened.subject) == (2_000, b"12345678", "")
    badge = open_token(badge_token(b"12345678", "colibri", 9_000, KEYS.kid, KEYS.sign), KEYS.trusted)
    assert (badge.role, badge.locker, badge.subject, badge.expiry_s) == (tokens.COURIER, None, "colibri", 9_000)


GOOD = cabinet("S", "M", "L")
BOX = GOOD.modules[0].compartments[0]


def of(*boxes: object) -> NewLocker:
    return NewLocker("mairie-1", "Mairie", (NewModule("A", boxes),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(GOOD, id="Mairie 1"),
        replace(GOOD, name=""),
        replace(GOOD, code_digits=6),
        replace(GOOD, modules=()),
        replace(GOOD, modules=GOOD.modules * 2),
        of(),
        of(BOX, BOX),
        of(replace(BOX, number=401)),
        of(replace(BOX, number=0)),
        of(replace(BOX, size="XS")),
        of(replace(BOX, depth_mm=0)),
        of(replace(BOX, width_mm=3_001)),
        of(replace(BOX, bottom_mm=-1)),
        of(*[replace(BOX, number=number) for number in range(1, 22)]),
    ],
)
def test_a_locker_that_cannot_be_built_is_refused(wrong: NewLocker) -> None:
    check_locker(GOOD)
    with pytest.raises(Refusal) as refused:
        check_locker(wrong)
    assert refused.value.code == "bad_value"
