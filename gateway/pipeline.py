"""The gateway's lap: take what has arrived, verify, decode, take up in one transaction, commit; only then answer
and acknowledge. No timer gathers a batch: while one commits, the next gathers in the socket.

Anything may arrive twice. What the database would not take is not acknowledged, and the broker gives it again.
"""

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import limits, log
from gateway.domain.events import Answer, Arrival
from gateway.envelopes import Envelopes, InsideError
from gateway.frames import Received
from gateway.mqtt import Connection
from gateway.outbox import Outbox
from protocol import topics
from protocol.errors import ProtocolError, number_of
from protocol.messages import Reject

TakeUp = Callable[[Sequence[Arrival]], Sequence[Answer]]

_ID_SIZE = 8  # of a command
_DATABASE_FAULTS = (sqlite3.OperationalError, OSError)  # disk full, I/O error, locked: the world's fault


@dataclass
class Counts:
    taken: int = 0
    refused: int = 0
    batches: int = 0
    failures: int = 0


class Pipeline:
    """`take_up` commits before it returns. start() runs it in a thread of its own."""

    def __init__(  # noqa: PLR0917 - its parts
        self,
        take_up: TakeUp,
        envelopes: Envelopes,
        outbox: Outbox | None,
        connection: Connection,
        clock: Callable[[], int] = lambda: int(time.time()),
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._take_up = take_up
        self._envelopes = envelopes
        self._outbox = outbox
        self._connection = connection
        self._clock = clock
        self._randomness = randomness
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self.run, name="mqtt", daemon=True)
        self._places: dict[str, tuple[str, str]] = {}
        self._seldom = log.Seldom(limits.STRANGER_LOG_EVERY_S)
        self._look_at = 0.0
        self.counts = Counts()

    @property
    def connected(self) -> bool:
        return self._connection.ready

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._connection.wake()
        if self._thread.ident is not None:
            self._thread.join(limits.CONNECT_WAIT_S + limits.TAKE_UP_RETRY_S)
        self._connection.close()

    def wake(self) -> None:
        """From any thread, after a commit that may have left orders in the outbox."""
        self._woken.set()
        self._connection.wake()

    # -------------------------------------------------------------- the thread
    def run(self) -> None:
        pause_s = limits.RECONNECT_S_MIN
        opened = -limits.SESSION_S_MIN
        while not self._stopping.is_set():
            if self._connection.ready:
                self._lap_or_drop()
            elif time.monotonic() < opened + limits.SESSION_S_MIN:
                self._stopping.wait(limits.SESSION_S_MIN)
            elif self._connection.open():
                opened = time.monotonic()
                pause_s = limits.RECONNECT_S_MIN
                self._woken.set()
            else:
                if self._seldom.allows(self._connection.last_error):
                    log.event("mqtt_unreachable", error=self._connection.last_error)
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, limits.RECONNECT_S_MAX)

    def _lap_or_drop(self) -> None:
        try:
            self._connection.wait(limits.OUTBOX_LOOK_S)
            self.lap()
        except _DATABASE_FAULTS as error:
            log.event("database_failed", error=type(error).__name__, retry_in_s=limits.TAKE_UP_RETRY_S)
        except Exception as error:  # the outermost loop: log, count, and begin again from what is committed
            log.event("lap_failed", error=type(error).__name__, at=_place_of(error))
        else:
            return
        self.counts.failures += 1
        self._connection.drop()
        self._stopping.wait(limits.TAKE_UP_RETRY_S)

    def lap(self) -> None:
        received = self._connection.take()
        arrivals, answers = self._opened(received)
        if arrivals:
            answers += self._taken(arrivals)
        self._tell(answers)
        self._connection.acknowledge(received)
        self._connection.flush()
        self._hand_over(bool(arrivals))

    def _hand_over(self, arrived: bool) -> None:
        now = time.monotonic()
        if self._outbox is None or not (arrived or self._woken.is_set() or now >= self._look_at):
            return
        self._woken.clear()
        self._look_at = now + limits.OUTBOX_LOOK_S
        if self._outbox.hand_over(self._connection.publish):
            self.wake()
        self._connection.flush()
        self._outbox.mark()

    def _taken(self, arrivals: Sequence[Arrival]) -> Sequence[Answer]:
        try:
            answers = self._take_up(arrivals)
        except _DATABASE_FAULTS:
            raise
        except Exception as error:  # our own bug, and one event's: the others must not wait for it
            log.event("batch_failed", error=type(error).__name__, at=_place_of(error), size=len(arrivals))
            answers = [answer for arrival in arrivals for answer in self._taken_alone(arrival)]
        self.counts.taken += len(arrivals)
        self.counts.batches += 1
        return answers

    def _taken_alone(self, arrival: Arrival) -> Sequence[Answer]:
        try:
            return self._take_up([arrival])
        except _DATABASE_FAULTS:
            raise
        except Exception as error:
            self.counts.failures += 1
            up = arrival.up
            log.event(
                "event_not_taken",
                locker=arrival.locker,
                seq=up.seq,
                type=type(up.event).__name__,
                error=type(error).__name__,
                at=_place_of(error),
            )
            return [Answer(arrival.locker, [Reject(up.seq, number_of("wrong_state"))])]

    def _tell(self, answers: Sequence[Answer]) -> None:
        """About the link itself; harmless to lose and to repeat, so it is in no outbox."""
        now_s, ttl_s = self._clock(), limits.LINK_COMMAND_TTL_S
        ids = self._randomness(_ID_SIZE * sum([len(answer.messages) for answer in answers]))
        place = 0
        for answer in answers:
            for message in answer.messages:
                id8, place = ids[place : place + _ID_SIZE], place + _ID_SIZE
                try:
                    sealed = self._envelopes.seal_command(answer.locker, id8, now_s, ttl_s, message)
                except ProtocolError as error:
                    log.event("answer_not_sealed", locker=answer.locker, error=error.code)
                else:
                    self._connection.publish(self._envelopes.topic(answer.locker), sealed)

    # -------------------------------------------------------------- opening
    def _opened(self, received: Sequence[Received]) -> tuple[list[Arrival], list[Answer]]:
        """What is authentic and whole, and what to answer to the rest."""
        arrivals: list[Arrival] = []
        answers: list[Answer] = []
        for one in received:
            if not one.payload:
                continue  # how a retained message is deleted
            locker = ""
            try:
                locker, leaf = self._place(one.topic)
                up = self._envelopes.open(locker, one.payload)
                if one.retained and leaf != "state":
                    raise InsideError("retained", "event", up.seq)
                arrivals.append(Arrival(locker, up))
            except ProtocolError as error:
                self._refuse(locker, error)
                if isinstance(error, InsideError):
                    answers.append(Answer(locker, [Reject(error.seq, error.number)]))
        return arrivals, answers

    def _place(self, topic: str) -> tuple[str, str]:
        place = self._places.get(topic)
        if place is None:
            place = topics.locker_of(topic)
            if len(self._places) >= 2 * limits.LOCKERS_CACHED_MAX:
                self._places.clear()
            self._places[topic] = place
        return place

    def _refuse(self, locker: str, error: ProtocolError) -> None:
        self.counts.refused += 1
        if self._seldom.allows(f"{locker} {error.code}"):
            log.event("message_refused", locker=locker, error=error.code, detail=error.detail)


def _place_of(error: BaseException) -> str:
    """file:line of where it was raised; never its text, which may hold what came from outside."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
