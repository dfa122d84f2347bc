"""How soon a door's coil is on: after the last key of a code, after a token was shown, after an order over HTTP.

Real parts: the gateway's process, Mosquitto, the agent in MicroPython in a virtual cabinet. The clocks of all of
them are this machine's, so their times can be subtracted.
"""

import ast
import calendar
import contextlib
import re
import secrets
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.packages import cache_folder
from tools.bench.counts import Counts
from tools.bench.report import Report, median, percentile
from tools.demo.stack import RunningLocker, Stack
from tools.locker import cabinets
from tools.locker.client import CabinetClient

CARRIER = "colis-bleu"
WAIT_S = 60.0
MISSED_S = 10.0  # a coil that is not on by then: a key was missed
TYPING_TRIES = 3
_SENT = re.compile(r"^([-\dT:]+)\.(\d{3})Z command_sent locker=(\S+) .*order=Open$", re.MULTILINE)
KEYPAD_DRIVER = Path(__file__).resolve().parents[2] / "device" / "drivers" / "keypad.py"
SETTLE_S = 0.3  # between two people: the last one's door has been sensed closed, and told
_LOG_MS = 0.5  # the log cuts its times to a millisecond

News = dict[str, Any]


@dataclass
class Times:
    """Milliseconds; to `pulse`: until the coil was on."""

    key_to_pulse: list[float] = field(default_factory=list[float])
    scan_to_pulse: list[float] = field(default_factory=list[float])
    post_to_answer: list[float] = field(default_factory=list[float])
    post_to_pulse: list[float] = field(default_factory=list[float])
    sent_to_pulse: list[float] = field(default_factory=list[float])
    reset_to_off: list[float] = field(default_factory=list[float])
    keys_missed: int = 0  # codes typed again: this machine was too busy to look at the keypad


def run(report: Report, counts: Counts) -> None:
    report.heading("latency", "from a person's act to a door's coil, on a virtual locker with a real stack")
    times = Times()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as folder, Stack(Path(folder)) as stack:
        for number in range(1, counts.cabinets + 1):
            locker = stack.add_locker(cabinets.mairie(f"bench-{number}"))
            stack.wait_online(locker.id)
            times.reset_to_off.append(locker.cabinet.state()["outputs_off_ms"])
            _play(stack, locker, counts.openings, times)
            stack.lockers.pop(locker.id).stop()  # one at a time: idle lockers cost the machine time, too
    _tell(report, times)


def _tell(report: Report, times: Times) -> None:
    samples, sample_ms = (constant(KEYPAD_DRIVER, name) for name in ("SAMPLES", "SAMPLE_MS"))
    debounce_ms = (samples - 1) * sample_ms + sample_ms / 2
    report.note(
        f"{len(times.key_to_pulse)} runs of each. Without debouncing, what is left of key_to_pulse is the wait for "
        "the lap, the code's check, the durable record and the pulse."
    )
    _rows(report, "key_to_pulse", times.key_to_pulse, "last digit's contact closes → coil on")
    text = f"a key counts when it was seen {samples} times, {sample_ms} ms apart: mean, by construction"
    report.row("debounce_ms", debounce_ms, "ms", text)
    share = debounce_ms / median(times.key_to_pulse)
    report.row("debounce_share", round(share, 2), "", "what of key_to_pulse's median that is")
    report.row("codes_typed_again", times.keys_missed, "", "a busy machine missed a key: more than 0 spoils the rest")
    _rows(report, "scan_to_pulse", times.scan_to_pulse, "token's last byte on the wire → signature checked, coil on")
    _rows(report, "post_to_answer", times.post_to_answer, "POST …/open → 202")
    _rows(report, "post_to_pulse", times.post_to_pulse, "POST …/open → coil on")
    text = "reset → every lock's output driven off; of it, the virtual board's own start is most"
    report.row(
        "reset_to_outputs_off_ms", round(median(times.reset_to_off), 1), "ms", text, "100 after a board's reset"
    )
    _rows(report, "publish_to_pulse", times.sent_to_pulse, "gateway hands the command to MQTT → coil on")


def _rows(report: Report, name: str, values: list[float], meaning: str) -> None:
    report.row(f"{name}_min_ms", round(min(values), 1), "ms", f"{meaning}: fastest")
    report.row(f"{name}_median_ms", round(median(values), 1), "ms", "median")
    report.row(f"{name}_p99_ms", round(percentile(values, 99), 1), "ms", "p99")


def constant(path: Path, name: str) -> int:
    """A driver's constant, read and not imported: drivers run on boards only."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return int(ast.literal_eval(node.value))
    raise LookupError(f"{path.name} has no {name}")


# ------------------------------------------------------------------ one cabinet
def _play(stack: Stack, locker: RunningLocker, count: int, times: Times) -> None:
    watcher = CabinetClient(locker.control)
    try:
        watcher.watch()
        bench = _Bench(stack, locker, watcher, times)
        parcels = bench.deposit(count)
        for parcel in parcels:
            bench.pick_up(parcel)
        for number in range(1, count + 1):
            bench.open(number)
    finally:
        watcher.close()


class _Bench:
    """The hands at one locker."""

    def __init__(self, stack: Stack, locker: RunningLocker, watcher: CabinetClient, times: Times) -> None:
        self._stack = stack
        self._locker = locker
        self._cabinet = locker.cabinet
        self._watcher = watcher
        self._times = times

    def deposit(self, count: int) -> list[str]:
        """The parcels' ids, each in a compartment of its own."""
        badge = self._stack.api.post("/v1/badges", {"carrier": CARRIER, "holder": "livreur-7", "days": 1})
        before = self._cabinet.state()["screen"]
        self._cabinet.scan(badge["token"])
        self._cabinet.wait_until(lambda state: state["screen"] != before, WAIT_S)
        parcels = [self._deposit_one() for _ in range(count)]
        self._cabinet.keys("*")
        self._cabinet.wait_until(lambda state: state["screen"] == before, WAIT_S)
        return parcels

    def _deposit_one(self) -> str:
        label = f"CB{secrets.token_hex(5).upper()}FR"
        wanted = {"label": label, "locker": self._locker.id, "size": "S", "carrier": CARRIER}
        parcel = str(self._stack.api.post("/v1/parcels", wanted)["id"])
        self._cabinet.scan(label)
        compartment = int(self._door("open")["compartment"])
        self._pulse(compartment)  # this one is nobody's pick-up
        self._close(compartment)
        self._stack.wait_for("deposited", lambda: self._is(parcel, "deposited"), WAIT_S)
        return parcel

    def _is(self, parcel: str, state: str) -> bool:
        return self._stack.api.get(f"/v1/parcels/{parcel}")["state"] == state

    def pick_up(self, parcel: str) -> None:
        """By the code; then once more, as somebody who left something, by the token."""
        pickup = self._stack.api.get(f"/v1/parcels/{parcel}/pickup")
        compartment = int(pickup["compartment"])
        at, pulse = self._typed("".join(filter(str.isdigit, pickup["code"])), compartment)
        self._times.key_to_pulse.append(pulse - at)
        self._close(compartment)
        self._stack.wait_for("collected", lambda: self._is(parcel, "collected"), WAIT_S)
        at = self._cabinet.scan(pickup["token"])
        self._times.scan_to_pulse.append(self._pulse(compartment) - at)
        self._close(compartment)

    def _typed(self, code: str, compartment: int) -> tuple[float, float]:
        """When the last key's contact closed, and the coil was on. A machine that stood still for 60 ms has missed
        a key, as a board never would: then once more."""
        for _ in range(TYPING_TRIES):
            at = self._cabinet.keys(code)
            with contextlib.suppress(TimeoutError):
                return at, self._pulse(compartment, MISSED_S)
            self._times.keys_missed += 1
            self._cabinet.keys("*" * len(code))
        raise TimeoutError("a right code opens nothing")

    def open(self, compartment: int) -> None:
        path = f"/v1/lockers/{self._locker.id}/compartments/{compartment}/open"
        start = time.monotonic() * 1000
        self._stack.api.post(path, {"reason": "bench"})
        self._times.post_to_answer.append(time.monotonic() * 1000 - start)
        pulse = self._pulse(compartment)
        self._times.post_to_pulse.append(pulse - start)
        self._times.sent_to_pulse.append(pulse - self._sent_ms())
        self._close(compartment)

    def _sent_ms(self) -> float:
        """When the gateway handed its last Open to MQTT, in the cabinet's time."""
        log = (self._stack.folder / "gateway.log").read_text("utf-8", "replace")
        second, thousandths, _locker = _SENT.findall(log)[-1]
        wall_ms = calendar.timegm(time.strptime(second, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(thousandths) + _LOG_MS
        return wall_ms - (time.time() - time.monotonic()) * 1000

    def _pulse(self, compartment: int, wait_s: float = WAIT_S) -> float:
        """When the coil came on; it is told when it went off again."""
        news = self._watcher.wait_for(
            lambda news: news["event"] == "pulse" and news["compartment"] == compartment, wait_s
        )
        return float(news["at"])

    def _close(self, compartment: int) -> None:
        self._cabinet.wait_for_door(compartment, "open", WAIT_S)
        self._cabinet.push(compartment)
        self._cabinet.wait_for_door(compartment, "closed", WAIT_S)
        time.sleep(SETTLE_S)

    def _door(self, door: str) -> News:
        return self._watcher.wait_for(lambda news: news["event"] == "door" and news["door"] == door, WAIT_S)
