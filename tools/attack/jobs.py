"""The runs, each in a process of its own, and what each leaves: numbers by name, ready for JSON."""

import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from tools.attack import sums, typos, weaken
from tools.attack.board.siege import Plan, endure, sound
from tools.attack.board_run import endure_on_board
from tools.attack.tickets import SignedTickets
from tools.bench.report import Value

Document = dict[str, Value]
PROCESSES_MAX = 4
# 400 live codes among 10**4: every 25th slip that passes then meets another's code.
CROWDED_CODES, CROWDED_SECRET = 400, 4
OFTEN = 10  # times the usual rate of slips, there


@dataclass(frozen=True)
class Amount:
    """How much of everything. Bounded by counts, so that a slow machine is slow and never endless."""

    bucket_hours: int  # for lockers with 12 digits
    nonstop_hours: int  # for the locker with 16: a guess every five seconds, each of them compared
    control_hours: int
    nonstop_control_hours: int
    board_hours: int
    nonstop_board_hours: int
    customers: int
    crowds: int  # keys, each with customers / crowds of the crowded locker
    quiet_years: int


FULL = Amount(sums.YEAR_HOURS, 7 * 24, 48, 2, 30 * 24, 6, 3_000_000, 20, 20_000)
QUICK = Amount(24, 1, 24, 1, 6, 1, 20_000, 2, 200)


def lockers(amount: Amount, seed: int, hours: int | None) -> dict[str, Plan]:
    """Name -> plan; `hours`: instead of the usual ones, for all."""
    return {
        "12x48": Plan(seed, hours or amount.bucket_hours, 12, 48),
        "12x100": Plan(seed, hours or amount.bucket_hours, 12, 100),
        "16x48": Plan(seed, hours or amount.nonstop_hours, 16, 48),
    }


def control_plan(name: str, amount: Amount, seed: int) -> Plan:
    if weaken.DIGITS.get(name) == 16:
        return Plan(seed, amount.nonstop_control_hours, 16, 48)
    return Plan(seed, amount.control_hours, 12, 48)


def board_plans(amount: Amount, seed: int) -> dict[str, Plan]:
    return {
        "12x48": Plan(seed, amount.board_hours, 12, 48),
        "16x48": Plan(seed, amount.nonstop_board_hours, 16, 48),
    }


# ------------------------------------------------------------------ one run each
def besiege(plan: Plan, weakness: str | None = None) -> Document:
    begun = time.perf_counter()
    found = endure(plan, SignedTickets(), weaken.WAYS[weakness] if weakness else sound)
    return {**found, "wall_s": round(time.perf_counter() - begun, 1)}


def on_both(plan: Plan) -> Document:
    """The same plan in CPython and in MicroPython."""
    tickets = SignedTickets()
    here = endure(plan, tickets)
    there = endure_on_board(plan, tickets)
    return {
        "hours": plan.hours,
        "hash": str(here["hash"]),
        "board_hash": str(there["hash"]),
        "evaluated": sums.evaluated(counts_of(there)),
        "same": int(here == there),
    }


def mistype(model: str, live_codes: int, customers: int, seed: int) -> Document:
    slips = typos.count(typos.full_codes(live_codes), typos.DIGITS, customers, typos.MODELS[model], seed)
    return {
        "customers": slips.customers,
        "mistyped_percent": round(100 * slips.share(slips.mistyped), 2),
        "short_percent": round(100 * slips.share(slips.short), 3),
        "passed_percent": round(100 * slips.share(slips.passed), 4),
        "passed": slips.passed,
        "others": slips.others,
        "guesses_a_year": round(slips.passed_a_year, 2),
        "another_door_48": typos.another_door(slips, 48),
        "another_door_100": typos.another_door(slips, 100),
    }


def crowd(model: str, crowds: int, customers: int, seed: int) -> Document:
    """Slips that met another's code, counted and predicted, over so many lockers' keys."""
    digits = CROWDED_SECRET + 1
    passed, others, predicted = 0, 0, 0.0
    for number in range(crowds):
        codes = typos.short_codes(CROWDED_CODES, CROWDED_SECRET, bytes([number]) * 32)
        found = typos.count(codes, digits, customers // crowds, typos.MODELS[model], seed + number, often=OFTEN)
        passed += found.passed
        others += found.others
        predicted += typos.predicted_others(found, CROWDED_CODES, digits)
    return {"passed": passed, "others": others, "predicted": round(predicted, 1)}


def quiet_years(guesses_a_year: float, years: int, seed: int) -> dict[str, int]:
    """Lowest bucket -> years of that."""
    lowest = typos.lowest_bucket(guesses_a_year, years, seed)
    return {str(left): count for left, count in enumerate(lowest) if count}


def counts_of(document: Mapping[str, Value]) -> dict[str, int]:
    return {name: value for name, value in document.items() if isinstance(value, int)}


# ------------------------------------------------------------------ all of them
class Jobs:
    """Submitted at once, the longest first; each section takes its own when it is told."""

    def __init__(self, amount: Amount, seed: int, hours: int | None) -> None:
        self.amount = amount
        self.lockers = lockers(amount, seed, hours)
        self._seed = seed
        self._pool = ProcessPoolExecutor(max_workers=max(1, min(PROCESSES_MAX, os.cpu_count() or 1)))

    def __enter__(self) -> "Jobs":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def year(self, weakness: str | None) -> dict[str, Future[Document]]:
        return {name: self._pool.submit(besiege, plan, weakness) for name, plan in self.lockers.items()}

    def controls(self) -> dict[str, Future[Document]]:
        plans = {name: control_plan(name, self.amount, self._seed) for name in weaken.WAYS}
        return {name: self._pool.submit(besiege, plan, name) for name, plan in plans.items()}

    def board(self) -> dict[str, Future[Document]]:
        plans = board_plans(self.amount, self._seed)
        return {name: self._pool.submit(on_both, plan) for name, plan in plans.items()}

    def typing(self) -> dict[str, Future[Document]]:
        seed, amount = self._seed, self.amount
        return {
            **{
                model: self._pool.submit(mistype, model, sums.GOAL_CODES, amount.customers, seed)
                for model in typos.MODELS
            },
            **{
                "crowded_" + model: self._pool.submit(crowd, model, amount.crowds, amount.customers // 20, seed)
                for model in typos.MODELS
            },
        }
