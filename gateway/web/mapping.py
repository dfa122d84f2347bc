"""Lockers on a map without a map: their places to scale, from coordinates alone; nothing is asked of anybody.

Equirectangular around the middle of them all: within a town and its neighbours nobody sees the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, radians

WIDTH, HEIGHT, MARGIN = 1000.0, 620.0, 90.0
METRES_PER_DEGREE = 111_320.0  # of latitude, WGS 84
ALONE_M = 1_000.0  # how far one sees around a single locker
SCALES_M = tuple(step * 10**power for power in range(1, 7) for step in (1, 2, 5))
SCALE_MOST = WIDTH / 4
NEAR = 56.0  # marks nearer than this are pushed apart, each with a line to its place


@dataclass(frozen=True)
class Mark:
    """`x`, `y`: where its mark is drawn; `at`: its place itself."""

    x: float
    y: float
    at: tuple[float, float]


@dataclass(frozen=True)
class Map:
    marks: tuple[Mark, ...]
    scale_m: int
    scale: float  # its length in the drawing

    @property
    def view_box(self) -> str:
        return f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"


def place(points: Sequence[tuple[float, float]]) -> Map | None:
    """Marks in the order of `points` (latitude, longitude). None: there is nothing to draw."""
    if not points:
        return None
    middle = tuple((min(axis) + max(axis)) / 2 for axis in zip(*points, strict=True))
    east_m = METRES_PER_DEGREE * max(cos(radians(middle[0])), 0.01)
    metres = [((lon - middle[1]) * east_m, (lat - middle[0]) * METRES_PER_DEGREE) for lat, lon in points]
    half = [max(ALONE_M / 2, *(abs(one[axis]) for one in metres)) for axis in (0, 1)]
    per_m = min((WIDTH / 2 - MARGIN) / half[0], (HEIGHT / 2 - MARGIN) / half[1])
    places = [(WIDTH / 2 + x * per_m, HEIGHT / 2 - y * per_m) for x, y in metres]
    scale_m = max((one for one in SCALES_M if one * per_m <= SCALE_MOST), default=SCALES_M[0])
    return Map(tuple(_apart(places)), scale_m, scale_m * per_m)


def _apart(places: Sequence[tuple[float, float]]) -> list[Mark]:
    """Each at its place, or beside it where another one is drawn already."""
    marks: list[Mark] = []
    for x, y in places:
        here = next(
            (
                (x + dx * NEAR, y + dy * NEAR)
                for dx, dy in _ASIDE
                if all(hypot(x + dx * NEAR - mark.x, y + dy * NEAR - mark.y) >= NEAR for mark in marks)
            ),
            (x, y),
        )
        marks.append(Mark(here[0], here[1], (x, y)))
    return marks


_ASIDE = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1), (2, 0), (-2, 0))
