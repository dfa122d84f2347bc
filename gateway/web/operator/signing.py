"""/operator/signing-keys: which keys sign badges and QR codes, and how far the lockers have come. To read only."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.services import trust
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show

router = APIRouter()


@router.get("/operator/signing-keys")
def signing_page(request: Request, who: Operator) -> Response:
    return show(request, "operator/signing.html", trust=trust.status(desk_of(request), who))
