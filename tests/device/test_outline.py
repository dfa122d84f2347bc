"""How modules are wired is read from /config.json without its compartments, however that is written."""

import json
from pathlib import Path
from typing import Any

import pytest

from device.agent.described import layout
from device.desk.outline import laid, wirings
from tools.bench.memory import cabinet_on_boards

BOXES = [{"number": 1, "lock": 1, "note": "}]"}, {"number": 3, "lock": 2}]
DOCUMENT: dict[str, Any] = {
    "locker": 'the \\"modules\\" [{',
    "buses": [{"uart": 1, "modules": [7]}],
    "modules": [
        {"name": "A", "driver": "cu48", "address": 1, "compartments": BOXES, "id": 'K"R\\'},
        {"compartments": [{"number": 300}], "supply": {"deep": [[]]}, "bus": 0},
    ],
    "broker": {"host": "h", "modules": [{"name": "no"}]},
    "retired": [2],
}


@pytest.mark.parametrize("indent", [None, 2], ids=["in one line", "in many"])
def test_each_module_has_its_fields_and_none_of_its_compartments(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(DOCUMENT, indent=indent))
    reader = (fields for fields in wirings(str(path)) if fields is not None)
    assert [next(reader), next(reader)] == [
        {"name": "A", "driver": "cu48", "address": 1, "compartments": 0, "id": 'K"R\\'},
        {"compartments": 0, "supply": 0, "bus": 0},
    ]
    assert list(laid(layout(DOCUMENT))) == [("A", [1, 3]), ("B", [300]), ("", [2])]


def test_there_is_a_pause_after_each_piece_and_an_error_where_a_module_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(cabinet_on_boards()))
    read: list[dict[str, Any] | None] = []
    with pytest.raises(ValueError, match=r"config\.json"):
        read.extend(wirings(str(path)))
    assert [fields["driver"] for fields in read if fields is not None] == ["cu48", "cu48", "modbus"]
    assert read.count(None) == -(-path.stat().st_size // 128)
