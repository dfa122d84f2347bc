"""What a technician does: open a door, set the clock, restart, choose a language."""

from typing import TYPE_CHECKING

from device.agent.effects import Restart
from device.desk.opening import number_of, open_door, refuse_door

if TYPE_CHECKING:
    from device.desk.seat import Desk

LANGUAGES = ("fr", "en")
_YEAR_2020_S = 1_577_836_800  # nobody sets a clock to before this was written


def _open(desk: "Desk", words: "list[str]") -> None:
    number = number_of(words[0])
    why = open_door(desk, number)
    if why:
        refuse_door(desk, why)
    else:
        desk.ok({"compartment": number})


def _time(desk: "Desk", words: "list[str]") -> None:
    """Without an argument it says the time; `time set SECONDS` is an act."""
    link = desk.agent.link
    if words:
        wanted = number_of(words[1]) if len(words) == 2 and words[0] == "set" else None
        if wanted is None or wanted < _YEAR_2020_S:
            desk.misused("time")
            return
        if not desk.may_act():
            return
        desk.note(f"time set {wanted}")
        link.set_wall(desk.now, wanted)
    wall = link.wall_s(desk.now)
    desk.ok({"unix_s": wall, "uptime_s": desk.now // 1000, "utc": None if wall is None else utc_text(wall)})


def _reboot(desk: "Desk", _words: "list[str]") -> None:
    desk.note("reboot")
    desk.ok({})
    desk.effects.append(Restart("console"))


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


def _language(desk: "Desk", words: "list[str]") -> None:
    """Of the help and the remedies; answers are the same in all."""
    if words and words[0] not in LANGUAGES:
        desk.misused("language")
        return
    if words:
        desk.language = words[0]
    desk.ok({"language": desk.language or None})


ORDERS = {"open": _open, "time": _time, "reboot": _reboot, "language": _language}
