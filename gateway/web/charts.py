"""Small drawings of numbers. Every number stands in the text beside or inside too: no colour says anything alone."""

from collections.abc import Mapping
from dataclasses import dataclass

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
