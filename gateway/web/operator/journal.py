"""/operator/log: what lockers said; /operator/log/acts: what people did. Newest first, of all lockers or of one."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.ids import parcel_id
from gateway.services import history, lockers
from gateway.web import sentences
from gateway.web.sessions import Operator
from gateway.web.showing import asked, before, desk_of, show, words_of

router = APIRouter()
PLACE = "/operator/log"


@router.get(PLACE)
def events_page(request: Request, who: Operator) -> Response:
    desk, words, locker = desk_of(request), words_of(request), asked(request, "locker")
    events, following = history.events_page(desk, who, locker or None, before(request))
    return show(
        request,
        "operator/log.html",
        rows=[(event, sentences.event(event, words)) for event in events],
        parcel_id=parcel_id,
        locker=locker,
        lockers=lockers.list_lockers(desk, who),
        onward=_onward(PLACE, locker, following),
    )


@router.get(PLACE + "/acts")
def acts_page(request: Request, who: Operator) -> Response:
    desk, locker = desk_of(request), asked(request, "locker")
    acts, following = history.acts_page(desk, who, locker or None, before(request))
    return show(
        request,
        "operator/acts.html",
        acts=acts,
        parcel_id=parcel_id,
        locker=locker,
        lockers=lockers.list_lockers(desk, who),
        onward=_onward(PLACE + "/acts", locker, following),
    )


def _onward(place: str, locker: str, following: int | None) -> str | None:
    if following is None:
        return None
    return f"{place}?{urlencode({'locker': locker, 'before': following} if locker else {'before': following})}"
