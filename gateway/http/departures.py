"""/v1/departures: somebody leaves. A name stands in a body and never in a URL, which is in logs of proxies."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from gateway.domain import departures as domain
from gateway.domain.instants import instant
from gateway.http.acting import Said, counter_of, once
from gateway.http.auth import Act, acts, desk_of
from gateway.http.document import Document
from gateway.http.routing import ACT
from gateway.http.schemas import Body, Name, Slug
from gateway.services import departures

router = APIRouter(prefix="/v1/departures", tags=["people"])


class DepartureBody(Body):
    name: Name = Field(description="Of a key, or the holder of a badge.")
    tenant: Annotated[
        Slug | None, Field(description="The carrier's or merchant's slug; left out for the town's own people.")
    ] = None


class Departure(Document):
    """Access that was taken back by this; again: none. Alarms and reports that this person looked after are open to
    everybody again."""

    credentials: list[str]
    badges: list[str]
    alarms: int
    reports: int
    name_ends_at: str = Field(description="From then on nothing in the books has the name.")

    @staticmethod
    def of(left: domain.Departure) -> "Departure":
        assert left.person.name_ends_s is not None
        return Departure(
            credentials=[key.id for key in left.keys],
            badges=[badge.id.hex() for badge in left.badges],
            alarms=left.alarms,
            reports=left.reports,
            name_ends_at=instant(left.person.name_ends_s),
        )


@router.post("", status_code=200, response_model=Departure, responses=ACT)
def leave(request: Request, act: Annotated[Act, Depends(acts(departures.SCOPE))], body: DepartureBody) -> Response:
    """Somebody leaves: every key and badge of that name is taken back at once. The name stays in the log of acts until
    `name_ends_at`, because who did what must be provable. Scope credentials:write; for badges also badges:write and
    technicians:write."""
    desk = desk_of(request)

    def work() -> Said:
        return Said(200, Departure.of(departures.leave(desk, act.who, body.name, body.tenant or "")))

    answer = once(request, act, work)
    counter_of(request).wake()
    return answer
