"""A 4×4 key matrix: rows are pulled low one at a time, columns are read.

A key counts when the same single key was seen three times, 10 ms apart, and once until all were let go twice in
a row. Two keys at once count as none: in a matrix without diodes, three look like four.
"""

from typing import TYPE_CHECKING

from device.agent.events import KeyPressed

if TYPE_CHECKING:
    from typing import Any

LAYOUT = "123A456B789C*0#D"
SAMPLE_MS = 10
SAMPLES = 3
SAMPLES_LET_GO = 2  # a fast typist pauses 40 ms between two keys
_NONE = -1
_SEVERAL = -2


class Keypad:
    """`rows`: open-drain outputs, `columns`: inputs with pull-ups (machine.Pin)."""

    def __init__(self, rows: "list[Any]", columns: "list[Any]") -> None:
        self._rows = rows
        self._columns = columns
        self._next_ms = 0
        self._seen = _NONE
        self._times = 0
        self._held = True  # a key that was down before we looked was not pressed for us
        self._all_rows(0)

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + SAMPLE_MS
        key = self._scan()
        if key != self._seen:
            self._seen = key
            self._times = 0
        self._times += 1
        if self._times == (SAMPLES_LET_GO if key == _NONE else SAMPLES):
            self._settle(key, events)

    def _settle(self, key: int, events: "list[Any]") -> None:
        if key == _NONE:
            self._held = False
        elif not self._held:
            self._held = True
            if key != _SEVERAL:
                events.append(KeyPressed(LAYOUT[key : key + 1]))

    def _scan(self) -> int:
        """All rows are low between scans, so that an idle keypad costs four reads."""
        for column in self._columns:
            if column.value() == 0:
                return self._scan_rows()
        return _NONE

    def _scan_rows(self) -> int:
        self._all_rows(1)
        found = _NONE
        for row in range(len(self._rows)):
            self._rows[row].value(0)
            for column in range(len(self._columns)):
                if self._columns[column].value() == 0:
                    found = row * len(self._columns) + column if found == _NONE else _SEVERAL
            self._rows[row].value(1)
        self._all_rows(0)
        return found

    def _all_rows(self, level: int) -> None:
        for row in self._rows:
            row.value(level)
