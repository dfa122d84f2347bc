"""/v1/receipts: what a locker showed on its screen when it had no gateway, handed in by the courier's phone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.domain.parcels import Parcel
from gateway.http import answers
from gateway.http.acting import Said, once
from gateway.http.auth import Act, acts, desk_of
from gateway.http.routing import ACT
from gateway.http.schemas import ReceiptBody
from gateway.services import receipts

router = APIRouter(prefix="/v1/receipts", tags=["parcels"])
Writer = Annotated[Act, Depends(acts("parcels:write"))]


@router.post("", status_code=200, response_model=answers.Parcel, responses=ACT)
def hand_in_receipt(request: Request, act: Writer, body: ReceiptBody) -> Response:
    """Prove that a parcel lies in a locker which the gateway cannot reach: its code is there at once. Either the text
    of the QR code, or the twelve digits with the label and size as keyed at the locker. The answer is the parcel as
    it stands by now. Scope parcels:write."""
    desk = desk_of(request)
    if body.receipt is not None:
        text = body.receipt
        return once(request, act, lambda: _said(receipts.hand_in(desk, act.who, text)))
    locker, label, size, digits = body.keyed()
    with receipts.guessing(desk, act.who, digits):
        return once(
            request,
            act,
            lambda: _said(receipts.hand_in_digits(desk, act.who, locker, label, size, digits)),
        )


def _said(parcel: Parcel) -> Said:
    return Said(200, answers.Parcel.of(parcel), f"/v1/parcels/{parcel.id}")
