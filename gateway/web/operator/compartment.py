"""/operator/lockers/{locker}/compartments/{number}: one door, whose parcel it holds, its past, and the acts on it."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from gateway.domain.acts import Opening
from gateway.domain.ids import NUMBER_MAX
from gateway.services import doors, history, lockers, openings
from gateway.web import sentences
from gateway.web.drawing import draw
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.operations import operation_path
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show, words_of
from protocol.limits import COMPARTMENTS_MAX

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=COMPARTMENTS_MAX)]
OpeningNumber = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
PLACE = "/operator/lockers/{locker}/compartments/{number}"


def door_path(locker: str, number: int) -> str:
    return f"/operator/lockers/{locker}/compartments/{number}"


@router.get(PLACE)
def compartment_page(request: Request, who: Operator, locker: str, number: Number) -> Response:
    desk, words = desk_of(request), words_of(request)
    past = history.door(desk, who, locker, number)
    everything = lockers.list_compartments(desk, who, locker)
    states = {status.compartment.number: status.availability for status in everything}
    return show(
        request,
        "operator/compartment.html",
        locker=lockers.get_locker(desk, who, locker),
        past=past,
        box=past.status.compartment,
        state=past.status.availability,
        parcel=past.parcel,
        drawing=draw([status.compartment for status in everything], states, number),
        said={
            n: words("operator.door_said", n=n, state=words(f"availability.{state}")) for n, state in states.items()
        },
        orders=[(order, sentences.outcome(order, words)) for order in past.operations],
        events=[(event.taken_s, sentences.event(event, words)) for event in past.events],
        base=door_path(locker, number),
    )


@router.post(PLACE + "/open")
def open_door(request: Request, who: Operator, form: Posted, locker: str, number: Number) -> Response:
    """With `reason`. Where a parcel lies inside, it waits for a second person."""

    def work() -> str:
        made = openings.ask_to_open(desk_of(request), who, locker, number, form["reason"])
        return door_path(locker, number) if isinstance(made, Opening) else operation_path(made)

    return once(request, who, form, work)


@router.post("/operator/openings/{opening}/confirm")
def confirm(request: Request, who: Operator, form: Posted, opening: OpeningNumber) -> Response:
    return once(request, who, form, lambda: operation_path(openings.confirm_opening(desk_of(request), who, opening)))


@router.post("/operator/openings/{opening}/withdraw")
def withdraw(request: Request, who: Operator, form: Posted, opening: OpeningNumber) -> Response:
    def work() -> str:
        ended = openings.withdraw_opening(desk_of(request), who, opening)
        return door_path(ended.locker, ended.compartment)

    return once(request, who, form, work)


@router.post(PLACE + "/service")
def set_service(request: Request, who: Operator, form: Posted, locker: str, number: Number) -> Response:
    """With `out` ("yes": out of service) and `reason`."""
    out = form["out"] == "yes"
    return once(
        request,
        who,
        form,
        lambda: operation_path(doors.set_service(desk_of(request), who, locker, number, out, form["reason"])),
    )


@router.post(PLACE + "/release")
def release(request: Request, who: Operator, form: Posted, locker: str, number: Number) -> Response:
    """Somebody saw it empty: lifts its quarantine. With `reason`."""
    return once(
        request,
        who,
        form,
        lambda: operation_path(doors.release_compartment(desk_of(request), who, locker, number, form["reason"])),
    )
