"""What a locker measures: a housing that is open is an alarm; the other values go by."""

from gateway.services.batch import Batch, Turn
from protocol.messages import Measured, Up


def measured(batch: Batch, turn: Turn, up: Up) -> None:
    assert isinstance(up.event, Measured)
    if up.event.name == "tamper" and up.event.value > 0:
        batch.alarm(turn.locker.id, 0, "housing_open")
