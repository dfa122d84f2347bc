"""/v1/reports: what recipients said is wrong, with the evidence, and the closing of it by a person."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AfterValidator, Field

from gateway import limits
from gateway.domain import ids
from gateway.domain import reports as domain
from gateway.domain.events import LoggedEvent
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.people import Principal
from gateway.http.acting import Said, once, show
from gateway.http.answers import Event
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.document import Document
from gateway.http.routing import ACT, READ, Cursor, Limit, cursor_position, cursor_text
from gateway.http.schemas import Body, printable
from gateway.services import reports

router = APIRouter(prefix="/v1/reports", tags=["reports"])
Reader = Annotated[Principal, Depends(needs("parcels:read"))]
Writer = Annotated[Act, Depends(acts("parcels:write"))]
ReportPath = Annotated[str, Path(max_length=64, description="rep_…")]
OnlyOpen = Annotated[bool, Query(alias="open", description="true: those that nobody has closed yet.")]


class ClosingBody(Body):
    reason: Annotated[
        str,
        Field(
            min_length=1,
            max_length=limits.CLOSING_SIZE_MAX,
            description="What was found; of no person.",
            examples=["opened with the carrier: empty, refunded"],
        ),
        AfterValidator(printable),
    ]


class Report(Document):
    """It ends when somebody closes it, and never by itself."""

    id: str
    ticket: int = Field(description="What the recipient was told, and says on the phone.")
    parcel: str
    kind: Literal["empty", "damaged", "not_mine", "stuck", "cannot_reach"]
    parcel_state: str = Field(description="As it was when this was told.")
    locker: str
    compartment: int | None
    made_at: str
    closed_at: str | None
    closed_by: str | None
    closing: str | None
    next_actions: list[str]

    @staticmethod
    def of(report: domain.Report) -> "Report":
        return Report(
            id=report.id,
            ticket=report.ticket,
            parcel=ids.parcel_id(report.parcel),
            kind=report.kind,  # pyright: ignore[reportArgumentType]
            parcel_state=report.found,
            locker=report.locker,
            compartment=report.compartment,
            made_at=instant(report.made_s),
            closed_at=maybe_instant(report.closed_s),
            closed_by=report.closed_by,
            closing=report.closing,
            next_actions=[] if report.closed_s is not None else NEXT_ACTIONS,
        )


class ReportWithEvidence(Report):
    words: str | None = Field(description="As the recipient wrote it; erased with the recipient's fields.")
    evidence: list[Event] = Field(description="What the locker said from before the deposit on; 500 at the most.")

    @staticmethod
    def whole(report: domain.Report, events: list[LoggedEvent]) -> "ReportWithEvidence":
        evidence = [Event.of(event) for event in events]
        return ReportWithEvidence(**Report.of(report).model_dump(), words=report.words, evidence=evidence)


class ReportPage(Document):
    data: list[Report]
    next_cursor: str | None


NEXT_ACTIONS = [
    "look at the compartment; its door is offered to nobody until it is released",
    "take the parcel back if it is still inside",
    "close the report with what was found",
]


@router.get("", response_model=ReportPage, responses=READ)
def list_reports(
    request: Request, who: Reader, only_open: OnlyOpen = False, limit: Limit = limits.PAGE_SIZE, cursor: Cursor = None
) -> Response:
    """Of your parcels, newest first. Scope parcels:read."""
    found, following = reports.list_reports(desk_of(request), who, only_open, cursor_position(cursor), limit)
    return show(ReportPage(data=[Report.of(one) for one in found], next_cursor=cursor_text(following)))


@router.get("/{report}", response_model=ReportWithEvidence, responses=READ)
def get_report(request: Request, who: Reader, report: ReportPath) -> Response:
    """With the recipient's words and the evidence. Scope parcels:read."""
    found, events = reports.get_report(desk_of(request), who, ids.report_number(report))
    return show(ReportWithEvidence.whole(found, events))


@router.post("/{report}/closing", status_code=201, response_model=Report, responses=ACT)
def close_report(request: Request, act: Writer, report: ReportPath, body: ClosingBody) -> Response:
    """Somebody has found out. The compartment stays as it is until it is released. Scope parcels:write."""
    desk = desk_of(request)

    def work() -> Said:
        closed = reports.close_report(desk, act.who, ids.report_number(report), body.reason)
        return Said(201, Report.of(closed), f"/v1/reports/{closed.id}")

    return once(request, act, work)
