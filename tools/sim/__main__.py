"""`make simulate`: many seeds on all cores, then the deliberate faults; the last line is JSON.

python -m tools.sim --seeds 200            seeds 0 to 199, then every deliberate fault until it is caught
python -m tools.sim --power                the deliberate faults alone
python -m tools.sim --seed 7 --log         one seed, told as it goes; with the options that a failure printed
python -m tools.sim --seed 7 --shrink      the smallest run that breaks the same rule
python -m tools.sim --seed 7 --same 100    its trace hash, a hundred times
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from dataclasses import replace
from typing import Any

from tools.desk_shelf import put_up
from tools.sim.bugs import BUGS, planted
from tools.sim.run import Options, Outcome, options_of, play, shrunk

_PROGRESS_S = 5.0


def _played(seed: int) -> tuple[Outcome, float]:
    before = time.process_time()
    return play(options_of(seed)), time.process_time() - before


def _caught(task: tuple[str, int]) -> tuple[str, Outcome | None, float]:
    """(bug, the first seed's outcome that breaks a rule)"""
    name, seeds = task
    before = time.process_time()
    with planted(name):
        for seed in range(seeds):
            outcome = play(options_of(seed))
            if outcome.rule:
                return name, outcome, time.process_time() - before
    return name, None, time.process_time() - before


class Campaign:
    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.facts: dict[str, Any] = {}
        self.violations = 0

    def seeds(self, first: int, count: int) -> None:
        began, told = time.monotonic(), 0.0
        traces: dict[int, str] = {}
        days = core_s = 0.0
        events = 0
        sums: dict[str, int] = {}
        with multiprocessing.Pool(self.jobs) as pool:
            for outcome, spent in pool.imap_unordered(_played, range(first, first + count), chunksize=4):
                traces[outcome.options.seed] = outcome.trace
                days, core_s, events = days + outcome.locker_days, core_s + spent, events + outcome.events
                for name, number in outcome.figures.items():
                    sums[name] = sums.get(name, 0) + number
                if outcome.rule:
                    self.violations += 1
                    print(f"BROKEN {outcome.text}\n  again: python -m tools.sim {outcome.options.text()}", flush=True)
                if time.monotonic() - told > _PROGRESS_S:
                    told = time.monotonic()
                    print(f"{len(traces)} of {count} seeds, {days / 365:.1f} locker-years, {self.violations} broken")
        whole = hashlib.sha256("".join(traces[seed] for seed in sorted(traces)).encode()).hexdigest()
        self.facts |= {
            "seeds": count,
            "locker_years": round(days / 365, 2),
            "events": events,
            **sums,
            "violations": self.violations,
            "trace_hash": whole,
            "locker_years_per_core_hour": round(days / 365 / (core_s / 3600), 1),
            "core_s": round(core_s),
            "wall_s": round(time.monotonic() - began),
        }

    def bugs(self, seeds: int) -> None:
        caught = 0
        with multiprocessing.Pool(self.jobs) as pool:
            for name, outcome, spent in pool.imap_unordered(_caught, [(name, seeds) for name in BUGS]):
                if outcome is None:
                    print(f"{name:32} NOT CAUGHT in {seeds} seeds ({spent:.0f} s)", flush=True)
                else:
                    caught += 1
                    seed = outcome.options.seed + 1
                    print(f"{name:32} caught in {seed:3d} seeds by {outcome.rule:4} ({spent:.0f} s)", flush=True)
        self.facts |= {"bugs_seeded": len(BUGS), "bugs_caught": caught}


def _options(arguments: argparse.Namespace) -> Options:
    options = options_of(arguments.seed)
    given = {name: getattr(arguments, name) for name in ("lockers", "doors", "days", "visits")}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if arguments.kinds is not None:
        changes["kinds"] = () if arguments.kinds == "none" else tuple(arguments.kinds.split(","))
    return replace(options, **changes)


def _one(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    if arguments.shrink:
        options = shrunk(options)
    with planted(arguments.bug):
        outcome = play(options, loud=arguments.log)
        same = sum(play(options).trace == outcome.trace for _ in range(arguments.same))
    print(f"python -m tools.sim {options.text()}")
    if outcome.rule:
        print(f"BROKEN {outcome.text}")
    print(json.dumps(outcome.facts() | ({"same": f"{same} of {arguments.same}"} if arguments.same else {})))
    return 1 if outcome.rule or same != arguments.same else 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.sim", description="A town in virtual time.")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--power", action="store_true", help="the deliberate faults alone")
    parser.add_argument("--seed", type=int, help="one seed alone")
    parser.add_argument("--lockers", type=int)
    parser.add_argument("--doors", type=int)
    parser.add_argument("--days", type=float)
    parser.add_argument("--visits", type=float)
    parser.add_argument("--kinds", help="of faults, with commas between; none")
    parser.add_argument("--bug", default="", choices=["", *BUGS], help="one deliberate fault in the product")
    parser.add_argument("--log", action="store_true", help="tell what happens")
    parser.add_argument("--shrink", action="store_true", help="find a smaller run that breaks the same rule")
    parser.add_argument("--same", type=int, default=0, metavar="N", help="play it N times more and compare the traces")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args(argv)
    put_up()
    if arguments.seed is not None:
        return _one(arguments)
    campaign = Campaign(arguments.jobs)
    if not arguments.power:
        campaign.seeds(arguments.first, arguments.seeds)
    campaign.bugs(min(arguments.seeds, 200))
    print(json.dumps(campaign.facts))
    return 1 if campaign.violations or campaign.facts["bugs_caught"] < campaign.facts["bugs_seeded"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
