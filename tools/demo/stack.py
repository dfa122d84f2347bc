"""A whole stack on this machine: broker, gateway and virtual lockers, real parts all, in one folder.

`with Stack(folder) as stack:` and everything it started has ended when the block is left. The demonstration,
the tests of whole journeys and the benchmarks stand on it.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from gateway.ports import lasting_port
from tools.client import Gateway
from tools.demo.child import Child, ChildError
from tools.locker.client import CabinetClient
from tools.locker.provision import Bundle, bolted, provision

GATEWAY_WAIT_S = 120.0  # the first start may unpack a broker
LOCKER_WAIT_S = 120.0  # and the first locker an interpreter
ONLINE_WAIT_S = 150.0  # a locker waits for up to 40 before it dials, and up to 90 more should that fail
Say = Callable[[str], None]


def quiet(_line: str) -> None:
    """Says nothing."""


class RunningLocker:
    """A provisioned virtual locker. `bundle` holds what its flash holds (its key: for tests that seal their own)."""

    def __init__(self, folder: Path, hardware: Mapping[str, Any], bundle: Bundle) -> None:
        self.id = bundle.locker
        self.folder = folder
        self.hardware = hardware
        self.bundle = bundle
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tools.locker", str(self.folder)]
        self.process = Child(f"locker {self.id}", command, self.folder / "process.log", LOCKER_WAIT_S, {})
        self.console = str(self.process.ready["console"])
        self.control = str(self.process.ready["control"])
        self.cabinet = CabinetClient(self.control)

    def stop(self) -> None:
        self.cabinet.close()
        self.process.stop()


class Stack:
    """`api` speaks to the gateway with the operator's key. `flags` go to the gateway (another broker, say)."""

    def __init__(self, folder: Path, say: Say = quiet, flags: Sequence[str] = ()) -> None:
        self.folder = folder
        self.say = say
        self.lockers: dict[str, RunningLocker] = {}
        self._flags = tuple(flags)
        self._http_port = lasting_port("127.0.0.1")  # it is started again where it was
        self._gateway: Child | None = None
        self._api: Gateway | None = None

    def __enter__(self) -> "Stack":
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.start_gateway()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, _kind: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        self.stop()

    @property
    def gateway(self) -> Child:
        assert self._gateway
        return self._gateway

    @property
    def api(self) -> Gateway:
        assert self._api
        return self._api

    @property
    def data(self) -> Path:
        return self.folder / "gateway"

    @property
    def url(self) -> str:
        return str(self.gateway.ready["http"])

    @property
    def operator_key_file(self) -> Path:
        return Path(str(self.gateway.ready["operator_key_file"]))

    @property
    def operator_key(self) -> str:
        return self.operator_key_file.read_text("ascii").strip()

    @property
    def broker(self) -> tuple[str, int]:
        host, _, port = str(self.gateway.ready["broker"]).rpartition(":")
        return host, int(port)

    def start_gateway(self) -> None:
        """Also after kill_gateway(): the same books, and the same ports as before."""
        listen = f"127.0.0.1:{self._http_port}"
        command = [sys.executable, "-m", "gateway.main", "--data", str(self.data), "--http", listen, *self._flags]
        self._gateway = Child("gateway", command, self.folder / "gateway.log", GATEWAY_WAIT_S, {})
        self._api = Gateway.connect(self.url, self.operator_key)
        self.say(f"gateway at {self.url}, broker at {self.gateway.ready['broker']}")

    def kill_gateway(self) -> None:
        """SIGKILL, between whatever it was doing."""
        self.gateway.kill()

    def add_locker(self, hardware: Mapping[str, Any], broker: tuple[str, int] | None = None) -> RunningLocker:
        """Register and describe it, provision it, switch it on. `broker`: where it finds one, if not at ours."""
        name = str(hardware["locker"])
        self.api.post("/v1/lockers", description(hardware))
        bundle = bundle_of(self.api.post(f"/v1/lockers/{name}/provisioning", {}))
        if broker is not None:
            bundle = replace(bundle, broker=broker, authorities=())
        provision(self.folder / name, dict(hardware), bundle)
        locker = RunningLocker(self.folder / name, hardware, bundle)
        self.lockers[name] = locker
        self.say(f"locker {name} switched on, console {locker.console}")
        return locker

    def wait_online(self, *names: str) -> None:
        """Until the gateway has heard every one of them (all, if none is named)."""
        for name in names or tuple(self.lockers):
            self.wait_for(f"{name} online", lambda name=name: self._is_online(name))
            self.say(f"locker {name} online")

    def _is_online(self, name: str) -> bool:
        failed = self.lockers[name].cabinet.state()["failed"]
        if failed:
            raise ChildError(f"locker {name}: {failed}")
        return bool(self.api.get(f"/v1/lockers/{name}")["online"])

    def wait_for(self, what: str, true: Callable[[], Any], wait_s: float = ONLINE_WAIT_S) -> Any:
        """The first truthy answer. Raises TimeoutError."""
        deadline = time.monotonic() + wait_s
        while not (answer := true()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {wait_s:.0f} s")
            time.sleep(0.02)
        return answer

    def stop(self) -> None:
        for locker in self.lockers.values():
            locker.stop()
        self.lockers.clear()
        if self._api:
            self._api.http.close()
        if self._gateway:
            self._gateway.stop()


def bundle_of(given: Mapping[str, Any]) -> Bundle:
    """What POST /v1/lockers/…/provisioning answered; without a broker where the gateway does not know its name."""
    meeting: Mapping[str, Any] = given["broker"] or {"host": "", "port": 0, "authorities": [], "server_name": ""}
    return Bundle(
        given["locker"],
        int(given["generation"]),
        bytes.fromhex(given["key"]),
        (meeting["host"], meeting["port"]),
        {kid: bytes.fromhex(table) for kid, table in given["trusted"].items()},
        authorities=tuple(bytes.fromhex(one) for one in meeting["authorities"]),
        server_name=meeting["server_name"],
    )


def description(hardware: Mapping[str, Any]) -> dict[str, Any]:
    """A cabinet's drawing as POST /v1/lockers wants it."""
    return {
        "id": hardware["locker"],
        "name": hardware["name"],
        "modules": [
            {"name": module["name"], "compartments": [_compartment(place) for place in module["compartments"]]}
            for module in bolted(hardware)
        ],
    }


def _compartment(place: Mapping[str, Any]) -> dict[str, Any]:
    same = {key: place[key] for key in ("number", "size", "width_mm", "height_mm", "depth_mm", "x_mm", "accessible")}
    return {**same, "bottom_mm": place["y_mm"]}
