"""/v1/privacy: what is known of a recipient, its erasure, and the chain of the log of acts. For operators.

An address to look for stands in a body and never in a URL, which would be in the logs of every proxy.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from gateway.domain import audit as chain
from gateway.domain import ids, privacy
from gateway.domain.errors import Refusal
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.people import Principal
from gateway.http.acting import Said, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.document import Document
from gateway.http.routing import ACT, READ, ParcelPath
from gateway.http.schemas import Body, Mail, Phone
from gateway.services import audit, erasures, exports

router = APIRouter(prefix="/v1/privacy", tags=["privacy"])
Reader = Annotated[Principal, Depends(needs(erasures.SCOPE))]
Writer = Annotated[Act, Depends(acts(erasures.SCOPE))]
Auditor = Annotated[Principal, Depends(needs("events:read"))]


class ContactBody(Body):
    """One of the two, however it is written: capitals, spaces, +33 or 0."""

    mail: Mail | None = None
    phone: Phone | None = None

    def domain(self) -> privacy.Contact:
        return privacy.Contact(self.mail, self.phone)


class ErasureBody(ContactBody):
    """Or one parcel."""

    parcel: Annotated[str | None, Field(max_length=64, description="par_…")] = None


class Erasure(Document):
    """Of the recipient of one parcel; the parcel stays in the books, without anybody."""

    parcel: str
    state: Literal["waiting", "erased", "done"] = Field(
        description="waiting: the parcel is under way. erased: no row holds it. done: nor does any file."
    )
    asked_at: str
    erased_at: str | None
    done_at: str | None
    next_actions: list[str]

    @staticmethod
    def of(erasure: privacy.Erasure) -> "Erasure":
        return Erasure(
            parcel=ids.parcel_id(erasure.parcel),
            state=erasure.state,  # pyright: ignore[reportArgumentType]
            asked_at=instant(erasure.asked_s),
            erased_at=maybe_instant(erasure.erased_s),
            done_at=maybe_instant(erasure.done_s),
            next_actions=list(privacy.NEXT_ACTIONS[erasure.state]),
        )


class Erasures(Document):
    data: list[Erasure] = Field(description="Empty: nothing is known of that address.")


class FoundParcels(Document):
    data: list[str] = Field(description="Parcels whose recipient has this address, newest first.")


class Purpose(Document):
    fields: list[str]
    purpose: str
    basis: str
    kept_days: int
    since: str


class PersonalData(Document):
    """All that is known of one parcel's recipient. Recipients of it: the carrier and the sender of that parcel."""

    parcel: str
    known: dict[str, list[dict[str, Any]]] = Field(description="Kind of record -> records.")
    purposes: list[Purpose]

    @staticmethod
    def of(export: exports.Export) -> "PersonalData":
        purposes = [Purpose(**purpose) for purpose in export.purposes]
        return PersonalData(parcel=ids.parcel_id(export.parcel), known=export.known, purposes=purposes)


class AlteredAct(Document):
    act: int
    what: Literal["altered", "relabelled", "missing", "cut_off", "unchained", "hidden"]
    meaning: str


class Audit(Document):
    """The log of acts as a chain. Compare `head` with one that was written down, or with the gateway's log."""

    whole: bool
    acts: int
    unlinked: int = Field(description="Acts whose parcel's recipient was erased.")
    head_act: int
    head: str
    wrong: list[AlteredAct]

    @staticmethod
    def of(check: chain.Check) -> "Audit":
        wrong = [
            AlteredAct(act=act, what=what, meaning=chain.MEANING[what])  # pyright: ignore[reportArgumentType]
            for act, what in check.wrong
        ]
        return Audit(
            whole=not wrong,
            acts=check.acts,
            unlinked=check.unlinked,
            head_act=check.head_id,
            head=check.head_hash.hex(),
            wrong=wrong,
        )


@router.post("/erasures", status_code=202, response_model=Erasures, responses=ACT)
def erase(request: Request, act: Writer, body: ErasureBody) -> Response:
    """Erase the recipient of a parcel, or of every parcel with an address. What is under way waits, and is erased when
    it has left; the rest is gone at once, and within minutes from the files. Scope privacy:write."""
    desk = desk_of(request)

    def work() -> Said:
        if body.parcel is None:
            made = erasures.erase_person(desk, act.who, body.domain())
        elif body.mail is None and body.phone is None:
            made = [erasures.erase(desk, act.who, ids.parcel_number(body.parcel))]
        else:
            raise Refusal("bad_value", "name a parcel or an address, not both")
        return Said(202, Erasures(data=[Erasure.of(one) for one in made]))

    return once(request, act, work)


@router.get("/erasures/{parcel}", response_model=Erasure, responses=READ)
def get_erasure(request: Request, who: Reader, parcel: ParcelPath) -> Response:
    """How far it is. Scope privacy:write."""
    return show(Erasure.of(erasures.get_erasure(desk_of(request), who, ids.parcel_number(parcel))))


@router.post("/lookups", status_code=200, response_model=FoundParcels, responses=ACT)
def look_up(request: Request, act: Writer, body: ContactBody) -> Response:
    """The parcels of an address. Scope privacy:write."""
    desk = desk_of(request)

    def work() -> Said:
        numbers = exports.parcels_of(desk, act.who, body.domain())
        return Said(200, FoundParcels(data=[ids.parcel_id(number) for number in numbers]))

    return once(request, act, work)


@router.get("/parcels/{parcel}", response_model=PersonalData, responses=READ)
def export(request: Request, who: Reader, parcel: ParcelPath) -> Response:
    """All that is known of its recipient, and why, to hand to that person. That it was shown is noted in the log of
    acts. Scope privacy:write."""
    return show(PersonalData.of(exports.export(desk_of(request), who, ids.parcel_number(parcel))))


@router.get("/audit", response_model=Audit, responses=READ)
def check(request: Request, who: Auditor) -> Response:
    """Whether the log of acts is as it was written, and which act is not. Scope events:read."""
    return show(Audit.of(audit.check(desk_of(request), who)))
