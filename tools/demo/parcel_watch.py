"""How parcels stand in the gateway's books, looked at now and then: what people do on the pages shows here."""

import itertools
import threading
from typing import Any

from tools.client import Failed, Gateway
from tools.demo.feed import Feed
from tools.demo.game import PARCELS_SHOWN, Game
from tools.demo.tour import SHOP, Tours

LOOK_S = 0.5


class ParcelWatch:
    """Notes each parcel that came or changed, and puts the shop's labels into the players' hands."""

    def __init__(self, api: Gateway, feed: Feed, game: Game, tours: Tours) -> None:
        self._api = api
        self._feed = feed
        self._game = game
        self._tours = tours
        self._known: dict[str, str] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join(2)

    def _watch(self) -> None:
        while not self._ending.wait(LOOK_S):
            try:
                rows = list(itertools.islice(self._api.pages("/v1/parcels", limit=PARCELS_SHOWN), PARCELS_SHOWN))
            except Failed:
                continue  # being restarted, or on its way out
            self._compare(rows)

    def _compare(self, rows: list[dict[str, Any]]) -> None:
        changed = [row for row in rows if self._known.get(row["id"]) != row["state"]]
        for row in changed:
            if row["merchant"] == SHOP and row["id"] not in self._known:
                self._game.take_label(row)
            self._known[row["id"]] = row["state"]
        if changed:  # first what lies in the hand, then the tick: the next step needs it
            self._feed.tell("", "parcels", hand=self._game.hand)
        for row in changed:
            self._tours.note(f"parcel:{row['state']}")
            if row["merchant"] == SHOP:
                self._tours.note(f"shop:{row['state']}")
