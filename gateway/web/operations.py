"""/operations/{operation}: how an order to a locker stands, until it is done or failed; for whoever works on the wide
pages. A courier's orders have a page for gloves (courier.py)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import operation_number
from gateway.domain.operations import Operation
from gateway.domain.people import MERCHANT, OPERATOR, Principal
from gateway.services import doors
from gateway.web import sentences
from gateway.web.sessions import SignedIn
from gateway.web.showing import desk_of, show, words_of

router = APIRouter()
PLACE = "/operations/{operation}"


def operation_path(operation: Operation) -> str:
    return f"/operations/{operation.id}"


def _with_wide_pages(who: SignedIn) -> Principal:
    if who.role not in (OPERATOR, MERCHANT):
        raise Refusal("not_allowed", "a courier follows an order on the courier's pages")
    return who


Reader = Annotated[Principal, Depends(_with_wide_pages)]


@router.get(PLACE)
def operation_page(request: Request, who: Reader, operation: str) -> Response:
    return _show(request, who, operation, "operation.html")


@router.get(PLACE + "/state")
def state(request: Request, who: Reader, operation: str) -> Response:
    """A part of that page, fetched anew by its script."""
    return _show(request, who, operation, "operation_state.html")


def _show(request: Request, who: Principal, operation: str, template: str) -> Response:
    found = doors.get_operation(desk_of(request), who, operation_number(operation))
    return show(request, template, order=found, outcome=sentences.outcome(found, words_of(request)))
