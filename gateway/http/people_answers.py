"""Who may do what, as the API tells of it: badges and keys. A secret is in the answer that made it and nowhere else:
IssuedBadge, IssuedCredential."""

from typing import Literal

from pydantic import Field

from gateway import qr
from gateway.domain import people
from gateway.domain.instants import instant, maybe_instant
from gateway.http.document import Document


class Revocation(Document):
    """Until a locker has answered it may still open for the badge. 0 of 0: it has expired by itself."""

    lockers_done: int
    lockers_total: int


class Badge(Document):
    """Valid on every locker, offline too, until it expires."""

    id: str
    role: Literal["courier", "technician"]
    carrier: str | None = Field(description="null: a technician's.")
    locker: str | None = Field(description="The only one it is good on; null: all.")
    holder: str
    made_at: str
    expires_at: str
    revoked_at: str | None
    revocation: Revocation | None = Field(description="null: not revoked.")

    @staticmethod
    def of(badge: people.Badge) -> "Badge":
        told = Revocation(lockers_done=badge.lockers_done, lockers_total=badge.lockers_total)
        return Badge(
            id=badge.id.hex(),
            role=badge.role,  # pyright: ignore[reportArgumentType]
            carrier=badge.carrier or None,
            locker=badge.locker,
            holder=badge.holder,
            made_at=instant(badge.made_s),
            expires_at=instant(badge.expiry_s),
            revoked_at=maybe_instant(badge.revoked_s),
            revocation=told if badge.revoked_s is not None else None,
        )


class IssuedBadge(Badge):
    """With its token, which is shown this once."""

    token: str
    qr_svg: str

    @staticmethod
    def issued(badge: people.Badge) -> "IssuedBadge":
        assert badge.token is not None
        return IssuedBadge(**Badge.of(badge).model_dump(), token=badge.token, qr_svg=qr.svg(badge.token))


class Credential(Document):
    """A key to this API. Only the digest of its secret is kept."""

    id: str
    role: Literal["operator", "courier", "merchant"]
    tenant: str | None
    scopes: list[str]
    name: str
    made_at: str
    revoked_at: str | None

    @staticmethod
    def of(credential: people.Credential) -> "Credential":
        return Credential(
            id=credential.id,
            role=credential.role,  # pyright: ignore[reportArgumentType]
            tenant=credential.tenant or None,
            scopes=sorted(credential.scopes),
            name=credential.name,
            made_at=instant(credential.made_s),
            revoked_at=maybe_instant(credential.revoked_s),
        )


class IssuedCredential(Credential):
    """With its secret, which is shown this once."""

    secret: str

    @staticmethod
    def issued(credential: people.Credential, secret: str) -> "IssuedCredential":
        return IssuedCredential(**Credential.of(credential).model_dump(), secret=secret)


class BadgePage(Document):
    data: list[Badge]
    next_cursor: str | None


class CredentialPage(Document):
    data: list[Credential]
    next_cursor: str | None
