"""A town of lockers whose broker goes and comes back: how many dial in the same second, and when the last is online.

Real links on real sockets, Mosquitto, the gateway's lap and its books; then the same links in simulated time, where
outages may be long and fleets large. What is counted are dials, also those that nobody answered.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.packages import cache_folder
from protocol.limits import BACKOFF_MS_MAX, LINK_STABLE_MS, TIME_ANSWER_MS
from tools.bench.counts import Counts
from tools.bench.report import Report, percentile
from tools.bench.worker import Document, Worker
from tools.reconnect.town import Town, peak

GOAL = 0.05
_SHORT_S = 3.0
_ALL_S = BACKOFF_MS_MAX / 1000 + 40
_SIMULATED = ((1_000, 3), (1_000, 300), (1_000, 3_600), (10_000, 3), (10_000, 300))


def run(report: Report, counts: Counts) -> None:
    report.heading("reconnect", "a town's lockers come back to a broker that went")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as name:
        folder = Path(name)
        log = folder / "bench.log"
        with (
            Worker("tools.bench.gateway_under_test", [str(folder), str(counts.fleet)], log) as tested,
            Worker("tools.reconnect.fleet", [tested.ready["broker"], str(counts.fleet)], log) as fleet,
        ):
            tested.ask("durable")
            _at_once(report, counts, fleet)
            _outage(report, counts, (tested, fleet), "", _SHORT_S)
            if counts.minutes:
                _outage(report, counts, (tested, fleet), "long_", counts.minutes * 60.0)
            tested.ask("stop")
    _simulated(report)


def _at_once(report: Report, counts: Counts, fleet: Worker) -> None:
    """What the gateway bears, were there no rule at all."""
    fleet.ask("start")
    told = fleet.ask("run", seconds=_ALL_S, until="online")
    answers: list[int] = told["answers_ms"]
    if len(answers) < counts.fleet:
        raise RuntimeError(f"only {len(answers)} of {counts.fleet} births were answered")
    seconds = max(1, told["now"] - told["dialled"][0]) / 1000
    report.note(f"All {counts.fleet:,} dial in one instant, as they do not do: dial, TCP, CONNECT, birth, answer.")
    report.row("births_per_s", round(counts.fleet / seconds), "births/s", "from the first dial to the last answer")
    report.row("birth_to_time_p50_ms", percentile(answers, 50), "ms", "birth → SetTime and Ack with the locker")
    slowest = max(answers)
    report.row("birth_to_time_max_ms", slowest, "ms", "the slowest", f"< {TIME_ANSWER_MS:,}, or it is refused")


@dataclass(frozen=True)
class _Outage:
    """`rung`: when somebody dialled, from the loss on; `back`: when the broker was there again; all in ms."""

    seconds: float
    rung: list[int]
    back: int
    told: Document


def _outage(report: Report, counts: Counts, workers: tuple[Worker, Worker], name: str, seconds: float) -> None:
    tested, fleet = workers
    hurry = not counts.minutes  # only to see that it runs
    fleet.ask("run", seconds=0.2 if hurry else LINK_STABLE_MS / 1000)
    tested.ask("broker_down")
    down = fleet.ask("run", seconds=_ALL_S, until="lost") if hurry else fleet.ask("run", seconds=seconds)
    tested.ask("broker_up")
    back = time.monotonic_ns() // 1_000_000
    if hurry:
        fleet.ask("knock")
    told = fleet.ask("run", seconds=_ALL_S, until="online")
    if told["online"] < counts.fleet:
        raise RuntimeError(f"only {told['online']} of {counts.fleet} came back")
    _tell(report, counts, name, _Outage(seconds, sorted(down["dialled"] + told["dialled"]), back, told))


def _tell(report: Report, counts: Counts, name: str, outage: _Outage) -> None:
    told = outage.told
    report.note(f"The broker is away for {outage.seconds:.0f} s.")
    share = round(peak(outage.rung) / counts.fleet, 3)
    report.row(f"{name}peak_of_fleet", share, "", "dials in the busiest second", f"≤ {GOAL}")
    connected = round(peak(sorted(told["through"])) / counts.fleet, 3)
    report.row(f"{name}connects_of_fleet", connected, "", "of them through to the broker, busiest second")
    births = round(peak(sorted(told["became_online"])) / counts.fleet, 3)
    report.row(f"{name}births_of_fleet", births, "", "CONNECT accepted and introduced, busiest second")
    online = [(when - outage.back) / 1000 for when in sorted(told["became_online"])]
    report.row(f"{name}half_online_s", round(percentile(online, 50), 1), "s", "half are back")
    report.row(f"{name}last_online_s", round(online[-1], 1), "s", "the last is", "< 120")
    report.row(f"{name}answer_max_ms", max(told["answers_ms"]), "ms", "slowest answer to a birth")


def _simulated(report: Report) -> None:
    report.note("The same links in simulated time; everybody notices the loss in the same millisecond.")
    for count, seconds in _SIMULATED:
        town = Town(count)
        town.run(LINK_STABLE_MS)
        town.rung.clear()
        town.reachable = False
        town.lose()
        town.run(seconds * 1000)
        town.reachable = True
        back = town.now
        town.run(BACKOFF_MS_MAX)
        assert town.online == count
        last = (max(town.online_at) - back) / 1000
        name = f"simulated_{count}_{seconds}s"
        report.row(
            f"{name}_peak", round(peak(town.rung) / count, 3), "", f"of {count:,}, {seconds:,} s away", f"≤ {GOAL}"
        )
        report.row(f"{name}_last_s", round(last, 1), "s", "the last is online", "< 120")
    town = Town(10_000)
    town.run(LINK_STABLE_MS)
    town.rung.clear()
    town.power(at_once=False)
    town.run(BACKOFF_MS_MAX)
    report.row("simulated_power_peak", round(peak(town.rung) / 10_000, 3), "", "power for 10,000 at once", f"≤ {GOAL}")
