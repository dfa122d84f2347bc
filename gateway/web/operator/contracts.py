"""/operator/contracts: which carriers each merchant announces parcels for; make a contract, end one."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.services import contracts
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show

router = APIRouter()
PLACE = "/operator/contracts"


@router.get(PLACE)
def contracts_page(request: Request, who: Operator) -> Response:
    return _page(request, who, {"merchant": "", "carrier": ""}, wrong=False)


def _page(request: Request, who: Operator, said: dict[str, str], *, wrong: bool) -> Response:
    return show(
        request,
        "operator/contracts.html",
        422 if wrong else 200,
        pairs=contracts.pairs(desk_of(request), who),
        may_write=contracts.SCOPE in who.scopes,
        said=said,
        wrong=wrong,
        done=asked(request, "done"),
    )


@router.post(PLACE)
def make(request: Request, who: Operator, form: Posted) -> Response:
    """With `merchant` and `carrier`."""

    def work() -> str:
        contracts.make(desk_of(request), who, form["merchant"], form["carrier"])
        return PLACE + "?done=made"

    try:
        return once(request, who, form, work)
    except Refusal as refusal:
        if refusal.code != "bad_value":
            raise
        return _page(request, who, {name: form[name] for name in ("merchant", "carrier")}, wrong=True)


@router.post(PLACE + "/{merchant}/{carrier}/end")
def end(request: Request, who: Operator, form: Posted, merchant: str, carrier: str) -> Response:
    def work() -> str:
        contracts.end(desk_of(request), who, merchant, carrier)
        return PLACE + "?done=ended"

    return once(request, who, form, work)
