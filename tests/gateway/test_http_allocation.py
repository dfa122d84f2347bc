"""Two couriers at once and one free compartment: exactly one has it, a thousand times."""

import threading
from pathlib import Path

import httpx
from http_town import key, open_locker, parcel_body, town

ROUNDS = 1000


class Courier(threading.Thread):
    """Reserves its parcel each time the barrier opens."""

    def __init__(self, client: httpx.Client, parcel: str, start: threading.Barrier, end: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.client, self.parcel, self.starting, self.ending = client, parcel, start, end
        self.said: list[tuple[int, str]] = []

    def run(self) -> None:
        for _ in range(ROUNDS):
            self.starting.wait(60)
            answer = self.client.post(f"/v1/parcels/{self.parcel}/reservation", headers=key())
            self.said.append((answer.status_code, answer.json().get("code", "")))
            if answer.status_code == 201:
                assert answer.json()["compartment"] == 1
            self.ending.wait(60)
            if answer.status_code == 201:
                assert self.client.delete(f"/v1/parcels/{self.parcel}/reservation").status_code == 204


def test_of_two_couriers_who_want_the_last_compartment_exactly_one_has_it_every_time(tmp_path: Path) -> None:
    with town(tmp_path) as here:
        open_locker(here, count=1)
        start, end = threading.Barrier(2), threading.Barrier(2)
        couriers: list[Courier] = []
        for carrier in ("colibri", "martinet"):
            client = here.caller("courier", carrier)
            made = client.post("/v1/parcels", json=parcel_body(f"of-{carrier}", carrier=carrier), headers=key())
            couriers.append(Courier(client, made.json()["id"], start, end))
        for courier in couriers:
            courier.start()
        for courier in couriers:
            courier.join(600)
        outcomes = [sorted(pair) for pair in zip(*(courier.said for courier in couriers), strict=True)]
        assert len(outcomes) == ROUNDS
        assert all(pair == [(201, ""), (409, "no_room")] for pair in outcomes)
        assert all(sum(status == 201 for status, _ in courier.said) > 0 for courier in couriers)
