"""Use cases about sites: what a locker's operator tells those who come to it."""

from gateway.domain.people import Principal
from gateway.domain.sites import Site, check_site
from gateway.services.desk import Desk, known_locker


def put_site(desk: Desk, who: Principal, locker: str, site: Site) -> Site:
    """In place of what was told before. Raises Refusal: not_allowed, unknown_locker, bad_value."""
    who.must("lockers:write")
    check_site(site)
    with desk.store.transaction() as tx:
        known_locker(tx, locker)
        tx.keep_site(locker, site)
    return site


def get_site(desk: Desk, who: Principal, locker: str) -> Site:
    """Empty where nobody has told anything. Raises Refusal: not_allowed, unknown_locker."""
    who.must("lockers:read")
    with desk.store.reading() as tx:
        known_locker(tx, locker)
        return tx.site_of(locker) or Site()
