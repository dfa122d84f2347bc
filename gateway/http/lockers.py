"""/v1/lockers: describe them, provision them, see their doors, and order one opened."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.domain.operations import Operation
from gateway.domain.people import Principal
from gateway.http import answers
from gateway.http.acting import Said, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.routing import ACT, READ, LockerPath, NumberPath
from gateway.http.schemas import ConsoleChallengeBody, LockerBody, ReasonBody, ServiceBody
from gateway.services import doors, lockers, people, readings

router = APIRouter(prefix="/v1/lockers", tags=["lockers"])
Reader = Annotated[Principal, Depends(needs("lockers:read"))]
Writer = Annotated[Act, Depends(acts("lockers:write"))]
Opener = Annotated[Act, Depends(acts("doors:open"))]


def accepted(operation: Operation) -> Said:
    return Said(202, answers.Operation.of(operation), f"/v1/operations/{operation.id}")


@router.post("", status_code=201, response_model=answers.Locker, responses=ACT)
def register_locker(request: Request, act: Writer, body: LockerBody) -> Response:
    """Describe a new locker. Scope lockers:write."""
    desk = desk_of(request)

    def work() -> Said:
        made = lockers.register_locker(desk, act.who, body.domain())
        return Said(201, answers.Locker.of(made), f"/v1/lockers/{made.id}")

    return once(request, act, work)


@router.get("", response_model=answers.LockerPage, responses=READ)
def list_lockers(request: Request, who: Reader) -> Response:
    """Every locker; there are few, so one page holds them. Scope lockers:read."""
    found = lockers.list_lockers(desk_of(request), who)
    return show(answers.LockerPage(data=[answers.Locker.of(locker) for locker in found], next_cursor=None))


@router.get("/{locker}", response_model=answers.Locker, responses=READ)
def get_locker(request: Request, who: Reader, locker: LockerPath) -> Response:
    """Scope lockers:read."""
    desk = desk_of(request)
    found = lockers.get_locker(desk, who, locker)
    return show(answers.Locker.of(found, readings.readings_of(desk, who, locker)))


@router.post("/{locker}/provisioning", status_code=201, response_model=answers.Provisioning, responses=ACT)
def provision_locker(request: Request, act: Writer, locker: LockerPath) -> Response:
    """Make the locker's key. Asked again it makes a new one and the old one is worth nothing. Scope lockers:write."""
    desk = desk_of(request)

    def work() -> Said:
        return Said(201, answers.Provisioning.of(lockers.provision_locker(desk, act.who, locker)))

    return once(request, act, work)


@router.get("/{locker}/compartments", response_model=answers.CompartmentPage, responses=READ)
def list_compartments(request: Request, who: Reader, locker: LockerPath) -> Response:
    """Every compartment and how it stands; of parcels only your own. Scope lockers:read."""
    found = lockers.list_compartments(desk_of(request), who, locker)
    rows = [answers.Compartment.of(status) for status in found]
    return show(answers.CompartmentPage(data=rows, next_cursor=None))


@router.post("/{locker}/compartments/{number}/open", status_code=202, response_model=answers.Operation, responses=ACT)
def open_compartment(
    request: Request, act: Opener, locker: LockerPath, number: NumberPath, body: ReasonBody
) -> Response:
    """Order a door opened. The order runs out after 60 s. Scope doors:open."""
    desk = desk_of(request)
    return once(request, act, lambda: accepted(doors.open_compartment(desk, act.who, locker, number, body.reason)))


@router.post(
    "/{locker}/compartments/{number}/service", status_code=202, response_model=answers.Operation, responses=ACT
)
def set_service(request: Request, act: Writer, locker: LockerPath, number: NumberPath, body: ServiceBody) -> Response:
    """Take a compartment out of service, or put it back. Scope lockers:write."""
    desk = desk_of(request)
    return once(
        request, act, lambda: accepted(doors.set_service(desk, act.who, locker, number, body.out, body.reason))
    )


@router.post(
    "/{locker}/compartments/{number}/release", status_code=202, response_model=answers.Operation, responses=ACT
)
def release_compartment(
    request: Request, act: Writer, locker: LockerPath, number: NumberPath, body: ReasonBody
) -> Response:
    """Say that a person looked and the compartment is empty: it is offered again. Scope lockers:write."""
    desk = desk_of(request)
    return once(request, act, lambda: accepted(doors.release_compartment(desk, act.who, locker, number, body.reason)))


@router.post("/{locker}/console-answers", status_code=201, response_model=answers.ConsoleAnswer, responses=ACT)
def answer_console(request: Request, act: Opener, locker: LockerPath, body: ConsoleChallengeBody) -> Response:
    """Answer the challenge of a locker's serial console, for a technician. Scope doors:open."""
    desk = desk_of(request)

    def work() -> Said:
        said = people.console_answer(desk, act.who, locker, bytes.fromhex(body.challenge), body.name)
        return Said(201, answers.ConsoleAnswer(answer=said))

    return once(request, act, work)
