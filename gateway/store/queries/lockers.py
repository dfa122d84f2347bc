"""Lockers and compartments in SQL."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from gateway.domain.compartments import Compartment
from gateway.domain.guarantees import Guarantee
from gateway.domain.lockers import Locker

_LOCKER = (
    "id, name, code_digits, generation, boot, last_seq, online, seen_s, firmware, made_s, birth_seq, birth_doors,"
    " pickup_days, layout"
)
_BOX = (
    "c.locker, c.number, c.module, c.size, c.width_mm, c.height_mm, c.depth_mm, c.x_mm, c.bottom_mm, c.accessible, "
    "c.door, c.holding, c.deposit, c.quarantined, c.out_of_service, c.cycles, "
    "c.module_id, c.presence, c.leaving"
)


def _locker(row: Sequence[object]) -> Locker:
    locker = Locker(*row)  # pyright: ignore[reportArgumentType]
    locker.online = bool(locker.online)
    return locker


def _box(row: Sequence[object]) -> Compartment:
    box = Compartment(*row)  # pyright: ignore[reportArgumentType]
    box.accessible, box.quarantined, box.out_of_service, box.leaving = (
        bool(box.accessible),
        bool(box.quarantined),
        bool(box.out_of_service),
        bool(box.leaving),
    )
    return box


class LockerQueries:
    sql: sqlite3.Connection

    def add_locker(self, locker: Locker, boxes: Iterable[Compartment]) -> None:
        self.sql.execute(
            "INSERT INTO lockers (id, name, code_digits, made_s) VALUES (?, ?, ?, ?)",
            (locker.id, locker.name, locker.code_digits, locker.made_s),
        )
        self.add_compartments(boxes)

    def add_compartments(self, boxes: Iterable[Compartment]) -> None:
        self.sql.executemany(
            "INSERT INTO compartments (locker, number, module, size, width_mm, height_mm, depth_mm, x_mm, bottom_mm,"
            " accessible, module_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    box.locker,
                    box.number,
                    box.module,
                    box.size,
                    box.width_mm,
                    box.height_mm,
                    box.depth_mm,
                    box.x_mm,
                    box.bottom_mm,
                    box.accessible,
                    box.module_id,
                )
                for box in boxes
            ],
        )

    def locker(self, locker: str) -> Locker | None:
        row = self.sql.execute(f"SELECT {_LOCKER} FROM lockers WHERE id = ?", (locker,)).fetchone()
        return None if row is None else _locker(row)

    def lockers(self) -> list[Locker]:
        return [_locker(row) for row in self.sql.execute(f"SELECT {_LOCKER} FROM lockers ORDER BY id")]

    def lockers_of(self, ids: Iterable[str]) -> dict[str, Locker]:
        rows = self.sql.execute(
            f"SELECT {_LOCKER} FROM lockers WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
        )
        return {row[0]: _locker(row) for row in rows}

    def keep_lockers(self, changed: Iterable[tuple[Locker, int]]) -> None:
        """Each locker with the last_seq it was read with: the guard that applies every event once."""
        rows = [
            (
                locker.generation,
                locker.boot,
                locker.last_seq,
                locker.online,
                locker.seen_s,
                locker.firmware,
                locker.birth_seq,
                locker.birth_doors,
                locker.layout,
                locker.id,
                before,
            )
            for locker, before in changed
        ]
        done = self.sql.executemany(
            "UPDATE lockers SET generation = ?, boot = ?, last_seq = ?, online = ?, seen_s = ?, firmware = ?,"
            " birth_seq = ?, birth_doors = ?, layout = ? WHERE id = ? AND last_seq = ?",
            rows,
        ).rowcount
        assert done == len(rows) or not rows, "a locker's last_seq moved under the transaction"

    def configure_locker(self, locker: str, name: str, pickup_days: int | None) -> None:
        self.sql.execute("UPDATE lockers SET name = ?, pickup_days = ? WHERE id = ?", (name, pickup_days, locker))

    # -------------------------------------------------------------- guaranteed shares
    def guarantees(self, locker: str) -> list[Guarantee]:
        rows = self.sql.execute("SELECT tenant, percent FROM guarantees WHERE locker = ? ORDER BY tenant", (locker,))
        return [Guarantee(*row) for row in rows]

    def keep_guarantees(self, locker: str, wanted: Iterable[Guarantee]) -> None:
        """In place of those before."""
        self.sql.execute("DELETE FROM guarantees WHERE locker = ?", (locker,))
        self.sql.executemany(
            "INSERT INTO guarantees (locker, tenant, percent) VALUES (?, ?, ?)",
            [(locker, one.tenant, one.percent) for one in wanted],
        )

    def holders(self, locker: str) -> dict[int, frozenset[str]]:
        """Compartment -> the tenants of the parcel that has it."""
        rows = self.sql.execute(
            "SELECT a.compartment, p.carrier, p.merchant FROM allocations a JOIN parcels p ON p.number = a.parcel"
            " WHERE a.locker = ? AND a.ended_s IS NULL",
            (locker,),
        )
        return {row[0]: frozenset(row[1:]) for row in rows}

    def compartment(self, locker: str, number: int) -> Compartment | None:
        row = self.sql.execute(
            f"SELECT {_BOX} FROM compartments c WHERE locker = ? AND number = ?", (locker, number)
        ).fetchone()
        return None if row is None else _box(row)

    def compartments_of(self, locker: str, retired: bool = False) -> list[Compartment]:
        """In order of number; those that are no more only if `retired`."""
        which = "" if retired else " AND presence <> 'retired'"
        rows = self.sql.execute(
            f"SELECT {_BOX} FROM compartments c WHERE locker = ?{which} ORDER BY number", (locker,)
        )
        return [_box(row) for row in rows]

    def compartments_at(self, places: Iterable[tuple[str, int]]) -> list[Compartment]:
        rows = self.sql.execute(
            # CROSS JOIN: SQLite keeps this order, and looks each place up by the primary key.
            f"SELECT {_BOX} FROM json_each(?) AS place CROSS JOIN compartments c"
            " ON c.locker = json_extract(place.value, '$[0]') AND c.number = json_extract(place.value, '$[1]')",
            (json.dumps(list(places)),),
        )
        return [_box(row) for row in rows]

    def keep_compartments(self, boxes: Iterable[Compartment]) -> None:
        self.sql.executemany(
            "UPDATE compartments SET door = ?, holding = ?, deposit = ?, quarantined = ?, out_of_service = ?,"
            " cycles = ?, module = ?, module_id = ?, presence = ?, leaving = ? WHERE locker = ? AND number = ?",
            [
                (
                    box.door,
                    box.holding,
                    box.deposit,
                    box.quarantined,
                    box.out_of_service,
                    box.cycles,
                    box.module,
                    box.module_id,
                    box.presence,
                    box.leaving,
                    box.locker,
                    box.number,
                )
                for box in boxes
            ],
        )
