"""/v1/contracts and /v1/claims: which carriers a merchant announces for, and labels that two have announced."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from gateway.domain import contracts as domain
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.people import Principal
from gateway.http.acting import Said, counter_of, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.document import Document
from gateway.http.routing import ACT, READ
from gateway.http.schemas import Body, Slug
from gateway.services import contracts

router = APIRouter(prefix="/v1", tags=["people"])
Reader = Annotated[Principal, Depends(needs("parcels:read"))]
Writer = Annotated[Act, Depends(acts(contracts.SCOPE))]
Remover = Annotated[Principal, Depends(needs(contracts.SCOPE))]
MerchantPath = Annotated[str, Path(max_length=64, description="The merchant's slug.", examples=["fleurs"])]
CarrierPath = Annotated[str, Path(max_length=64, description="The carrier's slug.", examples=["colibri"])]


class ContractBody(Body):
    merchant: Slug
    carrier: Annotated[Slug, Field(description="The merchant's own slug where it brings its parcels by itself.")]


class Contract(Document):
    """A merchant and a carrier whose parcels it announces."""

    merchant: str
    carrier: str
    since: str | None = Field(description="null: there is no contract.")
    waiting: int = Field(
        description="Parcels that the merchant alone has announced and that are not put in yet: without a contract "
        "they get no door."
    )

    @staticmethod
    def of(pair: domain.Pair) -> "Contract":
        since = maybe_instant(pair.since_s)
        return Contract(merchant=pair.merchant, carrier=pair.carrier, since=since, waiting=pair.waiting)


class ContractPage(Document):
    data: list[Contract]
    next_cursor: str | None


class Claim(Document):
    """A label that `merchant` announced while, or before, it was somebody else's."""

    label: str
    carrier: str
    locker: str
    merchant: str
    made_at: str
    decided: bool = Field(description="Its carrier has said whose it is. false: until then it is handed to nobody.")

    @staticmethod
    def of(claim: domain.Claim) -> "Claim":
        return Claim(
            label=claim.label,
            carrier=claim.carrier,
            locker=claim.locker,
            merchant=claim.merchant,
            made_at=instant(claim.made_s),
            decided=claim.decided,
        )


class ClaimPage(Document):
    data: list[Claim]
    next_cursor: str | None


@router.get("/contracts", response_model=ContractPage, responses=READ)
def list_contracts(request: Request, who: Reader) -> Response:
    """All of them, or those of your tenant; with whoever has announced parcels and has none. Scope parcels:read."""
    rows = [Contract.of(pair) for pair in contracts.pairs(desk_of(request), who)]
    return show(ContractPage(data=rows, next_cursor=None))


@router.post("/contracts", status_code=201, response_model=Contract, responses=ACT)
def make_contract(request: Request, act: Writer, body: ContractBody) -> Response:
    """From now on this merchant announces parcels for this carrier. For operators; where there is one already, that
    one. Scope credentials:write."""
    desk = desk_of(request)

    def work() -> Said:
        contracts.make(desk, act.who, body.merchant, body.carrier)
        return Said(201, Contract.of(contracts.pair(desk, act.who, body.merchant, body.carrier)))

    return once(request, act, work)


@router.delete("/contracts/{merchant}/{carrier}", response_model=Contract, responses=ACT)
def end_contract(request: Request, who: Remover, merchant: MerchantPath, carrier: CarrierPath) -> Response:
    """From now on what this merchant alone has announced gets no door (`waiting` counts them), until the carrier
    announces it or there is a contract again; what lies in a locker stays its recipient's. For operators; again: the
    same answer. Scope credentials:write."""
    left = contracts.end(desk_of(request), who, merchant, carrier)
    counter_of(request).wake()
    return show(Contract.of(left))


@router.get("/claims", response_model=ClaimPage, responses=READ)
def list_claims(request: Request, who: Reader) -> Response:
    """Labels of parcels under way that more than one has announced: a merchant's own claims, those to a carrier's
    labels, or all. The carrier decides by announcing the parcel with its recipient. Scope parcels:read."""
    rows = [Claim.of(claim) for claim in contracts.claims(desk_of(request), who)]
    return show(ClaimPage(data=rows, next_cursor=None))
