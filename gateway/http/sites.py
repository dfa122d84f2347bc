"""/v1/lockers/{locker}/site: where it stands, when one gets in, whom to ask; what recipients are shown."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, Field

from gateway import limits
from gateway.domain import sites as domain
from gateway.domain.people import Principal
from gateway.http.acting import show
from gateway.http.auth import desk_of, needs
from gateway.http.document import Document
from gateway.http.routing import ACT, READ, LockerPath
from gateway.http.schemas import Body, Mail, Phone, printable
from gateway.services import sites

router = APIRouter(prefix="/v1/lockers", tags=["lockers"])
Reader = Annotated[Principal, Depends(needs("lockers:read"))]
Writer = Annotated[Principal, Depends(needs("lockers:write"))]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", examples=["fr"])]
Hours = Annotated[
    str,
    Field(min_length=1, max_length=limits.HOURS_SIZE_MAX, examples=["24 h/24, 7 j/7"]),
    AfterValidator(printable),
]


class SiteBody(Body):
    """What is left out is not known, and not shown."""

    address: (
        Annotated[
            str,
            Field(min_length=1, max_length=limits.ADDRESS_SIZE_MAX, examples=["12 place de la Mairie, 02100"]),
            AfterValidator(printable),
        ]
        | None
    ) = None
    hours: Annotated[
        dict[Language, Hours],
        Field(max_length=limits.HOURS_LANGUAGES_MAX, description="Language -> text; one language is enough."),
    ] = Field(default_factory=dict[str, str])
    phone: Annotated[Phone | None, Field(description="Of who helps on the spot.")] = None
    mail: Mail | None = None

    latitude: Annotated[float | None, Field(ge=-90, le=90, description="Degrees (WGS 84), with its longitude.")] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None

    def domain(self) -> domain.Site:
        return domain.Site(
            self.address or "", self.hours, self.phone or "", self.mail or "", self.latitude, self.longitude
        )


class Site(Document):
    address: str | None
    hours: dict[str, str]
    phone: str | None
    mail: str | None
    latitude: float | None
    longitude: float | None

    @staticmethod
    def of(site: domain.Site) -> "Site":
        return Site(
            address=site.address or None,
            hours=dict(site.hours),
            phone=site.phone or None,
            mail=site.mail or None,
            latitude=site.latitude,
            longitude=site.longitude,
        )


@router.get("/{locker}/site", response_model=Site, responses=READ)
def get_site(request: Request, who: Reader, locker: LockerPath) -> Response:
    """Scope lockers:read."""
    return show(Site.of(sites.get_site(desk_of(request), who, locker)))


@router.put("/{locker}/site", response_model=Site, responses=ACT)
def put_site(request: Request, who: Writer, locker: LockerPath, body: SiteBody) -> Response:
    """In place of what was there; the same twice is the same. Scope lockers:write."""
    return show(Site.of(sites.put_site(desk_of(request), who, locker, body.domain())))
