"""/operator/operations/{operation}: how an order to a locker stands, until it is done or failed."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.ids import operation_number
from gateway.domain.people import Principal
from gateway.services import doors
from gateway.web import sentences
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show, words_of

router = APIRouter()


@router.get("/operator/operations/{operation}")
def operation_page(request: Request, who: Operator, operation: str) -> Response:
    return _show(request, who, operation, "operator/operation.html")


@router.get("/operator/operations/{operation}/state")
def state(request: Request, who: Operator, operation: str) -> Response:
    """A part of that page, fetched anew by its script."""
    return _show(request, who, operation, "operator/operation_state.html")


def _show(request: Request, who: Principal, operation: str, template: str) -> Response:
    found = doors.get_operation(desk_of(request), who, operation_number(operation))
    return show(request, template, order=found, outcome=sentences.outcome(found, words_of(request)))
