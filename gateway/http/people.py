"""/v1/badges and /v1/credentials: what couriers show to a locker, and keys to this API."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.domain.ids import credential_number, id_bytes
from gateway.domain.people import Principal
from gateway.http import people_answers
from gateway.http.acting import Said, counter_of, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.routing import ACT, READ, BadgePath, CredentialPath
from gateway.http.schemas import BadgeBody, CredentialBody
from gateway.services import people

router = APIRouter(prefix="/v1", tags=["people"])
BadgeMaker = Annotated[Principal, Depends(needs("badges:write"))]
KeyMaker = Annotated[Principal, Depends(needs("credentials:write"))]


@router.post("/badges", status_code=201, response_model=people_answers.IssuedBadge, responses=ACT)
def issue_badge(request: Request, act: Annotated[Act, Depends(acts("badges:write"))], body: BadgeBody) -> Response:
    """Make a courier's badge, valid on every locker, or a technician's. Its token is shown this once. Scope
    badges:write; for a technician also technicians:write."""
    desk = desk_of(request)

    def work() -> Said:
        if body.carrier is None:
            made = people.issue_technician(desk, act.who, body.holder, body.days, body.locker)
        else:
            made = people.issue_badge(desk, act.who, body.carrier, body.holder, body.days)
        return Said(201, people_answers.IssuedBadge.issued(made))

    return once(request, act, work)


@router.get("/badges", response_model=people_answers.BadgePage, responses=READ)
def list_badges(request: Request, who: BadgeMaker) -> Response:
    """Your badges, without their tokens. Scope badges:write."""
    rows = [people_answers.Badge.of(badge) for badge in people.list_badges(desk_of(request), who)]
    return show(people_answers.BadgePage(data=rows, next_cursor=None))


@router.delete("/badges/{badge}", status_code=204, response_class=Response, responses=ACT)
def revoke_badge(request: Request, who: BadgeMaker, badge: BadgePath) -> Response:
    """A lost badge: no compartment is assigned to it any more, and each locker takes it back as soon as it is told
    (`revocation` counts them). Scope badges:write; for a technician's also technicians:write."""
    people.revoke_badge(desk_of(request), who, id_bytes(badge, "unknown_badge"))
    counter_of(request).wake()
    return Response(status_code=204)


@router.post("/credentials", status_code=201, response_model=people_answers.IssuedCredential, responses=ACT)
def issue_credential(
    request: Request, act: Annotated[Act, Depends(acts("credentials:write"))], body: CredentialBody
) -> Response:
    """Make a key to this API. Its secret is shown this once. Scope credentials:write."""
    desk = desk_of(request)

    def work() -> Said:
        made, secret = people.issue_credential(
            desk, act.who, body.role, body.tenant or "", frozenset(body.scopes), body.name, body.carriers
        )
        return Said(201, people_answers.IssuedCredential.issued(made, secret))

    return once(request, act, work)


@router.get("/credentials", response_model=people_answers.CredentialPage, responses=READ)
def list_credentials(request: Request, who: KeyMaker) -> Response:
    """Every key, without its secret. Scope credentials:write."""
    rows = [people_answers.Credential.of(credential) for credential in people.list_credentials(desk_of(request), who)]
    return show(people_answers.CredentialPage(data=rows, next_cursor=None))


@router.delete("/credentials/{credential}", status_code=204, response_class=Response, responses=ACT)
def revoke_credential(request: Request, who: KeyMaker, credential: CredentialPath) -> Response:
    """From now on this key opens nothing. Scope credentials:write."""
    people.revoke_credential(desk_of(request), who, credential_number(credential))
    return Response(status_code=204)
