"""What the gateway's books say happened: the log of the lockers' events, alarms, and what comes in and goes out."""

from dataclasses import dataclass, field

from gateway.domain.ids import ParcelNumber
from protocol.messages import EVENTS, Message, Up


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of a locker, verified and decoded."""

    locker: str
    up: Up


@dataclass(slots=True)
class Answer:
    """What a locker is told right after the commit, in this order."""

    locker: str
    messages: list[Message] = field(default_factory=list[Message])


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of the event log. `fields` has the message's field names; bytes are hex."""

    id: int
    locker: str
    boot: int
    seq: int
    type: int
    t_wall_s: int | None
    taken_s: int
    fields: dict[str, int | str | bool | None]
    parcel: ParcelNumber | None

    @property
    def name(self) -> str:
        return EVENTS[self.type].__name__


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person has to look at. Open until `cleared_s`; one open alarm of a kind per compartment. `owner`:
    the name of the key of whoever looks after it; `snoozed_s`: until when it can wait."""

    id: int
    locker: str
    compartment: int | None
    kind: str
    parcel: ParcelNumber | None
    raised_s: int
    cleared_s: int | None
    owner: str | None = None
    owned_s: int | None = None
    snoozed_s: int | None = None

    def asleep_at(self, now_s: int) -> bool:
        return self.snoozed_s is not None and now_s < self.snoozed_s
