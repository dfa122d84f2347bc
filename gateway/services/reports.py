"""Use cases about reports: a recipient says what is wrong, operators see it, and one of them ends it.

The record is frozen at once: what lies there is disputed, its door is offered to nobody, an alarm calls a person.
"""

from dataclasses import replace

from gateway.domain.acts import REPORT_CLOSED, REPORT_TAKEN
from gateway.domain.errors import Refusal
from gateway.domain.events import LoggedEvent
from gateway.domain.ids import ParcelNumber, ReportNumber
from gateway.domain.parcels import Parcel, after, can
from gateway.domain.people import OPERATOR, Principal
from gateway.domain.reports import KINDS, Report, check_closing, check_report
from gateway.limits import EVIDENCE_BEFORE_S, EVIDENCE_MAX, PAGE_SIZE_MAX, REPORTS_MAX
from gateway.services import acts
from gateway.services.desk import Desk, known_parcel, must_operate
from gateway.services.ports import Transaction


def report(desk: Desk, who: Principal, number: ParcelNumber, kind: str, words: str = "") -> Report:
    """Told twice while it is open: the same report. Raises Refusal: not_allowed, bad_value, wrong_state."""
    who.must("parcels:write")
    now = desk.clock()
    with desk.store.transaction() as tx:
        parcel = known_parcel(tx, who, number)
        before = tx.reports_of(number)
        same = next((one for one in before if one.kind == kind and one.closed_s is None), None)
        if same is not None:
            return same
        check_report(parcel, kind, words, now)
        if len(before) >= REPORTS_MAX:
            raise Refusal("wrong_state", f"of this parcel {REPORTS_MAX} reports were made", ("call the operator",))
        told = Report(
            number=ReportNumber(desk.number()),
            ticket=0,
            parcel=number,
            kind=kind,
            found=parcel.state,
            locker=parcel.locker,
            compartment=parcel.compartment,
            deposit=parcel.deposit,
            made_s=now,
            after_event=tx.last_event_before((parcel.deposited_s or parcel.expected_s) - EVIDENCE_BEFORE_S),
            words=words or None,
        )
        made = tx.add_report(told, parcel.ended_s)
        _freeze(tx, parcel, made)
        return made


def _freeze(tx: Transaction, parcel: Parcel, made: Report) -> None:
    if can(parcel.state, "dispute"):
        tx.keep_parcel(replace(parcel, state=after(parcel.state, "dispute")))
    number = parcel.compartment
    box = None if number is None else tx.compartment(parcel.locker, number)
    kept = None if number is None else tx.allocation_at(parcel.locker, number)
    somebody_elses = kept is not None and kept.parcel != parcel.number
    # A door that has another parcel by now is not closed to its owner; the alarm tells a person.
    if box is not None and KINDS[made.kind].quarantines and not somebody_elses:
        box.quarantined = True
        tx.keep_compartments([box])
    tx.raise_alarm(parcel.locker, number or 0, made.alarm, parcel.number, made.made_s)


def to_fetch(tx: Transaction, parcel: Parcel) -> bool:
    """It lies there and its code is for its recipient: also after "the door is stuck", and while somebody helps. What
    had expired, or was disputed by its locker before anybody reported it, is not."""
    if parcel.state != "disputed" or parcel.ended_s is not None:
        return parcel.state == "deposited"
    told = tx.reports_of(parcel.number)
    if not told or told[0].found != "deposited":
        return False
    return all(KINDS[one.kind].still_to_fetch for one in told)


def list_reports(
    desk: Desk, who: Principal, only_open: bool, cursor: int | None = None, limit: int = PAGE_SIZE_MAX
) -> tuple[list[Report], int | None]:
    """Newest first, of one's own parcels, and the cursor of what follows (None: nothing)."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        return tx.reports_page(who.role, who.tenant, only_open, cursor or None, max(1, min(limit, PAGE_SIZE_MAX)))


def get_report(desk: Desk, who: Principal, number: ReportNumber) -> tuple[Report, list[LoggedEvent]]:
    """With its evidence; of a tenant's, what is about the parcel only. Raises Refusal("unknown_report")."""
    who.must("parcels:read")
    with desk.store.reading() as tx:
        found = _known(tx, who, number)
        until_s = desk.clock() if found.closed_s is None else found.closed_s
        events = tx.evidence_of(found, until_s, EVIDENCE_MAX)
    return found, [event for event in events if who.role == OPERATOR or event.parcel is not None]


def look_after(desk: Desk, who: Principal, number: ReportNumber) -> Report:
    """ "I see to it": others see who. Raises Refusal: not_allowed, unknown_report, wrong_state."""
    must_operate(who, "parcels:write")
    with desk.store.transaction() as tx:
        found = _open(tx, who, number)
        tx.own_report(number, who.name, desk.clock())
        _note(desk, tx, who, found, REPORT_TAKEN)
        return replace(found, owner=who.name)


def close_report(desk: Desk, who: Principal, number: ReportNumber, reason: str) -> Report:
    """A person has found out. The door stays as it is until somebody releases it. Raises Refusal: unknown_report,
    bad_value, wrong_state."""
    who.must("parcels:write")
    check_closing(reason)
    now = desk.clock()
    with desk.store.transaction() as tx:
        found = _open(tx, who, number)
        tx.close_report(number, now, who.name, reason)
        _note(desk, tx, who, found, REPORT_CLOSED)
        if not tx.another_open(found):
            tx.clear_alarms(found.locker, found.compartment or 0, found.alarm, now)
        settle(tx, found.parcel, now)
        closed = tx.report(number)
        assert closed is not None
        return closed


def _open(tx: Transaction, who: Principal, number: ReportNumber) -> Report:
    """Raises Refusal: unknown_report, wrong_state."""
    found = _known(tx, who, number)
    if found.closed_s is not None:
        raise Refusal("wrong_state", "this report has been closed", ("read it again",))
    return found


def _note(desk: Desk, tx: Transaction, who: Principal, about: Report, kind: str) -> None:
    place = (about.locker, about.compartment)
    acts.note(desk, tx, who, kind, desk.clock(), place=place, parcel=about.parcel, reason=about.alarm)


def _known(tx: Transaction, who: Principal, number: ReportNumber) -> Report:
    """Somebody else's is as unknown as none."""
    found = tx.report(number)
    parcel = None if found is None else tx.parcel(found.parcel)
    if found is None or parcel is None or not who.may_see(parcel.carrier, parcel.merchant):
        raise Refusal("unknown_report", "there is no such report", ("list the reports",))
    return found


def settle(tx: Transaction, number: ParcelNumber, now_s: int) -> None:
    """A disputed parcel that lies nowhere any more, and of which no report is open, is over: its label is free, and
    what is known of people gets its term."""
    parcel = tx.parcel(number)
    told = tx.reports_of(number)
    if parcel is None or parcel.state != "disputed" or parcel.ended_s is not None or not told:
        return
    if tx.allocation_of(number) is None and all(one.closed_s is not None for one in told):
        tx.keep_parcel(replace(parcel, ended_s=now_s))
        tx.end_delegations(number, now_s)
