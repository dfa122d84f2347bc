"""Our own Mosquitto, the real one: who gets in, who may say and hear what, and that it comes back."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mqtt_town import KEYS, TinyLocker, running_broker
from patience import WAIT_S, wait_for

from gateway.broker import Broker, BrokerError, Mosquitto, find_mosquitto, password_line
from gateway.config import Address
from gateway.limits import BROKER_PACKET_SIZE_MAX
from protocol import topics
from protocol.limits import MESSAGE_SIZE_MAX

MAIRIE, GARE = ("mairie-1", "gare-1")


def gateway_side(broker: Broker) -> TinyLocker:
    """The gateway's own user, listening to everything it may."""
    return TinyLocker(broker.address, "_gateway", password=broker.address.password, listens_to="consigne/1/#")


def test_a_locker_can_neither_speak_as_another_nor_hear_what_is_for_it(tmp_path: Path):
    with running_broker(tmp_path) as broker:
        listener = gateway_side(broker)
        thief, victim = TinyLocker(broker.address, GARE), TinyLocker(broker.address, MAIRIE)
        try:
            thief.client.subscribe([("consigne/1/+/+/down", 1), ("consigne/1/+/+/up", 1), ("#", 1), ("$SYS/#", 0)])
            for leaf in ("up", "state", "down"):
                thief.throw(topics.topic(MAIRIE, leaf), b"forged")
            thief.throw(topics.topic(GARE, "down"), b"to myself")
            thief.throw("consigne/1/x", b"elsewhere")
            thief.throw("other", b"elsewhere")
            victim.throw(topics.topic(MAIRIE, "up"), b"secret of mairie")
            listener.throw(topics.topic(MAIRIE, "down"), b"order for mairie")
            thief.throw(topics.topic(GARE, "up"), b"mine")
            wait_for(lambda: len(listener.raw) >= 2)
            assert sorted(payload for _, payload in listener.raw) == [b"mine", b"secret of mairie"]
            wait_for(lambda: victim.raw)
            assert victim.raw == [(topics.topic(MAIRIE, "down"), b"order for mairie")]
            listener.throw(topics.topic(GARE, "down"), b"order for gare")
            wait_for(lambda: thief.raw)  # what came before it, if it was let through, would have come first
            assert thief.raw == [(topics.topic(GARE, "down"), b"order for gare")]
        finally:
            for one in (listener, thief, victim):
                one.close()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (MAIRIE, ""),
        (MAIRIE, "wrong"),
        (MAIRIE, KEYS.mqtt_password(GARE, 1)),
        ("other-1", "x"),
        ("_gateway", "x"),
        ("", ""),
    ],
)
def test_nobody_gets_in_without_the_password_of_his_own(tmp_path: Path, name: str, password: str):
    with running_broker(tmp_path) as broker:
        stranger = TinyLocker(broker.address, name, password=password)
        stranger.close()
        assert stranger.refused


def test_a_locker_cannot_push_another_off_by_taking_its_client_id(tmp_path: Path):
    with running_broker(tmp_path) as broker:
        listener, victim = gateway_side(broker), TinyLocker(broker.address, MAIRIE)
        pushed_off: list[object] = []
        victim.client.on_disconnect = lambda *why: pushed_off.append(why)
        stranger = TinyLocker(broker.address, MAIRIE, password="x")
        thief = TinyLocker(broker.address, GARE, client_id=MAIRIE)
        try:
            assert stranger.refused
            listener.throw(topics.topic(MAIRIE, "down"), b"order for mairie")
            wait_for(lambda: victim.raw or pushed_off)
            assert victim.client.is_connected() and not pushed_off
        finally:
            for one in (listener, victim, stranger, thief):
                one.close()


def test_a_locker_provisioned_later_gets_in_without_a_restart_and_its_old_password_is_dead(tmp_path: Path):
    with running_broker(tmp_path, (MAIRIE,)) as broker:
        pid = broker.pid
        stranger = TinyLocker(broker.address, GARE)
        stranger.close()
        assert stranger.refused
        broker.sync([(MAIRIE, 2), (GARE, 1)])

        def let_in() -> bool:
            one = TinyLocker(broker.address, GARE)
            one.close()
            return not one.refused

        wait_for(let_in)
        old, new = TinyLocker(broker.address, MAIRIE), TinyLocker(broker.address, MAIRIE, generation=2)
        old.close()
        new.close()
        assert old.refused
        assert not new.refused
        assert broker.pid == pid


def test_a_killed_broker_is_back_on_the_same_port(tmp_path: Path):
    with running_broker(tmp_path) as broker:
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: broker.pid not in (None, pid))

        def serves() -> bool:
            try:
                one = TinyLocker(broker.address, MAIRIE)
            except OSError:
                return False
            one.close()
            return not one.refused

        wait_for(serves)


def test_the_port_of_the_first_start_is_kept_for_the_next(tmp_path: Path):
    with running_broker(tmp_path) as broker:
        first = broker.address.port
    with running_broker(tmp_path) as broker:
        assert broker.address.port == first


def test_a_port_that_somebody_else_holds_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.BROKER_START_S_MAX", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        broker = Broker(tmp_path, find_mosquitto(), Address("127.0.0.1", taken.getsockname()[1]), KEYS)
        with pytest.raises(BrokerError, match="broker-listen"):
            broker.start()
        assert broker.pid is None


def test_an_oversize_message_is_dropped_and_a_monstrous_one_cut_off(tmp_path: Path):
    with running_broker(tmp_path) as broker:
        listener, locker = gateway_side(broker), TinyLocker(broker.address, MAIRIE)
        try:
            locker.throw(topics.topic(MAIRIE, "up"), bytes(MESSAGE_SIZE_MAX + 1))
            locker.throw(topics.topic(MAIRIE, "up"), bytes(MESSAGE_SIZE_MAX))
            wait_for(lambda: listener.raw)
            assert [len(payload) for _, payload in listener.raw] == [MESSAGE_SIZE_MAX]
        finally:
            locker.close()
            listener.close()
        with socket.create_connection((broker.address.host, broker.address.port), WAIT_S) as raw:
            raw.sendall(b"\x10\xff\xff\xff\x7f")  # CONNECT of 256 MB
            raw.settimeout(WAIT_S)
            assert raw.recv(1) == b""
        assert BROKER_PACKET_SIZE_MAX > MESSAGE_SIZE_MAX


def test_its_files_are_for_our_eyes_only_and_hold_no_password(tmp_path: Path):
    with running_broker(tmp_path):
        for name in ("passwords", "acl", "mosquitto.conf"):
            path = tmp_path / "broker" / name
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert KEYS.mqtt_password(MAIRIE, 1) not in path.read_text()


def test_two_lockers_with_one_password_would_not_look_alike():
    one, other = (password_line(user, "same", user.encode()) for user in (MAIRIE, GARE))
    assert one.split("$")[-1] != other.split("$")[-1]


def test_a_program_that_is_no_mosquitto_is_refused(tmp_path: Path):
    with pytest.raises(BrokerError, match="no Mosquitto"):
        find_mosquitto("/bin/true")
    with pytest.raises(BrokerError):
        find_mosquitto(str(tmp_path / "absent"))


def test_without_any_broker_the_one_command_that_installs_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On a system with no Mosquitto and no apt: an empty PATH, an empty cache, nothing in the usual folders."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CONSIGNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("gateway.broker._USUAL_FOLDERS", ())
    with pytest.raises(BrokerError, match=r"[Ii]nstall .*mosquitto"):
        find_mosquitto()


def test_the_broker_dies_with_a_gateway_that_is_killed(tmp_path: Path):
    script = (
        "import sys, time; sys.path[:0] = sys.argv[1].split(':')\n"
        "from pathlib import Path\n"
        "from mqtt_town import running_broker\n"
        "with running_broker(Path(sys.argv[2])) as broker:\n"
        "    print(broker.pid, broker.address.port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    places = f"{root}:{Path(__file__).parent}"
    with subprocess.Popen(
        [sys.executable, "-c", script, places, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as gateway:
        assert gateway.stdout is not None
        pid, port = (int(word) for word in gateway.stdout.readline().split())
        gateway.kill()
    wait_for(lambda: not _is_mosquitto(pid))
    with running_broker(tmp_path) as broker:  # nothing left over is in the way
        assert broker.address.port == port


def _is_mosquitto(pid: int) -> bool:
    try:
        return b"mosquitto" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_broker_that_cannot_run_is_not_started_in_a_tight_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.BROKER_START_S_MAX", 1.0)
    starts = tmp_path / "starts"
    program = tmp_path / "mosquitto"
    program.write_text(f"#!/bin/sh\necho x >> {starts}\nexit 3\n")
    program.chmod(0o755)
    broker = Broker(tmp_path / "broker", Mosquitto(program), Address("127.0.0.1", 0), KEYS)

    class Begun(threading.Event):
        """The second begins with the first start, however slow the machine is."""

        def wait(self, timeout: float | None = None) -> bool:
            wait_for(starts.exists)
            return super().wait(timeout)

    broker._running = Begun()
    with pytest.raises(BrokerError):
        broker.start()
    assert 1 <= len(starts.read_text().split()) <= 4
