"""/operator/lockers/{locker}: its front to scale as its doors stand now, its alarms, what happened lately."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.compartments import AVAILABILITIES
from gateway.domain.people import Principal
from gateway.limits import LOCKER_ALIVE_S
from gateway.services import alarms, greetings, history, lockers, readings
from gateway.web import sentences
from gateway.web.drawing import draw
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show, words_of
from gateway.words import LANGUAGES

router = APIRouter()
_SHOWN_EVENTS = 12


@router.get("/operator/lockers/{locker}")
def locker_page(request: Request, who: Operator, locker: str) -> Response:
    desk = desk_of(request)
    found = lockers.get_locker(desk, who, locker)
    alive = found.alive_at(desk.clock(), LOCKER_ALIVE_S)
    greeting = greetings.greeting_of(desk, who, locker)
    return show(
        request,
        "operator/locker.html",
        locker=found,
        alive=alive,
        greeting=greeting,
        greets_in=LANGUAGES[greeting.wanted]("page.own_name") if greeting.wanted in LANGUAGES else "",
        **_front(request, who, locker),
    )


@router.get("/operator/lockers/{locker}/front")
def front(request: Request, who: Operator, locker: str) -> Response:
    """A part of that page, fetched anew by its script."""
    name = lockers.get_locker(desk_of(request), who, locker).name
    return show(request, "operator/front.html", name=name, **_front(request, who, locker))


def _front(request: Request, who: Principal, locker: str) -> dict[str, Any]:
    desk, words = desk_of(request), words_of(request)
    doors = lockers.list_compartments(desk, who, locker)
    events, _ = history.events_page(desk, who, locker, None)
    states = {door.compartment.number: door.availability for door in doors}
    return {
        "id": locker,
        "alarms": alarms.alarms_of(desk, who, locker),
        "events": [(event.taken_s, sentences.event(event, words)) for event in events[:_SHOWN_EVENTS]],
        "readings": [
            (words(f"operator.reading.{one.name}"), sentences.reading(one, words), one.told_s)
            for one in readings.readings_of(desk, who, locker)
        ],
        "drawing": draw([door.compartment for door in doors], states),
        "doors": doors,
        "said": {
            number: words("operator.door_said", n=number, state=words(f"availability.{state}"))
            for number, state in states.items()
        },
        "links": {number: f"/operator/lockers/{locker}/compartments/{number}" for number in states},
        "legend": [state for state in AVAILABILITIES if state in states.values()],
    }
