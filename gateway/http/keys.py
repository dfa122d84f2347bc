"""/v1/keys: the signing keys by id, and a rotation step by step. No key is ever in an answer, ids and counts are."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from gateway.domain import signing_keys
from gateway.domain.people import Principal
from gateway.http.acting import Said, counter_of, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.document import Document
from gateway.http.routing import ACT, READ, KeyPath
from gateway.http.schemas import Body
from gateway.limits import PAGE_SIZE_MAX
from gateway.services import trust

router = APIRouter(prefix="/v1/keys", tags=["keys"])
Reader = Annotated[Principal, Depends(needs("keys:write"))]
Writer = Annotated[Act, Depends(acts("keys:write"))]
Force = Annotated[bool, Query(description="Also while lockers do not trust the current key yet: they are cut off.")]


class Key(Document):
    id: str = Field(description="8 hex digits: the start of the SHA-256 of its public half.", examples=["1a2b3c4d"])
    state: Literal["current", "next", "old", "dropped", "lost"]
    lockers: int = Field(description="Provisioned lockers that trust it.")
    badges: int = Field(description="Unexpired badges that it signed.")
    parcels: int = Field(description="Waiting parcels whose QR code it may have signed.")

    @staticmethod
    def of(key: signing_keys.KeyStatus) -> "Key":
        state = key.state
        return Key(
            id=key.kid.hex(),
            state=state,  # pyright: ignore[reportArgumentType]
            lockers=key.lockers,
            badges=key.badges,
            parcels=key.parcels,
        )


class DroppedKey(Key):
    consequences: list[str]


class Keys(Document):
    """The signing keys, and how far the lockers have come."""

    data: list[Key]
    provisioned: int = Field(description="Lockers that have a key of their own.")
    waiting: list[str] = Field(description="Lockers that are being told, or have not answered yet; 200 at most.")
    cut_off: list[str] = Field(description="Lockers that no key can tell anything: provision them again; 200 at most.")
    held_in: Literal["files", "environment"]
    next_actions: list[str]

    @staticmethod
    def of(status: signing_keys.KeysStatus) -> "Keys":
        return Keys(
            data=[Key.of(key) for key in status.keys],
            provisioned=status.provisioned,
            waiting=list(status.waiting[:PAGE_SIZE_MAX]),
            cut_off=list(status.cut_off[:PAGE_SIZE_MAX]),
            held_in="files" if status.in_files else "environment",
            next_actions=_next_actions(status),
        )


class PromotionBody(Body):
    force: Annotated[bool, Field(description="Also while lockers do not trust the next key yet.")] = False


def _next_actions(status: signing_keys.KeysStatus) -> list[str]:
    states = {key.state: key for key in status.keys}
    said: list[str] = []
    if "next" in states:
        ready = states["next"].lockers
        if ready < status.provisioned:
            said.append(f"wait: {ready} of {status.provisioned} lockers trust the next key")
        else:
            said.append("promote the next key: every locker trusts it")
    if "old" in states:
        said.append("drop the old key once its badges have run out and its parcels are fetched")
    if status.cut_off:
        said.append("provision the lockers that are cut off again")
    return said


CONSEQUENCES = [
    "Badges and QR codes that it signed open nothing any more, locker by locker as they are told; issue new ones.",
    "Typed codes work as before.",
]


@router.get("", response_model=Keys, responses=READ)
def list_keys(request: Request, who: Reader) -> Response:
    """Every signing key by its id, and which lockers are not up to date. Scope keys:write."""
    return show(Keys.of(trust.status(desk_of(request), who)))


@router.post("/rotation", status_code=202, response_model=Keys, responses=ACT)
def begin_rotation(request: Request, act: Writer) -> Response:
    """Make the next signing key, and tell every locker to trust it too. Scope keys:write."""
    desk = desk_of(request)
    return once(request, act, lambda: Said(202, Keys.of(trust.begin_rotation(desk, act.who)), "/v1/keys"))


@router.post("/promotion", status_code=201, response_model=Keys, responses=ACT)
def promote(request: Request, act: Writer, body: PromotionBody) -> Response:
    """Sign with the next key from now on; the one before stays trusted until it is dropped. Scope keys:write."""
    desk = desk_of(request)
    return once(request, act, lambda: Said(201, Keys.of(trust.promote(desk, act.who, body.force)), "/v1/keys"))


@router.delete("/{kid}", status_code=202, response_model=DroppedKey, responses=ACT)
def drop(request: Request, who: Reader, kid: KeyPath, force: Force = False) -> Response:
    """Tell every locker not to trust this key any more, be it the old or the next one. Scope keys:write."""
    key = Key.of(trust.drop(desk_of(request), who, kid, force))
    counter_of(request).wake()
    said = DroppedKey(**key.model_dump(), consequences=CONSEQUENCES)
    return Response(said.model_dump_json(), 202, media_type="application/json")
