"""Parcels, their recipients and their allocations in SQL."""

import json
from collections.abc import Iterable, Sequence

from gateway.domain.compartments import FAULTS
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import NewParcel, Parcel, Reservation
from gateway.domain.webhooks import CONTESTED
from gateway.store.queries.changes import EVERYONE as _EVERYONE
from gateway.store.queries.changes import ChangeQueries

PARCEL = (
    "number, label, locker, size, carrier, merchant, accessible, heavy, state, expected_s, compartment, deposit,"
    " deposited_s, deadline_s, ended_s, delegation, joined_group, joined, announced, by_receipt, paused_s,"
    " vouched, handed,"
    # As domain.contracts says: a contract that has ended counts for nothing, and nor do the claims made under it.
    " CASE WHEN vouched THEN 'good' WHEN NOT EXISTS (SELECT 1 FROM contracts k WHERE k.merchant = parcels.merchant"
    " AND k.carrier = parcels.carrier) THEN 'no_contract'"
    " WHEN EXISTS (SELECT 1 FROM claims c JOIN contracts k ON k.merchant = c.merchant AND k.carrier = parcels.carrier"
    " WHERE c.parcel = parcels.number) THEN 'contested' ELSE 'good' END"
)
_IN_LOCKER = "SELECT parcel FROM allocations WHERE locker = ?4 AND ended_s IS NULL"  # few, and by an index
_COUNTED = "state = 'deposited' AND paused_s IS NULL"
# Word for word the condition of the index compartments_at_fault.
_AT_FAULT = "(quarantined OR out_of_service OR door IN (" + ", ".join([f"'{door}'" for door in FAULTS]) + "))"
RESERVATION = "parcel, locker, compartment, made_s, until_s"


def parcel_of(row: Sequence[object]) -> Parcel:
    fields = list(row)
    for place in (6, 7, -7, -6, -5, -3):
        fields[place] = bool(fields[place])
    return Parcel(*fields)  # pyright: ignore[reportArgumentType]


class ParcelQueries(ChangeQueries):
    moved: set[str]

    def _one_parcel(self, where: str, *values: object) -> Parcel | None:
        row = self.sql.execute(f"SELECT {PARCEL} FROM parcels WHERE {where}", values).fetchone()
        return None if row is None else parcel_of(row)

    def _parcels(self, where: str, *values: object) -> list[Parcel]:
        return [parcel_of(row) for row in self.sql.execute(f"SELECT {PARCEL} FROM parcels WHERE {where}", values)]

    def add_parcel(self, parcel: Parcel, new: NewParcel) -> None:
        """The personal fields go to their own table, and only if there are any."""
        self.sql.execute(
            "INSERT INTO parcels (number, position, label, locker, size, carrier, merchant, accessible, heavy, state,"
            " expected_s, announced, vouched)"
            " VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM parcels), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                parcel.number,
                parcel.label,
                parcel.locker,
                parcel.size,
                parcel.carrier,
                parcel.merchant,
                parcel.accessible,
                parcel.heavy,
                parcel.state,
                parcel.expected_s,
                parcel.announced,
                parcel.vouched,
            ),
        )
        self._add_recipient(parcel.number, new)
        self._note_new(parcel)

    def announce_parcel(self, parcel: Parcel, new: NewParcel) -> None:
        """What a locker took in unannounced gets what only its announcement says, by its carrier's word."""
        self.sql.execute(
            "UPDATE parcels SET merchant = ?, accessible = ?, heavy = ?, announced = 1, vouched = 1 WHERE number = ?",
            (parcel.merchant, parcel.accessible, parcel.heavy, parcel.number),
        )
        self._add_recipient(parcel.number, new)
        self._note_announced(parcel)

    def vouch(self, number: ParcelNumber) -> None:
        """Its carrier says what its merchant said."""
        self.sql.execute("UPDATE parcels SET vouched = 1 WHERE number = ?", (number,))

    def announced_for(self, number: ParcelNumber) -> tuple[str | None, str | None, str | None, str | None]:
        """name, mail, phone, ref of its recipient, as announced."""
        where = "SELECT name, mail, phone, ref FROM recipients WHERE parcel = ?"
        return self.sql.execute(where, (number,)).fetchone() or (None, None, None, None)

    def withdraw_announcement(self, number: ParcelNumber) -> None:
        """As if nobody had announced it; where it is, and its label, stay. Whoever knew its page's link knows none."""
        self.sql.execute("DELETE FROM letters WHERE parcel = ?", (number,))
        self.sql.execute("DELETE FROM recipients WHERE parcel = ?", (number,))
        self.sql.execute(
            "UPDATE parcels SET merchant = '', accessible = 0, announced = 0, vouched = 1, handed = handed + 1,"
            " told_state = NULL, told_deposit = NULL, reminded = 0 WHERE number = ?",
            (number,),
        )

    def taken_back_from_somebody(self, limit: int) -> list[Parcel]:
        """In their lockers still."""
        return self._parcels("handed > 0 AND state = 'deposited' LIMIT ?", limit)

    def note_contested(self, parcel: Parcel) -> None:
        """Its carrier, its merchant and the operator are told."""
        self._tell(parcel, _EVERYONE, CONTESTED)

    def _add_recipient(self, number: ParcelNumber, new: NewParcel) -> None:
        personal = (new.recipient_name, new.recipient_mail, new.recipient_phone, new.recipient_ref)
        if any(personal):
            self.sql.execute(
                "INSERT INTO recipients (parcel, name, mail, phone, ref, made_s) VALUES (?, ?, ?, ?, ?, ?)",
                (number, *personal, self.clock()),
            )

    def keep_parcel(self, parcel: Parcel) -> None:
        self._note_change(parcel)
        done = self.sql.execute(
            "UPDATE parcels SET locker = ?, size = ?, state = ?, compartment = ?, deposit = ?, deposited_s = ?,"
            " deadline_s = ?, ended_s = ?, delegation = ?, joined_group = ?, joined = ?, by_receipt = ?"
            " WHERE number = ?",
            (
                parcel.locker,
                parcel.size,
                parcel.state,
                parcel.compartment,
                parcel.deposit,
                parcel.deposited_s,
                parcel.deadline_s,
                parcel.ended_s,
                parcel.delegation,
                parcel.group,
                parcel.joined,
                parcel.by_receipt,
                parcel.number,
            ),
        ).rowcount
        assert done == 1
        if parcel.ended_s is not None:  # from here on the personal fields have a term
            self.sql.execute("UPDATE recipients SET ended_s = ? WHERE parcel = ?", (parcel.ended_s, parcel.number))
            self.sql.execute("UPDATE delegations SET left_s = ? WHERE parcel = ?", (parcel.ended_s, parcel.number))
            self.sql.execute("UPDATE reports SET left_s = ? WHERE parcel = ?", (parcel.ended_s, parcel.number))

    def parcel(self, number: int) -> Parcel | None:
        return self._one_parcel("number = ?", number)

    def parcel_of_label(self, carrier: str, label: str) -> Parcel | None:
        """The one that has not ended."""
        return self._one_parcel("carrier = ? AND label = ? AND ended_s IS NULL", carrier, label)

    def parcel_at(self, locker: str, compartment: int, deposit: int) -> Parcel | None:
        """Whose deposit this is or was. After a new key generation numbers start again: the latest one counts.

        A number that a re-issue replaced means its parcel as long as that one lies there.
        """
        place = (locker, compartment, deposit)
        found = self._one_parcel(
            "locker = ? AND compartment = ? AND deposit = ?"
            " ORDER BY ended_s IS NOT NULL, deposited_s DESC, position DESC LIMIT 1",
            *place,
        )
        if found is not None and found.ended_s is None:
            return found
        former = self._one_parcel(
            "number = (SELECT parcel FROM former_deposits WHERE locker = ? AND compartment = ? AND deposit = ?)"
            " AND state IN ('deposited', 'expired')",
            *place,
        )
        return former or found

    def parcel_of_deposit(
        self, locker: str, compartment: int, deposit: int, carrier: str, label: str
    ) -> Parcel | None:
        """The one of this label that has this number or had it, whatever has become of it."""
        return self._one_parcel(
            "number IN (SELECT number FROM parcels WHERE locker = ?1 AND compartment = ?2 AND deposit = ?3"
            " UNION SELECT parcel FROM former_deposits WHERE locker = ?1 AND compartment = ?2 AND deposit = ?3)"
            " AND carrier = ?4 AND label = ?5 ORDER BY position DESC LIMIT 1",
            locker,
            compartment,
            deposit,
            carrier,
            label,
        )

    # -------------------------------------------------------------- receipts
    def charge_guess(self, carrier: str, now_s: int, period_s: int, most: int) -> int:
        """Count one more try. Where there are too many already: seconds until there may be another, and no count."""
        where = "SELECT wrong, since_s FROM receipt_guesses WHERE carrier = ?"
        wrong, since_s = self.sql.execute(where, (carrier,)).fetchone() or (0, now_s)
        if now_s - since_s >= period_s:
            wrong, since_s = 0, now_s
        if wrong >= most:
            return int(since_s + period_s - now_s)
        self.sql.execute(
            "INSERT OR REPLACE INTO receipt_guesses (carrier, wrong, since_s) VALUES (?, ?, ?)",
            (carrier, wrong + 1, since_s),
        )
        return 0

    def give_guess_back(self, carrier: str) -> None:
        self.sql.execute("UPDATE receipt_guesses SET wrong = max(0, wrong - 1) WHERE carrier = ?", (carrier,))

    def keep_former_deposit(self, locker: str, compartment: int, deposit: int, parcel: ParcelNumber) -> None:
        self.sql.execute(
            "INSERT OR REPLACE INTO former_deposits (locker, compartment, deposit, parcel) VALUES (?, ?, ?, ?)",
            (locker, compartment, deposit, parcel),
        )

    def parcels_beside(self, parcel: Parcel) -> list[Parcel]:
        """The others in its locker that the same sender, carrier and merchant, gave the same recipient_ref."""
        return self._parcels(
            "number IN (SELECT other.parcel FROM recipients own JOIN recipients other ON other.ref = own.ref"
            # The pluses keep SQLite from walking through all that this merchant ever sent.
            " WHERE own.parcel = ?1) AND number <> ?1 AND +locker = ?2 AND +carrier = ?3 AND +merchant = ?4"
            " AND +state = 'deposited' ORDER BY deposited_s, position",
            parcel.number,
            parcel.locker,
            parcel.carrier,
            parcel.merchant,
        )

    def parcels_joined(self, parcel: Parcel) -> list[Parcel]:
        """The others that its code opens, as its locker has said."""
        return self._parcels(
            "locker = ? AND joined_group = ? AND joined AND number <> ? AND carrier = ? AND merchant = ?"
            " AND state = 'deposited' ORDER BY compartment",
            parcel.locker,
            parcel.group,
            parcel.number,
            parcel.carrier,
            parcel.merchant,
        )

    def group_is_taken(self, locker: str, group: int) -> bool:
        """Now or ever: a number used twice would open a stranger's door."""
        where = "SELECT 1 FROM parcels WHERE locker = ? AND joined_group = ?"
        return self.sql.execute(where, (locker, group)).fetchone() is not None

    def parcels_page(
        self, carrier: str | None, merchant: str | None, before: int | None, limit: int
    ) -> tuple[list[Parcel], int | None]:
        """Newest first, below position `before`; and where the next page begins."""
        conditions = ["1"]
        values: list[object] = []
        for column, value in (("carrier = ?", carrier), ("merchant = ?", merchant), ("position < ?", before)):
            if value is not None:
                conditions.append(column)
                values.append(value)
        rows = self.sql.execute(
            f"SELECT {PARCEL}, position FROM parcels WHERE {' AND '.join(conditions)} ORDER BY position DESC LIMIT ?",
            (*values, limit + 1),
        ).fetchall()
        following = rows[limit - 1][-1] if len(rows) > limit else None
        return [parcel_of(row[:-1]) for row in rows[:limit]], following

    def parcels_past_deadline(self, now_s: int, limit: int) -> list[Parcel]:
        return self._parcels(
            "state = 'deposited' AND deadline_s <= ? AND paused_s IS NULL ORDER BY deadline_s LIMIT ?", now_s, limit
        )

    def pause_silent(self, now_s: int, alive_s: int, pickup_s: int, locker: str | None = None) -> None:
        """The days of parcels whose locker is not heard: since it was, or since they began. None: of every locker."""
        self.sql.execute(
            "UPDATE parcels SET paused_s = min(?1, max(l.seen_s, deadline_s - coalesce(l.pickup_days * 86400, ?3)))"
            " FROM lockers l"
            f" WHERE parcels.locker = l.id AND (NOT l.online OR l.seen_s < ?1 - ?2) AND {_COUNTED}"
            + ("" if locker is None else f" AND number IN ({_IN_LOCKER})"),
            (now_s, alive_s, pickup_s) if locker is None else (now_s, alive_s, pickup_s, locker),
        )

    def pause_at_fault(self, now_s: int) -> None:
        """The days of parcels whose door does not work."""
        self.sql.execute(
            "UPDATE parcels SET paused_s = ? FROM compartments c"
            f" WHERE c.locker = parcels.locker AND c.number = parcels.compartment AND {_AT_FAULT} AND {_COUNTED}",
            (now_s,),
        )

    def resume_deadlines(self, now_s: int, alive_s: int, least_s: int) -> None:
        """What was lost is added, and `least_s` are left at the least."""
        self.sql.execute(
            "UPDATE parcels SET deadline_s = max(deadline_s + ?1 - paused_s, ?1 + ?3), paused_s = NULL"
            " FROM lockers l, compartments c WHERE parcels.paused_s IS NOT NULL AND state = 'deposited'"
            " AND l.id = parcels.locker AND l.online AND l.seen_s >= ?1 - ?2"
            f" AND c.locker = parcels.locker AND c.number = parcels.compartment AND NOT {_AT_FAULT}",
            (now_s, alive_s, least_s),
        )

    def expired_but_open(self, revoke_type: int, since_s: int, limit: int) -> list[Parcel]:
        """Expired, the locker still takes their code, and no Revoke has been ordered since."""
        return self._parcels(
            "state = 'expired' AND EXISTS (SELECT 1 FROM compartments c WHERE c.locker = parcels.locker"
            " AND c.number = parcels.compartment AND c.holding = 2 AND c.deposit = parcels.deposit)"
            " AND NOT EXISTS (SELECT 1 FROM commands k WHERE k.parcel = parcels.number AND k.type = ?"
            " AND (k.state IN ('waiting', 'sent') OR k.issued_s > ?)) LIMIT ?",
            revoke_type,
            since_s,
            limit,
        )

    # -------------------------------------------------------------- allocations
    def allocate(self, parcel: ParcelNumber, locker: str, compartment: int, now_s: int, until_s: int | None) -> None:
        """Raises sqlite3.IntegrityError where one is live already: the use case must have looked."""
        self.sql.execute(
            "INSERT INTO allocations (parcel, locker, compartment, made_s, until_s) VALUES (?, ?, ?, ?, ?)",
            (parcel, locker, compartment, now_s, until_s),
        )
        self.moved.add(locker)

    def _one_allocation(self, where: str, *values: object) -> Reservation | None:
        row = self.sql.execute(f"SELECT {RESERVATION} FROM allocations WHERE {where}", values).fetchone()
        return None if row is None else Reservation(*row)

    def allocation_of(self, parcel: ParcelNumber) -> Reservation | None:
        """The live one."""
        return self._one_allocation("parcel = ? AND ended_s IS NULL", parcel)

    def last_allocation_of(self, parcel: ParcelNumber) -> Reservation | None:
        """The latest, live or not."""
        return self._one_allocation("parcel = ? ORDER BY id DESC LIMIT 1", parcel)

    def allocation_at(self, locker: str, compartment: int) -> Reservation | None:
        """The live one."""
        return self._one_allocation("locker = ? AND compartment = ? AND ended_s IS NULL", locker, compartment)

    def allocated(self, locker: str) -> dict[int, ParcelNumber]:
        """Every live one of a locker: compartment -> parcel."""
        rows = self.sql.execute(
            "SELECT compartment, parcel FROM allocations WHERE locker = ? AND ended_s IS NULL", (locker,)
        )
        return dict(rows.fetchall())

    def reservations_past_end(self, now_s: int, limit: int) -> list[Reservation]:
        rows = self.sql.execute(
            f"SELECT {RESERVATION} FROM allocations WHERE ended_s IS NULL AND until_s <= ? ORDER BY until_s LIMIT ?",
            (now_s, limit),
        )
        return [Reservation(*row) for row in rows]

    def settle_allocation(self, parcel: ParcelNumber, until_s: int | None) -> None:
        """Until then; None: it lies there, and is no reservation any more."""
        where = "UPDATE allocations SET until_s = ? WHERE parcel = ? AND ended_s IS NULL RETURNING locker"
        changed = self.sql.execute(where, (until_s, parcel)).fetchall()
        if until_s is None:
            self.moved.update([locker for (locker,) in changed])

    def end_allocation(self, parcel: ParcelNumber, now_s: int) -> None:
        where = "UPDATE allocations SET ended_s = ? WHERE parcel = ? AND ended_s IS NULL RETURNING locker, until_s"
        changed = self.sql.execute(where, (now_s, parcel)).fetchall()
        self.moved.update([locker for locker, until_s in changed if until_s is not None])

    def reserved_places(self, lockers: Iterable[str]) -> list[tuple[str, int]]:
        """(locker, compartment) of what is promised to a parcel that is not there yet."""
        rows = self.sql.execute(
            # CROSS JOIN: SQLite keeps this order, and looks each locker up by the index of live allocations.
            "SELECT a.locker, a.compartment FROM json_each(?) AS l CROSS JOIN allocations a ON a.locker = l.value"
            " WHERE a.ended_s IS NULL AND a.until_s IS NOT NULL",
            (json.dumps(list(lockers)),),
        )
        return [(row[0], row[1]) for row in rows]
