"""Acts: one transaction holds the effect and the stored answer; after its commit the outbox is woken.

A refusal that depends on how things stand (409) is an answer too and is kept; the caller's own mistakes are not.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response

from gateway import limits
from gateway.asgi import RequestError, Requests
from gateway.domain.errors import Refusal
from gateway.http import idempotency, problems
from gateway.http.auth import Act
from gateway.http.document import Document
from gateway.http.idempotency import Answer
from gateway.http.streams import Streams
from gateway.services.desk import Desk

JSON = "application/json"


def _look_ups() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(limits.WEBHOOK_LOOK_UPS_AT_ONCE_MAX)


@dataclass
class Counter:
    """What every route gets at: the desk, the acts under way, and whom to tell after a commit. `look_ups`: places for
    who waits for a name service, because nobody else is served in that thread meanwhile."""

    desk: Desk
    wake: Callable[[], None]
    ready: Callable[[], bool]
    streams: Streams
    requests: Requests = field(default_factory=Requests)
    running: idempotency.Running = field(default_factory=idempotency.Running)
    look_ups: threading.BoundedSemaphore = field(default_factory=_look_ups)


def counter_of(request: Request) -> Counter:
    state: Any = request.app.state
    return state.counter


@dataclass(frozen=True)
class Said:
    """What a use case's answer becomes."""

    status: int
    document: Document
    location: str = ""

    def answer(self) -> Answer:
        return Answer(self.status, JSON, self.location, self.document.model_dump_json().encode())


def respond(answer: Answer, replayed: bool = False) -> Response:
    headers = {"Location": answer.location} if answer.location else {}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type=answer.media_type)


def show(document: Document) -> Response:
    return Response(document.model_dump_json(), media_type=JSON)


def refusal_answer(request_id: str, refusal: Refusal) -> Answer:
    said = problems.problem(request_id, refusal.code, refusal.detail, refusal.next_actions)
    return Answer(said.status, problems.MEDIA_TYPE, "", problems.encode(said))


def once(request: Request, act: Act, work: Callable[[], Said | Refusal]) -> Response:
    """Carry out `work` unless this act was carried out before. A refusal that it returns, and does not raise, has
    changed the books: both are kept. Raises RequestError, Refusal."""
    counter = counter_of(request)
    with counter.running.claim(act.slot) as free:
        if not free:
            raise RequestError("busy", "The same act is being carried out at this moment.")
        answer, replayed = _in_one_transaction(counter.desk, act, work, request.state.request_id)
    if not replayed:
        counter.wake()
    return respond(answer, replayed)


def _in_one_transaction(
    desk: Desk, act: Act, work: Callable[[], Said | Refusal], request_id: str
) -> tuple[Answer, bool]:
    with desk.store.transaction() as tx:
        kept = tx.find_answer(act.slot.id)
        if kept is not None:
            return _kept_answer(act, *kept), True
        try:
            with desk.store.transaction():
                said = work()
            answer = refusal_answer(request_id, said) if isinstance(said, Refusal) else said.answer()
        except Refusal as refusal:
            if problems.status_of(refusal.code) != 409:
                raise
            answer = refusal_answer(request_id, refusal)
        tx.keep_answer(act.slot.id, act.slot.fingerprint, idempotency.seal(act.slot, answer), desk.clock())
        return answer, False


def _kept_answer(act: Act, fingerprint: bytes, sealed: bytes) -> Answer:
    if fingerprint != act.slot.fingerprint:
        raise RequestError("idempotency_key_reused", "This Idempotency-Key was used for another request.")
    answer = idempotency.unseal(act.slot, sealed)
    if answer is None:
        raise RequestError("internal", "The stored answer cannot be read; the act was carried out.")
    return answer
