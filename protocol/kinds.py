"""Kinds: what a field may hold on the wire, as data, and the one function that checks it.

bool is tested before int, always: isinstance(True, int) differs between the interpreters.
"""

from typing import TYPE_CHECKING

from protocol.errors import ProtocolError
from protocol.limits import COMPARTMENTS_MAX, LABEL_SIZE_MAX, STATEMENT_SIZE_MAX, TRUST_PART_SIZE_MAX

if TYPE_CHECKING:
    from typing import Any

    from protocol.record import Record

# A kind is (type, lowest, highest, may be None); lengths for bytes and str, values for int.
BOOL = (bool, 0, 0, False)
U8 = (int, 0, 0xFF, False)
U16 = (int, 0, 0xFFFF, False)
U32 = (int, 0, 0xFFFFFFFF, False)
OPTIONAL_U32 = (int, 0, 0xFFFFFFFF, True)
I32 = (int, -0x80000000, 0x7FFFFFFF, False)
U63 = (int, 0, 0x7FFFFFFFFFFFFFFF, False)
OPTIONAL_U63 = (int, 0, 0x7FFFFFFFFFFFFFFF, True)
COMPARTMENT = (int, 1, COMPARTMENTS_MAX, False)
OPTIONAL_COMPARTMENT = (int, 1, COMPARTMENTS_MAX, True)
ID4 = (bytes, 4, 4, False)
ID8 = (bytes, 8, 8, False)
OPTIONAL_ID8 = (bytes, 8, 8, True)
BYTES = (bytes, 0, COMPARTMENTS_MAX, False)
PART = (bytes, 1, TRUST_PART_SIZE_MAX, False)
STATEMENT = (bytes, 1, STATEMENT_SIZE_MAX, False)
WORD = (str, 0, 32, False)
OPTIONAL_WORD = (str, 0, 32, True)
LABEL = (str, 1, LABEL_SIZE_MAX, False)


def check(kind: "tuple[Any, ...]", value: "Any", name: str) -> None:
    """Raise ProtocolError("bad_value") unless `value` is of `kind`."""
    wanted, lowest, highest, optional = kind
    if value is None:
        if optional:
            return
        raise ProtocolError("bad_value", name)
    if isinstance(value, bool):
        if wanted is bool:
            return
        raise ProtocolError("bad_value", name)
    if wanted is bool or not isinstance(value, wanted):
        raise ProtocolError("bad_value", name)
    size = value if wanted is int else len(value)
    if not lowest <= size <= highest:
        raise ProtocolError("bad_value", name)


def check_all(record: "Record | type[Record]", values: "list[Any]") -> None:
    """Each of `values` by the kind that the record says of it. Raises ProtocolError("bad_value")."""
    for place in range(len(values)):
        check(record.KINDS[place], values[place], record.FIELDS[place])
