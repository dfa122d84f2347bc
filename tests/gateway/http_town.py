"""A gateway with a real store behind a real server on a free port, for the tests of its HTTP API.

The locker is played by what it would have said: its messages go through take_up, as from the broker.
"""

import contextlib
import io
import socket
import threading
import uuid
from collections.abc import Generator, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from empty_books import open_books
from patience import WAIT_S, wait_for
from starlette.types import ASGIApp

from gateway import log
from gateway.config import Settings
from gateway.connections import Bounds, server_of
from gateway.domain import ids
from gateway.domain.events import Arrival
from gateway.domain.people import GATEWAY, SCOPES_OF
from gateway.http.acting import Counter
from gateway.http.app import create_app
from gateway.http.streams import Streams
from gateway.keys import Keys
from gateway.rates import Gate
from gateway.services import people, take_up
from gateway.services.desk import Desk
from gateway.web.app import beside, create_pages
from protocol import messages, numbers
from protocol.messages import Birth, Collected, DepositAuthorised, Deposited, Message, Up

CLOSED = numbers.DOOR_STATES.index("closed")
NOW_S = 1_800_000_000
RECIPIENT = {"name": "Anne Lefèvre", "mail": "anne@exemple.fr", "phone": "+33 3 22 00 00 00"}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def compartment(number: int, size: str = "M", **more: Any) -> dict[str, Any]:
    box = {"number": number, "size": size, "width_mm": 440, "height_mm": 300, "depth_mm": 500}
    return {**box, "x_mm": 0, "bottom_mm": 500, **more}


def locker_body(locker: str = "mairie-1", count: int = 3, size: str = "M") -> dict[str, Any]:
    boxes = [compartment(number, size) for number in range(1, count + 1)]
    return {"id": locker, "name": "Mairie", "modules": [{"name": "A", "compartments": boxes}]}


def parcel_body(label: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "locker": "mairie-1", "size": "M", "carrier": "colibri", **more}


@dataclass
class Town:
    url: str
    desk: Desk
    now: list[int]
    wakes: list[int]
    log: io.StringIO
    counter: Counter
    answering: Sized  # requests under way
    clients: list[httpx.Client] = field(default_factory=list)
    seqs: dict[str, int] = field(default_factory=dict)

    @property
    def streams(self) -> Streams:
        return self.counter.streams

    def logged(self) -> str:
        """What the gateway wrote into its log, the line of the last request too."""
        self.be_quiet()
        return self.log.getvalue()

    def be_quiet(self) -> None:
        """Until no request is under way: each is counted and has its line in the log after its answer."""
        wait_for(lambda: not len(self.answering), named="the end of every request")

    def caller(
        self,
        role: str = "operator",
        tenant: str = "",
        scopes: frozenset[str] | None = None,
        carriers: tuple[str, ...] = (),
    ) -> httpx.Client:
        """A client with a fresh credential; a merchant's with contracts with `carriers`."""
        given = SCOPES_OF[role] if scopes is None else scopes
        name = f"{role} {tenant}".strip()
        _, secret = people.issue_credential(self.desk, GATEWAY, role, tenant, given, name, carriers)
        return self.with_secret(secret)

    def with_secret(self, secret: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        # Plain HTTP, on loopback. To read every certificate authority first would take as long as the whole town.
        client = httpx.Client(base_url=self.url, headers=headers, timeout=WAIT_S, trust_env=False, verify=False)
        self.clients.append(client)
        return client

    # what the locker says
    def birth(self, locker: str, count: int) -> None:
        """It woke up: every door closed, every compartment free."""
        seq = self.seqs.get(locker, 0)
        said = Birth("1.0.0", bytes(8), seq + 1, seq, bytes([CLOSED]) * count)
        self._take_up(locker, 0, said)

    def says(self, locker: str, *said: Message) -> None:
        for message in said:
            self.seqs[locker] = self.seqs.get(locker, 0) + 1
            self._take_up(locker, self.seqs[locker], message)

    def told(self, locker: str, said: Message) -> None:
        """A message without a number."""
        self._take_up(locker, 0, said)

    def _take_up(self, locker: str, seq: int, said: Message) -> None:
        up = Up(1, seq, 1, self.now[0], said)
        take_up.take_up(self.desk, [Arrival(locker, up)])

    def deposit(self, locker: str, box: int, number: int, parcel: int) -> None:
        """The courier put `parcel` into compartment `box`: its deposit number `number`."""
        self.says(
            locker,
            DepositAuthorised(box, number, 1, parcel, None, None),
            Deposited(box, number, parcel),
        )

    def collect(self, locker: str, box: int, number: int) -> None:
        self.says(locker, messages.PickupAuthorised(box, number, numbers.KEYPAD, 0, None), Collected(box, number))


@contextlib.contextmanager
def serving(app: ASGIApp, bounds: Bounds | None = None) -> Generator[tuple[int, Sized]]:
    """The app behind the gateway's own server; the port, and the requests under way."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = server_of(app, bounds)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.005)
        yield listener.getsockname()[1], server.server_state.tasks
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        listener.close()


@contextlib.contextmanager
def town(folder: Path, keys: Keys | None = None, gate: Gate | None = None) -> Generator[Town]:
    now, wakes = [NOW_S], list[int]()
    store = open_books(folder, lambda: now[0])
    keys = keys or Keys.from_secrets(bytes(range(32)), bytes(range(32, 64)))
    desk = Desk(store, keys, Settings.default(folder), clock=lambda: now[0])
    written = io.StringIO()
    log.configure(as_json=False, stream=written)
    api = create_app(desk, lambda: wakes.append(1), gate=gate)
    app = beside(api, create_pages(desk, lambda: wakes.append(1), gate=gate))
    with contextlib.ExitStack() as ending:
        ending.callback(log.configure, as_json=False)
        ending.callback(store.close)
        port, answering = ending.enter_context(serving(app))
        made = Town(f"http://127.0.0.1:{port}", desk, now, wakes, written, api.state.counter, answering)
        ending.callback(lambda: [client.close() for client in made.clients])
        ending.callback(made.streams.stop)
        yield made


def open_locker(made: Town, locker: str = "mairie-1", count: int = 3, size: str = "M") -> httpx.Client:
    """Registered, provisioned, awake; the operator's client."""
    operator = made.caller()
    assert operator.post("/v1/lockers", json=locker_body(locker, count, size), headers=key()).status_code == 201
    assert operator.post(f"/v1/lockers/{locker}/provisioning", headers=key()).status_code == 201
    made.birth(locker, count)
    return operator


def deposited(here: Town, **locker: Any) -> str:
    """The parcel of a recipient with a name, in the one compartment of a locker."""
    operator = here.caller()
    body = {**locker_body(count=1), **locker}
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    assert operator.post("/v1/lockers/mairie-1/provisioning", headers=key()).status_code == 201
    here.birth("mairie-1", 1)
    new = parcel_body("label-1", recipient=RECIPIENT, merchant="fleurs")
    parcel = operator.post("/v1/parcels", json=new, headers=key()).json()["id"]
    assert operator.post(f"/v1/parcels/{parcel}/reservation", headers=key()).status_code == 201
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    return parcel
