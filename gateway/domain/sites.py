"""The site of a locker: where it stands, when one gets in, and whom to ask for help. Shown to recipients."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.errors import Refusal
from gateway.limits import ADDRESS_SIZE_MAX, HOURS_LANGUAGES_MAX, HOURS_SIZE_MAX, MAIL_SIZE_MAX, PHONE_SIZE_MAX


@dataclass(frozen=True)
class Site:
    """`hours`: language -> text. What is not known is empty. Degrees are of WGS 84, both or none."""

    address: str = ""
    hours: Mapping[str, str] = field(default_factory=dict[str, str])
    phone: str = ""
    mail: str = ""
    latitude: float | None = None
    longitude: float | None = None

    def hours_in(self, language: str) -> tuple[str, str]:
        """(text, its language): in this one, else in the first there is."""
        if language in self.hours:
            return self.hours[language], language
        return next(((text, code) for code, text in self.hours.items()), ("", language))


def check_site(site: Site) -> None:
    """Raises Refusal("bad_value")."""
    fields = (
        ("address", site.address, ADDRESS_SIZE_MAX),
        ("phone", site.phone, PHONE_SIZE_MAX),
        ("mail", site.mail, MAIL_SIZE_MAX),
        *(("hours", text, HOURS_SIZE_MAX) for text in site.hours.values()),
    )
    for name, text, size_max in fields:
        if len(text) > size_max:
            raise Refusal("bad_value", f"{name}: {size_max} characters at the most")
    if (site.latitude is None) != (site.longitude is None):
        raise Refusal("bad_value", "latitude and longitude: both, or none")
    # Written so that "not a number" fails too.
    if not (-90 <= (site.latitude or 0) <= 90 and -180 <= (site.longitude or 0) <= 180):
        raise Refusal("bad_value", "latitude: -90 to 90 degrees, longitude: -180 to 180")
    if len(site.hours) > HOURS_LANGUAGES_MAX:
        raise Refusal("bad_value", f"hours: in {HOURS_LANGUAGES_MAX} languages at the most")
