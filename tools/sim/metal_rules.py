"""The rules about coils and pulses: what a lock and its supply can bear, and whose leave a pulse has."""

from collections import deque
from typing import TYPE_CHECKING

from protocol.limits import (
    COMMAND_OPENS_PER_HOUR_MAX,
    JOURNAL_RESERVE_RECORDS,
    PULSE_DUTY_MS_MAX,
    PULSE_DUTY_WINDOW_MS,
    PULSE_MS_MAX,
    PULSE_RETRY_MS,
    PULSE_TRIES_MAX,
)
from protocol.messages import Message, OpeningAuthorised, PickupAuthorised
from protocol.numbers import COMMAND
from tools.sim.world import HOUR, MINUTE, SECOND, Violation, World

if TYPE_CHECKING:
    from tools.sim.board import Locker

_PULSE_AFTER_MS = PULSE_TRIES_MAX * PULSE_RETRY_MS + 8 * SECOND  # the last retry, and the queue of a lock driver
_COIL_SLACK_MS = 5


class Metal:
    """Of one locker. `authorise(number, boot, event)`: that record is on its flash now."""

    def __init__(self, world: World, locker: "Locker") -> None:
        self._world = world
        self._locker = locker
        self._leave: dict[int, tuple[int, int, Message]] = {}  # door -> (when, boot, the newest authorisation)
        self.pickups: set[int] = set()  # doors whose pickup was authorised and has not ended
        self._on: dict[int, int] = {}
        self._spent: deque[tuple[int, int, int]] = deque()
        self._opens: deque[int] = deque()
        self._counted: set[bytes | None] = set()  # commands

    def _broken(self, rule: str, text: str) -> None:
        raise Violation(rule, f"at {self._world.now / 1000:.3f} s: {self._locker.name} {text}")

    def authorise(self, number: int, boot: int, event: Message) -> None:
        self._leave[number] = (self._world.now, boot, event)
        self.pickups.discard(number)
        if isinstance(event, PickupAuthorised):
            self.pickups.add(number)

    def end(self, number: int) -> None:
        """What was authorised there is over."""
        self._leave.pop(number, None)
        self.pickups.discard(number)

    def pulsed(self, number: int) -> None:
        """I1: its authorisation lies on the flash, is fresh, and is of this boot; or, with hardly any room left, it is
        that of a pickup which has not ended, and somebody has just shown something again. I10: few by command."""
        found = self._leave.get(number)
        again = number in self.pickups and self._world.now - self._locker.touched < _PULSE_AFTER_MS
        if again and self._locker.journal.free < JOURNAL_RESERVE_RECORDS + 4 * len(self._locker.config.numbers):
            return
        if found is None or self._world.now - found[0] > _PULSE_AFTER_MS:
            self._broken("I1", f"pulses door {number} without an authorisation on its flash")
            return
        boot = self._locker.boot
        if boot is not None and boot != found[1]:
            self._broken("I1", f"pulses door {number} by an authorisation from before its start")
        event = found[2]
        if isinstance(event, OpeningAuthorised) and event.channel == COMMAND and event.command not in self._counted:
            self._counted.add(event.command)
            self._count_open()

    def _count_open(self) -> None:
        self._opens.append(self._world.now)
        while self._opens[0] <= self._world.now - HOUR + MINUTE:
            self._opens.popleft()
        if len(self._opens) > COMMAND_OPENS_PER_HOUR_MAX:
            self._broken("I10", f"opened {len(self._opens)} doors on command within an hour")

    # -------------------------------------------------------------- I9
    def coil(self, number: int, on: bool) -> None:
        now = self._world.now
        if not on:
            self._off(number)
            return
        if any(other != number for other in self._on):
            self._broken("I9", "energises two coils at once")
        self._on.setdefault(number, now)
        self._world.after(PULSE_MS_MAX + _COIL_SLACK_MS, lambda: self._still_on(number, now))

    def _off(self, number: int) -> None:
        now = self._world.now
        since = self._on.pop(number, None)
        if since is None:
            return
        self._spent.append((now, number, now - since))
        while self._spent[0][0] < now - PULSE_DUTY_WINDOW_MS:
            self._spent.popleft()
        spent = sum(ms for _, which, ms in self._spent if which == number)
        if spent > PULSE_DUTY_MS_MAX + _COIL_SLACK_MS:
            self._broken("I9", f"has coil {number} on for {spent} ms of a minute")

    def _still_on(self, number: int, since: int) -> None:
        if self._on.get(number) == since:
            self._broken("I9", f"has coil {number} on for more than {PULSE_MS_MAX} ms")

    def powered_off(self) -> None:
        for number in list(self._on):
            self._off(number)
