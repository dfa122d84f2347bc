"""What a locker is told once, at provisioning: who it is, what it is built of, whom it trusts."""

from typing import TYPE_CHECKING

from protocol.keys import KEY_SIZE
from protocol.limits import COMPARTMENTS_MAX
from protocol.numbers import SIZES
from protocol.record import Record
from protocol.topics import is_locker_id

if TYPE_CHECKING:
    from typing import Any

VERSION = 1
FIRMWARE = "0.1.0"


class ConfigError(Exception):
    """The configuration cannot be used; the message names the field and what it should be."""


class Config(Record):
    """`trusted` maps a key id to that key's prepared Ed25519 table; `numbers` are the compartments, sorted, and
    `sizes` their places in SIZES."""

    FIELDS = ("locker", "generation", "key", "numbers", "trusted", "code_digits", "has_scanner", "sizes")
    locker: str
    generation: int
    key: bytes
    numbers: "list[int]"
    trusted: "dict[bytes, bytes]"
    code_digits: int
    has_scanner: bool
    sizes: bytes

    @staticmethod
    def parse(document: "dict[str, Any]", key: bytes, trusted: "dict[bytes, bytes]") -> "Config":
        """From the text of /config.json, /key and /trust. Raises ConfigError."""
        _expect(document.get("version") == VERSION, "version", str(VERSION))
        locker: str = document.get("locker", "")
        _expect(_is_text(locker) and is_locker_id(locker), "locker", "an id of a-z, 0-9 and -")
        generation: int = document.get("generation", 0)
        _expect(_is_whole(generation) and 1 <= generation <= 255, "generation", "1 to 255")
        _expect(len(key) == KEY_SIZE, "key", "32 bytes")
        numbers = sorted([box["number"] for module in document.get("modules", []) for box in module["compartments"]])
        _expect(0 < len(numbers) <= COMPARTMENTS_MAX, "modules", f"1 to {COMPARTMENTS_MAX} compartments")
        _expect(len(set(numbers)) == len(numbers), "modules", "compartments with numbers of their own")
        _expect(numbers[0] >= 1 and numbers[-1] <= COMPARTMENTS_MAX, "modules", "numbers from 1 up")
        digits = document.get("code_digits", 12)
        _expect(digits in (12, 16), "code_digits", "12 or 16")
        sizes = _sizes(document, numbers)
        return Config(locker, generation, key, numbers, trusted, digits, document.get("scanner") is not None, sizes)


def _sizes(document: "dict[str, Any]", numbers: "list[int]") -> bytes:
    """A compartment whose size is not told is taken for large: whom it is too small for says so with one key, but one
    taken for small would never be offered to a large parcel."""
    sizes = bytearray([len(SIZES) - 1] * len(numbers))
    for module in document["modules"]:
        for box in module["compartments"]:
            if box.get("size") in SIZES:
                sizes[numbers.index(box["number"])] = SIZES.index(box["size"])
    return bytes(sizes)


def _expect(holds: bool, field: str, wanted: str) -> None:
    if not holds:
        raise ConfigError(f"{field}: must be {wanted}")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
