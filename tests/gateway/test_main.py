"""The command itself, as a process: one line when ready, everything ended at the end, the same port after a kill."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hook_town import receiving
from mqtt_town import TinyLocker, running_broker
from patience import WAIT_S, wait_for

from gateway.config import Address
from gateway.keys import Keys
from protocol.messages import Ack

ROOT = Path(__file__).parents[2]
LOG_SIZE_MAX = 1 << 20


class Running:
    def __init__(self, data: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "gateway.main", "--data", str(data), "--http", "127.0.0.1:0", *arguments]
        self._log, name = tempfile.mkstemp()
        os.unlink(name)
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")

    def said(self) -> str:
        """On stderr, so far."""
        return os.pread(self._log, LOG_SIZE_MAX, 0).decode()

    def ended(self) -> tuple[int, str]:
        """Its exit code and all that it said."""
        return self.process.wait(WAIT_S), self.said()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        return self.ended()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        os.close(self._log)

    def api(self) -> httpx.Client:
        secret = Path(self.ready["operator_key_file"]).read_text().strip()
        return httpx.Client(base_url=self.ready["http"], headers={"Authorization": f"Bearer {secret}"}, timeout=WAIT_S)


@pytest.fixture
def started() -> Iterator[list[Running]]:
    some: list[Running] = []
    yield some
    for one in some:
        one.close()


def act(api: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    return api.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})


def alive(pid: int) -> bool:
    try:
        return b"mosquitto" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def locker_body(locker: str) -> dict[str, Any]:
    box = {"number": 1, "size": "M", "width_mm": 400, "height_mm": 300, "depth_mm": 500, "x_mm": 0, "bottom_mm": 500}
    return {"id": locker, "name": "Mairie", "modules": [{"name": "A", "compartments": [box]}]}


def test_one_command_and_a_locker_can_be_registered_and_heard(tmp_path: Path, started: list[Running]):
    gateway = Running(tmp_path / "data")
    started.append(gateway)
    assert set(gateway.ready) == {"http", "broker", "broker_pid", "operator_key_file"}
    assert stat.S_IMODE(Path(gateway.ready["operator_key_file"]).stat().st_mode) == 0o600
    with gateway.api() as api:
        assert api.get("/ready").status_code == 200
        assert act(api, "/v1/lockers", locker_body("mairie-1")).status_code == 201
        given = act(api, "/v1/lockers/mairie-1/provisioning", {}).json()
    keys = Keys.load(tmp_path / "data" / "keys", {})
    assert given["key"] == keys.locker_key("mairie-1", 1).hex()
    host, port = gateway.ready["broker"].rsplit(":", 1)
    address = Address(host, int(port))
    tries: list[TinyLocker] = []

    def let_in() -> bool:
        tries.append(TinyLocker(address, "mairie-1", keys=keys))
        if tries[-1].refused:
            tries.pop().close()
        return bool(tries)

    wait_for(let_in)
    locker = tries[0]
    locker.birth(doors=b"\x01")
    wait_for(lambda: locker.orders(Ack))
    locker.close()
    code, said = gateway.end()
    assert code == 0
    assert not alive(gateway.ready["broker_pid"])
    assert given["key"] not in said and given["mqtt_password"] not in said


def test_killed_and_started_again_it_has_the_same_broker_port_and_keys(tmp_path: Path, started: list[Running]):
    first = Running(tmp_path)
    started.append(first)
    key = Path(first.ready["operator_key_file"]).read_text()
    first.end(signal.SIGKILL)
    second = Running(tmp_path)
    started.append(second)
    assert second.ready["broker"] == first.ready["broker"]
    assert Path(second.ready["operator_key_file"]).read_text() == key
    with second.api() as api:
        assert api.get("/v1/lockers").status_code == 200
    assert not alive(first.ready["broker_pid"])


def test_a_second_gateway_on_the_same_data_is_refused_with_the_remedy(tmp_path: Path, started: list[Running]):
    started.append(Running(tmp_path))
    second = Running(tmp_path)
    started.append(second)
    code, said = second.ended()
    assert code == 1
    assert "--data" in said


def test_the_end_does_not_wait_for_a_listener_and_ends_its_stream_whole(tmp_path: Path, started: list[Running]):
    gateway = Running(tmp_path / "data")
    started.append(gateway)
    with gateway.api() as api, api.stream("GET", "/v1/events/stream") as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        code, said = gateway.end()
        assert not [line for line in lines if line.startswith("data")]  # one that was cut off would raise here
    assert code == 0 and "ended" in said


def test_a_receiver_hears_of_a_parcel_from_the_whole_gateway(tmp_path: Path, started: list[Running]):
    gateway = Running(tmp_path / "data", "--webhooks-allow-private", "yes")
    started.append(gateway)
    with gateway.api() as api, receiving() as receiver:
        assert act(api, "/v1/lockers", locker_body("mairie-1")).status_code == 201
        assert act(api, "/v1/webhooks", {"url": receiver.url}).status_code == 201
        parcel = {"label": "a", "locker": "mairie-1", "size": "M", "carrier": "colibri"}
        assert act(api, "/v1/parcels", parcel).status_code == 201
        wait_for(lambda: "webhook_told" in gateway.said())
        code, said = gateway.end()
    assert code == 0 and receiver.got and receiver.url not in said


def test_ctrl_c_ends_all_of_it(tmp_path: Path, started: list[Running]):
    gateway = Running(tmp_path)
    started.append(gateway)
    code, said = gateway.end(signal.SIGINT)
    assert code == 0
    assert "Traceback" not in said
    assert not alive(gateway.ready["broker_pid"])


def test_a_taken_http_port_is_said_with_the_remedy_and_leaves_no_broker(tmp_path: Path, started: list[Running]):
    first = Running(tmp_path / "a")
    started.append(first)
    port = first.ready["http"].rsplit(":", 1)[1]
    second = Running(tmp_path / "b", "--http", f"127.0.0.1:{port}")
    started.append(second)
    code, said = second.ended()
    assert code == 1
    assert "--http" in said
    assert "Traceback" not in said


def test_wrong_settings_are_all_named_and_nothing_starts(tmp_path: Path, started: list[Running]):
    gateway = Running(tmp_path / "data", "--pickup-days", "0", "--shelf", "3")
    started.append(gateway)
    code, said = gateway.ended()
    assert code == 2
    assert "pickup_days" in said and "--shelf" in said
    assert not (tmp_path / "data").exists()


def test_a_key_file_that_others_can_read_stops_the_start(tmp_path: Path, started: list[Running]):
    Keys.load(tmp_path / "keys", {})
    (tmp_path / "keys" / "master.key").chmod(0o644)
    gateway = Running(tmp_path)
    started.append(gateway)
    code, said = gateway.ended()
    assert code == 1
    assert "chmod 600" in said


def test_with_somebody_elses_broker_it_starts_and_says_when_that_is_away(tmp_path: Path, started: list[Running]):
    with running_broker(tmp_path / "elsewhere") as broker:
        password = broker.address.password
        gateway = Running(tmp_path / "data", "--broker", f"mqtt://_gateway:{password}@{broker.address}")
        started.append(gateway)
        assert gateway.ready["broker"] == str(broker.address)
        assert gateway.ready["broker_pid"] is None
        with gateway.api() as api:
            assert api.get("/ready").status_code == 200
            broker.stop()
            wait_for(lambda: api.get("/ready").status_code == 503)
            assert api.get("/v1/lockers").status_code == 200  # the books need no broker
    code, said = gateway.end()
    assert code == 0
    assert password not in said


def test_help_names_every_setting():
    done = subprocess.run(
        [sys.executable, "-m", "gateway.main", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--broker" in done.stdout and "--pickup-days" in done.stdout


def provisioned(gateway: Running) -> None:
    with gateway.api() as api:
        assert act(api, "/v1/lockers", locker_body("mairie-1")).status_code == 201
        assert act(api, "/v1/lockers/mairie-1/provisioning", {}).status_code == 201


def refused_start(data: Path, started: list[Running]) -> str:
    gateway = Running(data)
    started.append(gateway)
    code, said = gateway.ended()
    assert code == 1 and gateway.ready == {}
    assert "Traceback" not in said
    return said


def test_lost_keys_are_not_made_anew_while_lockers_depend_on_them(tmp_path: Path, started: list[Running]):
    first = Running(tmp_path)
    started.append(first)
    provisioned(first)
    first.end()
    shutil.move(tmp_path / "keys", tmp_path / "elsewhere")
    said = refused_start(tmp_path, started)
    assert "restore it from its backup" in said and "consigne keys make --replace-lost" in said
    assert not (tmp_path / "keys").exists()

    subprocess.run(
        [sys.executable, "-m", "tools.consigne", "keys", "make", "--folder", str(tmp_path)], cwd=ROOT, check=True
    )
    assert "the master key is not the one" in refused_start(tmp_path, started), "made without a word, so not meant"

    command = [sys.executable, "-m", "tools.consigne", "keys", "make", "--replace-lost", "--yes", "--folder"]
    subprocess.run([*command, str(tmp_path)], cwd=ROOT, check=True)
    again = Running(tmp_path)
    started.append(again)
    with again.api() as api:
        (locker,) = api.get("/v1/lockers").json()["data"]
        assert not locker["provisioned"]
        assert act(api, "/v1/lockers/mairie-1/provisioning", {}).json()["generation"] == 2


def test_the_clockwork_tells_lockers_of_a_key_that_the_environment_brought_whatever_else_fails(
    tmp_path: Path, started: list[Running], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CONSIGNE_MASTER_KEY", "11" * 32)
    monkeypatch.setenv("CONSIGNE_SIGNING_KEY", "22" * 32)
    first = Running(tmp_path)
    started.append(first)
    provisioned(first)
    first.end()
    monkeypatch.setenv("CONSIGNE_NEXT_SIGNING_KEY", "33" * 32)
    second = Running(tmp_path)
    started.append(second)
    passwords = tmp_path / "broker" / "passwords"
    passwords.unlink()
    passwords.mkdir()  # as on a disk that is full: what the broker reads cannot be written
    with second.api() as api:
        assert [row["state"] for row in api.get("/v1/keys").json()["data"]] == ["current", "next"]
        with contextlib.closing(sqlite3.connect(tmp_path / "consigne.db")) as books:
            wait_for(lambda: books.execute("SELECT count(*) FROM commands WHERE type = 26").fetchone() == (1,))
        wait_for(lambda: "clockwork_failed error=IsADirectoryError duty=_let_in" in second.said())


def test_an_operators_key_of_an_older_version_may_do_what_is_new(tmp_path: Path, started: list[Running]):
    first = Running(tmp_path)
    started.append(first)
    first.end()
    with contextlib.closing(sqlite3.connect(tmp_path / "consigne.db", isolation_level=None)) as books:
        books.execute("UPDATE credentials SET scopes = 'lockers:read'")
    second = Running(tmp_path)
    started.append(second)
    with second.api() as api:
        assert api.get("/v1/keys").status_code == 200
