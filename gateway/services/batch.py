"""What one transaction of arrivals works on: lockers and compartments are read once, changed in memory, written once.

Everything else (parcels, commands, alarms) is rare beside doors, and goes to the books directly.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.domain.compartments import Compartment
from gateway.domain.events import Answer
from gateway.domain.ids import ParcelNumber
from gateway.domain.lockers import Locker
from gateway.domain.readings import Reading
from gateway.limits import LOCKER_ALIVE_S
from gateway.services.desk import Desk
from gateway.services.ports import Transaction
from protocol.messages import Ack, Message, Resend, Reserved, Up


@dataclass(slots=True)
class Turn:
    """One locker in this batch: what it was read as, and what it will be answered."""

    locker: Locker
    seq_read: int
    news: list[Message]
    woke: bool = False
    acknowledged: bool = False
    highest: int = 0  # of the events that came, applied or not

    def answer(self) -> Answer | None:
        messages = list(self.news)
        if self.highest > self.locker.last_seq:
            messages.append(Resend(self.locker.last_seq + 1))
        elif self.acknowledged:
            messages.append(Ack(self.locker.last_seq))
        return Answer(self.locker.id, messages) if messages else None


class Batch:
    def __init__(self, desk: Desk, tx: Transaction, lockers: Iterable[str], places: Iterable[tuple[str, int]]) -> None:
        self.desk = desk
        self.tx = tx
        self.now = desk.clock()
        found = tx.lockers_of(lockers)
        self.turns = {name: Turn(locker, locker.last_seq, []) for name, locker in found.items()}
        self._boxes = {(box.locker, box.number): box for box in tx.compartments_at(places)}
        self._touched: dict[tuple[str, int], Compartment] = {}
        self.running = tx.running_places(found)
        self.readings: dict[tuple[str, str], Reading] = {}
        self.taken: list[tuple[str, Up, ParcelNumber | None]] = []

    def box(self, locker: str, number: int) -> Compartment | None:
        """The one copy of it in this batch."""
        place = (locker, number)
        box = self._boxes.get(place)
        if box is None:
            box = self.tx.compartment(locker, number)
            if box is not None:
                self._boxes[place] = box
        return box

    def boxes_of(self, locker: str) -> list[Compartment]:
        """All that a locker has or had, as this batch has changed them so far; in order of number."""
        boxes = self.tx.compartments_of(locker, retired=True)
        return [self._boxes.setdefault((locker, box.number), box) for box in boxes]

    def touch(self, box: Compartment) -> None:
        """It was changed and has to be written."""
        self._touched[box.locker, box.number] = box

    def when_s(self, up: Up) -> int:
        """By the locker's clock where it has one, but never later than now."""
        return self.now if up.t_wall_s is None else min(up.t_wall_s, self.now)

    def alarm(self, locker: str, compartment: int, kind: str, parcel: ParcelNumber | None = None) -> None:
        self.tx.raise_alarm(locker, compartment, kind, parcel, self.now)

    def suspect(self, box: Compartment, kind: str, parcel: ParcelNumber | None = None) -> None:
        """What the locker says and what the books say cannot both be: offer it to nobody until a person looked."""
        box.quarantined = True
        self.touch(box)
        self.alarm(box.locker, box.number, kind, parcel)

    def hear(self, locker: Locker) -> None:
        """It says something. After a silence, the days that it lost are noted before the books call it alive."""
        if not locker.alive_at(self.now, LOCKER_ALIVE_S):
            self.tx.pause_silent(self.now, LOCKER_ALIVE_S, self.desk.pickup_s, locker.id)

    def flush(self) -> list[Answer]:
        """Write what was gathered; what to tell whom once it is committed."""
        self.keep()
        self._tell_reservations()
        answers = [turn.answer() for turn in self.turns.values()]
        return [answer for answer in answers if answer is not None]

    def keep(self) -> None:
        """Write what was gathered, and tell nobody."""
        self.tx.keep_compartments(self._touched.values())
        self.tx.keep_lockers([(turn.locker, turn.seq_read) for turn in self.turns.values()])
        self.tx.keep_readings(self.readings.values())
        self.tx.add_events(self.taken, self.now)

    def _tell_reservations(self) -> None:
        """To lockers that woke up, or whose reservations changed: in this batch, or by the API before it."""
        asked = [name for name, turn in self.turns.items() if turn.woke or name in self.tx.moved]
        if not asked:
            return
        places = self.tx.reserved_places(asked)
        for name in asked:
            doors = [number for locker, number in places if locker == name]
            self.turns[name].news.append(Reserved(bits_of(doors)))
        self.tx.moved.difference_update(asked)


def bits_of(doors: Iterable[int]) -> bytes:
    """As messages.Reserved has them, no longer than the highest number needs."""
    bits = sum(1 << number for number in doors)
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")
