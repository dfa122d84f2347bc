"""Do these keys go with these books? Asked at every start, before anything is told to anybody.

Keys and books are kept and lost apart. With the wrong keys every locker would be cut off and every QR code worth
nothing, so the gateway does not start with them unless the operator said that they were replaced.
"""

from dataclasses import replace

from gateway import log
from gateway.domain.signing_keys import CURRENT, DROPPED, LOST, NEXT, OLD, SigningKey, cut_off
from gateway.keys import RESTORE
from gateway.services.desk import Desk
from gateway.services.ports import Transaction
from gateway.services.trust_orders import PROVISION_AGAIN, wanted_of
from protocol import trust

MASTER = "master"
_HELD = (CURRENT, NEXT)  # states of which the secret half must be there


class WrongKeysError(Exception):
    """The keys and the books do not belong together; the text says what to do."""


def check(desk: Desk) -> None:
    """Raises WrongKeysError; else the books know the keys that we hold, and the keys every generation in the books."""
    with desk.store.transaction() as tx:
        kept = tx.key_check(MASTER)
        other_master = kept is not None and kept != desk.keys.check
        wrong = ["the master key is not the one that these books were kept with"] if other_master else []
        known_keys = tx.signing_keys()
        wrong += _strangers(desk, known_keys)
        if desk.keys.next_kid is not None and any(key.state == OLD for key in known_keys):
            raise WrongKeysError(
                f"a next signing key, while the old one is still trusted ({_names(known_keys)}): lockers hold two. "
                "Start without the next key, `consigne keys drop` the old one, then set the next"
            )
        if wrong and tx.something_depends_on_keys() and not desk.keys.replaced:
            raise WrongKeysError(f"{'; '.join(wrong)}: {RESTORE}")
        tx.keep_key_check(MASTER, desk.keys.check)
        if other_master:
            _forget_locker_keys(desk, tx)
        settle(desk, tx)
        if wrong:
            log.event("keys_replaced", master=other_master)
            alarm_cut_off(desk, tx)
        known = {locker.id: locker.generation for locker in tx.lockers() if locker.generation}
    for locker, highest in desk.keys.note_generations(known).items():
        # Books from a backup: the locker was provisioned since. It is not heard until it is provisioned again.
        log.event("generation_behind", locker=locker, books=known[locker], highest=highest)
    desk.keys.settle_replacement()


def _strangers(desk: Desk, known: list[SigningKey]) -> list[str]:
    """What is wrong with the signing keys, in words."""
    states = {key.kid: key.state for key in known}
    held = (desk.keys.kid, desk.keys.next_kid)
    wrong: list[str] = []
    if known and states.get(desk.keys.kid) not in _HELD:
        wrong.append(f"signing key {desk.keys.kid.hex()} is not the one in the books ({_names(known)})")
    if states.get(desk.keys.kid) == CURRENT and any(
        state == NEXT and kid not in held for kid, state in states.items()
    ):
        wrong.append(f"the next signing key is missing ({_names(known)})")
    return wrong


def _names(known: list[SigningKey]) -> str:
    return ", ".join(f"{key.kid.hex()} {key.state}" for key in known)


def settle(desk: Desk, tx: Transaction) -> None:
    """The books follow the keys that we hold: a promotion, a new key, or one whose file outlived its end."""
    keys, now = desk.keys, desk.clock()
    known = {key.kid: key for key in tx.signing_keys()}
    for kid in (keys.next_kid, keys.old_kid):
        if kid is not None and kid in known and known[kid].state == DROPPED:
            keys.let_go(kid)
    _recall_old(desk, known)
    roles = (
        {keys.kid: CURRENT} | {kid: OLD for kid in (keys.old_kid,) if kid} | {k: NEXT for k in (keys.next_kid,) if k}
    )
    first = not known
    for kid, key in known.items():
        if kid not in roles and key.state not in (DROPPED, LOST):
            known[kid] = replace(key, state=LOST, signed_s=now if key.state == CURRENT else key.signed_s)
    for kid, state in roles.items():
        key = known.get(kid) or SigningKey(kid, keys.trusted[kid][:32], state, None, None, None, None)
        known[kid] = _in_role(desk, key, state, first)
    tx.keep_signing_keys(known.values())
    if first:  # the first start, or the first with this table: lockers there are were given the one key there was
        for locker in tx.believed():
            tx.believe(locker, keys.kid, now)


def _in_role(desk: Desk, key: SigningKey, state: str, first: bool) -> SigningKey:
    now = desk.clock()
    if state == CURRENT:
        began = 0 if first else now
        return replace(key, state=state, signs_s=began if key.signs_s is None else key.signs_s, signed_s=None)
    if state == OLD:
        return replace(
            key, state=state, signs_s=key.signs_s or 0, signed_s=now if key.signed_s is None else key.signed_s
        )
    if key.introduction is None or key.introduced_by != desk.keys.kid:
        words = trust.seal(trust.to_add(desk.keys.trusted[key.kid]), desk.keys.kid, desk.keys.sign)
        key = replace(key, introduced_by=desk.keys.kid, introduction=words)
    return replace(key, state=state)


def _recall_old(desk: Desk, known: dict[bytes, SigningKey]) -> None:
    """The key that signed before is needed by its public half only, and the books have that."""
    keys = desk.keys
    if keys.old_kid is not None or keys.next_kid is not None:
        return
    promoted = keys.kid in known and known[keys.kid].state == NEXT
    for key in known.values():
        if key.kid != keys.kid and key.state == (CURRENT if promoted else OLD):
            keys.recall(key.public_key)


def _forget_locker_keys(desk: Desk, tx: Transaction) -> None:
    """Another master key: no locker's key can be worked out any more. They are as if never provisioned."""
    for locker in tx.lockers():
        if locker.generation:
            desk.keys.note_generations({locker.id: locker.generation})
            locker.generation = 0
            locker.online = False
            tx.keep_lockers([(locker, locker.last_seq)])
            tx.disbelieve(locker.id)
            tx.supersede_trust(locker.id)
            tx.raise_alarm(locker.id, 0, PROVISION_AGAIN, None, desk.clock())


def alarm_cut_off(desk: Desk, tx: Transaction) -> None:
    """An alarm for each locker that nobody can tell anything about signing keys any more."""
    wanted = wanted_of(desk, tx.signing_keys())
    for locker, believed in tx.believed().items():
        if cut_off(believed, wanted):
            tx.raise_alarm(locker, 0, PROVISION_AGAIN, None, desk.clock())
