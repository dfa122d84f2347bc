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

from gateway import qr
from gateway.domain import parcels
from gateway.domain.codes import halves_of, has_scanner, spelt
from gateway.words import LANGUAGES, Words
from gateway.words.moments import here, moment

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
class Slip:
    place: str
    door: int
    code: str
    token: str | None  # None: this locker has no scanner, and a QR would mislead
    until: datetime  # by the clock of the place

    @staticmethod
    def of(pickup: parcels.Pickup) -> "Slip":
        return Slip(
            place=pickup.locker_name,
            door=pickup.compartment,
            code=pickup.code,
            token=pickup.token if has_scanner(len(pickup.code)) else None,
            until=here(pickup.deadline_s),
        )


def page(slip: Slip, language: str) -> str:
    """The whole document. All that comes from outside is escaped here."""
    words = LANGUAGES[language]
    use = words("slip.use" if slip.token else "slip.use_typed")
    lines = "".join(f"<li>{escape(line)}</li>" for line in (use, *words.several("slip.advice")))
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words("slip.title"))} – {escape(slip.place)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(words("slip.title"))}</h1>
<p class="place">{escape(slip.place)}, <span>{escape(words("slip.door", door=slip.door))}</span></p>
{_code(slip.code, words)}{_qr(slip.token, words)}
<p class="until">{escape(words("slip.until"))} <strong>{escape(moment(slip.until, words))}</strong></p>
<ul class="how">{lines}</ul>
</main>
</body>
</html>
"""


def _code(code: str, words: Words) -> str:
    seen = " ".join(f'<span class="half">{half}</span>' for half in halves_of(code))
    kind = "code long" if len(code) > 12 else "code"
    return (
        f'<section class="box">\n<h2>{escape(words("slip.code"))}</h2>\n<p class="spoken">{spelt(code)}</p>\n'
        f'<p class="{kind}" aria-hidden="true">{seen}</p>\n</section>\n'
    )


def _qr(token: str | None, words: Words) -> str:
    if token is None:
        return ""
    described = escape(words("slip.qr_described"))
    return (
        f'<section class="or">\n<h2>{escape(words("slip.qr"))}</h2>\n'
        f'<div class="qr" role="img" aria-label="{described}">{qr.svg(token, sized=False)}</div>\n</section>\n'
    )
