"""Record: the small frozen value class that both sides speak in.

MicroPython has neither dataclasses nor evaluated annotations, so a record names its fields twice: FIELDS
for the machine (in wire order; KINDS beside it for what crosses the wire) and annotations for the type
checker. A test holds the two together. Records are never changed after they are made.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, ClassVar, dataclass_transform
else:

    def dataclass_transform(**_options):
        return lambda cls: cls


@dataclass_transform(frozen_default=True, eq_default=True)
class Record:
    """A value with named fields; two records are equal when type and fields are."""

    FIELDS: "ClassVar[tuple[str, ...]]" = ()
    KINDS: "ClassVar[tuple[Any, ...]]" = ()  # see protocol.kinds

    def __init__(self, *values: "Any", **named: "Any") -> None:
        fields = self.FIELDS
        if len(values) + len(named) != len(fields):
            raise TypeError(f"{type(self).__name__} takes {len(fields)} fields")
        for place in range(len(fields)):
            name = fields[place]
            setattr(self, name, values[place] if place < len(values) else named[name])

    def values(self) -> "list[Any]":
        """The fields' values in wire order."""
        return [getattr(self, name) for name in self.FIELDS]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.values() == other.values()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self).__name__, tuple(self.values())))

    def __repr__(self) -> str:
        inside = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.FIELDS])
        return f"{type(self).__name__}({inside})"
