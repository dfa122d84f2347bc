"""A courier at a locker without a network. Not a test file: test_agent_offline and its power cuts stand on it."""

from rig import Rig
from tokens_of_rig import COURIER_TOKEN

from device.agent import events as on
from protocol import messages


def alone(sizes: "bytes | None" = None, numbers_of: "list[int] | None" = None) -> Rig:
    """A courier has shown a badge to a locker without a network."""
    rig = Rig(numbers_of, sizes=sizes)
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    assert rig.screen[0] == "courier_ready"
    return rig


def begin(rig: Rig, label: str = "PARCEL-1", size: str = "1") -> None:
    rig.do(on.Scanned(label.encode()))
    assert rig.screen[0] == "size"
    rig.keys(size)


def saved(rig: Rig, kind: "type") -> "list[messages.Message]":
    return [event for event in rig.flash.events() if type(event) is kind]
