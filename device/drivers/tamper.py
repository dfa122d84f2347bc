"""A tamper switch, which DoorSwitches reads: it closes to ground while the housing is shut."""

from device.agent.events import Sensed


def tampered(_number: int, is_closed: bool) -> Sensed:
    return Sensed("tamper", 0 if is_closed else 1)
