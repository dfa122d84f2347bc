"""Guaranteed shares: what is promised to one tenant no other takes, and nobody gets more than was promised."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain.compartments import Compartment
from gateway.domain.errors import Refusal
from gateway.domain.guarantees import Guarantee, check_guarantees, kept_for_others
from gateway.domain.lockers import Configuration
from gateway.domain.people import GATEWAY
from gateway.services import lockers


@dataclass(frozen=True)
class Case:
    held: dict[int, str]
    tenant: str
    refused: bool


def box(number: int, size: str = "M") -> Compartment:
    return Compartment(
        locker="mairie-1", number=number, module="A", size=size, width_mm=400, height_mm=200, depth_mm=500, x_mm=0,
        bottom_mm=0, accessible=False, door="closed",
    )  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [
        Case({}, "others", False),
        Case({1: "others", 2: "others"}, "others", True),  # two of four are left, and two are promised
        Case({1: "others", 2: "others"}, "colibri", False),
        Case({1: "others", 2: "colibri"}, "others", False),  # colibri has one of its two
        Case({1: "others", 2: "colibri", 3: "others"}, "others", True),
        Case({1: "colibri", 2: "colibri"}, "others", False),  # and never more than the share
        Case({1: "colibri", 2: "colibri", 3: "others"}, "colibri", False),
    ],
)
def test_what_is_promised_is_kept_and_no_door_more(case: Case) -> None:
    boxes = [box(number) for number in (1, 2, 3, 4)]
    holders = {number: frozenset({tenant, "shop"}) for number, tenant in case.held.items()}
    shares = [Guarantee("colibri", 50)]
    refused = kept_for_others(shares, frozenset({case.tenant, ""}), boxes, holders)
    assert refused == (frozenset({1, 2, 3, 4}) if case.refused else frozenset())


def test_each_size_is_counted_by_itself_and_a_share_below_one_door_is_none() -> None:
    boxes = [box(1, "S"), box(2, "S"), box(3, "M")]
    assert kept_for_others([Guarantee("colibri", 50)], frozenset({"others"}), boxes, {1: frozenset()}) == {1, 2}
    assert kept_for_others([Guarantee("colibri", 49)], frozenset({"others"}), boxes, {1: frozenset()}) == frozenset()


@pytest.mark.parametrize(
    "wanted",
    [
        [Guarantee("colibri", 0)],
        [Guarantee("colibri", 101)],
        [Guarantee("Colibri", 10)],
        [Guarantee("colibri", 10), Guarantee("colibri", 10)],
        [Guarantee("colibri", 50), Guarantee("fleurs", 41)],
        [Guarantee(f"shop-{number}", 1) for number in range(11)],
    ],
)
def test_what_cannot_be_promised_is_refused(wanted: list[Guarantee]) -> None:
    with pytest.raises(Refusal) as refused:
        check_guarantees(wanted)
    assert refused.value.code == "bad_value"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made, count=4)
        yield made


def reserves(here: Town, label: str, carrier: str, merchant: str | None = None) -> int:
    body = {**parcel_body(label), "carrier": carrier} | ({"merchant": merchant} if merchant else {})
    parcel = here.caller().post("/v1/parcels", json=body, headers=key()).json()["id"]
    return here.caller().post(f"/v1/parcels/{parcel}/reservation", headers=key()).status_code


def test_a_share_holds_at_a_real_locker_also_for_a_merchants_parcels(here: Town) -> None:
    shares = (Guarantee("colibri", 25), Guarantee("fleurs", 25))
    lockers.configure_locker(here.desk, GATEWAY, "mairie-1", Configuration("Mairie", None, shares))
    assert [reserves(here, f"o-{place}", "autres") for place in range(3)] == [201, 201, 409]
    assert reserves(here, "f-1", "autres", "fleurs") == 201
    assert reserves(here, "f-2", "autres", "fleurs") == 409, "the last door is colibri's"
    assert reserves(here, "c-1", "colibri") == 201
