"""A courier's round: the lockers, what is to be put in and taken back at each, and doors kept for all of it.

Nothing is decided here; services/rounds.py does. An act is followed by the page it was made on, with a word of what
came of it in the address: reloading acts on nothing.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.compartments import SIZES
from gateway.domain.errors import Refusal
from gateway.domain.ids import operation_number, parcel_id, parcel_number
from gateway.domain.operations import TAKE_BACK
from gateway.domain.parcels import NewParcel, Parcel
from gateway.domain.people import Principal
from gateway.limits import ROUND_LOCKERS_MAX
from gateway.services import doors, parcels, rounds
from gateway.services.rounds import AtLocker
from gateway.web.courier_page import show
from gateway.web.desk import acted, desk_of
from gateway.web.forms import Posted
from gateway.web.pages import see
from gateway.web.sessions import Courier

# What came of an act (?said=), and how it looks.
SAID = {
    "tried": "good",
    "sized": "good",
    "sized_no_door": "warn",
    "moved": "good",
    "added": "good",
    "known": "good",
    "offline": "bad",
    "no_room": "bad",
    "elsewhere": "warn",
    "changed": "warn",
}
# A refusal that has its word on the page where the act was made.
SAID_OF_CODE = {"locker_offline": "offline", "no_room": "no_room", "wrong_state": "changed"}
REASONS = ("expired", "jammed", "wrong_state", "rate_limited", "out_of_service", "no_clock")  # words for each

router = APIRouter(prefix="/courier")


@router.get("")
def todays_round(request: Request, who: Courier) -> Response:
    stops = rounds.todays_round(desk_of(request), who)
    return show(
        request,
        "courier_round.html",
        {
            "stops": [stop for stop in stops if not stop.idle],
            "others": [stop for stop in stops if stop.idle],
            "cut": len(stops) == ROUND_LOCKERS_MAX,
        },
        keep=True,
    )


@router.get("/lockers")
def named_locker(request: Request, who: Courier) -> Response:
    """`?locker=`: one that the round has no room to name."""
    return _locker_page(request, who, request.query_params.get("locker", ""), {})


@router.get("/lockers/{locker}")
def at_locker(request: Request, who: Courier, locker: str) -> Response:
    return _locker_page(request, who, locker, {}, keep=not request.query_params)


def _locker_page(
    request: Request, who: Principal, locker: str, typed: dict[str, str], status: int = 200, *, keep: bool = False
) -> Response:
    """`typed`: what was sent and could not be taken, to be corrected."""
    desk = desk_of(request)
    here = rounds.at_locker(desk, who, locker)
    said = request.query_params.get("said", "")
    values: dict[str, Any] = {
        "here": here,
        "sizes": SIZES,
        "typed": typed,
        "said": said if said in SAID else None,
        "look": SAID.get(said),
        "elsewhere": _asked_about(request, who) if said == "elsewhere" else None,
        "room": rounds.room_elsewhere(desk, who, locker, _sizes_left(here)) if said in ("tried", "no_room") else None,
        "next_one": next((row.parcel for row in here.to_take_back if row.running is None), None),
    }
    return show(request, "courier_locker.html", values, status, keep=keep)


def _sizes_left(here: AtLocker) -> set[str]:
    return {parcel.size for parcel in here.without_door}


def _asked_about(request: Request, who: Principal) -> Parcel:
    """Raises Refusal("unknown_parcel")."""
    return parcels.get_parcel(desk_of(request), who, parcel_number(request.query_params.get("parcel", "")))


def _back(locker: str, said: str, more: str = "") -> Response:
    assert said in SAID
    return see(f"/courier/lockers/{locker}?said={said}{more}")


# ------------------------------------------------------------------ parcels to put in
@router.post("/lockers/{locker}/reservations")
def reserve_all(request: Request, who: Courier, locker: str, form: Posted) -> Response:  # noqa: ARG001 - from our page
    try:
        rounds.reserve_all(desk_of(request), who, locker)
    except Refusal as refusal:
        return _back(locker, _said_of(refusal))
    acted(request)
    return _back(locker, "tried")


@router.post("/lockers/{locker}/parcels")
def add(request: Request, who: Courier, locker: str, form: Posted) -> Response:
    """With `label` and `size`."""
    desk = desk_of(request)
    new = NewParcel(form["label"], locker, form["size"], who.tenant)
    try:
        parcels.expect_parcel(desk, who, new)
    except Refusal as refusal:
        if refusal.code == "bad_value":
            return _locker_page(request, who, locker, dict(form), 422)
        known = rounds.parcel_under_way(desk, who, new.label) if refusal.code == "already_exists" else None
        if known is None:
            raise
        if (known.locker, known.state) in [(locker, state) for state in rounds.TO_DEPOSIT]:
            return _back(locker, "known")  # sent twice, or it was in the list
        return _back(locker, "elsewhere", f"&parcel={known.id}")
    acted(request)
    return _back(locker, "added")


@router.post("/parcels/{parcel}/size")
def change_size(request: Request, who: Courier, parcel: str, form: Posted) -> Response:
    """With `size`."""
    desk, number = desk_of(request), parcel_number(parcel)
    had_door = parcels.get_parcel(desk, who, number)
    try:
        changed, kept = rounds.change_size(desk, who, number, form["size"])
    except Refusal as refusal:
        return _back(had_door.locker, _said_of(refusal))
    acted(request)
    lost = had_door.state == "reserved" and kept is None
    return _back(changed.locker, "sized_no_door" if lost else "sized")


@router.post("/parcels/{parcel}/move")
def move(request: Request, who: Courier, parcel: str, form: Posted) -> Response:
    """To `locker`, with a door there."""
    desk, number = desk_of(request), parcel_number(parcel)
    was = parcels.get_parcel(desk, who, number)
    try:
        kept = rounds.move(desk, who, number, form["locker"])
    except Refusal as refusal:
        return _back(was.locker, _said_of(refusal))
    acted(request)
    return _back(kept.locker, "moved")


def _said_of(refusal: Refusal) -> str:
    """Raises it again where the page has no word for it."""
    if refusal.code not in SAID_OF_CODE:
        raise refusal
    return SAID_OF_CODE[refusal.code]


# ------------------------------------------------------------------ parcels to take back
@router.post("/parcels/{parcel}/take-back")
def take_back(request: Request, who: Courier, parcel: str, form: Posted) -> Response:  # noqa: ARG001 - from our page
    desk, number = desk_of(request), parcel_number(parcel)
    found = parcels.get_parcel(desk, who, number)
    try:
        operation = rounds.take_back(desk, who, number)
    except Refusal as refusal:
        return _back(found.locker, _said_of(refusal))
    acted(request)
    return see(f"/courier/operations/{operation.id}")


@router.get("/operations/{operation}")
def follow(request: Request, who: Courier, operation: str) -> Response:
    """Ordered, the door open, taken back; or why not, and what next."""
    desk = desk_of(request)
    found = doors.get_operation(desk, who, operation_number(operation))
    if found.kind != TAKE_BACK or found.parcel is None:
        raise Refusal("unknown_operation", "this page follows parcels that are taken back")
    reason = found.code if found.code in REASONS else "other"
    values = {
        "operation": found,
        "parcel": parcels.get_parcel(desk, who, found.parcel),
        "parcel_id": parcel_id(found.parcel),
        "stop": rounds.at_locker(desk, who, found.locker).stop,
        "next_one": rounds.next_to_take_back(desk, who, found.locker) if found.ended_s is not None else None,
        "reason": reason,
    }
    return show(request, "courier_operation.html", values)
