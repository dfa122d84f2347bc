"""A document as people read it, 40 columns wide: for `--h` behind an order."""

from typing import TYPE_CHECKING

from device.desk.wrap import WIDTH, wrapped

if TYPE_CHECKING:
    from typing import Any

    from device.desk.seat import Desk


def tell(desk: "Desk", document: "dict[str, Any]") -> None:
    """A field a line, its name in front."""
    names: list[str] = sorted(document)
    indent = max([len(name) for name in names] or [0]) + 2
    for name in names:
        start = name + " " * (indent - len(name))
        for line in wrapped(_cell(document[name]), WIDTH - indent) or ["-"]:
            desk.say(start + line)
            start = " " * indent


def _cell(value: "Any") -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return ", ".join([_cell(item) for item in items])
    if isinstance(value, dict):
        fields: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return "; ".join([f"{name} {_cell(fields[name])}" for name in sorted(fields)])
    return str(value)
