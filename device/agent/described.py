"""/config.json, taken or refused with the field's name. Loaded for a start only: nothing that stays may hold it."""

from typing import TYPE_CHECKING

from device.agent.config import Config, ConfigError
from protocol.keys import KEY_SIZE
from protocol.limits import COMPARTMENTS_MAX, TRUST_PART_SIZE_MAX
from protocol.numbers import SIZES
from protocol.topics import is_locker_id

if TYPE_CHECKING:
    from typing import Any

VERSION = 1
_NAME_MAX, _ID_MAX, _BOXES_MAX = 8, 12, 255  # of a module: letters, letters, compartments


def parse(document: "dict[str, Any]", key: bytes, trusted: "dict[bytes, bytes]") -> Config:
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


def layout(document: "dict[str, Any]") -> bytes:
    """What messages.Layout tells of a document that parse() has taken. Raises ConfigError."""
    told = bytearray()
    last = 0
    names: list[str] = []
    for place, module in enumerate(document["modules"]):
        name: str = module.get("name", chr(ord("A") + place))
        serial: str = module.get("id", "")
        _expect(_is_text(name) and 0 < len(name) <= _NAME_MAX, "modules.name", f"1 to {_NAME_MAX} letters")
        _expect(name not in names, "modules.name", "each once")
        _expect(len(module["compartments"]) <= _BOXES_MAX, "modules.compartments", f"at most {_BOXES_MAX}")
        _expect(_is_text(serial) and len(serial) <= _ID_MAX, "modules.id", f"at most {_ID_MAX} letters")
        names.append(name)
        boxes: list[dict[str, Any]] = module["compartments"]
        for text in (name, serial):
            told.append(len(text))
            told.extend(text.encode())
        told.append(len(boxes))
        for box in boxes:
            last = _tell(told, SIZES.index(box["size"]) if box.get("size") in SIZES else 3, last, box["number"])
    retired = _retired(document)
    for first in range(0, len(retired), _BOXES_MAX):
        some = retired[first : first + _BOXES_MAX]
        told.extend(bytes([0, 0, len(some)]))
        for number in some:
            last = _tell(told, 3, last, number)
    _expect(len(told) <= TRUST_PART_SIZE_MAX, "modules", "numbered in order")
    return bytes(told)


def _tell(told: bytearray, size: int, last: int, number: int) -> int:
    if 0 < number - last < 64:
        told.append(size << 6 | number - last)
    else:
        told.append(size << 6)
        told.extend(number.to_bytes(2, "big"))
    return number


def _retired(document: "dict[str, Any]") -> "list[int]":
    """Numbers that no compartment has any more, nor will: codes and people know them from the one that had them."""
    retired: Any = document.get("retired", [])
    used = [box["number"] for module in document["modules"] for box in module["compartments"]]
    _expect(isinstance(retired, list), "retired", "a list of numbers")
    _expect(all([_is_whole(one) and 0 < one <= COMPARTMENTS_MAX for one in retired]), "retired", "a list of numbers")
    _expect(not any([one in used for one in retired]), "retired", "numbers that no compartment has")
    found: list[int] = sorted(retired)
    return found


def _expect(holds: bool, field: str, wanted: str) -> None:
    if not holds:
        raise ConfigError(f"{field}: must be {wanted}")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
