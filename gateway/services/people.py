"""Use cases about people: keys to the API, badges of couriers and technicians, a way into the serial console."""

import base64
import hashlib
from collections.abc import Iterable

from gateway.domain.acts import BADGE_MADE, BADGE_REVOKED, CREDENTIAL_MADE, CREDENTIAL_REVOKED
from gateway.domain.codes import badge_token, technician_token
from gateway.domain.contracts import check_carriers
from gateway.domain.errors import Refusal
from gateway.domain.ids import CredentialNumber
from gateway.domain.people import (
    COURIER,
    MERCHANT,
    OPERATOR,
    SCOPES,
    SCOPES_OF_BADGE,
    TECHNICIAN,
    Badge,
    Credential,
    Principal,
    check_badge,
    check_credential,
    check_technician,
)
from gateway.limits import NAME_SIZE_MAX
from gateway.services import acts, contracts, revocations
from gateway.services.desk import Desk, known_locker
from gateway.services.ports import Transaction
from protocol.errors import ProtocolError
from protocol.keys import console_answer as answer_of
from protocol.tokens import COURIER as BADGE_ROLE
from protocol.tokens import open_token

_PREFIX = "consigne_"
_DAY_S = 86_400


def new_secret(desk: Desk) -> str:
    """256 random bits: their SHA-256 can be stored as it is, no slow hash is needed."""
    return _PREFIX + base64.urlsafe_b64encode(desk.randomness(32)).decode().rstrip("=")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def issue_credential(  # noqa: PLR0917 - a use case takes what it takes
    desk: Desk, who: Principal, role: str, tenant: str, scopes: frozenset[str], name: str, carriers: Iterable[str] = ()
) -> tuple[Credential, str]:
    """The secret is told this once. `carriers`: of a merchant, those it has a contract with from now on; a new one has
    none but these. Raises Refusal: not_allowed, bad_value."""
    who.must("credentials:write")
    scopes = frozenset(scopes)
    check_credential(role, tenant, scopes, name)
    wanted = tuple(carriers)
    check_carriers(role == MERCHANT, wanted)
    credential = Credential(CredentialNumber(desk.number()), role, tenant, scopes, name, desk.clock())
    secret = new_secret(desk)
    with desk.store.transaction() as tx:
        tx.add_credential(credential, _digest(secret))
        acts.note(desk, tx, who, CREDENTIAL_MADE, desk.clock(), reason=credential.id)
        for carrier in wanted:
            contracts.add(desk, tx, who, tenant, carrier)
    return credential, secret


def ensure_operator(desk: Desk, secret: str) -> None:
    """The operator key that the gateway finds in its own file is good, for all there is by now. At each start."""
    with desk.store.transaction() as tx:
        known = tx.credential_of(_digest(secret))
        if known is not None and known.scopes != SCOPES:
            tx.keep_scopes(known.number, SCOPES)  # made by an earlier version: it may do what has come since
        if known is None:
            number = CredentialNumber(desk.number())
            credential = Credential(number, OPERATOR, "", SCOPES, "operator key file", desk.clock())
            tx.add_credential(credential, _digest(secret))


def revoke_credential(desk: Desk, who: Principal, number: CredentialNumber) -> Credential:
    who.must("credentials:write")
    with desk.store.transaction() as tx:
        before = tx.credential(number)
        if before is None:
            raise Refusal("unknown_credential", "there is no such credential")
        take_key(desk, tx, who, before)
        credential = tx.credential(number)
    assert credential is not None
    return credential


def take_key(desk: Desk, tx: Transaction, who: Principal, key: Credential) -> None:
    """Back from whoever has it; again: nothing changes."""
    if key.revoked_s is None:
        acts.note(desk, tx, who, CREDENTIAL_REVOKED, desk.clock(), reason=key.id)
        tx.revoke_credential(key.number, desk.clock())


def list_credentials(desk: Desk, who: Principal) -> list[Credential]:
    who.must("credentials:write")
    with desk.store.reading() as tx:
        return tx.credentials()


def authenticate(desk: Desk, secret: str) -> Principal:
    """Raises Refusal("unauthenticated"). Looked up by digest: timing tells nothing about a secret."""
    with desk.store.reading() as tx:
        credential = tx.credential_of(_digest(secret))
    if credential is None or credential.revoked_s is not None:
        raise Refusal("unauthenticated", "this secret is not known, or no longer")
    return _principal(credential)


def _principal(credential: Credential) -> Principal:
    return Principal(credential.role, credential.tenant, credential.scopes, credential.name, credential.number)


def principal_of_credential(desk: Desk, number: CredentialNumber) -> Principal | None:
    """None: there is no such key any more."""
    with desk.store.reading() as tx:
        credential = tx.credential(number)
    return None if credential is None or credential.revoked_s is not None else _principal(credential)


def principal_of_badge(desk: Desk, badge: bytes) -> Principal | None:
    """A courier who showed this badge, for as long as it is good."""
    with desk.store.reading() as tx:
        known = tx.badge(badge)
    if known is None or known.role != COURIER or not known.good_at(desk.clock()):
        return None
    return Principal(COURIER, known.carrier, SCOPES_OF_BADGE, known.holder)


def badge_shown(desk: Desk, token: str) -> Badge:
    """The courier's badge that this text proves. Raises Refusal("unauthenticated")."""
    refused = Refusal("unauthenticated", "this badge is not known, or no longer", ("ask your office for a new one",))
    try:
        said = open_token(token, desk.keys.trusted)
    except ProtocolError:
        raise refused
    with desk.store.reading() as tx:
        known = tx.badge(said.id)
    if said.role != BADGE_ROLE or known is None or known.role != COURIER or not known.good_at(desk.clock()):
        raise refused
    return known


def is_good(desk: Desk, who: Principal) -> bool:
    """Whether the key that somebody came with, a while ago, is still one."""
    if who.credential is None:
        return True
    with desk.store.reading() as tx:
        credential = tx.credential(who.credential)
    return credential is not None and credential.revoked_s is None


def issue_badge(desk: Desk, who: Principal, carrier: str, holder: str, days: int) -> Badge:
    """`holder`: a staff number, no name. The token is told this once."""
    who.must("badges:write")
    check_badge(carrier, holder, days)
    _own_carrier(who, carrier)
    now = desk.clock()
    badge_id, expiry_s = desk.randomness(8), now + days * _DAY_S
    token = badge_token(badge_id, carrier, expiry_s, desk.keys.kid, desk.keys.sign)
    badge = Badge(badge_id, carrier, holder, now, expiry_s, token=token)
    with desk.store.transaction() as tx:
        tx.add_badge(badge)
        acts.note(desk, tx, who, BADGE_MADE, now, reason=badge_id.hex())
    return badge


def issue_technician(desk: Desk, who: Principal, holder: str, days: int, locker: str | None = None) -> Badge:
    """`locker` None: good on every locker. Raises Refusal: not_allowed, bad_value, unknown_locker."""
    who.must("technicians:write")
    check_technician(holder, days)
    now = desk.clock()
    badge_id, expiry_s = desk.randomness(8), now + days * _DAY_S
    token = technician_token(badge_id, holder, locker, expiry_s, desk.keys.kid, desk.keys.sign)
    badge = Badge(badge_id, "", holder, now, expiry_s, role=TECHNICIAN, locker=locker, token=token)
    with desk.store.transaction() as tx:
        if locker is not None:
            known_locker(tx, locker)
        tx.add_badge(badge)
        acts.note(desk, tx, who, BADGE_MADE, now, reason=badge_id.hex())
    return badge


def list_badges(desk: Desk, who: Principal) -> list[Badge]:
    """Without their tokens."""
    who.must("badges:write")
    with desk.store.reading() as tx:
        return tx.badges(who.tenant if who.role == COURIER else None)


def revoke_badge(desk: Desk, who: Principal, badge: bytes) -> Badge:
    """From now on a request made with it is declined here, and every locker is told that it opens nothing.

    Raises Refusal: unknown_badge, not_allowed.
    """
    who.must("badges:write")
    with desk.store.transaction() as tx:
        known = tx.badge(badge)
        if known is None or (who.role == COURIER and known.carrier != who.tenant):
            raise Refusal("unknown_badge", "there is no such badge")
        if known.role == TECHNICIAN:
            who.must("technicians:write")
        take_badge(desk, tx, who, known)
        revoked = tx.badge(badge)
    assert revoked is not None
    return revoked


def take_badge(desk: Desk, tx: Transaction, who: Principal, badge: Badge) -> None:
    """Back from whoever has it, at every locker; asked again, lockers are told again."""
    if badge.good_at(desk.clock()):
        revocations.tell_all(desk, tx, badge)
    if badge.revoked_s is None:
        acts.note(desk, tx, who, BADGE_REVOKED, desk.clock(), reason=badge.id.hex())
    tx.revoke_badge(badge.id, desk.clock())


def _own_carrier(who: Principal, carrier: str) -> None:
    if who.role == COURIER and carrier != who.tenant:
        raise Refusal("not_allowed", "this key makes badges of its own carrier only")


def console_answer(desk: Desk, who: Principal, locker: str, challenge: bytes, name: str) -> str:
    """What the technician `name` types at the locker that showed `challenge`."""
    who.must("doors:open")
    if len(challenge) != 8:
        raise Refusal("bad_value", "challenge: the 16 hexadecimal digits that the console shows")
    if not 0 < len(name) <= NAME_SIZE_MAX:
        raise Refusal("bad_value", "name: as it was typed after login")
    with desk.store.reading() as tx:
        known = known_locker(tx, locker)
    if not known.generation:
        raise Refusal("wrong_state", "this locker has no key yet", ("provision it",))
    return answer_of(desk.keys.locker_key(locker, known.generation), challenge, name)
