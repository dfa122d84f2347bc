"""What becomes of a deposited parcel's code: a new one when a stranger may know it, others for whom one sends."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.domain.ids import id_bytes, parcel_number
from gateway.domain.people import Principal
from gateway.http import answers
from gateway.http.acting import Said, counter_of, once, respond, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.lockers import accepted
from gateway.http.routing import ACT, READ, DelegationPath, ParcelPath
from gateway.http.schemas import DelegationBody, ReissueBody
from gateway.services import delegations, reissues

router = APIRouter(prefix="/v1/parcels", tags=["codes"])
Writer = Annotated[Act, Depends(acts("codes:write"))]
Keeper = Annotated[Principal, Depends(needs("codes:write"))]


@router.post("/{parcel}/reissue", status_code=202, response_model=answers.Operation, responses=ACT)
def reissue(request: Request, act: Writer, parcel: ParcelPath, body: ReissueBody | None = None) -> Response:
    """A new code for a parcel whose code somebody else may know. The old one opens until the locker has answered:
    follow the operation, then read the pickup again. Its delegations end with it. Scope codes:write."""
    desk, reason = desk_of(request), (body or ReissueBody()).reason
    return once(request, act, lambda: accepted(reissues.reissue(desk, act.who, parcel_number(parcel), reason)))


@router.post("/{parcel}/delegations", status_code=201, response_model=answers.IssuedDelegation, responses=ACT)
def delegate(request: Request, act: Writer, parcel: ParcelPath, body: DelegationBody) -> Response:
    """Let somebody else collect a deposited parcel: a QR of their own, once. It is shown this once. Scope
    codes:write."""
    desk = desk_of(request)

    def work() -> Said:
        made = delegations.delegate(desk, act.who, parcel_number(parcel), body.name)
        return Said(201, answers.IssuedDelegation.issued(made), f"/v1/parcels/{parcel}/delegations")

    return once(request, act, work)


@router.get("/{parcel}/delegations", response_model=answers.DelegationPage, responses=READ)
def list_delegations(request: Request, who: Keeper, parcel: ParcelPath) -> Response:
    """Whom the parcel was entrusted to, without their tokens; there are few, so one page holds them. Scope
    codes:write, because it shows names."""
    found = delegations.list_delegations(desk_of(request), who, parcel_number(parcel))
    return show(answers.DelegationPage(data=[answers.Delegation.of(one) for one in found], next_cursor=None))


@router.delete("/{parcel}/delegations/{delegation}", status_code=202, response_model=answers.Operation, responses=ACT)
def revoke_delegation(request: Request, who: Keeper, parcel: ParcelPath, delegation: DelegationPath) -> Response:
    """Take it back. It may still open the door until the locker has answered: follow the operation. Asked again it
    is the same operation. Scope codes:write."""
    id8 = id_bytes(delegation, "unknown_delegation")
    operation = delegations.revoke_delegation(desk_of(request), who, parcel_number(parcel), id8)
    counter_of(request).wake()
    return respond(accepted(operation).answer())
