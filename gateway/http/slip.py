"""The slip: a pickup code on paper, for people without a phone. One page of HTML, made whole here.

It names the locker, the door, the code and the deadline, and no person, parcel or carrier: whoever finds it in the
street learns nothing but what it opens. No script, nothing loaded, nothing kept.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from gateway.domain import parcels
from gateway.http.answers import groups_of, qr_svg
from protocol.otp import CODE_DIGITS

CODE_DIGITS_WITH_SCANNER = CODE_DIGITS[0]
# People in these live by UTC and call it otherwise. With TZ set and no zones installed, C says "Europe" and means UTC.
ZONES_OF_UTC = ("GMT", "WET")
STYLE = Path(__file__).with_name("slip.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True)
class Words:
    """What a slip says in one language."""

    title: str
    door: str
    code: str
    qr: str
    qr_described: str  # for those who hear the page
    until: str
    use: str
    use_typed: str  # in place of `use` where the locker has no scanner
    advice: tuple[str, ...]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    first: str  # of a month
    moment: str
    time: str
    full_hour: str


# Another language is one more entry. Where a line must not break stands a no-break space.
LANGUAGES = {
    "fr": Words(
        title="Retirez votre colis",
        door="porte {}",
        code="Votre code",
        qr="ou ce QR",
        qr_described="QR à montrer au lecteur du casier",
        until="À retirer avant le",
        use="Tapez le code sur le clavier, ou montrez le QR au lecteur\N{NO-BREAK SPACE}: la porte s’ouvre.",
        use_typed="Tapez le code sur le clavier\N{NO-BREAK SPACE}: la porte s’ouvre.",
        advice=(
            "Refermée trop tôt\N{NO-BREAK SPACE}? Le même code la rouvre pendant 3\N{NO-BREAK SPACE}minutes.",
            "Gardez ce bon comme une clé. Personne de chez nous ne vous demandera ce code.",
        ),
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        months=(
            *("janvier", "février", "mars", "avril", "mai", "juin"),
            *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
        ),
        first="1er",
        moment="{weekday} {day} {month} {year} à\N{NO-BREAK SPACE}{time}",
        time="{hour} h {minute:02}",
        full_hour="{hour} h",
    ),
    "en": Words(
        title="Collect your parcel",
        door="door {}",
        code="Your code",
        qr="or this QR",
        qr_described="QR to show to the scanner of the locker",
        until="Collect it before",
        use="Type the code on the keypad, or show the QR to the scanner: the door opens.",
        use_typed="Type the code on the keypad: the door opens.",
        advice=(
            "Closed too soon? The same code opens it again for 3\N{NO-BREAK SPACE}minutes.",
            "Keep this slip like a key. Nobody from us will ask you for this code.",
        ),
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        months=(
            *("January", "February", "March", "April", "May", "June"),
            *("July", "August", "September", "October", "November", "December"),
        ),
        first="1",
        moment="{weekday} {day} {month} {year} at\N{NO-BREAK SPACE}{time}",
        time="{hour}:{minute:02}",
        full_hour="{hour}:00",
    ),
}


@dataclass(frozen=True)
class Slip:
    place: str
    door: int
    code: str
    token: str | None  # None: this locker has no scanner, and a QR would mislead
    until: datetime  # by the clock of the place

    @staticmethod
    def of(pickup: parcels.Pickup) -> "Slip":
        """The clock of the place is the one that this machine keeps: TZ, else its own setting."""
        return Slip(
            place=pickup.locker_name,
            door=pickup.compartment,
            code=pickup.code,
            token=pickup.token if len(pickup.code) == CODE_DIGITS_WITH_SCANNER else None,
            until=datetime.fromtimestamp(pickup.deadline_s).astimezone(),
        )


def moment(until: datetime, words: Words) -> str:
    """As people write it, to the minute. A machine that knows no time of the place says that it is UTC."""
    form = words.time if until.minute else words.full_hour
    time = form.format(hour=until.hour, minute=until.minute)
    if not until.utcoffset() and until.tzname() not in ZONES_OF_UTC:
        time += " UTC"
    return words.moment.format(
        weekday=words.weekdays[until.weekday()],
        day=words.first if until.day == 1 else until.day,
        month=words.months[until.month - 1],
        year=until.year,
        time=time.replace(" ", "\N{NO-BREAK SPACE}"),
    )


def page(slip: Slip, language: str) -> str:
    """The whole document. All that comes from outside is escaped here."""
    words = LANGUAGES[language]
    use = words.use if slip.token else words.use_typed
    lines = "".join(f"<li>{escape(line)}</li>" for line in (use, *words.advice))
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words.title)} – {escape(slip.place)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(words.title)}</h1>
<p class="place">{escape(slip.place)}, <span>{escape(words.door.format(slip.door))}</span></p>
{_code(slip.code, words)}{_qr(slip.token, words)}
<p class="until">{escape(words.until)} <strong>{escape(moment(slip.until, words))}</strong></p>
<ul class="how">{lines}</ul>
</main>
</body>
</html>
"""


def _code(code: str, words: Words) -> str:
    """Seen in groups, two to a half that never breaks; heard digit by digit, and not as numbers of three."""
    groups = groups_of(code)
    halves = [" ".join(groups[place : place + 2]) for place in range(0, len(groups), 2)]
    seen = " ".join(f'<span class="half">{half}</span>' for half in halves)
    heard = ", ".join(" ".join(group) for group in groups)
    kind = "code long" if len(code) > 12 else "code"
    return (
        f'<section class="box">\n<h2>{escape(words.code)}</h2>\n<p class="spoken">{heard}</p>\n'
        f'<p class="{kind}" aria-hidden="true">{seen}</p>\n</section>\n'
    )


def _qr(token: str | None, words: Words) -> str:
    if token is None:
        return ""
    described = escape(words.qr_described)
    return (
        f'<section class="or">\n<h2>{escape(words.qr)}</h2>\n'
        f'<div class="qr" role="img" aria-label="{described}">{qr_svg(token, sized=False)}</div>\n</section>\n'
    )
