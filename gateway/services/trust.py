"""Use cases about signing keys: how they stand, begin a rotation, promote the next key, let one go.

A rotation visits no locker: every one is told by a statement that a key it believes has signed, and says so itself.
Nothing is switched before the lockers have said that they are ready, unless the operator insists.
"""

from dataclasses import replace

from gateway.domain.errors import Refusal
from gateway.domain.ids import id_bytes
from gateway.domain.people import Principal
from gateway.domain.signing_keys import (
    CURRENT,
    DROPPED,
    LET_GO,
    OLD,
    KeysStatus,
    KeyStatus,
    SigningKey,
    cut_off,
    next_step,
)
from gateway.limits import NAMES_TOLD_MAX
from gateway.services import key_check, trust_orders
from gateway.services.desk import Desk
from gateway.services.ports import Transaction

_KID_SIZE = 4


def status(desk: Desk, who: Principal) -> KeysStatus:
    who.must("keys:write")
    with desk.store.reading() as tx:
        return _status(desk, tx)


def _status(desk: Desk, tx: Transaction) -> KeysStatus:
    known = tx.signing_keys()
    wanted = trust_orders.wanted_of(desk, known)
    believed = tx.believed()
    return KeysStatus(
        keys=tuple(_key_status(desk, tx, key, believed) for key in known),
        provisioned=len(believed),
        waiting=tuple(locker for locker, kids in believed.items() if next_step(kids, wanted) is not None),
        cut_off=tuple(locker for locker, kids in believed.items() if cut_off(kids, wanted)),
        in_files=desk.keys.in_files,
    )


def _key_status(desk: Desk, tx: Transaction, key: SigningKey, believed: dict[str, frozenset[bytes]]) -> KeyStatus:
    now = desk.clock()
    until = now if key.signed_s is None else key.signed_s
    signed = key.signs_s is not None
    return KeyStatus(
        kid=key.kid,
        state=key.state,
        lockers=sum(key.kid in kids for kids in believed.values()),
        badges=tx.badges_signed(key.signs_s or 0, until, now) if signed else 0,
        parcels=tx.parcels_waiting(until) if signed else 0,
    )


def begin_rotation(desk: Desk, who: Principal) -> KeysStatus:
    """Make the next key and tell every locker of it; again: the same key. Raises Refusal: wrong_state,
    keys_in_environment."""
    who.must("keys:write")
    with desk.store.transaction() as tx:
        if desk.keys.old_kid is not None:
            raise Refusal(
                "wrong_state",
                f"the signing key before, {desk.keys.old_kid.hex()}, is still trusted, and lockers hold two keys",
                ("let the old key go, then begin",),
            )
        if desk.keys.next_kid is None and not desk.keys.in_files:
            raise Refusal(
                "keys_in_environment",
                "the signing keys are in the environment",
                (
                    "set CONSIGNE_NEXT_SIGNING_KEY to 64 random hex digits (openssl rand -hex 32)",
                    "start the gateway again: it tells the lockers by itself",
                ),
            )
        desk.keys.begin()
        key_check.settle(desk, tx)
        trust_orders.keep_up(desk)
        return _status(desk, tx)


def promote(desk: Desk, who: Principal, force: bool = False) -> KeysStatus:
    """The next key signs from here on. Raises Refusal: wrong_state, lockers_not_ready, keys_in_environment."""
    who.must("keys:write")
    with desk.store.transaction() as tx:
        following = desk.keys.next_kid
        if following is None:
            raise Refusal("wrong_state", "there is no next signing key", ("begin a rotation",))
        _ready(tx, following, force, "promote")
        if not desk.keys.in_files:
            raise Refusal(
                "keys_in_environment",
                "the signing keys are in the environment",
                (
                    "set CONSIGNE_SIGNING_KEY to what CONSIGNE_NEXT_SIGNING_KEY holds, and unset the latter",
                    "start the gateway again: the books know the key before",
                ),
            )
        desk.keys.promote()
        key_check.settle(desk, tx)
        return _status(desk, tx)


def drop(desk: Desk, who: Principal, kid_hex: str, force: bool = False) -> KeyStatus:
    """No locker believes it any more, once told: what it signed is worth nothing. Dropping the next key calls a
    rotation off. Again: the same answer. Raises Refusal: unknown_key, wrong_state, lockers_not_ready."""
    who.must("keys:write")
    with desk.store.transaction() as tx:
        known = {key.kid: key for key in tx.signing_keys()}
        key = known.get(id_bytes(kid_hex, "unknown_key", _KID_SIZE))
        if key is None:
            raise Refusal("unknown_key", "there is no signing key of this id")
        if key.state == CURRENT:
            raise Refusal(
                "wrong_state", "this key signs now", ("begin a rotation and promote the next key; then drop this one",)
            )
        if key.state not in LET_GO:
            if key.state == OLD:
                _ready(tx, desk.keys.kid, force, "drop")
            known[key.kid] = replace(key, state=DROPPED)
            tx.keep_signing_keys(known.values())
            _withdraw(desk, tx, key)
            trust_orders.keep_up(desk)
            if force:
                key_check.alarm_cut_off(desk, tx)
        said = _key_status(desk, tx, known[key.kid], tx.believed())
    desk.keys.let_go(key.kid)  # after the commit: a crash in between is made good at the next start
    return said


def _ready(tx: Transaction, kid: bytes, force: bool, what: str) -> None:
    """Raises Refusal("lockers_not_ready") with their names."""
    late = [locker for locker, kids in tx.believed().items() if kid not in kids]
    if not late or force:
        return
    named = ", ".join(late[:NAMES_TOLD_MAX]) + (", …" if len(late) > NAMES_TOLD_MAX else "")
    raise Refusal(
        "lockers_not_ready",
        f"{len(late)} provisioned locker(s) do not trust signing key {kid.hex()} yet: {named}",
        (
            "wait until they are online: they are told by themselves",
            f"{what} with force: they refuse new badges and QR codes until they are told; typed codes work",
        ),
    )


def _withdraw(desk: Desk, tx: Transaction, key: SigningKey) -> None:
    """An order to believe it that is still under way is called back; who has carried it out is told otherwise."""
    if key.state != OLD:
        for locker in tx.believed():
            tx.supersede_trust(locker)
            tx.clear_alarms(locker, 0, trust_orders.REFUSED, desk.clock())
