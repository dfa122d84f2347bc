"""/v1/lockers/{locker}/greeting: the language of its screen for whoever has not chosen one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from gateway.domain import greetings as domain
from gateway.domain.people import Principal
from gateway.http.acting import show
from gateway.http.answers import Document
from gateway.http.auth import desk_of, needs
from gateway.http.routing import ACT, READ, LockerPath
from gateway.http.schemas import Body
from gateway.services import greetings
from protocol.numbers import LANGUAGES

router = APIRouter(prefix="/v1/lockers", tags=["lockers"])
Reader = Annotated[Principal, Depends(needs("lockers:read"))]
Writer = Annotated[Principal, Depends(needs("lockers:write"))]
Language = Annotated[str, Field(max_length=2, pattern=f"^({'|'.join(LANGUAGES)})$", examples=list(LANGUAGES))]


class GreetingBody(Body):
    language: Language


class Greeting(Document):
    language: Annotated[str | None, Field(description="What is wanted; null: nobody said, it greets as it was built.")]
    at_locker: Annotated[
        str | None, Field(description="What the locker said that it has kept; another one until it is connected.")
    ]

    @staticmethod
    def of(greeting: domain.Greeting) -> "Greeting":
        return Greeting(language=greeting.wanted, at_locker=greeting.held)


@router.get("/{locker}/greeting", response_model=Greeting, responses=READ)
def get_greeting(request: Request, who: Reader, locker: LockerPath) -> Response:
    """Scope lockers:read."""
    return show(Greeting.of(greetings.greeting_of(desk_of(request), who, locker)))


@router.put("/{locker}/greeting", response_model=Greeting, responses=ACT)
def put_greeting(request: Request, who: Writer, locker: LockerPath, body: GreetingBody) -> Response:
    """The same twice is the same; a locker that is away learns it when it is back. Scope lockers:write."""
    return show(Greeting.of(greetings.greet_in(desk_of(request), who, locker, body.language)))
