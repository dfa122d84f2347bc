"""Who asks, and may they: bearer secret -> Principal, one scope per route, and the Idempotency-Key of an act."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request

from gateway import limits
from gateway.asgi import RequestError
from gateway.domain.errors import Refusal
from gateway.domain.people import Principal
from gateway.http import idempotency
from gateway.rates import Admission
from gateway.services import people
from gateway.services.desk import Desk

CHALLENGE = "Send the header 'Authorization: Bearer SECRET'."


def desk_of(request: Request) -> Desk:
    return request.app.state.desk


def secret_of(request: Request) -> str:
    """The bearer secret. Raises Refusal("unauthenticated")."""
    said = request.headers.getlist("authorization")
    kind, _, secret = (said[0] if len(said) == 1 else "").partition(" ")
    secret = secret.strip()
    good = kind.lower() == "bearer" and 0 < len(secret) <= limits.SECRET_SIZE_MAX and secret.isascii()
    if not good:
        raise Refusal("unauthenticated", CHALLENGE)
    return secret


def anyone(request: Request) -> Principal:
    """A dependency: whoever has a good key. The gate is told whether it was one."""
    admission: Admission = request.state.admission
    secret = secret_of(request)
    try:
        who = people.authenticate(desk_of(request), secret)
    except Refusal:
        admission.unknown()
        raise
    admission.known()
    return who


def needs(scope: str) -> Callable[[Request], Principal]:
    """A dependency: the principal, who has `scope`."""

    def principal(request: Request) -> Principal:
        who = anyone(request)
        who.must(scope)
        return who

    return principal


@dataclass(frozen=True)
class Act:
    """An acting request: who, and where its answer is kept."""

    who: Principal
    slot: idempotency.Slot


KEY_NAME = "Idempotency-Key"
KeyHeader = Annotated[
    str | None,
    Header(
        alias=KEY_NAME,
        description="Random, new for every act; the same on a retry, which then gets the first answer. Required.",
    ),
]


def acts(scope: str) -> Callable[..., Act]:
    """A dependency: the principal and the slot of this act. Raises RequestError when the key is missing."""
    principal = needs(scope)

    def act(request: Request, idempotency_key: KeyHeader = None) -> Act:
        who = principal(request)
        if idempotency_key is None:
            raise RequestError("idempotency_key_missing", "An act needs the header Idempotency-Key.")
        if not idempotency.is_key(idempotency_key):
            raise RequestError("idempotency_key_bad", "That Idempotency-Key cannot be used.")
        place = idempotency.slot(
            secret_of(request),
            idempotency_key,
            request.method,
            request.url.path,
            request.state.body_digest,
        )
        return Act(who, place)

    return act
