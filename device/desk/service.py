"""Service mode: the screen says that somebody is at work, and nothing is deposited. Parcels are given out as ever.

It ends with its technician's login: by `service off`, `logout`, ten minutes without an order, or a restart.
"""

from typing import TYPE_CHECKING

from device.agent.effects import Show

if TYPE_CHECKING:
    from device.desk.seat import Desk


def _service(desk: "Desk", words: "list[str]") -> None:
    """Without an argument it says whether it is on."""
    if words:
        if words[0] not in ("on", "off"):
            desk.misused("service")
            return
        if not desk.may_act():
            return
        desk.note("service " + words[0])
        _serve(desk, desk.agent.console.actor if words[0] == "on" else "")
    desk.ok({"service": desk.agent.ledger.serving, "actor": desk.serving or None})


def end(desk: "Desk") -> None:
    """Whoever put it on is gone. Raises NoRoomError, but ends it all the same."""
    actor = desk.serving
    _serve(desk, "")
    desk.agent.note_service(desk.now, actor, "service off", desk.effects)


def _serve(desk: "Desk", actor: str) -> None:
    desk.serving = actor
    desk.agent.ledger.serving = actor != ""
    if not desk.agent.panel.mode:  # nobody stands there
        desk.effects.append(Show("service" if actor else "welcome", ()))


ORDERS = {"service": _service}
