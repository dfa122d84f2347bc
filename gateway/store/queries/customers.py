"""What recipients do to their parcel on its page, and the site that they see there, in SQL."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel
from gateway.domain.sites import Site

_SITE = "address, hours, phone, mail, latitude, longitude"


def _site(row: Sequence[Any]) -> Site:
    return Site(row[0], json.loads(row[1]), *row[2:6])


class CustomerQueries:
    sql: sqlite3.Connection

    def keep_site(self, locker: str, site: Site) -> None:
        self.sql.execute(
            "INSERT OR REPLACE INTO sites (locker, address, hours, phone, mail, latitude, longitude)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                locker,
                site.address,
                json.dumps(dict(site.hours)),
                site.phone,
                site.mail,
                site.latitude,
                site.longitude,
            ),
        )

    def site_of(self, locker: str) -> Site | None:
        row = self.sql.execute(f"SELECT {_SITE} FROM sites WHERE locker = ?", (locker,)).fetchone()
        return None if row is None else _site(row)

    def sites(self) -> dict[str, Site]:
        """By locker; those of which something was told."""
        return {row[-1]: _site(row) for row in self.sql.execute(f"SELECT {_SITE}, locker FROM sites")}

    def is_extended(self, parcel: ParcelNumber) -> bool:
        return self.sql.execute("SELECT 1 FROM extensions WHERE parcel = ?", (parcel,)).fetchone() is not None

    def extend(self, parcel: ParcelNumber, deadline_s: int, now_s: int) -> None:
        """Its delegates may come as long as itself."""
        self.sql.execute("INSERT INTO extensions (parcel, made_s) VALUES (?, ?)", (parcel, now_s))
        self.sql.execute("UPDATE parcels SET deadline_s = ? WHERE number = ?", (deadline_s, parcel))
        self.sql.execute(
            "UPDATE delegations SET expiry_s = ? WHERE parcel = ? AND revoked_s IS NULL AND ended_s IS NULL",
            (deadline_s, parcel),
        )

    def keep_accessible(self, parcel: ParcelNumber, accessible: bool) -> None:
        self.sql.execute("UPDATE parcels SET accessible = ? WHERE number = ?", (accessible, parcel))

    def new_codes_of(self, parcel: Parcel) -> int:
        """How many re-issues it has had where it lies."""
        return self.sql.execute(
            "SELECT count(*) FROM former_deposits WHERE locker = ? AND compartment = ? AND parcel = ?",
            (parcel.locker, parcel.compartment, parcel.number),
        ).fetchone()[0]
