"""/operator/people: keys to the API and to these pages: who has one, make one, take one back."""

import re
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.ids import credential_number
from gateway.domain.people import ROLES, SCOPES, SCOPES_OF
from gateway.services import people
from gateway.web.forms import Posted
from gateway.web.once import once, shown_once
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show

router = APIRouter()
PLACE = "/operator/people"
AGAIN = PLACE + "?again=1"
_SLUGS = re.compile(r"[^\s,;]+")


@router.get(PLACE)
def keys_page(request: Request, who: Operator) -> Response:
    found = people.list_credentials(desk_of(request), who)
    return show(
        request,
        "operator/keys.html",
        keys=sorted(found, key=lambda key: (key.revoked_s is not None, -key.made_s)),
        roles=ROLES,
        scopes=sorted(SCOPES),
        again=asked(request, "again"),
    )


@router.post(PLACE)
def make_key(request: Request, who: Operator, form: Posted) -> Response:
    """With `role`, `tenant`, `name`, of a merchant `carriers` (apart by commas or blanks), and each of its scopes as a
    field of that name. None: all that the role may."""

    def work() -> Callable[[], Response]:
        ticked = frozenset(scope for scope in SCOPES if form[scope])
        scopes = ticked or SCOPES_OF.get(form["role"], frozenset())
        made, secret = people.issue_credential(
            *(desk_of(request), who, form["role"], form["tenant"], scopes, form["name"]),
            carriers=_SLUGS.findall(form["carriers"]),
        )
        return lambda: show(request, "operator/secret.html", key=made, secret=secret)

    return shown_once(request, who, form, AGAIN, work)


@router.post(PLACE + "/{credential}/revoke")
def revoke_key(request: Request, who: Operator, form: Posted, credential: str) -> Response:
    number = credential_number(credential)

    def work() -> str:
        people.revoke_credential(desk_of(request), who, number)
        return PLACE

    return once(request, who, form, work)
