"""Delivers what webhooks wait for: a thread of its own with many tries under way, and none that holds up another.

What is due stands in the books (services/deliveries.py), and nowhere else: a start after a crash goes on where the
books are. Of each parcel one event is under way at a time, so their order is kept.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable

from gateway import limits, log
from gateway.domain.ids import WebhookNumber
from gateway.domain.webhooks import Delivery, signature
from gateway.notify.poster import Poster, Reply
from gateway.services import deliveries
from gateway.services.deliveries import Outcome, Ready
from gateway.services.desk import Desk

_FORGET_EVERY_S = 3_600.0


class Deliverer:
    def __init__(self, desk: Desk, poster: Callable[[], Poster] | None = None) -> None:
        """`poster` makes one in the thread that uses it."""
        self._desk = desk
        self._poster = poster or (lambda: Poster(desk.settings.webhooks_allow_private))
        self._flying: dict[int, tuple[Delivery, bool]] = {}  # position -> the delivery, and whether it is doubtful
        self._done: list[Outcome] = []
        self._slow: set[WebhookNumber] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._stopping = False
        self._forget_at = 0.0
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self.wake()
        self._thread.join(limits.WEBHOOK_STOP_S_MAX)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def resting(self) -> bool:
        """Nothing is under way and nothing waits for being written down."""
        return not self._flying

    def wake(self) -> None:
        """From any thread: something may be due."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._woken.set)
            except RuntimeError:  # it closed at this very moment
                return

    # -------------------------------------------------------------- the loop
    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        poster = self._poster()
        try:
            while not self._stopping:
                self._woken.clear()
                try:
                    self._lap(poster)
                except Exception as error:  # the outermost loop: whatever it is, the next lap may do better
                    log.event("webhooks_failed", error=type(error).__name__)
                try:
                    async with asyncio.timeout(limits.WEBHOOK_LOOK_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await poster.close()

    def _lap(self, poster: Poster) -> None:
        self._settle()
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + _FORGET_EVERY_S
            deliveries.forget_given_up(self._desk)
        for ready in deliveries.ready(self._desk):
            for delivery in self._next(ready):
                self._send(poster, ready, delivery)

    def _settle(self) -> None:
        """What cannot be written down stays under way, as it were, and is written in a later lap."""
        outcomes = list(self._done)
        if not outcomes:
            return
        results = deliveries.settle(self._desk, outcomes)
        del self._done[: len(outcomes)]
        for outcome in outcomes:
            del self._flying[outcome.delivery.position]
        for outcome, result in results:
            _note(outcome, result)

    def _next(self, ready: Ready) -> list[Delivery]:
        """What to send there now, within what one receiver may have under way, and all of them."""
        number = ready.webhook.number
        doubtful = ready.webhook.failures > 0 or number in self._slow
        load = Counter(delivery.webhook for delivery, _ in self._flying.values())
        room = (1 if doubtful else limits.WEBHOOK_AT_ONCE_MAX) - load[number]
        room = min(room, limits.WEBHOOKS_AT_ONCE_MAX - len(self._flying))
        if doubtful:
            room = min(room, limits.WEBHOOKS_DOUBTFUL_AT_ONCE_MAX - sum(one for _, one in self._flying.values()))
        if room <= 0:
            return []
        due = deliveries.due(self._desk, ready.webhook, room + load[number])
        return [delivery for delivery in due if delivery.position not in self._flying][:room]

    def _send(self, poster: Poster, ready: Ready, delivery: Delivery) -> None:
        doubtful = ready.webhook.failures > 0 or ready.webhook.number in self._slow
        self._flying[delivery.position] = (delivery, doubtful)
        task = asyncio.create_task(self._try(poster, ready, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, poster: Poster, ready: Ready, delivery: Delivery) -> None:
        began = time.monotonic()
        now_s = self._desk.clock()
        reply = Reply("internal")
        try:
            headers = {
                "Content-Type": "application/json",
                "webhook-id": delivery.event,
                "webhook-timestamp": str(now_s),
                "webhook-signature": signature(ready.secrets, delivery.event, now_s, delivery.body),
            }
            reply = await poster.post(ready.webhook.url, headers, delivery.body)
        except Exception as error:  # a fault of ours with one receiver must not stop the others
            log.event("webhook_try_failed", webhook=ready.webhook.id, error=type(error).__name__)
        slow = time.monotonic() - began > limits.WEBHOOK_SLOW_S
        (self._slow.add if slow else self._slow.discard)(delivery.webhook)
        self._done.append(Outcome(delivery, reply.failure, reply.retry_after_s))
        self._woken.set()


def _note(outcome: Outcome, result: str) -> None:
    """Ids only: an address may hold a secret of its receiver's."""
    log.event(
        "webhook_told",
        message=outcome.delivery.event,
        result=result,
        failure=outcome.failure,
        tries=outcome.delivery.tries + 1,
    )
