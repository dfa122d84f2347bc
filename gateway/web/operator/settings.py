"""/operator/lockers/{locker}/settings: what the gateway keeps of a locker and its site, and recipients are shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.contacts import is_mail, is_phone
from gateway.domain.errors import Refusal
from gateway.domain.guarantees import Guarantee
from gateway.domain.lockers import Configuration
from gateway.domain.people import Principal
from gateway.domain.sites import Site
from gateway.limits import GUARANTEES_MAX
from gateway.services import greetings, lockers, sites
from gateway.web.forms import Form, Posted
from gateway.web.once import once
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show
from gateway.words import LANGUAGES
from protocol.numbers import LANGUAGES as GREETINGS

router = APIRouter()
PLACE = "/operator/lockers/{locker}/settings"
_DEGREES = re.compile(r"-?[0-9]{1,3}([.,][0-9]{1,9})?")
_SHARE = re.compile(r"([a-z0-9-]+)[ :]+([0-9]{1,3}) *%?")
# Of what may be left empty; names and sizes are the domain's to check.
_FITS: dict[str, Callable[[str], object]] = {
    "phone": is_phone,
    "mail": is_mail,
    "days": re.compile(r"[0-9]{1,2}").fullmatch,
    "latitude": _DEGREES.fullmatch,
    "longitude": _DEGREES.fullmatch,
    "greeting": GREETINGS.__contains__,
}


@router.get(PLACE)
def settings_page(request: Request, who: Operator, locker: str) -> Response:
    desk = desk_of(request)
    found, site = lockers.get_locker(desk, who, locker), sites.get_site(desk, who, locker)
    shares = lockers.guarantees_of(desk, who, locker)
    said = {
        "name": found.name,
        "days": "" if found.pickup_days is None else str(found.pickup_days),
        "address": site.address,
        "phone": site.phone,
        "mail": site.mail,
        "latitude": _shown(site.latitude),
        "longitude": _shown(site.longitude),
        "shares": "\n".join(f"{one.tenant} {one.percent}" for one in shares),
        "greeting": greetings.greeting_of(desk, who, locker).wanted or "",
        **{f"hours_{code}": site.hours.get(code, "") for code in LANGUAGES},
    }
    return _page(request, who, Said(locker, said))


def _shown(degrees: float | None) -> str:
    return "" if degrees is None else f"{degrees:.6f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Said:
    """What was filled in for a locker, field by field, and which of it cannot be."""

    locker: str
    fields: dict[str, str]
    wrong: tuple[str, ...] = ()


def _page(request: Request, who: Principal, said: Said) -> Response:
    return show(
        request,
        "operator/settings.html",
        422 if said.wrong else 200,
        locker=lockers.get_locker(desk_of(request), who, said.locker),
        said=said.fields,
        wrong=said.wrong,
        usual=desk_of(request).settings.pickup_days,
        languages_named=[(code, words("page.own_name")) for code, words in LANGUAGES.items()],
        greetings=[(code, LANGUAGES[code]("page.own_name")) for code in GREETINGS],
        greeting=greetings.greeting_of(desk_of(request), who, said.locker),
        may_write="lockers:write" in who.scopes,
        kept=bool(asked(request, "kept")),
    )


@router.post(PLACE)
def keep(request: Request, who: Operator, form: Posted, locker: str) -> Response:
    said = {
        name: form[name] for name in ("name", "days", "address", "phone", "mail", "latitude", "longitude", "shares")
    }
    said["greeting"] = form["greeting"]
    said |= {f"hours_{code}": form[f"hours_{code}"] for code in LANGUAGES}
    wrong = [name for name, fits in _FITS.items() if said[name] and not fits(said[name])]
    wrong += [name for name in ("name", "address") if not said[name].isprintable()]
    shares = _shares(form)
    if shares is None:
        wrong.append("shares")
    if wrong or shares is None:
        return _page(request, who, Said(locker, said, tuple(wrong)))
    try:
        return once(request, who, form, lambda: _keep(request, who, locker, said, shares))
    except Refusal as refusal:
        if refusal.code != "bad_value":
            raise
        return _page(request, who, Said(locker, said, (_field_of(refusal.detail),)))


def _keep(request: Request, who: Principal, locker: str, said: dict[str, str], shares: list[Guarantee]) -> str:
    desk = desk_of(request)
    hours = {code: said[f"hours_{code}"] for code in LANGUAGES if said[f"hours_{code}"]}
    other = {code: text for code, text in sites.get_site(desk, who, locker).hours.items() if code not in LANGUAGES}
    days = int(said["days"]) if said["days"] else None
    latitude, longitude = _degrees(said["latitude"]), _degrees(said["longitude"])
    site = Site(said["address"], {**hours, **other}, said["phone"], said["mail"], latitude, longitude)
    sites.put_site(desk, who, locker, site)
    if said["greeting"]:  # left empty: as it was
        greetings.greet_in(desk, who, locker, said["greeting"])
    lockers.configure_locker(desk, who, locker, Configuration(said["name"], days, tuple(shares)))
    return f"/operator/lockers/{locker}/settings?kept=1"


def _degrees(text: str) -> float | None:
    """With a comma too: that is how a French keypad has it."""
    return float(text.replace(",", ".")) if text else None


def _shares(form: Form) -> list[Guarantee] | None:
    """A line each: tenant and percent. None: one of them cannot be read."""
    lines = [line.strip() for line in form["shares"].splitlines() if line.strip()]
    found = [_SHARE.fullmatch(line) for line in lines]
    if len(found) > GUARANTEES_MAX or not all(found):
        return None
    return [Guarantee(one[1], int(one[2])) for one in found if one]


def _field_of(detail: str) -> str:
    """Which field a refusal is about, by the word that it begins with."""
    first = detail.partition(":")[0]
    about = {"latitude and longitude": "latitude", "hours": "hours_fr", "tenant": "shares", "a share": "shares"}
    return about.get(first, first if first in {"name", "days", "address", "phone", "mail", "latitude"} else "shares")
