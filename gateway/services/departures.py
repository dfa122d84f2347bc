"""Use cases about somebody who leaves: all access is taken back at once, and the name ends with the log of acts.

The name is not erased sooner: who did what has to be provable for as long as claims may come (domain/personal.py).
Then its rows go by the timers, the chain of acts begins after them, and nothing in the books has the name.
"""

from gateway.domain.acts import STAFF_LEFT
from gateway.domain.departures import Departure, Person, persons
from gateway.domain.errors import Refusal
from gateway.domain.people import TECHNICIAN, Principal
from gateway.services import acts, people
from gateway.services.desk import Desk, must_operate
from gateway.services.ports import Transaction

SCOPE = "credentials:write"


def everybody(desk: Desk, who: Principal) -> list[Person]:
    """Those with access first. Raises Refusal("not_allowed")."""
    must_operate(who, SCOPE)
    with desk.store.reading() as tx:
        return persons(tx.credentials(), tx.badges(None), desk.clock())


def leave(desk: Desk, who: Principal, name: str, tenant: str) -> Departure:
    """Of `name` in `tenant` ("" for the town's own). Again: nothing more is taken. Raises Refusal: not_allowed,
    unknown_credential."""
    must_operate(who, SCOPE)
    now = desk.clock()
    with desk.store.transaction() as tx:
        before = _known(desk, tx, name, tenant)
        if before.has_key(who.credential):
            raise Refusal("not_allowed", "this is your own name", ("let another operator do it",))
        for key in before.keys:
            people.take_key(desk, tx, who, key)
        for badge in before.badges:
            who.must("technicians:write" if badge.role == TECHNICIAN else "badges:write")
            people.take_badge(desk, tx, who, badge)
        # Only operators look after things; a tenant's key of the same name is somebody else.
        alarms, reports = (0, 0) if tenant else tx.disown(name)
        if before.keys or before.badges:
            acts.note(desk, tx, who, STAFF_LEFT, now)
        return Departure(_known(desk, tx, name, tenant), before.keys, before.badges, alarms, reports)


def _known(desk: Desk, tx: Transaction, name: str, tenant: str) -> Person:
    for person in persons(tx.credentials(), tx.badges(None), desk.clock()):
        if (person.name, person.tenant) == (name, tenant):
            return person
    raise Refusal("unknown_credential", "no key and no badge has this name", ("list the keys and the badges",))
