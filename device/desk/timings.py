"""How long each door takes to open, as `cal` has learnt it and keeps it on flash."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FILE = "cal"  # one line a door: number, ms (least, median, most), cycles, Unix time or 0, who


def known(lines: "Iterator[str]") -> "Iterator[list[Any]]":
    """[number, least, median, most, cycles, Unix time, who] of each line that says so."""
    for line in lines:
        words = line.split()
        if len(words) == 7 and all([word.isdigit() for word in words[:6]]):
            yield [int(word) for word in words[:6]] + words[6:]


def drifted(took: int, most: int, median: int) -> bool:
    """Whether an opening was slower than any that was seen, and not by chance."""
    return took > most + max(50, median // 2)
