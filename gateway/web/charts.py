"""Small drawings of numbers. Every number stands in the text beside or inside too: no colour says anything alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from gateway.domain.compartments import AVAILABILITIES

SHADES = 5  # of a heat map's cells: classes heat0 (nothing) to heat5


@dataclass(frozen=True)
class Part:
    """One state's stretch of a bar, in doors."""

    state: str
    count: int
    start: int


def parts(counts: Mapping[str, int]) -> list[Part]:
    """In the order of AVAILABILITIES, those that there are."""
    found: list[Part] = []
    start = 0
    for state in AVAILABILITIES:
        count = counts.get(state, 0)
        if count:
            found.append(Part(state, count, start))
            start += count
    return found


@dataclass(frozen=True)
class Cell:
    count: int
    shade: int


def heat(deposits: Mapping[tuple[int, int], int], hours: range) -> list[list[Cell]]:
    """Seven rows of cells, Monday first."""
    most = max(deposits.values(), default=0)
    return [[_cell(deposits.get((day, hour), 0), most) for hour in hours] for day in range(7)]


def _cell(count: int, most: int) -> Cell:
    return Cell(count, -(-count * SHADES // most) if most else 0)


def busy_hours(deposits: Mapping[tuple[int, int], int]) -> range:
    """The hours to show: all in which anything happened, and the usual day from 8 to 20."""
    hours = [hour for _, hour in deposits]
    return range(min([8, *hours]), max([19, *hours]) + 1)


WIDE, HIGH = 1120, 220  # a drawing of days: forty units a day of four weeks


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Plot:
    """`bars` in order; `line` and `area`: the same numbers as SVG points. `ticks`: a number and how high it stands."""

    bars: tuple[Bar, ...]
    line: str
    area: str
    ticks: tuple[tuple[int, float], ...]


def plot(numbers: Sequence[float], most: float = 0) -> Plot:
    """`most`: what the top stands for at the least."""
    steps = _ticks(max([most, *numbers, 1]))
    top = steps[-1]
    width = WIDE / max(len(numbers), 1)
    bars = [
        Bar(round(place * width + width * 0.1, 1), round(HIGH - HIGH * number / top, 1), round(width * 0.8, 1),
            round(HIGH * number / top, 1))
        for place, number in enumerate(numbers)
    ]  # fmt: skip
    line = [f"{place * width:.1f},{bar.y} {(place + 1) * width:.1f},{bar.y}" for place, bar in enumerate(bars)]
    area = f"0,{HIGH} {' '.join(line)} {WIDE},{HIGH}"
    return Plot(tuple(bars), " ".join(line), area, tuple((step, HIGH - HIGH * step / top) for step in steps))


def _ticks(most: float) -> list[int]:
    """Whole numbers from nothing to just over `most`, three to six of them."""
    step = next(size * 10**power for power in range(12) for size in (1, 2, 5) if most / (size * 10**power) <= 5)
    return [place * step for place in range(ceil(most / step) + 1)]
