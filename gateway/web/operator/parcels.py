"""/operator/parcels: look for one, see what happened to it, act on it. The code is shown only when asked for."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.ids import parcel_id, parcel_number
from gateway.domain.parcels import STATES, Parcel, can
from gateway.domain.people import Principal
from gateway.domain.search import ParcelSearch
from gateway.services import erasures, history, lockers, parcels, reissues, searches
from gateway.web import custody, sentences
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.operations import operation_path
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, instead, show, words_of
from gateway.words import Words

router = APIRouter()
PLACE = "/operator/parcels"
_FIELDS = ("text", "state", "carrier", "merchant", "locker")


@router.get(PLACE)
def parcels_page(request: Request, who: Operator) -> Response:
    desk = desk_of(request)
    said = {name: asked(request, name) for name in _FIELDS}
    after = asked(request, "after")
    found, following = searches.find_parcels(desk, who, ParcelSearch(**said), parcel_number(after) if after else None)
    onward = None
    if following is not None:
        given = {name: value for name, value in said.items() if value}
        onward = f"{PLACE}?{urlencode({**given, 'after': parcel_id(following)})}"
    return show(
        request,
        "operator/parcels.html",
        parcels=found,
        said=said,
        states=STATES,
        lockers=lockers.list_lockers(desk, who),
        onward=onward,
    )


@router.get(PLACE + "/{parcel}")
def parcel_page(request: Request, who: Operator, parcel: str) -> Response:
    desk, words = desk_of(request), words_of(request)
    found = parcels.get_parcel(desk, who, parcel_number(parcel))
    return show(
        request,
        "operator/parcel.html",
        parcel=found,
        steps=_steps(request, who, found, words),
        may_take_back=can(found.state, "take_back") and "parcels:write" in who.scopes,
        may_reissue=found.state == "deposited" and "codes:write" in who.scopes,
        may_see_code=found.state == "deposited" and "codes:read" in who.scopes,
        may_erase=erasures.SCOPE in who.scopes,
        erasure=erasures.of_parcel(desk, who, found.number),
        base=f"{PLACE}/{found.id}",
    )


def _steps(request: Request, who: Principal, parcel: Parcel, words: Words) -> list[tuple[int, str, str]]:
    """When, what, and by whose key (or nobody's); newest first. Where the log is silent, what the books say."""
    events, acts = history.parcel_past(desk_of(request), who, parcel.number)
    steps = [(parcel.expected_s, words("operator.one_parcel.expected"), "")]
    steps += [(event.taken_s, sentences.event(event, words), "") for event in events]
    steps += [(act.made_s, words(f"act.{act.kind}"), act.by) for act in reversed(acts)]
    if parcel.deposited_s is not None and not any(event.name == "Deposited" for event in events):
        steps.append((parcel.deposited_s, words("operator.one_parcel.deposited", door=parcel.compartment), ""))
    if parcel.ended_s is not None:
        state = words(f"parcel_state.{parcel.told_as}")
        steps.append((parcel.ended_s, words("operator.one_parcel.ended", state=state), ""))
    return sorted(steps, key=lambda step: step[0])[::-1]


@router.post(PLACE + "/{parcel}/code")
def show_code(request: Request, who: Operator, _form: Posted, parcel: str) -> Response:
    return custody.code_page(request, who, parcel, f"{PLACE}/{parcel}")


@router.get(PLACE + "/{parcel}/code")
def no_code(request: Request, _who: Operator, parcel: str) -> Response:
    return instead(request, f"{PLACE}/{parcel}")


@router.post(PLACE + "/{parcel}/take-back")
def take_back(request: Request, who: Operator, form: Posted, parcel: str) -> Response:
    number = parcel_number(parcel)
    return once(request, who, form, lambda: operation_path(parcels.take_back(desk_of(request), who, number)))


@router.post(PLACE + "/{parcel}/reissue")
def reissue(request: Request, who: Operator, form: Posted, parcel: str) -> Response:
    number = parcel_number(parcel)
    return once(request, who, form, lambda: operation_path(reissues.reissue(desk_of(request), who, number)))
