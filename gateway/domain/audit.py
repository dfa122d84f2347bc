"""The log of acts as a hash chain over salted ids: what was altered, cut out or cut off shows, and erasing a person
does not break it.

    actor = SHA-256(salt of the name || [name, credential])      about = SHA-256(salt || [parcel, reason])
    hash  = SHA-256(hash of the act before || [id, kind, actor, about, locker, compartment, operation, time])

`about` has the salt of the parcel, or of the actor where the act is about none. Without its salt it leads to nobody:
the row shows neither parcel nor reason any more, and the chain, which covers only the digest, still holds. How many
acts an erasure unlinked stands in an act of its own, so that nobody hides one by emptying it.

No secret is in it: whoever can write the books can make a whole new chain. So its head is told to the log, which is
elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.domain.acts import PERSON_ERASED, Act
from gateway.limits import AUDIT_WRONG_MAX

GENESIS = bytes(32)
_as_text = json.JSONEncoder(separators=(",", ":")).encode
ALTERED, RELABELLED, MISSING = "altered", "relabelled", "missing"
CUT_OFF, UNCHAINED, HIDDEN = "cut_off", "unchained", "hidden"
MEANING = {
    ALTERED: "this act or its link was changed after it was written",
    RELABELLED: "the name, key, parcel or reason shown here is not the one that was written",
    MISSING: "acts before this one were taken out",
    CUT_OFF: "acts after this one were taken away",
    UNCHAINED: "this act was put in without a link",
    HIDDEN: "up to here more acts are without their parcel than erasures made so",
}


@dataclass(frozen=True, slots=True)
class Link:
    """An act as it stands in the chain, and the salts that there still are."""

    act: Act
    actor: bytes | None
    about: bytes | None
    hash: bytes | None
    actor_salt: bytes | None
    parcel_salt: bytes | None

    @property
    def sayings(self) -> str:
        """Whether what it shows is what was written: "same", "other", or "erased": it shows nothing any more."""
        act = self.act
        if self.actor_salt is None or actor_digest(self.actor_salt, act) != self.actor:
            return "other"
        salt = self.actor_salt if act.parcel is None else self.parcel_salt
        if salt is not None and about_digest(salt, act) == self.about:
            return "same"
        return "erased" if act.parcel is None and not act.reason else "other"


@dataclass(frozen=True, slots=True)
class Chain:
    """From the act after `after_id` to `head_id`."""

    after_id: int
    after_hash: bytes
    head_id: int
    head_hash: bytes


@dataclass
class Check:
    """`unlinked`: acts whose people were erased. `wrong`: (id of the act, what), the first ones."""

    acts: int = 0
    unlinked: int = 0
    head_id: int = 0
    head_hash: bytes = GENESIS
    wrong: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def add(self, act: int, what: str) -> None:
        if len(self.wrong) < AUDIT_WRONG_MAX:
            self.wrong.append((act, what))


def _digest(before: bytes, values: tuple[object, ...]) -> bytes:
    return hashlib.sha256(before + _as_text(values).encode()).digest()


def actor_digest(salt: bytes, act: Act) -> bytes:
    return _digest(salt, (act.by, act.credential))


def about_digest(salt: bytes, act: Act) -> bytes:
    return _digest(salt, (act.parcel, act.reason))


def link_hash(before: bytes, act: Act, actor: bytes, about: bytes) -> bytes:
    told = (act.id, act.kind, actor.hex(), about.hex(), act.locker, act.compartment, act.operation, act.made_s)
    return _digest(before, told)


def verify(chain: Chain, links: Iterable[Link]) -> Check:
    """`links`: all of them, in their order. Each is judged by the stored hash of the one before it, so that what was
    altered is named, and not all that follows."""
    check = Check(head_id=chain.head_id, head_hash=chain.head_hash)
    last, before, erased = chain.after_id, chain.after_hash, 0
    for link in links:
        act, sayings = link.act, link.sayings
        check.acts += 1
        if act.id != last + 1:
            check.add(act.id, MISSING)
        last = act.id
        if link.hash is None or link.actor is None or link.about is None:
            check.add(act.id, UNCHAINED)
            continue
        if link_hash(before, act, link.actor, link.about) != link.hash:
            check.add(act.id, ALTERED)
        elif sayings == "other":
            check.add(act.id, RELABELLED)
        check.unlinked += sayings == "erased"
        erased += int(act.reason) if act.kind == PERSON_ERASED and act.reason.isdecimal() else 0
        before = link.hash
    if (last, before) != (chain.head_id, chain.head_hash):
        check.add(last, CUT_OFF)
    if check.unlinked > erased:
        check.add(last, HIDDEN)
    return check
