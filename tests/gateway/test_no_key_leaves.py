"""A locker's key leaves the gateway once, at provisioning. Every GET answer and every log line of a whole stack is
searched for every secret there is, in every form in which it could be written."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_town import key
from mqtt_town import TinyLocker
from patience import wait_for

from gateway.config import Address
from gateway.keys import Keys
from protocol.keys import PURPOSES
from protocol.messages import Ack, Trust

ROOT = Path(__file__).parents[2]
LOCKERS = ("mairie-1", "gare-1")


class Stack:
    """The gateway as a process, with its broker; what it printed is kept."""

    def __init__(self, data: Path) -> None:
        self.data = data
        command = [sys.executable, "-m", "gateway.main", "--data", str(data), "--http", "127.0.0.1:0"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSIGNE_")}
        environment |= {name: value for name, value in os.environ.items() if name == "CONSIGNE_CACHE"}
        self._stderr = (data.parent / "stderr").open("w+")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=self._stderr, text=True
        )
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())
        secret = Path(self.ready["operator_key_file"]).read_text().strip()
        headers = {"Authorization": f"Bearer {secret}"}
        self.api = httpx.Client(base_url=self.ready["http"], headers=headers, timeout=60, trust_env=False)

    @property
    def broker(self) -> Address:
        host, port = self.ready["broker"].rsplit(":", 1)
        return Address(host, int(port))

    def end(self) -> str:
        """What it said, from its first word to its last."""
        self.api.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
        self._stderr.seek(0)
        return self._stderr.read() + (self.process.stdout.read() if self.process.stdout else "")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._stderr.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    running = Stack(tmp_path / "data")
    yield running
    running.kill()


def act(api: httpx.Client, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = api.post(path, json=body or {}, headers=key())
    assert answer.status_code < 300, answer.text
    return answer.json()


def register(stack: Stack, locker: str) -> dict[str, Any]:
    box = {"number": 1, "size": "M", "width_mm": 400, "height_mm": 300, "depth_mm": 500, "x_mm": 0, "bottom_mm": 500}
    act(stack.api, "/v1/lockers", {"id": locker, "name": "x", "modules": [{"name": "A", "compartments": [box]}]})
    return act(stack.api, f"/v1/lockers/{locker}/provisioning")


def connected(stack: Stack, locker: str, keys: Keys) -> TinyLocker:
    tries: list[TinyLocker] = []

    def let_in() -> bool:
        tries.append(TinyLocker(stack.broker, locker, keys=keys))
        if tries[-1].refused:
            tries.pop().close()
        return bool(tries)

    wait_for(let_in)
    tries[0].birth(doors=b"\x01")
    wait_for(lambda: tries[0].orders(Ack))
    return tries[0]


def forms(secret: bytes) -> list[str]:
    """Hex and base64, of its beginning: half a key is a leak too."""
    half = secret[: len(secret) // 2]
    return [half.hex(), base64.b64encode(half).decode()[:20], base64.urlsafe_b64encode(half).decode()[:20]]


def secrets_of(stack: Stack) -> dict[str, bytes]:
    folder = stack.data / "keys"
    found = {path.name: bytes.fromhex(path.read_text()) for path in folder.glob("*.key")}
    keys = Keys.load(folder, {}, make=False)
    for locker in LOCKERS:
        found[locker] = keys.locker_key(locker, 1)
        found |= {f"{locker} {purpose}": keys.sub_key(locker, 1, purpose) for purpose in PURPOSES}
    return found | {
        name: keys.derived(name)
        for name in ("broker", "credentials", "check", "pages", "letters", "sessions", "forms")
    }


def every_get(stack: Stack) -> list[str]:
    """Each address that the API has, with all ids there are to fill in."""
    paths = stack.api.get("/openapi.json").json()["paths"]
    badges = [row["id"] for row in stack.api.get("/v1/badges").json()["data"]]
    kids = [row["id"] for row in stack.api.get("/v1/keys").json()["data"]]
    parcels = [row["id"] for row in stack.api.get("/v1/parcels").json()["data"]]
    fill = {"locker": LOCKERS, "badge": badges, "kid": kids, "parcel": parcels, "number": ["1"]}
    found = ["/openapi.json"]
    for path, methods in paths.items():
        if "get" in methods:
            wanted = re.findall(r"{(\w+)}", path)
            found += (
                [path.replace(f"{{{wanted[0]}}}", one) for one in fill.get(wanted[0], ["x"])] if wanted else [path]
            )
    return found


def read(api: httpx.Client, path: str) -> str:
    """What is answered there; of a stream of events, how it begins."""
    with api.stream("GET", path) as answer:
        if answer.headers["content-type"].startswith("text/event-stream"):
            return next(answer.iter_text())
        return answer.read().decode()


def test_no_answer_to_a_get_and_no_log_line_holds_a_key(stack: Stack) -> None:
    given = {locker: register(stack, locker) for locker in LOCKERS}
    keys = Keys.load(stack.data / "keys", {}, make=False)
    tiny = connected(stack, "mairie-1", keys)
    act(stack.api, "/v1/badges", {"carrier": "colibri", "holder": "staff-17", "days": 3})
    body = {"label": "6A1", "locker": "mairie-1", "size": "M", "carrier": "colibri"}
    act(stack.api, "/v1/parcels", body)
    act(stack.api, "/v1/keys/rotation")
    wait_for(lambda: tiny.orders(Trust))
    secrets = secrets_of(stack)
    assert "signing-next.key" in secrets and bytes.fromhex(given["gare-1"]["key"]) == secrets["gare-1"]
    said = {path: read(stack.api, path) for path in every_get(stack)}
    assert len(said) > 10 and "/v1/keys" in said and "/v1/lockers/gare-1/compartments" in said
    tiny.close()
    said["the log"] = stack.end()
    assert "command_sent" in said["the log"]
    leaks = [
        (where, name)
        for where, text in said.items()
        for name, secret in secrets.items()
        for form in forms(secret)
        if form in text
    ]
    assert not leaks
    passwords = [one["mqtt_password"] for one in given.values()]
    assert not [where for where, text in said.items() for password in passwords if password[:20] in text]


def test_provisioning_is_the_one_answer_with_a_key_and_its_replay_is_the_callers_alone(stack: Stack) -> None:
    register(stack, "mairie-1")
    same = key()
    first = stack.api.post("/v1/lockers/mairie-1/provisioning", json={}, headers=same)
    again = stack.api.post("/v1/lockers/mairie-1/provisioning", json={}, headers=same)
    assert first.content == again.content
    secret = first.json()["key"]
    assert secret == Keys.load(stack.data / "keys", {}).locker_key("mairie-1", 2).hex()
    stack.end()
    kept = b"".join(path.read_bytes() for path in stack.data.rglob("*") if path.is_file())
    assert secret.encode() not in kept and bytes.fromhex(secret) not in kept, "nor does any file hold it"
