"""Whether a locker can be built as a new /config.json says, and may be: no parcel loses its compartment, and no number
comes to mean another door. Pure.
"""

from typing import TYPE_CHECKING

from device.agent.config import ConfigError
from device.agent.described import layout, parse
from protocol.keys import KEY_SIZE

if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]


def on_board(module: "Document") -> bool:
    return module.get("driver", "gpio") != "gpio"


def owners(document: "Document") -> "dict[int, str]":
    """Compartment -> whose it is: the module's id, or its name where it has none; "" for a retired one."""
    found: dict[int, str] = dict.fromkeys(document.get("retired", []), "")
    for place, module in enumerate(document["modules"]):
        name = module.get("id") or module.get("name", chr(ord("A") + place))
        for box in module["compartments"]:
            found[box["number"]] = name
    return found


def check(document: "Document", before: "dict[int, str]", held: "list[int]") -> None:
    """Whether it can take the place of the one whose owners() were `before`. Raises ConfigError."""
    try:
        parse(document, bytes(KEY_SIZE), {})
        layout(document)
        after = owners(document)
        for module in document["modules"]:
            _check_locks(module)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"modules: {error}")
    for number in sorted(before):
        if number not in after:
            raise ConfigError(f"retired: must name {number}, which is not there any more")
        if before[number] != after[number] and number in held:
            raise ConfigError(f"modules: a parcel is in {number}, of {before[number]}")
        if before[number] != after[number] and after[number]:
            raise ConfigError(f"modules: {number} is of {before[number] or 'none any more'}; take a new number")


def _check_locks(module: "Document") -> None:
    for box in module["compartments"]:
        for field in ("lock",) if on_board(module) else ("lock", "door"):
            if not isinstance(box[field], int):
                raise ConfigError(f"{field}: must be a number")
