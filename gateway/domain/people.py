"""Who may do what: roles, scopes, tenants, and the badges couriers and technicians carry.

A principal acts for one tenant (a carrier or a merchant) and sees that tenant's parcels and nobody else's;
an operator runs the lockers and sees all. A badge's holder is a staff number, never a person's name.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from gateway.domain.errors import Refusal
from gateway.domain.ids import CredentialNumber, credential_id
from gateway.limits import BADGE_DAYS_MAX, NAME_SIZE_MAX, TECHNICIAN_DAYS_MAX, TENANT_SIZE_MAX

OPERATOR, COURIER, MERCHANT = "operator", "courier", "merchant"
ROLES = (OPERATOR, COURIER, MERCHANT)
TECHNICIAN = "technician"  # a role of badges only: who repairs lockers has no business with parcels over the API

Scope = Literal[
    "parcels:write",
    "parcels:read",
    "codes:read",
    "codes:write",
    "lockers:read",
    "lockers:write",
    "doors:open",
    "badges:write",
    "credentials:write",
    "events:read",
    "keys:write",
    "technicians:write",
    "webhooks:write",
    "privacy:write",
]
SCOPES: frozenset[str] = frozenset(get_args(Scope))
_TENANT = frozenset(
    {
        "parcels:write",
        "parcels:read",
        "codes:read",
        "codes:write",
        "lockers:read",
        "events:read",
        "webhooks:write",
    }
)
# What a role can be given at most: doors, lockers, credentials and signing keys stay with those who run them.
SCOPES_OF = {
    OPERATOR: SCOPES,
    COURIER: _TENANT | {"badges:write"},
    MERCHANT: _TENANT,
}
# What whoever shows a courier's badge may do on the pages: no codes, no badges.
SCOPES_OF_BADGE = frozenset({"parcels:write", "parcels:read", "lockers:read"})

_SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `tenant` is a carrier's slug for a courier, a merchant's for a merchant, "" for an operator."""

    role: str
    tenant: str
    scopes: frozenset[str]
    name: str
    credential: CredentialNumber | None = None

    def may_see(self, carrier: str, merchant: str) -> bool:
        """Whether a parcel of these two is this principal's."""
        own = {OPERATOR: True, COURIER: self.tenant == carrier, MERCHANT: self.tenant == merchant}
        return own[self.role]

    def must(self, scope: str) -> None:
        """Raises Refusal("not_allowed") unless this principal has the scope."""
        assert scope in SCOPES
        if scope not in self.scopes:
            raise Refusal("not_allowed", f"this key lacks the scope {scope}", ("ask the operator for a key with it",))


# The gateway itself: its timers, and the making of the first operator's key.
GATEWAY = Principal(OPERATOR, "", SCOPES, "gateway")


@dataclass(frozen=True, slots=True)
class Credential:
    """A key to the API. Only the SHA-256 of its secret is kept."""

    number: CredentialNumber
    role: str
    tenant: str
    scopes: frozenset[str]
    name: str
    made_s: int
    revoked_s: int | None = None

    @property
    def id(self) -> str:
        return credential_id(self.number)


@dataclass(frozen=True, slots=True)
class Badge:
    """A courier's badge, or a technician's (no carrier; `locker` None: good on all of them). `token` is what the QR
    holds, known only at the moment it is issued. Once revoked: how many lockers have said so, of how many told."""

    id: bytes
    carrier: str
    holder: str
    made_s: int
    expiry_s: int
    revoked_s: int | None = None
    role: str = COURIER
    locker: str | None = None
    lockers_done: int = 0
    lockers_total: int = 0
    token: str | None = None

    def good_at(self, now_s: int) -> bool:
        return self.revoked_s is None and now_s < self.expiry_s


def check_slug(text: str, what: str) -> None:
    """Tenants and holders: 1 to 32 of a-z, 0-9, '-'. Raises Refusal("bad_value")."""
    if not 0 < len(text) <= TENANT_SIZE_MAX or not set(text) <= _SLUG_LETTERS or text.startswith("-"):
        raise Refusal("bad_value", f"{what}: 1 to {TENANT_SIZE_MAX} of a-z, 0-9 and '-', not starting with '-'")


def check_credential(role: str, tenant: str, scopes: frozenset[str], name: str) -> None:
    """Raises Refusal("bad_value")."""
    if role not in ROLES:
        raise Refusal("bad_value", f"role: one of {', '.join(ROLES)}")
    if role == OPERATOR and tenant:
        raise Refusal("bad_value", "tenant: an operator has none")
    if role != OPERATOR:
        check_slug(tenant, "tenant")
    if not scopes or not scopes <= SCOPES_OF[role]:
        raise Refusal("bad_value", f"scopes: some of {', '.join(sorted(SCOPES_OF[role]))}")
    if not 0 < len(name) <= NAME_SIZE_MAX or not name.isprintable():
        raise Refusal("bad_value", f"name: 1 to {NAME_SIZE_MAX} printable characters")


def check_badge(carrier: str, holder: str, days: int) -> None:
    """Raises Refusal("bad_value")."""
    check_slug(carrier, "carrier")
    check_slug(holder, "holder")
    if not 0 < days <= BADGE_DAYS_MAX:
        raise Refusal("bad_value", f"days: 1 to {BADGE_DAYS_MAX}")


def check_technician(holder: str, days: int) -> None:
    """Raises Refusal("bad_value")."""
    check_slug(holder, "holder")
    if not 0 < days <= TECHNICIAN_DAYS_MAX:
        raise Refusal("bad_value", f"days: 1 to {TECHNICIAN_DAYS_MAX} for a technician")
