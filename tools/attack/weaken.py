"""Agents with one rule of the throttle taken away, so that the attack can show what it would see. Never flashed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from device.agent.books import Books
from device.agent.config import Config
from device.agent.core import Agent
from device.agent.effects import Save
from protocol.limits import WRONG_CODE_BUCKET, WRONG_CODE_REFILL_MS
from protocol.messages import BucketRefilled, CodeRefused, decode_up
from tools.attack.board.siege import sound

if TYPE_CHECKING:
    from device.agent.effects import Effect

Make = Callable[[Config, Books, int, bytes], Agent]


def bucket_full_at_boot(config: Config, books: Books, boot: int, seed: bytes) -> Agent:
    """The bucket is kept in memory alone."""
    books.bucket = WRONG_CODE_BUCKET
    return sound(config, books, boot, seed)


def no_pause_at_boot(config: Config, books: Books, boot: int, seed: bytes) -> Agent:
    """The pause is kept in memory alone."""

    def forget(_now: int) -> None: ...

    agent = sound(config, books, boot, seed)
    setattr(agent._access, "start", forget)  # noqa: B010 - a method of one object, which the type checker forbids
    return agent


class _OpenConsole(Agent):
    def log_in(self, now: int, answer: str, effects: "list[Effect]") -> str:  # noqa: ARG002 - the one it replaces
        return self.console.answer(now, answer)


def console_unthrottled(config: Config, books: Books, boot: int, seed: bytes) -> Agent:
    """Answers to the console's challenge cost nothing."""
    return _OpenConsole(config, books, boot, seed, 1)


def refill_by_wall_clock(config: Config, books: Books, boot: int, seed: bytes) -> Agent:
    """The bucket fills by the time of day, so that hours without power count, too."""
    last_s = books.wall_s
    agent = sound(config, books, boot, seed)

    def tick(now: int, effects: "list[Effect]") -> None:
        nonlocal last_s
        wall_s = agent.link.wall_s(now)
        if wall_s is None:
            return
        last_s = last_s or wall_s
        while wall_s - last_s >= WRONG_CODE_REFILL_MS // 1000 and books.bucket < WRONG_CODE_BUCKET:
            last_s += WRONG_CODE_REFILL_MS // 1000
            agent.ledger.save(now, BucketRefilled(books.bucket + 1), effects)
        if books.bucket == WRONG_CODE_BUCKET:
            last_s = wall_s

    setattr(agent._access, "tick", tick)  # noqa: B010
    return agent


class _TellsFirst(Agent):
    def step(self, now: int, event: object) -> "list[Effect]":
        effects = super().step(now, event)
        late = [effect for effect in effects if isinstance(effect, Save)]
        if not any(_is_refusal(save) for save in late):
            return effects
        return [effect for effect in effects if effect not in late] + late


def _is_refusal(save: Save) -> bool:
    return isinstance(decode_up(save.record).event, CodeRefused)


def told_before_saved(config: Config, books: Books, boot: int, seed: bytes) -> Agent:
    """A wrong code is on the screen before it is on flash."""
    return _TellsFirst(config, books, boot, seed, 1)


def right_known_first(config: Config, books: Books, boot: int, seed: bytes) -> Agent:
    """Wrong codes alone are looked for among the spent ones, which takes a board some 60 ms: so it was at first."""
    asked = 0
    agent = sound(config, books, boot, seed)
    codes = agent._access._codes

    def find(code: str) -> int | None:
        nonlocal asked
        asked = int(code)
        return codes._find(asked)

    def find_spent() -> tuple[int, int] | None:
        return codes._find_spent(asked)

    setattr(codes, "find", find)  # noqa: B010
    setattr(codes, "find_spent", find_spent)  # noqa: B010
    return agent


WAYS: dict[str, Make] = {
    "bucket": bucket_full_at_boot,
    "pause": no_pause_at_boot,
    "console": console_unthrottled,
    "wallclock": refill_by_wall_clock,
    "told": told_before_saved,
    "timing": right_known_first,
}
# 16 digits have nothing but the pause.
DIGITS = {"pause": 16}
