"""Coming and going: a challenge and its answer, a technician's badge, the way out."""

from typing import TYPE_CHECKING

from protocol.limits import ACTOR_SIZE_MAX

if TYPE_CHECKING:
    from device.desk.seat import Desk


def _login(desk: "Desk", words: "list[str]") -> None:
    if len(words[0]) > ACTOR_SIZE_MAX:
        desk.err("bad_value", f"at most {ACTOR_SIZE_MAX} letters")
        return
    desk.ok({"challenge": desk.agent.console.challenge(words[0])})


def _answer(desk: "Desk", words: "list[str]") -> None:
    _logged_in(desk, desk.agent.log_in(desk.now, words[0], desk.effects))


def _badge(desk: "Desk", words: "list[str]") -> None:
    """A technician's token: it needs no network and no answer, and is never throttled."""
    _logged_in(desk, desk.agent.log_in_by_badge(desk.now, words[0].encode(), desk.effects))


def _logged_in(desk: "Desk", why: str) -> None:
    if why:
        desk.err(why, _REMEDIES.get(why, "ask for a challenge: login NAME"))
    else:
        desk.emptied = 0  # whoever comes has seen nothing
        desk.ok({"actor": desk.agent.console.actor})


def _logout(desk: "Desk", _words: "list[str]") -> None:
    """What is still to be said of a door goes with it: the next one has to look."""
    desk.agent.console.log_out()
    desk.ok({"unsettled": desk.emptied} if desk.emptied else {})


_REMEDIES = {
    "throttled": "wait, or show your badge",
    "wrong_code": "login again for a new challenge",
    "not_allowed": "this is no technician's badge",
    "expired": "ask for a new badge",
    "revoked": "ask for a new badge",
}
ORDERS = {"login": _login, "answer": _answer, "badge": _badge, "logout": _logout}
