"""A locker's front, to scale: every length is a millimetre of the cabinet, and the ground is at the bottom.

Where a door is, is said in words too: which column from the left, which door from the top, how high.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.compartments import Compartment

_MARGIN_MM = 60
_GROUND_MM = 40


@dataclass(frozen=True)
class Box:
    """One door as drawn. `y_mm` counts down from the top of the picture. `state`: a class of the style sheet."""

    number: int
    x_mm: int
    y_mm: int
    width_mm: int
    height_mm: int
    state: str
    here: bool

    @property
    def digits_mm(self) -> float:
        return min(120.0, self.height_mm * 0.7, self.width_mm * 0.36)

    @property
    def middle_mm(self) -> tuple[float, float]:
        return self.x_mm + self.width_mm / 2, self.y_mm + self.height_mm / 2


@dataclass(frozen=True)
class Drawing:
    boxes: tuple[Box, ...]
    width_mm: int
    height_mm: int

    @property
    def view_box(self) -> str:
        size = f"{self.width_mm + 2 * _MARGIN_MM} {self.height_mm + _MARGIN_MM + _GROUND_MM}"
        return f"{-_MARGIN_MM} {-_MARGIN_MM} {size}"


@dataclass(frozen=True)
class Place:
    """Where one stands before a door: counted from 1, columns from the left, doors of a column from the top."""

    column: int
    columns: int
    row: int
    rows: int
    handle_mm: int  # the middle of its door above the ground


def draw(boxes: Sequence[Compartment], states: dict[int, str], here: int | None = None) -> Drawing:
    """`states`: the class of each number; what is not there is drawn plain. `here`: the door that is pointed at."""
    width = max(box.x_mm + box.width_mm for box in boxes)
    height = max(box.bottom_mm + box.height_mm for box in boxes)
    return Drawing(
        tuple(
            Box(
                box.number,
                box.x_mm,
                height - box.bottom_mm - box.height_mm,
                box.width_mm,
                box.height_mm,
                states.get(box.number, "plain"),
                box.number == here,
            )
            for box in boxes
        ),
        width,
        height,
    )


def place_of(boxes: Sequence[Compartment], number: int) -> Place:
    """A column is what stands at one place from the left. KeyError: no such door."""
    found = {box.number: box for box in boxes}[number]
    edges = sorted({box.x_mm for box in boxes})
    column = sorted((box for box in boxes if box.x_mm == found.x_mm), key=lambda box: -box.bottom_mm)
    return Place(
        edges.index(found.x_mm) + 1,
        len(edges),
        [box.number for box in column].index(number) + 1,
        len(column),
        found.bottom_mm + found.height_mm // 2,
    )
