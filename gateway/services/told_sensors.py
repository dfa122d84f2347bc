"""What a locker measures: the last value of each sensor is kept, and a housing that is open, a temperature or a supply
out of its bounds is an alarm. An open housing's ends when a person has seen to it, the others' by themselves.
"""

from gateway.domain.readings import BOUNDS, QUANTITIES, VERDICTS, Reading
from gateway.services.batch import Batch, Turn
from protocol.messages import Measured, Up


def measured(batch: Batch, turn: Turn, up: Up) -> None:
    told = up.event
    assert isinstance(told, Measured)
    locker = turn.locker.id
    if told.value > 0 and told.name in VERDICTS:
        batch.alarm(locker, 0, VERDICTS[told.name])
    if told.name not in QUANTITIES:
        return
    batch.readings[locker, told.name] = Reading(locker, told.name, told.value, batch.when_s(up))
    for bound in BOUNDS:
        if bound.name != told.name:
            continue
        if bound.is_crossed(told.value):
            batch.alarm(locker, 0, bound.kind)
        elif bound.is_settled(told.value):
            batch.tx.clear_alarms(locker, 0, bound.kind, batch.now)
