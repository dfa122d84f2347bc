"""Each kind of fault: how it strikes a running stack, and how it is lifted again."""

import contextlib
import os
import random
import resource
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from protocol.keys import sub_key
from protocol.topics import topic
from tools.chaos.evidence import Books
from tools.chaos.schedule import Fault
from tools.chaos.witness import Witness
from tools.demo.stack import RunningLocker, Stack
from tools.locker.flash import read_files, write_files

BUSY_WAIT_S = 6.0
FULL_DISK_BYTES = 4_096  # no file may grow beyond that
FILLER_BYTES = 65_536
# 2 MB of flash; what is left is less than the room kept for pickups, so deposits are refused.
FILLED_BYTES = 512 * 4096 - 60 * 4096
POWER_OFF_S = 10.0


class Faults:
    """`strike` returns when the fault has been lifted."""

    def __init__(self, stack: Stack, witnesses: Mapping[str, Witness], seed: int) -> None:
        self.stack = stack
        self.witnesses = witnesses
        self.books = Books(stack.data / "consigne.db")
        self.looking = Lock()  # nobody has the books open while they are replaced
        self.kills: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.failed: list[str] = []
        self._backup = stack.folder / "backup.db"
        self._chance = random.Random(f"{seed} moments")

    def strike(self, fault: Fault) -> None:
        if fault.busy:
            names = [fault.locker] if fault.locker else list(self.witnesses)
            self.witnesses[self._chance.choice(names)].wait_busy(BUSY_WAIT_S)
            time.sleep(self._chance.choice((0.0, self._chance.uniform(0, 0.4))))
        with _KINDS[fault.kind](self, fault.locker):
            self.struck[fault.kind] += 1
            time.sleep(fault.hold_s)

    def lift_all(self) -> None:
        """Whatever was cut short, everything is whole again."""
        for locker in self.stack.lockers.values():
            locker.cabinet.cable("none")
            locker.cabinet.power(True)

    def take_backup(self) -> None:
        with self.looking:
            self.books.copy(self._backup)

    # -------------------------------------------------------------- kills
    def _kill_gateway(self) -> None:
        self._note_if_dead()
        self.stack.kill_gateway()
        self.kills["gateway"] += 1

    def _note_if_dead(self) -> None:
        if not self.stack.gateway.alive:
            self.failed.append(f"the gateway ended by itself with {self.stack.gateway.process.returncode}")

    def _kill_broker(self) -> None:
        for pid in _children_of(self.stack.gateway.pid):
            if "mosquitto" in _command_of(pid):
                os.kill(pid, signal.SIGKILL)
                self.kills["broker"] += 1

    def _cut_power(self, locker: RunningLocker) -> None:
        if locker.cabinet.state()["powered"]:
            locker.cabinet.kill()
            self.kills["lockers"] += 1

    # -------------------------------------------------------------- kinds
    @contextmanager
    def _cutting_power(self, locker: str):
        running = self.stack.lockers[locker]
        self._cut_power(running)
        running.cabinet.power(False)
        yield
        running.cabinet.power(True)

    @contextmanager
    def _killing_gateway(self, _locker: str):
        self._kill_gateway()
        yield
        self.stack.start_gateway()

    @contextmanager
    def _killing_broker(self, _locker: str):
        self._kill_broker()
        yield

    @contextmanager
    def _killing_all(self, _locker: str):
        for locker in self.stack.lockers.values():
            self._cut_power(locker)
        self._kill_gateway()
        yield
        self.stack.start_gateway()

    @contextmanager
    def _blackout(self, _locker: str):
        self._kill_gateway()
        for locker in self.stack.lockers.values():
            self._cut_power(locker)
            locker.cabinet.power(False)
        yield
        for locker in self.stack.lockers.values():
            locker.cabinet.power(True)
        self.stack.start_gateway()

    @contextmanager
    def _forgetting_queue(self, _locker: str):
        self._kill_gateway()  # its broker dies with it
        (self.stack.data / "broker" / "mosquitto.db").unlink(missing_ok=True)
        self.kills["broker"] += 1
        yield
        self.stack.start_gateway()

    def _cutting_cable(self, how: str) -> "Callable[[str], AbstractContextManager[None]]":
        @contextmanager
        def cut(locker: str):
            cabinet = self.stack.lockers[locker].cabinet
            cabinet.cable(how)
            yield
            cabinet.cable("none")

        return cut

    @contextmanager
    def _twin(self, locker: str):
        """Somebody with an opened locker's key beside it: it takes the orders off the broker and says nothing."""
        bundle = self.stack.lockers[locker].bundle
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=locker, clean_session=True)
        client.username_pw_set(locker, sub_key(bundle.key, "mqtt").hex())
        with contextlib.suppress(OSError):
            client.connect(*self.stack.broker)
        client.loop_start()
        client.subscribe(topic(locker, "down"), 1)
        yield
        client.disconnect()
        client.loop_stop()

    @contextmanager
    def _filling_disk(self, _locker: str):
        pid = self.stack.gateway.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_DISK_BYTES, before[1]))
        yield
        self._note_if_dead()
        if self.stack.gateway.alive:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        else:
            self.stack.start_gateway()

    @contextmanager
    def _restoring(self, _locker: str):
        with self.looking:
            self._kill_gateway()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.books.path}{suffix}").unlink(missing_ok=True)
            shutil.copyfile(self._backup, self.books.path)
            yield
            self.stack.start_gateway()

    @contextmanager
    def _filling_flash(self, locker: str):
        running = self.stack.lockers[locker]
        self._write_flash(running, FILLED_BYTES)
        yield
        self._write_flash(running, 0)

    def _write_flash(self, locker: RunningLocker, size: int) -> None:
        """While it is off: somebody's log, firmware, photographs take the room, up to `size` with what is there."""
        self._cut_power(locker)
        locker.cabinet.power(False)
        locker.cabinet.wait_until(lambda state: not state["powered"], POWER_OFF_S)
        image = locker.folder / "flash.img"
        files = read_files(image)
        used = sum(4096 * (len(content) // 4096 + 1) for content in files.values())
        count = max(0, (size - used) // FILLER_BYTES)
        fillers = {name: b"" for name in files if name.startswith("/filler")}
        fillers |= {f"/filler{place}": bytes(FILLER_BYTES) for place in range(count)}
        write_files(image, fillers)
        locker.cabinet.power(True)


_KINDS: dict[str, Callable[[Faults, str], AbstractContextManager[None]]] = {
    "cut_power": Faults._cutting_power,
    "kill_gateway": Faults._killing_gateway,
    "kill_broker": Faults._killing_broker,
    "kill_all": Faults._killing_all,
    "blackout": Faults._blackout,
    "forget_queue": Faults._forgetting_queue,
    "cable_reset": lambda faults, locker: faults._cutting_cable("reset")(locker),
    "cable_hole": lambda faults, locker: faults._cutting_cable("hole")(locker),
    "twin": Faults._twin,
    "disk_full": Faults._filling_disk,
    "restore": Faults._restoring,
    "flash_full": Faults._filling_flash,
}


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in path.read_text().split()]
    return found


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
