"""Changes to a locker's modules, made in what /config.json says. Pure; whether the outcome will do, device.desk.fits
says.

A compartment's number is its name: on the door, in messages, in codes. It stays when the board behind it is another
one, it is never given to another compartment, and new ones follow the highest that ever was.
"""

from typing import TYPE_CHECKING

from device.agent.config import ConfigError
from device.desk.fits import on_board
from protocol.limits import COMPARTMENTS_MAX
from protocol.numbers import SIZES

if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]

# What says which board a module hangs on, and how; a board that is replaced takes all of it along but `supply`.
_BOARD = ("driver", "bus", "address", "channels", "closed_when", "feedback", "variant", "pulse_ms")
_BUS = ("uart", "baud", "de", "tx", "rx")
_ROWS = ("locks", "doors")  # a box has each without the s
_TEXTS = ("driver", "feedback", "variant", "id", "sizes")


def change(document: "Document", words: "list[str]", last: int) -> None:
    """`words`: add, replace or retire, a module's name, and fields; `last`: the highest number ever used here. Raises
    ConfigError, and the document is worth nothing then."""
    act = _ACTS.get(words[0])
    if act is None or len(words) < 2:
        raise ConfigError("module: add, replace or retire, and a name")
    act(document, words[1], _fields(words[2:]), last)


def _fields(words: "list[str]") -> "Document":
    fields: Document = {}
    for word in words:
        name, _equals, value = word.partition("=")
        if not value or name not in _BOARD + _BUS + _ROWS + _TEXTS + ("supply",):
            raise ConfigError(f"{name}: must be one of the fields, with =")
        fields[name] = value if name in _TEXTS else _range(name, value) if name in _ROWS else _number(name, value)
    return fields


def _number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigError(f"{name}: must be a number")


def _range(name: str, value: str) -> "list[int]":
    """1-4,7 in that order."""
    found: list[int] = []
    for part in value.split(","):
        first, dash, end = part.partition("-")
        low = _number(name, first)
        high = _number(name, end) if dash else low
        if not 0 <= high - low < COMPARTMENTS_MAX:
            raise ConfigError(f"{name}: must be like 1-4,7")
        found.extend(range(low, high + 1))
    return found


def _find(document: "Document", name: str) -> "Document | None":
    for place, module in enumerate(document["modules"]):
        if module.get("name", chr(ord("A") + place)) == name:
            return module
    return None


def _replace(document: "Document", name: str, fields: "Document", _last: int) -> None:
    """Another board, or pins; the compartments, their numbers and sizes are the same."""
    module = _known(document, name)
    was_board = on_board(module)
    for field in _BOARD:
        module.pop(field, None)
    _wire(document, module, fields, was_board)


def _add(document: "Document", name: str, fields: "Document", last: int) -> None:
    if _find(document, name) is not None:
        raise ConfigError(f"name: there is a module {name}")
    sizes: str = fields.pop("sizes", "").upper()
    if not sizes or not all([size in SIZES for size in sizes]):
        raise ConfigError("sizes: must be like SSML, a letter a door")
    boxes = [{"number": last + 1 + place, "size": sizes[place]} for place in range(len(sizes))]
    module: Document = {"name": name, "compartments": boxes}
    _wire(document, module, fields, False)
    document["modules"].append(module)


def _retire(document: "Document", name: str, fields: "Document", _last: int) -> None:
    if fields:
        raise ConfigError("module retire: takes a name and no fields")
    module = _known(document, name)
    document["modules"].remove(module)
    gone = [box["number"] for box in module["compartments"]]
    document["retired"] = sorted(document.get("retired", []) + gone)


def _known(document: "Document", name: str) -> "Document":
    module = _find(document, name)
    if module is None:
        raise ConfigError(f"name: there is no module {name}; see module")
    return module


def _wire(document: "Document", module: "Document", fields: "Document", was_board: bool) -> None:
    """Which channel, or which pins, each door has from now on."""
    rows = {row: fields.pop(row) for row in _ROWS if row in fields}
    bus = {field: fields.pop(field) for field in _BUS if field in fields}
    if bus:
        document.setdefault("buses", []).append(bus)
        fields["bus"] = len(document["buses"]) - 1
    fields.pop("sizes", None)
    module.update(fields)
    boxes = module["compartments"]
    if on_board(module):
        if not was_board:
            rows.setdefault("locks", list(range(1, len(boxes) + 1)))
        _forget_pins(module, boxes)
    elif len(rows) != len(_ROWS):
        raise ConfigError("locks, doors: must name the pins")
    for row, values in rows.items():
        if len(values) != len(boxes) or len(set(values)) != len(boxes):
            raise ConfigError(f"{row}: must be {len(boxes)} numbers, each once")
        for place, box in enumerate(boxes):
            box[row[:-1]] = values[place]


def _forget_pins(module: "Document", boxes: "list[Document]") -> None:
    for box in boxes:
        if module.get("variant") != "r421a08":
            box.pop("door", None)
        if box.get("occupied") is not True:
            box.pop("occupied", None)


_ACTS: "dict[str, Any]" = {"add": _add, "replace": _replace, "retire": _retire}
