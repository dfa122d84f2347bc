"""How many events a second the gateway keeps, beside the most that its connection could carry; and how soon a
locker is answered. Broker, gateway and lockers are three processes on this machine, over loopback."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.packages import cache_folder
from tools.bench.counts import Counts
from tools.bench.report import Report, median, percentile
from tools.bench.worker import Worker

GOAL_RATIO = 0.9
_FSYNCS = 50
_KINDS = ("durable", "echo")


def run(report: Report, counts: Counts) -> None:
    report.heading("gateway", "events through Mosquitto into the books, beside a bare echo of the same connection")
    # Not in /tmp, which may be memory: what a commit costs is the disk's.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as name:
        folder = Path(name)
        log = folder / "bench.log"
        report.row("fsync_us", round(_fsync_us(folder)), "µs", "one small write made durable on this disk (median)")
        with (
            Worker("tools.bench.gateway_under_test", [str(folder), str(counts.lockers)], log) as tested,
            Worker("tools.bench.crowd", [tested.ready["broker"], str(counts.lockers)], log) as crowd,
        ):
            bench = _Bench(tested, crowd, counts)
            _throughput(report, bench, counts)
            _delays(report, bench, counts)
            bench.check()


@dataclass(frozen=True)
class _Run:
    """One run: seconds of wall, and of CPU in each of the three processes."""

    events: int
    wall_s: float
    gateway_s: float
    broker_s: float
    crowd_s: float
    batches: int
    delays_ms: list[float]
    late_ms: list[float]

    @property
    def rate(self) -> float:
        return self.events / self.wall_s


class _Bench:
    """Runs one kind of gateway at a time under the same crowd."""

    def __init__(self, tested: Worker, crowd: Worker, counts: Counts) -> None:
        self._tested = tested
        self._crowd = crowd
        self._counts = counts
        self._seq = 0  # what every locker has told so far
        self._broker = Path(f"/proc/{tested.ready['broker_pid']}/stat")

    def run(self, kind: str, each: int, loop: str, **arguments: float) -> _Run:
        self._crowd.ask("prepare", first=self._seq + 1, each=each)
        self._tested.ask(kind)
        broker_s = self._broker_cpu_s()
        told = self._crowd.ask(loop, **arguments)
        broker_s = self._broker_cpu_s() - broker_s
        ended = self._tested.ask("stop")
        if kind == "durable":
            self._seq += each
        return _Run(
            events=int(told["events"]),
            wall_s=float(told["seconds"]),
            gateway_s=float(ended["cpu_s"]),
            broker_s=broker_s,
            crowd_s=float(told["cpu_s"]),
            batches=int(ended["batches"]),
            delays_ms=told.get("delays_ms", []),
            late_ms=told.get("late_ms", []),
        )

    def check(self) -> None:
        """Every event that was answered is in the books, once."""
        kept = self._tested.ask("books")
        events = self._seq * self._counts.lockers
        wanted = {"events": events, "lowest": self._seq, "highest": self._seq}
        if kept != wanted:
            raise RuntimeError(f"the books hold {kept}, not {wanted}: no number of this run is worth anything")

    def _broker_cpu_s(self) -> float:
        """Linux only; 0 elsewhere."""
        try:
            words = self._broker.read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _throughput(report: Report, bench: _Bench, counts: Counts) -> None:
    report.note(
        f"Closed loop: {counts.lockers} lockers, each with one event under way; {counts.pairs} runs of each kind in "
        f"turns, of {counts.lockers * counts.events_each:,} events. Compare the two, not with other machines."
    )
    told: dict[str, list[_Run]] = {kind: [] for kind in _KINDS}
    for kind in _KINDS:  # the first run of each warms up
        bench.run(kind, min(counts.events_each, 5), "closed")
    for pair in range(counts.pairs):
        for kind in _KINDS if pair % 2 else _KINDS[::-1]:
            told[kind].append(bench.run(kind, counts.events_each, "closed"))
    durable, echo = (median([run.rate for run in told[kind]]) for kind in _KINDS)
    report.row("durable_per_s", round(durable), "events/s", "verified, decoded, committed, answered (median)")
    report.row("echo_per_s", round(echo), "events/s", "the same connection, answering without any of it (median)")
    ratios = [mine.rate / bare.rate for mine, bare in zip(told["durable"], told["echo"], strict=True)]
    report.row("durable_to_echo", round(median(ratios), 3), "", "median ratio of two runs in a row", f"≥ {GOAL_RATIO}")
    report.row("durable_to_echo_spread", f"{min(ratios):.2f}–{max(ratios):.2f}", "", "lowest and highest of them")
    for kind, runs in told.items():
        _cpu(report, kind, runs)
    batch = median([run.events / max(1, run.batches) for run in told["durable"]])
    report.row("events_per_commit", round(batch, 1), "events", "taken up by one transaction (no timer gathers them)")


def _cpu(report: Report, kind: str, runs: list[_Run]) -> None:
    for part in ("gateway", "broker", "crowd"):
        spent: list[float] = [getattr(run, f"{part}_s") / run.events * 1e6 for run in runs]
        report.row(f"{kind}_{part}_us", round(median(spent), 1), "µs", f"CPU of the {part} per event, {kind}")


def _delays(report: Report, bench: _Bench, counts: Counts) -> None:
    report.note(
        f"Open loop: {counts.rate:,} events a second for {counts.rate_s} s, whatever the answers do; from when an "
        "event was due to when its locker has the sealed answer that says it is committed."
    )
    each = max(1, counts.rate * counts.rate_s // counts.lockers)
    time.sleep(0.2)
    told = bench.run("durable", each, "open", rate=counts.rate)
    report.row("open_loop_per_s", round(told.rate), "events/s", f"answered, of {counts.rate:,} that were due")
    for name, percent in (("p50", 50), ("p99", 99)):
        value = round(percentile(told.delays_ms, percent), 2)
        report.row(f"event_to_command_{name}_ms", value, "ms", f"event to command, {name}")
    late = round(percentile(told.late_ms, 99), 2)
    report.row("generator_late_p99_ms", late, "ms", "of which the generator itself was late with sending, p99")


def _fsync_us(folder: Path) -> float:
    spent: list[float] = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            start = time.perf_counter()
            file.write(bytes(512))
            os.fdatasync(file.fileno())
            spent.append((time.perf_counter() - start) * 1e6)
    return median(spent)
