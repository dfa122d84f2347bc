"""Looking for parcels in SQL: by how a label begins, or newest first; each by an index, page by page."""

import sqlite3

from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel
from gateway.domain.search import ParcelSearch
from gateway.store.queries.parcels import PARCEL, parcel_of

_AFTER_ALL = "\x7f"  # labels are printable ASCII


class SearchQueries:
    sql: sqlite3.Connection

    def find_parcels(self, asked: ParcelSearch, after: ParcelNumber | None, limit: int) -> list[Parcel]:
        """Those that fit, after the parcel `after` of the page before: in order of label where its beginning is
        given, else newest first."""
        conditions, values = ["1"], list[object]()
        # By the very expression of the index parcels_of_state.
        columns = {
            "state || ''": asked.state,
            "carrier": asked.carrier,
            "merchant": asked.merchant,
            "locker": asked.locker,
        }
        for column, value in columns.items():
            if value:
                conditions.append(f"{column} = ?")
                values.append(value)
        order, place = "position DESC", "position < (SELECT position FROM parcels WHERE number = ?)"
        if asked.text:
            conditions.append("label >= ? AND label < ?")
            values += [asked.text, asked.text + _AFTER_ALL]
            order = "label, position"
            place = "(label, position) > (SELECT label, position FROM parcels WHERE number = ?)"
        if after is not None:
            conditions.append(place)
            values.append(after)
        rows = self.sql.execute(
            f"SELECT {PARCEL} FROM parcels WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?", (*values, limit)
        )
        return [parcel_of(row) for row in rows]
