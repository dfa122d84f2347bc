"""/v1/webhooks: where to be told of one's parcels. Standard Webhooks; a secret is told once and kept nowhere."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, Field

from gateway import limits, reach
from gateway.asgi import RequestError
from gateway.domain import webhooks as domain
from gateway.domain.destinations import destination_of
from gateway.domain.errors import Refusal
from gateway.domain.ids import webhook_number
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.people import Principal
from gateway.http.acting import Said, counter_of, once, show
from gateway.http.auth import Act, acts, desk_of, needs
from gateway.http.document import Document
from gateway.http.routing import ACT, READ, WebhookPath
from gateway.http.schemas import Body, printable
from gateway.services import webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Owner = Annotated[Principal, Depends(needs("webhooks:write"))]
Writer = Annotated[Act, Depends(acts("webhooks:write"))]
Type = Literal[
    "parcel.expected",
    "parcel.deposited",
    "parcel.collected",
    "parcel.expired",
    "parcel.taken_back",
    "parcel.disputed",
    "parcel.contested",
]


class WebhookBody(Body):
    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=limits.WEBHOOK_URL_SIZE_MAX,
            pattern=r"^https?://[!-~]+$",
            description="https, a name on the public internet, port 443 or one from 1024; no user, no fragment.",
            examples=["https://shop.example/hooks/consigne"],
        ),
    ]
    types: Annotated[
        list[Type] | None,
        Field(min_length=1, max_length=len(domain.TYPES), description="Left out: all, those to come too."),
    ] = None
    description: Annotated[
        str, Field(max_length=limits.NAME_SIZE_MAX, description="For yourself."), AfterValidator(printable)
    ] = ""


class RotationBody(Body):
    overlap_hours: Annotated[
        int,
        Field(
            ge=0,
            le=limits.WEBHOOK_OVERLAP_HOURS_MAX,
            description="The former secret signs too for so long; 0: stolen.",
        ),
    ] = limits.WEBHOOK_OVERLAP_HOURS


class WebhookFailure(Document):
    at: str
    reason: str = Field(
        description="status_NNN, gone, timeout, unreachable, tls, unknown_host, private_address, bad_url, internal."
    )


class Webhook(Document):
    id: str
    url: str
    types: list[Type]
    description: str
    role: Literal["operator", "courier", "merchant"]
    tenant: str | None
    status: Literal["active", "failing", "disabled"] = Field(
        description="failing: nothing is taken now, or events were given up. disabled: its receiver said 410."
    )
    made_at: str
    failing_since: str | None
    last_delivered_at: str | None
    last_failure: WebhookFailure | None
    waiting: int = Field(description="Events that it has not taken yet.")
    given_up: int = Field(description="Events that it did not take in ten tries; kept 30 days for `redelivery`.")
    former_secret_until: str | None = Field(description="Until then the secret before this one signs too.")
    next_actions: list[str]

    @staticmethod
    def of(one: domain.Webhook) -> "Webhook":
        told = [kind for kind in domain.TYPES if not one.types or kind in one.types]
        failure = None
        if one.failure is not None and one.failed_s is not None:
            failure = WebhookFailure(at=instant(one.failed_s), reason=one.failure)
        return Webhook(
            id=one.id,
            url=one.url,
            types=told,  # pyright: ignore[reportArgumentType]
            description=one.description,
            role=one.role,  # pyright: ignore[reportArgumentType]
            tenant=one.tenant or None,
            status=one.status,  # pyright: ignore[reportArgumentType]
            made_at=instant(one.made_s),
            failing_since=maybe_instant(one.failing_since_s),
            last_delivered_at=maybe_instant(one.delivered_s),
            last_failure=failure,
            waiting=one.waiting,
            given_up=one.given_up,
            former_secret_until=maybe_instant(one.old_until_s),
            next_actions=list(NEXT_ACTIONS[one.status]),
        )


class IssuedWebhook(Webhook):
    secret: str = Field(description="whsec_ and base64; shown this once.", examples=["whsec_MfKQ9r8GKYqrTwjUPD8I…"])

    @staticmethod
    def issued(one: domain.Webhook, secret: str) -> "IssuedWebhook":
        return IssuedWebhook(**Webhook.of(one).model_dump(), secret=secret)


class WebhookPage(Document):
    data: list[Webhook]
    next_cursor: str | None


NEXT_ACTIONS = {
    "active": (),
    "failing": ("mend the receiver as last_failure says", "then ask for redelivery of what was given up"),
    "disabled": ("ask for redelivery: it is active again, and told what it missed until then", "or delete it"),
}


def _addresses(request: Request, url: str) -> list[str]:
    """Looked up before the books are opened for writing: a slow name server must not hold them, nor all our threads.
    Raises RequestError("unavailable")."""
    try:
        there = destination_of(url, desk_of(request).settings.webhooks_allow_private)
    except Refusal:
        return []  # refused again, and in words, where it is made
    places = counter_of(request).look_ups
    if not places.acquire(blocking=False):
        raise RequestError("unavailable", "Too many names are being looked up at this moment.")
    try:
        return reach.look_up(there.host, there.port)
    finally:
        places.release()


@router.post("", status_code=201, response_model=IssuedWebhook, responses=ACT)
def make_webhook(request: Request, act: Writer, body: WebhookBody) -> Response:
    """Be told of your parcels from now on (Standard Webhooks, CloudEvents). Its secret is shown this once, and checks
    the header webhook-signature. Answer 2xx within 15 seconds. Scope webhooks:write."""
    desk = desk_of(request)
    addresses = _addresses(request, body.url)

    def work() -> Said:
        made, secret = webhooks.make_webhook(desk, act.who, body.url, body.types or (), body.description, addresses)
        return Said(201, IssuedWebhook.issued(made, secret), f"/v1/webhooks/{made.id}")

    return once(request, act, work)


@router.get("", response_model=WebhookPage, responses=READ)
def list_webhooks(request: Request, who: Owner) -> Response:
    """Yours; an operator sees all. Scope webhooks:write."""
    rows = [Webhook.of(one) for one in webhooks.list_webhooks(desk_of(request), who)]
    return show(WebhookPage(data=rows, next_cursor=None))


@router.get("/{webhook}", response_model=Webhook, responses=READ)
def get_webhook(request: Request, who: Owner, webhook: WebhookPath) -> Response:
    """How it stands. Scope webhooks:write."""
    return show(Webhook.of(webhooks.get_webhook(desk_of(request), who, webhook_number(webhook))))


@router.delete("/{webhook}", status_code=204, response_class=Response, responses=ACT)
def delete_webhook(request: Request, who: Owner, webhook: WebhookPath) -> Response:
    """It is told nothing more, not even what waits. Scope webhooks:write."""
    webhooks.delete_webhook(desk_of(request), who, webhook_number(webhook))
    return Response(status_code=204)


@router.post("/{webhook}/rotation", status_code=201, response_model=IssuedWebhook, responses=ACT)
def rotate_secret(request: Request, act: Writer, webhook: WebhookPath, body: RotationBody) -> Response:
    """A new secret, shown this once; the former one signs too for a while. Scope webhooks:write."""
    desk = desk_of(request)

    def work() -> Said:
        changed, secret = webhooks.rotate_secret(desk, act.who, webhook_number(webhook), body.overlap_hours)
        return Said(201, IssuedWebhook.issued(changed, secret), f"/v1/webhooks/{changed.id}")

    return once(request, act, work)


@router.post("/{webhook}/redelivery", status_code=202, response_model=Webhook, responses=ACT)
def deliver_again(request: Request, act: Writer, webhook: WebhookPath) -> Response:
    """Try again what was given up, and at once what waits; what was disabled is active again. Scope webhooks:write."""
    desk = desk_of(request)

    def work() -> Said:
        changed = webhooks.deliver_again(desk, act.who, webhook_number(webhook))
        return Said(202, Webhook.of(changed), f"/v1/webhooks/{changed.id}")

    return once(request, act, work)
