"""A form acts once. Each form that is shown carries a random number; sent again (a double click, a reload, the back
key) it acts on nothing and leads where it led before.

What was done and where it led are written in one transaction, so that a crash leaves both or neither.
"""

import hmac
import secrets
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response

from gateway.asgi import RequestError
from gateway.domain.people import Principal
from gateway.services.desk import Desk
from gateway.web.desk import acted, desk_of
from gateway.web.forms import Form
from gateway.web.pages import see

FIELD = "act"
PURPOSE = "forms"  # of the gateway's derived key
_SIZE = 22  # base64url of 16 bytes


def fresh() -> str:
    """The number of a form about to be shown."""
    return secrets.token_urlsafe(16)


def once(request: Request, who: Principal, form: Form, work: Callable[[], str]) -> Response:
    """`work` acts, and says where to look next. Raises Refusal, RequestError("bad_value")."""
    desk = desk_of(request)
    with desk.store.transaction() as tx:
        place = _place(desk, request, who, form)
        kept = tx.find_answer(place)
        if kept is not None:
            return see(kept[1].decode())
        onward = work()
        tx.keep_answer(place, FIELD.encode(), onward.encode(), desk.clock())
    acted(request)
    return see(onward)


def shown_once(
    request: Request, who: Principal, form: Form, again: str, work: Callable[[], Callable[[], Response]]
) -> Response:
    """The same for what is shown right away and kept nowhere, a secret: `work` acts and gives the page to be shown.
    Sent again, the form leads to `again`."""
    page: list[Callable[[], Response]] = []

    def act() -> str:
        page.append(work())
        return again

    onward = once(request, who, form, act)
    return page[0]() if page else onward


def _place(desk: Desk, request: Request, who: Principal, form: Form) -> bytes:
    """Of this form, of this key, at this address."""
    act = form[FIELD]
    if len(act) != _SIZE or not act.isascii():
        raise RequestError("bad_value", "This form was not made by us.")
    said = f"{who.credential or who.name}\n{request.url.path}\n{act}"
    return hmac.digest(desk.keys.derived(PURPOSE), said.encode(), "sha256")
