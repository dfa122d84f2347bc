"""Use cases about contracts: the operator says which carriers a merchant announces parcels for; each looks at its own.

Ending one takes effect at once and changes no parcel: what the merchant alone has announced and nobody has put in gets
no door from then on, unless its carrier announces it or there is a contract again. What lies in a locker stays its
recipient's: it was put in by the carrier's own courier while the two worked together.
"""

from gateway.domain.acts import CONTRACT_ENDED, CONTRACT_MADE
from gateway.domain.contracts import Claim, Contract, Pair, check_pair
from gateway.domain.errors import Refusal
from gateway.domain.people import COURIER, MERCHANT, Principal
from gateway.limits import CLAIMS_SHOWN_MAX, CONTRACTS_MAX
from gateway.services import acts
from gateway.services.desk import Desk, must_operate
from gateway.services.ports import Transaction

SCOPE = "credentials:write"


def make(desk: Desk, who: Principal, merchant: str, carrier: str) -> Contract:
    """Again: the one there is. Raises Refusal: not_allowed, bad_value."""
    must_operate(who, SCOPE)
    check_pair(merchant, carrier)
    with desk.store.transaction() as tx:
        return add(desk, tx, who, merchant, carrier)


def add(desk: Desk, tx: Transaction, who: Principal, merchant: str, carrier: str) -> Contract:
    """In the transaction of a new key too."""
    known = tx.contract(merchant, carrier)
    if known is not None:
        return known
    if tx.count_contracts() >= CONTRACTS_MAX:
        raise Refusal("bad_value", f"{CONTRACTS_MAX} contracts at the most", ("end one that is not used",))
    made = Contract(merchant, carrier, desk.clock())
    tx.add_contract(made)
    acts.note(desk, tx, who, CONTRACT_MADE, made.since_s, reason=f"{merchant}/{carrier}")
    return made


def end(desk: Desk, who: Principal, merchant: str, carrier: str) -> Pair:
    """What is left of it, with the parcels that get no door now. Again, or where there was none: the same. Raises
    Refusal: not_allowed, bad_value."""
    must_operate(who, SCOPE)
    check_pair(merchant, carrier)
    with desk.store.transaction() as tx:
        if tx.end_contract(merchant, carrier):
            acts.note(desk, tx, who, CONTRACT_ENDED, desk.clock(), reason=f"{merchant}/{carrier}")
        return pair(desk, who, merchant, carrier)


def pair(desk: Desk, who: Principal, merchant: str, carrier: str) -> Pair:
    """How the two stand. Raises Refusal("not_allowed")."""
    must_operate(who, SCOPE)
    with desk.store.reading() as tx:
        found = tx.pairs(merchant, carrier)
    return found[0] if found else Pair(merchant, carrier, None, 0)


def pairs(desk: Desk, who: Principal) -> list[Pair]:
    """Contracts, and whoever announced parcels without one: all of an operator's, or one's own. Raises
    Refusal("not_allowed")."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        return tx.pairs(*_own(who))


def claims(desk: Desk, who: Principal) -> list[Claim]:
    """Labels that a merchant announced and that were known as somebody else's: a merchant's own claims, those to a
    carrier's labels, or all. The newest CLAIMS_SHOWN_MAX. Raises Refusal("not_allowed")."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        return tx.claims(*_own(who), CLAIMS_SHOWN_MAX)


def _own(who: Principal) -> tuple[str | None, str | None]:
    """merchant, carrier; None: any."""
    return (who.tenant if who.role == MERCHANT else None), (who.tenant if who.role == COURIER else None)
