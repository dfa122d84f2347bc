"""What a technician may order on the serial console, as a table. Reading is free; acting needs a login and goes
into the journal with the technician's name."""

from typing import TYPE_CHECKING

from device.agent.effects import Restart
from protocol.limits import ACTOR_SIZE_MAX

if TYPE_CHECKING:
    from typing import Any

    from device.agent.console import Order
    from device.agent.core import Agent
    from device.agent.effects import Effect

_YEAR_2020_S = 1_577_836_800  # nobody sets a clock to before this was written


def carry_out(agent: "Agent", order: "Order", now: int, effects: "list[Effect]") -> None:
    """Do it and answer: one line, OK or ERR."""
    console = agent.console
    if not order.name:  # a line that was none: [code, text]
        console.err(effects, order.arguments[0], order.arguments[1])
        return
    row = _ORDERS.get(order.name)
    if row is None:
        console.err(effects, "unknown_type", "no such order; try help")
        return
    acting, fewest, most, usage, run = row
    arguments = [order.rest] if most == _LINE and order.rest else order.arguments
    if not fewest <= len(arguments) <= most:
        console.err(effects, "bad_value", "usage: " + usage)
    elif acting and not console.actor:
        console.err(effects, "not_allowed", "login first")
    else:
        run(agent, arguments, now, effects)


def _help(agent: "Agent", _arguments: "list[str]", _now: int, effects: "list[Effect]") -> None:
    for name in _NAMES:
        row = _ORDERS[name]
        agent.console.say(("* " if row[0] else "  ") + row[3], effects)
    agent.console.say("* needs login", effects)
    agent.console.ok(effects, {"orders": len(_NAMES)})


def _status(agent: "Agent", _arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    agent.console.ok(effects, agent.facts(now))


def _doors(agent: "Agent", arguments: "list[str]", _now: int, effects: "list[Effect]") -> None:
    """Numbers by state (short, however many there are), or all about one."""
    rows = agent.doors_facts()
    if arguments:
        found = [row for row in rows if str(row[0]) == arguments[0]]
        if found:
            number, state, holding, flags = found[0]
            agent.console.ok(effects, {"compartment": number, "door": state, "flags": flags, "holds": holding})
        else:
            agent.console.err(effects, "unknown_compartment", "see doors")
        return
    doors: dict[str, list[int]] = {}
    holds: dict[str, list[int]] = {}
    flagged: dict[str, list[int]] = {}
    for number, state, holding, flags in rows:
        doors.setdefault(state, []).append(number)
        holds.setdefault(holding, []).append(number)
        for flag in flags:
            flagged.setdefault(flag, []).append(number)
    agent.console.ok(effects, {"doors": doors, "flags": flagged, "holds": holds})


def _open(agent: "Agent", arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    number = _number(arguments[0])
    why = "unknown_compartment"
    if number is not None:
        why = agent.open_by_technician(now, number, agent.console.actor, effects)
    if why:
        agent.console.err(effects, why, _REMEDIES.get(why, "see doors"))
    else:
        agent.console.ok(effects, {"compartment": number})


def _selftest(agent: "Agent", _arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    agent.note_service(now, agent.console.actor, "selftest", effects)
    findings = agent.selftest()
    agent.console.ok(effects, {"findings": findings, "passed": not findings})


def _journal(agent: "Agent", _arguments: "list[str]", _now: int, effects: "list[Effect]") -> None:
    agent.console.ok(effects, agent.journal_facts())


def _time(agent: "Agent", arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    """Without an argument it says the time; `time set SECONDS` is an act."""
    if arguments:
        wanted = _number(arguments[1]) if len(arguments) == 2 and arguments[0] == "set" else None
        if wanted is None or wanted < _YEAR_2020_S:
            agent.console.err(effects, "bad_value", "usage: " + _ORDERS["time"][3])
            return
        if not agent.console.actor:
            agent.console.err(effects, "not_allowed", "login first")
            return
        agent.note_service(now, agent.console.actor, f"time set {wanted}", effects)
        agent.link.set_wall(now, wanted)
    wall = agent.link.wall_s(now)
    utc = None if wall is None else utc_text(wall)
    agent.console.ok(effects, {"unix_s": wall, "uptime_s": now // 1000, "utc": utc})


def _net(agent: "Agent", _arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    agent.console.ok(effects, agent.link.facts(now))


def _module(agent: "Agent", arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    from device.agent.console_modules import order  # noqa: PLC0415 - its room in the heap only when it is used

    order(agent, "module", arguments, now, effects)


def _config(agent: "Agent", arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    from device.agent.console_modules import order  # noqa: PLC0415

    order(agent, "config", arguments, now, effects)


def _reboot(agent: "Agent", _arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    agent.note_service(now, agent.console.actor, "reboot", effects)
    agent.console.ok(effects, {})
    effects.append(Restart("console"))


def _login(agent: "Agent", arguments: "list[str]", _now: int, effects: "list[Effect]") -> None:
    if len(arguments[0]) > ACTOR_SIZE_MAX:
        agent.console.err(effects, "bad_value", f"at most {ACTOR_SIZE_MAX} letters")
        return
    agent.console.ok(effects, {"challenge": agent.console.challenge(arguments[0])})


def _answer(agent: "Agent", arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    _logged_in(agent, agent.log_in(now, arguments[0], effects), effects)


def _badge(agent: "Agent", arguments: "list[str]", now: int, effects: "list[Effect]") -> None:
    """A technician's token: it needs no network and no answer, and is never throttled."""
    _logged_in(agent, agent.log_in_by_badge(now, arguments[0].encode(), effects), effects)


def _logged_in(agent: "Agent", why: str, effects: "list[Effect]") -> None:
    if why:
        agent.console.err(effects, why, _REMEDIES.get(why, "ask for a challenge: login NAME"))
    else:
        agent.console.ok(effects, {"actor": agent.console.actor})


def _logout(agent: "Agent", _arguments: "list[str]", _now: int, effects: "list[Effect]") -> None:
    agent.console.log_out()
    agent.console.ok(effects, {})


_REMEDIES = {
    "unknown_compartment": "see doors",
    "out_of_service": "put it in service first",
    "throttled": "wait, or show your badge",
    "wrong_code": "login again for a new challenge",
    "not_allowed": "this is no technician's badge",
    "expired": "ask for a new badge",
    "revoked": "ask for a new badge",
}
_LINE = 99  # takes the rest of the line as it is: Base45 has spaces

# Order -> (needs login, fewest arguments, most arguments, usage, what it does). Usage fits 36 columns.
_ORDERS: "dict[str, tuple[bool, int, int, str, Any]]" = {
    "help": (False, 0, 0, "help", _help),
    "status": (False, 0, 0, "status", _status),
    "doors": (False, 0, 1, "doors [NUMBER]", _doors),
    "open": (True, 1, 1, "open NUMBER", _open),
    "selftest": (True, 0, 0, "selftest", _selftest),
    "journal": (False, 0, 0, "journal", _journal),
    "time": (False, 0, 2, "time [set UNIX_SECONDS]", _time),
    "net": (False, 0, 0, "net", _net),
    "module": (False, 0, _LINE - 1, "module [WHAT NAME FIELD=VALUE…]", _module),
    "config": (False, 0, 1, "config [try|confirm|cancel]", _config),
    "reboot": (True, 0, 0, "reboot", _reboot),
    "login": (False, 1, 1, "login NAME", _login),
    "answer": (False, 1, 1, "answer HEX", _answer),
    "badge": (False, 1, _LINE, "badge TOKEN", _badge),
    "logout": (False, 0, 0, "logout", _logout),
}
_NAMES = sorted(_ORDERS)


def _number(text: str) -> "int | None":
    """A decimal number of at most 10 digits."""
    if 0 < len(text) <= 10 and all([letter in "0123456789" for letter in text]):
        return int(text)
    return None


def utc_text(unix_s: int) -> str:
    """2026-01-31T12:00:00Z (the calendar by eras of 400 years, counted from 1 March)."""
    days, second = unix_s // 86400 + 719_468, unix_s % 86400
    era, day = days // 146_097, days % 146_097
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day += 1 - (153 * month + 2) // 5
    year += era * 400 + (month >= 10)
    month += 3 if month < 10 else -9
    return f"{year:04d}-{month:02d}-{day:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
