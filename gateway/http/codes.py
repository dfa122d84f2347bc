"""What becomes of a deposited parcel's code: a new one when a stranger may know it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.domain.ids import parcel_number
from gateway.http import answers
from gateway.http.acting import once
from gateway.http.auth import Act, acts, desk_of
from gateway.http.lockers import accepted
from gateway.http.routing import ACT, ParcelPath
from gateway.http.schemas import ReissueBody
from gateway.services import reissues

router = APIRouter(prefix="/v1/parcels", tags=["codes"])
Writer = Annotated[Act, Depends(acts("codes:write"))]


@router.post("/{parcel}/reissue", status_code=202, response_model=answers.Operation, responses=ACT)
def reissue(request: Request, act: Writer, parcel: ParcelPath, body: ReissueBody | None = None) -> Response:
    """A new code for a parcel whose code somebody else may know. The old one opens until the locker has answered:
    follow the operation, then read the pickup again. Its delegations end with it. Scope codes:write."""
    desk, reason = desk_of(request), (body or ReissueBody()).reason
    return once(request, act, lambda: accepted(reissues.reissue(desk, act.who, parcel_number(parcel), reason)))
