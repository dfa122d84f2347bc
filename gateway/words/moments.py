"""Times as people write them, by the clock of the place: this machine's (TZ, else its own setting)."""

from datetime import datetime

from gateway.words import Words

# People in these live by UTC and call it otherwise. With TZ set and no zones installed, C says "Europe" and means UTC.
ZONES_OF_UTC = ("GMT", "WET")


def here(seconds: int) -> datetime:
    """Unix seconds by the clock of the place."""
    return datetime.fromtimestamp(seconds).astimezone()


def day(at: datetime, words: Words) -> str:
    return words(
        "calendar.day",
        weekday=words.several("calendar.weekdays")[at.weekday()],
        day=words("calendar.first") if at.day == 1 else at.day,
        month=words.several("calendar.months")[at.month - 1],
        year=at.year,
    )


def time(at: datetime, words: Words) -> str:
    """To the minute. A machine that knows no time of the place says that it is UTC."""
    said = words("calendar.time" if at.minute else "calendar.full_hour", hour=at.hour, minute=at.minute)
    if not at.utcoffset() and at.tzname() not in ZONES_OF_UTC:
        said += " UTC"
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def moment(at: datetime, words: Words) -> str:
    return words("calendar.moment", day=day(at, words), time=time(at, words))


def soon(at: datetime, words: Words) -> str:
    """Short, for what is a matter of days."""
    return words(
        "calendar.soon",
        day=words("calendar.first") if at.day == 1 else at.day,
        month=words.several("calendar.months")[at.month - 1],
        time=time(at, words),
    )


def stamp(at: datetime, words: Words) -> str:
    """To the minute, short: for tables."""
    month = words.several("calendar.short_months")[at.month - 1]
    said = words("calendar.stamp.form", day=at.day, month=month, year=at.year, hour=at.hour, minute=at.minute)
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def date(day: str, words: Words) -> str:
    """Of a drawing's axis. `day`: YYYY-MM-DD."""
    at = datetime.fromisoformat(day)
    return words("calendar.date", day=at.day, month=words.several("calendar.short_months")[at.month - 1])


_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def _largest(seconds: int) -> tuple[str, int]:
    """The unit in which this many seconds is said, and how many of it; below one minute: 0 minutes."""
    if seconds < _HOUR_S:
        return "minutes", max(0, seconds) // _MINUTE_S
    if seconds < 2 * _DAY_S:
        return "hours", seconds // _HOUR_S
    return "days", seconds // _DAY_S


def ago(seconds: int, words: Words) -> str:
    """How long ago: "5 min ago"."""
    unit, n = _largest(seconds)
    return words(f"calendar.ago.{unit}", n=n) if n else words("calendar.ago.now")


def span(seconds: int, words: Words) -> str:
    """How long: "5 h"."""
    unit, n = _largest(seconds)
    return words(f"calendar.span.{unit}", n=max(1, n))
