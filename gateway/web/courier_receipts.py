"""Receipts of lockers that were alone, handed in from the phone; and proofs of what was put in.

A phone without a network keeps a receipt and sends it later (assets/courier.js). It asks for the answer as JSON. Sent
twice, a receipt says the same again, and changes nothing.
"""

import base64
import json
from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.domain.compartments import SIZES
from gateway.domain.errors import Refusal
from gateway.domain.ids import parcel_number
from gateway.domain.parcels import Parcel
from gateway.domain.people import Principal
from gateway.domain.proofs import Proof
from gateway.limits import ROUND_LOCKERS_MAX
from gateway.services import lockers, proofs, receipts, rounds
from gateway.web import pages
from gateway.web.courier_page import show
from gateway.web.desk import acted, desk_of
from gateway.web.forms import Form, Posted
from gateway.web.sessions import Courier

# A refusal in words of its own; any other is "other".
REFUSED = (
    *("bad_value", "bad_receipt", "unknown_locker", "unknown_compartment", "wrong_state", "not_allowed"),
    "rate_limited",
)

router = APIRouter(prefix="/courier")


@router.get("/receipts")
def receipts_page(request: Request, who: Courier) -> Response:
    return _page(request, who, Form(), keep=True)


@router.post("/receipts")
def hand_in(request: Request, who: Courier, form: Posted) -> Response:
    """With `receipt`, the QR's text; or with `locker`, `label`, `size` and `digits`. `answer`: "json" for a script."""
    as_json = form["answer"] == "json"
    try:
        parcel = _handed_in(request, who, form)
    except Refusal as refusal:
        code = refusal.code if refusal.code in REFUSED else "other"
        status = pages.status_of(refusal.code)
        if as_json:
            return _json(request, f"courier.receipt.refused.{code}", {}, status)
        return _page(request, who, form, refused=code, status=status)
    acted(request)
    if as_json:
        return _json(request, _told(parcel), {"label": parcel.label, "door": parcel.compartment})
    return _page(request, who, Form(), parcel=parcel)


def _handed_in(request: Request, who: Principal, form: Form) -> Parcel:
    desk = desk_of(request)
    if form["receipt"]:
        return receipts.hand_in(desk, who, form["receipt"])
    digits = "".join(form["digits"].split())
    with receipts.guessing(desk, who, digits):
        return receipts.hand_in_digits(desk, who, form["locker"], form["label"], form["size"], digits)


def _told(parcel: Parcel) -> str:
    """The name of what is said of a parcel whose receipt was good."""
    if parcel.state != "deposited":
        return "courier.receipt.done_before"
    return "courier.receipt.done" if parcel.announced else "courier.receipt.done_unannounced"


def _json(request: Request, name: str, values: dict[str, object], status: int = 200) -> Response:
    text = pages.language_of(request)(name, **values)
    return JSONResponse({"text": text}, status, {"Cache-Control": "no-store"})


def _page(  # noqa: PLR0917 - what a page says
    request: Request,
    who: Principal,
    typed: Form,
    parcel: Parcel | None = None,
    refused: str | None = None,
    status: int = 200,
    *,
    keep: bool = False,
) -> Response:
    stops = sorted(rounds.todays_round(desk_of(request), who), key=lambda stop: stop.locker.name)
    values = {
        "typed": typed,
        "lockers": [stop.locker for stop in stops],
        "cut": len(stops) == ROUND_LOCKERS_MAX,
        "sizes": SIZES,
        "parcel": parcel,
        "told": None if parcel is None else _told(parcel),
        "refused": refused,
    }
    return show(request, "courier_receipts.html", values, status, keep=keep)


# ------------------------------------------------------------------ proofs
@router.get("/proofs/{parcel}.json")
def proof_file(request: Request, who: Courier, parcel: str) -> Response:
    """To keep, and to give to whoever doubts it; gateway/README.md says how it is checked."""
    proof = proofs.proof_of_handover(desk_of(request), who, parcel_number(parcel))
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="consigne-{proof.handover.parcel}.json"',
    }
    text = json.dumps(document_of(proof), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    return Response(text, media_type="application/json", headers=headers)


@router.get("/proofs/{parcel}")
def proof_page(request: Request, who: Courier, parcel: str) -> Response:
    desk = desk_of(request)
    proof = proofs.proof_of_handover(desk, who, parcel_number(parcel))
    values = {
        "proof": proof,
        "opened_s": _seconds(proof.handover.opened_at),
        "closed_s": _seconds(proof.handover.closed_at),
        "signed": base64.b64encode(proof.signed).decode(),
        "locker": lockers.get_locker(desk, who, proof.handover.locker),
    }
    return show(request, "courier_proof.html", values)


def _seconds(instant: str | None) -> int | None:
    return None if instant is None else int(datetime.fromisoformat(instant).timestamp())


def document_of(proof: Proof) -> dict[str, object]:
    return {
        "handover": asdict(proof.handover),
        "signature": {
            "key_id": proof.kid.hex(),
            "public_key": proof.public_key.hex(),
            "cose_sign1": base64.b64encode(proof.signed).decode(),
        },
    }
