"""Use cases about alarms: see them, look after one, let it wait, say that it is settled."""

from dataclasses import replace

from gateway.domain.acts import ALARM_SETTLED, ALARM_SNOOZED, ALARM_TAKEN
from gateway.domain.errors import Refusal
from gateway.domain.events import Alarm
from gateway.domain.people import Principal
from gateway.limits import PAGE_SIZE, PAGE_SIZE_MAX, SNOOZE_HOURS
from gateway.services import acts
from gateway.services.desk import Desk, must_operate
from gateway.services.ports import Transaction

_HOUR_S = 3_600


def open_alarms(desk: Desk, who: Principal) -> list[Alarm]:
    """Newest first, those that can wait last."""
    must_operate(who, "events:read")
    now = desk.clock()
    with desk.store.reading() as tx:
        return sorted(tx.alarms(True, PAGE_SIZE_MAX), key=lambda alarm: alarm.asleep_at(now))


def closed_alarms(desk: Desk, who: Principal) -> list[Alarm]:
    """Of the latest alarms those that are over."""
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        return [alarm for alarm in tx.alarms(False, PAGE_SIZE) if alarm.cleared_s is not None]


def alarms_of(desk: Desk, who: Principal, locker: str) -> list[Alarm]:
    must_operate(who, "events:read")
    with desk.store.reading() as tx:
        return tx.alarms_of(locker)


def look_after(desk: Desk, who: Principal, number: int) -> Alarm:
    """ "I look after it": others see who. Raises Refusal: not_allowed, unknown_alarm, wrong_state."""
    with desk.store.transaction() as tx:
        alarm = _open(tx, who, number)
        return _keep(desk, tx, who, replace(alarm, owner=who.name, owned_s=desk.clock()), ALARM_TAKEN)


def snooze(desk: Desk, who: Principal, number: int, hours: int) -> Alarm:
    """To the end of the list for a while. Raises Refusal: bad_value, not_allowed, unknown_alarm, wrong_state."""
    if hours not in SNOOZE_HOURS:
        raise Refusal("bad_value", f"hours: one of {', '.join(map(str, SNOOZE_HOURS))}")
    with desk.store.transaction() as tx:
        alarm = _open(tx, who, number)
        return _keep(desk, tx, who, replace(alarm, snoozed_s=desk.clock() + hours * _HOUR_S), ALARM_SNOOZED)


def settle(desk: Desk, who: Principal, number: int) -> Alarm:
    """A person has seen to it. A quarantine stays: that is lifted at the compartment. Should it happen again, it is a
    new alarm. Raises Refusal: not_allowed, unknown_alarm, wrong_state."""
    with desk.store.transaction() as tx:
        alarm = _open(tx, who, number)
        return _keep(desk, tx, who, replace(alarm, cleared_s=desk.clock()), ALARM_SETTLED)


def _open(tx: Transaction, who: Principal, number: int) -> Alarm:
    must_operate(who, "lockers:write")
    alarm = tx.alarm(number)
    if alarm is None:
        raise Refusal("unknown_alarm", "there is no such alarm", ("list the alarms",))
    if alarm.cleared_s is not None:
        raise Refusal("wrong_state", "this alarm is over", ("list the alarms",))
    return alarm


def _keep(desk: Desk, tx: Transaction, who: Principal, alarm: Alarm, kind: str) -> Alarm:
    tx.keep_alarm(alarm)
    place = (alarm.locker, alarm.compartment or None)
    acts.note(desk, tx, who, kind, desk.clock(), place=place, parcel=alarm.parcel, reason=alarm.kind)
    return alarm
