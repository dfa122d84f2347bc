"""How a locker is built by its own word (protocol.messages.Layout), read; and where a new compartment is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.compartments import SIZES, Compartment
from protocol.limits import COMPARTMENTS_MAX
from protocol.numbers import SIZES as TOLD_SIZES

_STEP = 0x3F


@dataclass(frozen=True, slots=True)
class Place:
    """One compartment: where it is. `size` "": its locker was not told."""

    number: int
    module: str
    module_id: str
    size: str


@dataclass(frozen=True, slots=True)
class Layout:
    """`places` in order of number."""

    places: tuple[Place, ...]
    retired: frozenset[int]


def read(modules: bytes) -> Layout | None:
    """None for what is no layout: a peer's error, which changes nothing."""
    places: dict[int, Place] = {}
    retired: set[int] = set()
    rest, last = memoryview(modules), 0
    try:
        while rest:
            name, rest = _text(rest)
            serial, rest = _text(rest)
            count, rest = rest[0], rest[1:]
            for _box in range(count):
                head = rest[0]
                wide = head & _STEP == 0
                last = int.from_bytes(rest[1:3], "big") if wide else last + (head & _STEP)
                rest = rest[3 if wide else 1 :]
                if not 1 <= last <= COMPARTMENTS_MAX or last in places or last in retired:
                    return None
                if name:
                    size = head >> 6
                    places[last] = Place(last, name, serial, TOLD_SIZES[size] if size < len(TOLD_SIZES) else "")
                else:
                    retired.add(last)
    except (IndexError, UnicodeDecodeError):
        return None
    return Layout(tuple(places[number] for number in sorted(places)), frozenset(retired)) if places else None


def _text(rest: memoryview) -> tuple[str, memoryview]:
    size = rest[0]
    if len(rest) <= size:
        raise IndexError
    return bytes(rest[1 : 1 + size]).decode("ascii"), rest[1 + size :]


def grown(locker: str, place: Place, boxes: Sequence[Compartment]) -> Compartment:
    """A compartment that nobody has drawn, as its like of this locker measures: on top of its module's others, and the
    first of a module to the right of all."""
    size = place.size or SIZES[-1]
    like = min(boxes, key=lambda box: (box.size != size, box.number))
    below = [box for box in boxes if box.module == place.module]
    return Compartment(
        locker=locker,
        number=place.number,
        module=place.module,
        size=size,
        width_mm=like.width_mm,
        height_mm=like.height_mm,
        depth_mm=like.depth_mm,
        x_mm=below[0].x_mm if below else max(box.x_mm + box.width_mm for box in boxes),
        bottom_mm=max((box.bottom_mm + box.height_mm for box in below), default=min(box.bottom_mm for box in boxes)),
        accessible=False,
        module_id=place.module_id,
    )
