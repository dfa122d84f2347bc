"""What sensors and parts said last, by name (events.Sensed). Apart from `status`, whose answer must stay short."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.desk.seat import Desk


def _sensors(desk: "Desk", _words: "list[str]") -> None:
    desk.ok(desk.agent.sensed)


ORDERS = {"sensors": _sensors}
