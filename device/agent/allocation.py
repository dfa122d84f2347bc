"""Which door for a parcel, when no gateway can be asked: the smallest that fits, and of those the least used.

Pure: whoever asks knows which places are free, closed and sound, and which ones the gateway has promised away.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.agent.books import Books


def choose(books: "Books", sizes: bytes, size: int, reserved: bytes, free: "list[int]") -> "int | None":
    """One of the places in `free`, or None: no room. `sizes`: by place, like `size` a place in SIZES; `reserved`: the
    bits of messages.Reserved, and b"" where none are known."""
    found = None
    for place in free:
        if sizes[place] < size or is_reserved(reserved, books.numbers[place]):
            continue
        rank = sizes[place], books.deposit(place)
        if found is None or rank < found[0]:
            found = rank, place
    return None if found is None else found[1]


def is_reserved(doors: bytes, number: int) -> bool:
    """Whether a bitmap of compartments names this one. One that is longer or shorter than the locker does no harm."""
    return number >> 3 < len(doors) and doors[number >> 3] >> (number & 7) & 1 != 0
