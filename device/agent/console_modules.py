"""`module …` and `config …` on the console: who may, what of it is journalled, and how the answer reads. Loaded only
when one of them is typed. What they do to the flash is device.settings' business.
"""

import sys
from typing import TYPE_CHECKING

from device.agent.effects import Restart
from protocol.record import Record

if TYPE_CHECKING:
    from typing import Any

    from device.agent.core import Agent
    from device.agent.effects import Effect


_LOADED = (
    "device.settings",
    "device.trial",
    "device.agent.modules",
    "device.agent.console_modules",
    "device.drivers.locks.scan",
)


def order(agent: "Agent", first: str, others: "list[str]", now: int, effects: "list[Effect]") -> None:
    """Looking is free; whatever changes something, or takes the buses' time, needs a login and is journalled."""
    books = agent.books
    places = range(books.present)
    words = [first]
    words.extend(others)
    if others:
        if not agent.console.actor:
            agent.console.err(effects, "not_allowed", "login first")
            return
        used = [books.numbers[place] for place in places if agent.openings.is_under_way(place)]
        if used and words[1] in ("try", "cancel"):
            agent.console.err(effects, "wrong_state", f"somebody is at door {used[0]}; wait")
            return
        agent.note_service(now, agent.console.actor, " ".join(words), effects)
    held = [books.numbers[place] for place in places if books.holdings[place] or agent.openings.is_under_way(place)]
    configure: Any = Configure(words, held, max(books.numbers))
    effects.append(configure)


def _unload() -> None:
    """Whatever was loaded for this order goes again: 4 kB that the next courier's badge needs. What is under way keeps
    what it has."""
    if sys.implementation.name != "micropython":
        return
    for name in _LOADED:
        package, _dot, own = name.rpartition(".")
        if sys.modules.pop(name, None) is not None:
            sys.modules[package].__dict__.pop(own, None)


class Configure(Record):
    """An effect: what a technician ordered about /config.json and its modules; Configured follows. `held`: the
    compartments that may not be taken away; `last`: the highest number that was ever used."""

    FIELDS = ("words", "held", "last")
    words: "list[str]"
    held: "list[int]"
    last: int


class Configured(Record):
    """An event, the answer: a code of why not and a text, or "" and what there is to say."""

    FIELDS = ("code", "answer")
    code: str
    answer: "Any"

    def tell(self, agent: "Agent", now: int, effects: "list[Effect]") -> None:
        _unload()
        if self.code:
            agent.console.err(effects, self.code, self.answer)
            return
        lost = agent.facts(now)["modules"]
        for place, row in enumerate(self.answer.get("modules", ())):
            row.append(lost.get(place, "ok"))
        agent.console.ok(effects, self.answer)
        if "restart" in self.answer:
            effects.append(Restart("config"))
