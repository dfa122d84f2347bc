"""Hands on a virtual locker, for the demo, the tests and the benches."""

import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ANSWER_S = 60
WAIT_S = 60.0  # for what a hand waits for: on a machine with much else to do, a second can take ten
STOP_S = 10
Document = dict[str, Any]


class CabinetError(Exception):
    """The cabinet said no, and why."""


class CabinetClient:
    """One connection to a control socket. Requests wait for their answers; events come after watch()."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._lock = threading.Lock()
        self._number = 0
        self._answers: dict[int, queue.SimpleQueue[Document]] = {}
        self._events: queue.SimpleQueue[Document] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # -------------------------------------------------------------- people's hands
    def keys(self, keys: str, pace_ms: float | None = None) -> float:
        """Type, and wait until it is typed. When the last key's contact closed (cabinet's clock, ms)."""
        return self.ask("keys", keys=keys, pace_ms=pace_ms)["at"]

    def type(self, text: str) -> None:
        """On the serial console, beside whoever has its port open."""
        self.ask("type", text=text)

    def scan(self, text: str) -> float:
        """When the last byte was on the wire."""
        return self.ask("scan", text=text)["at"]

    def scan_raw(self, data: bytes) -> float:
        return self.ask("scan_raw", hex=data.hex())["at"]

    def push(self, compartment: int) -> None:
        self.ask("push", compartment=compartment)

    def pull(self, compartment: int) -> None:
        self.ask("pull", compartment=compartment)

    def jam(self, compartment: int, on: bool = True) -> None:
        self.ask("jam", compartment=compartment, on=on)

    def stick(self, compartment: int, on: bool = True) -> None:
        self.ask("stick", compartment=compartment, on=on)

    def weld(self, compartment: int, on: bool = True) -> None:
        self.ask("weld", compartment=compartment, on=on)

    def swap(self, compartment: int, other: int) -> None:
        self.ask("swap", compartment=compartment, other=other)

    def fill(self, compartment: int, on: bool = True) -> None:
        self.ask("fill", compartment=compartment, on=on)

    def sense(self, name: str, value: int) -> None:
        """`supply_mv`, `temperature_dc`, or `tamper` (1: the housing is open)."""
        self.ask("sense", name=name, value=value)

    def sensor(self, part: str, fault: str, on: bool = True) -> None:
        """`part`: meter, thermometer."""
        self.ask("sensor", part=part, fault=fault, on=on)

    def cable(self, cut: str) -> None:
        self.ask("cable", cut=cut)

    def power(self, on: bool) -> None:
        self.ask("power", on=on)

    def kill(self) -> None:
        self.ask("kill")

    def state(self) -> Document:
        return self.ask("state")

    def watch(self) -> None:
        self.ask("watch")

    # -------------------------------------------------------------- waiting
    def events(self, timeout_s: float = 10) -> Iterator[Document]:
        """Events as they come; ends when none came for `timeout_s`."""
        while True:
            try:
                yield self._events.get(timeout=timeout_s)
            except queue.Empty:
                return

    def wait_for(self, test: Callable[[Document], bool], timeout_s: float = WAIT_S) -> Document:
        """The first event that passes; those before it are dropped."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                break
            if test(event):
                return event
        raise TimeoutError(f"no such event within {timeout_s} s; screen: {self.state()['screen']}")

    def wait_for_door(self, compartment: int, door: str, timeout_s: float = WAIT_S) -> None:
        """Until the door is `open` or `closed`; at once when it is already."""
        self.wait_until(lambda state: door_of(state, compartment) == door, timeout_s)

    def wait_for_screen(self, text: str, timeout_s: float = WAIT_S) -> list[str]:
        """Until the screen shows `text` somewhere."""
        return self.wait_until(lambda state: text in "\n".join(state["screen"]), timeout_s)["screen"]

    def wait_until(self, test: Callable[[Document], bool], timeout_s: float = WAIT_S) -> Document:
        """The first state that passes."""
        until = time.monotonic() + timeout_s
        while True:
            state = self.state()
            if test(state):
                return state
            if time.monotonic() > until:
                raise TimeoutError(f"not so within {timeout_s} s; screen: {state['screen']}")
            time.sleep(0.03)

    # -------------------------------------------------------------- the socket
    def ask(self, order: str, **arguments: Any) -> Document:
        """Raises CabinetError when the cabinet says no."""
        answers: queue.SimpleQueue[Document] = queue.SimpleQueue()
        with self._lock:
            self._number += 1
            number = self._number
            self._answers[number] = answers
            self._socket.sendall(json.dumps({"id": number, "do": order, **arguments}).encode() + b"\n")
        try:
            answer = answers.get(timeout=ANSWER_S)
        except queue.Empty:
            raise TimeoutError(f"no answer to {order} within {ANSWER_S} s")
        finally:
            self._answers.pop(number, None)
        if not answer["ok"]:
            raise CabinetError(answer["error"])
        return answer

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    document: Document = json.loads(line)
                    if "id" in document:
                        waiting = self._answers.get(document["id"])
                        if waiting is not None:
                            waiting.put(document)
                    else:
                        self._events.put(document)
        except OSError:
            pass  # closed by us
        for waiting in list(self._answers.values()):
            waiting.put({"ok": False, "error": "the virtual locker has ended"})


class VirtualLocker:
    """A running `python -m tools.locker FOLDER`; a context manager that ends it."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.locker", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise CabinetError(f"the virtual locker in {folder} did not start; see its locker.log")
        ready: Document = json.loads(line)
        self.locker: str = ready["locker"]
        self.console: str = ready["console"]
        self.control: str = ready["control"]
        self.pid: int = ready["pid"]
        self.client = CabinetClient(self.control)

    def stop(self) -> None:
        self.client.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()


def start(folder: Path) -> VirtualLocker:
    """Start the virtual locker of a provisioned folder, and wait until its first screen is up."""
    return VirtualLocker(folder)


def door_of(state: Document, compartment: int) -> str:
    for box in state["compartments"]:
        if box["number"] == compartment:
            return box["door"]
    raise CabinetError(f"no compartment {compartment}")
