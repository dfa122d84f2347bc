"""/v1/operations, /v1/events and its stream, and the two questions of whoever supervises us: /health and /ready."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse

from gateway import limits
from gateway.domain.ids import operation_number
from gateway.domain.people import Principal
from gateway.http import answers, problems
from gateway.http.acting import counter_of, show
from gateway.http.auth import anyone, desk_of, needs
from gateway.http.routing import PUBLIC, READ, Cursor, Limit, OperationPath, cursor_position, cursor_text
from gateway.http.streams import MEDIA_TYPE, EventStream
from gateway.services import doors, events

router = APIRouter(tags=["operations"])
Reader = Annotated[Principal, Depends(needs("events:read"))]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=limits.CURSOR_SIZE_MAX, description="Of the last one you got."),
]


@router.get("/v1/operations/{operation}", response_model=answers.Operation, responses=READ)
def get_operation(request: Request, who: Annotated[Principal, Depends(anyone)], operation: OperationPath) -> Response:
    """How an order to a locker stands; ask again until it is done or failed. Your own only."""
    return show(answers.Operation.of(doors.get_operation(desk_of(request), who, operation_number(operation))))


@router.get("/v1/events", response_model=answers.EventPage, responses=READ)
def list_events(request: Request, who: Reader, limit: Limit = limits.PAGE_SIZE, cursor: Cursor = None) -> Response:
    """What lockers said, oldest first. Ask on from `resume_cursor` to follow along. Scope events:read."""
    desk = desk_of(request)
    with desk.store.reading():
        found, following = events.list_events(desk, who, cursor_position(cursor), limit)
        more = following < events.newest(desk)
    resume = cursor_text(following)
    assert resume is not None
    rows = [answers.Event.of(event) for event in found]
    return show(answers.EventPage(data=rows, next_cursor=resume if more else None, resume_cursor=resume))


@router.get(
    "/v1/events/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}, **READ},
)
def stream_events(request: Request, who: Reader, cursor: Cursor = None, last_event_id: LastEventId = None) -> Response:
    """The same events as they come (server-sent events): each with an `id`, which as Last-Event-ID goes on after it.
    Without it or a `resume_cursor`: what comes from now on. Scope events:read."""
    after = last_event_id or cursor
    streams = counter_of(request).streams
    return EventStream(streams, streams.open(who, None if after is None else cursor_position(after)))


@router.get("/health", response_model=answers.Health, openapi_extra=PUBLIC)
def health() -> Response:
    """The process answers."""
    return show(answers.Health(status="ok"))


@router.get(
    "/ready",
    response_model=answers.Readiness,
    openapi_extra=PUBLIC,
    responses={**problems.responses(429), 503: {"model": answers.Readiness}},
)
def ready(request: Request) -> Response:
    """The books can be read and the broker is connected."""
    with desk_of(request).store.reading() as tx:
        tx.find_answer(b"")  # fails, and is told as a failure, where the books cannot be read
    broker = counter_of(request).ready()
    said = answers.Readiness(status="ready" if broker else "not_ready", broker=broker)
    return Response(said.model_dump_json(), 200 if said.status == "ready" else 503, media_type="application/json")
