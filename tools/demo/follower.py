"""What reaches the gateway's books, told to the feed as it is committed."""

import threading
from typing import Any

from protocol.errors import CODES
from tools.client import Failed, Gateway
from tools.demo.feed import Feed

LOOK_S = 0.25
PAGE = 200


class Follower:
    def __init__(self, api: Gateway, feed: Feed) -> None:
        self._api = api
        self._feed = feed
        self._ending = threading.Event()
        self._cursor: dict[str, str] = {}
        while self._page():  # what happened before anybody looked
            pass
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join(2)

    def _follow(self) -> None:
        while not self._ending.wait(LOOK_S):
            try:
                rows = self._page()
            except Failed:
                continue  # being restarted, or on its way out
            for row in rows:
                fields = row["fields"]
                self._feed.tell(
                    row["locker"],
                    "event",
                    type=row["type"],
                    seq=row["seq"],
                    compartment=fields.get("compartment"),
                    why=CODES.get(fields["code"]) if fields.get("code") else None,
                )

    def _page(self) -> list[dict[str, Any]]:
        answer = self._api.get("/v1/events", limit=PAGE, **self._cursor)
        self._cursor = {"cursor": answer["resume_cursor"]}
        return answer["data"]
