"""Counts what the agent compares, from outside: what it says of itself is not believed.

A comparison is `evaluated` when anything that the agent ordered after it was performed, and `blind` when the power
went before: then neither a door nor a sign could have come of it, had the guess been right. But where a wrong guess
is worked on for longer than a right one, that would have been through by then: it is `timed`, and evaluated, too.
`unpaid` are those evaluated that no record on flash followed at once: free ones, on a locker with a bucket. `in_pause`
are those evaluated less than a pause of powered time after the one before.
"""

from typing import TYPE_CHECKING

from device.agent.effects import Save
from protocol.limits import WRONG_CODE_PAUSE_MS
from protocol.numbers import CONSOLE, HELD, KEYPAD, SCANNER

if TYPE_CHECKING:
    from typing import Any

    from device.agent.core import Agent
    from device.agent.effects import Effect

INPUTS = {KEYPAD: "keypad", SCANNER: "scanner", CONSOLE: "console"}


class Tally:
    """Counts by name; a name that was never counted is 0."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + count

    def raise_to(self, name: str, value: int) -> None:
        self.counts[name] = max(self.counts.get(name, 0), value)

    def of(self, name: str) -> int:
        return self.counts.get(name, 0)


class Watch:
    """On one agent after the other. `guessing` says whose comparisons they are."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.guessing = False
        # Of the step under way: (input, how many effects were ordered before it) of each comparison.
        self.compared: list[tuple[int, int]] = []
        self._channel = 0
        self._before = 0
        self._pause_until = 0  # in powered time
        self._derived = 0
        self._derived_at = 0  # when the outcome was known
        self._agent: Agent | None = None

    def put_on(self, agent: "Agent") -> None:
        """Wrap the two ways into the comparisons, and the comparisons themselves, of this one agent."""
        self._agent = agent
        access = agent._access
        codes = access._codes
        typed, find, log_in, answer = access.typed, codes.find, agent.log_in, agent.console.answer
        digest = codes._key.digest

        def watched_typed(now: int, channel: int, code: str, effects: "list[Effect]") -> "tuple[str, int]":
            self._channel, self._before = channel, len(effects)
            return typed(now, channel, code, effects)

        def watched_find(code: str) -> "int | None":
            place = find(code)
            self._note(place is not None)
            return place

        def watched_log_in(now: int, answer: str, effects: "list[Effect]") -> str:
            self._channel, self._before = CONSOLE, len(effects)
            return log_in(now, answer, effects)

        def watched_answer(now: int, text: str) -> str:
            why = answer(now, text)
            if why != "wrong_state":  # without a challenge there is nothing to compare with
                self._note(not why)
            return why

        def watched_digest(message: bytes) -> bytes:
            self._derived += 1
            return digest(message)

        _replace(codes._key, "digest", watched_digest)
        _replace(access, "typed", watched_typed)
        _replace(codes, "find", watched_find)
        _replace(agent, "log_in", watched_log_in)
        _replace(agent.console, "answer", watched_answer)

    def _note(self, right: bool) -> None:
        self.compared.append((self._channel, self._before))
        self._derived_at = self._derived
        if self.guessing and right:
            self._tally.add("hits")

    def judge(self, effects: "list[Effect]", performed: int, cut: bool, uptime_ms: int) -> None:
        """What became of this step's comparisons, now that so many of its effects were performed."""
        for channel, before in self.compared:
            if not self.guessing:
                self._tally.add("honest_compared")
            elif cut and performed <= before:
                self._cut_off(channel, uptime_ms)
            else:
                self._evaluated(channel, uptime_ms)
                if before >= len(effects) or not isinstance(effects[before], Save):
                    self._tally.add("unpaid")
        self.compared = []

    def _cut_off(self, channel: int, uptime_ms: int) -> None:
        if self._derived == self._derived_at:
            self._tally.add("blind")
            return
        self._tally.add("timed")
        self._tally.add("unpaid")
        self._evaluated(channel, uptime_ms)

    def _evaluated(self, channel: int, uptime_ms: int) -> None:
        self._tally.add("evaluated_" + INPUTS[channel])
        if uptime_ms < self._pause_until:
            self._tally.add("in_pause")
        self._pause_until = uptime_ms + WRONG_CODE_PAUSE_MS
        if channel != CONSOLE and self._agent is not None:
            self._tally.add("live_codes", sum([1 for held in self._agent.books.holdings if held == HELD]))


def _replace(owner: "Any", name: str, function: "Any") -> None:
    setattr(owner, name, function)
