"""Every act by ten at once with one Idempotency-Key, while the gateway's process is killed at random: one effect each.

`make idempotency` (SEED=N KEYS=N) is the long form; tests/gateway/test_http_idempotency_kills.py runs a short one. The
seed draws the acts and the moments; real processes keep their own time. The last line is every number, as JSON.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from http_town import locker_body, parcel_body

from tools.demo.stack import Stack

RETRIES = 10  # of each act, all at once
ACTS_AT_ONCE = 12
PAUSE_S = (
    0.05  # before an answer that says "later" is asked for anew: shorter than Retry-After, because that is harder
)
WAIT_S = 20.0
FLAGS = ("--requests-per-second", "1000000")
LATER = (409, 429, 503)  # with Retry-After
# What each kind of act leaves in the books: the word it was sent with, and the row.
EFFECTS = {
    "parcel": "SELECT label, number FROM parcels",
    "badge": "SELECT holder, hex(id) FROM badges",
    "credential": "SELECT name, number FROM credentials",
    "open": "SELECT o.reason, o.number || '/' || c.position FROM operations o "
    "LEFT JOIN commands c ON c.operation = o.number",
}
Answer = tuple[int, bytes, str]  # status, body, Location


@dataclass(frozen=True)
class Act:
    """`word` is in its body and in the row that it leaves; acts of one word want the same."""

    key: str
    kind: str
    word: str
    path: str
    body: dict[str, Any]


@dataclass
class Seen:
    """What the callers saw."""

    answers: dict[str, Counter[Answer]] = field(default_factory=lambda: defaultdict(Counter))
    done: int = 0
    replayed: int = 0
    later: int = 0  # 409 busy: another of the ten is at it
    broken: int = 0  # connections, by a kill
    wrong: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    seed: int
    keys: int
    requests: int
    kills: int
    broken: int
    replayed: int
    later: int
    effects: int
    refused_for_good: int
    seconds: float
    wrong: list[str]


def acts(seed: int, count: int) -> list[Act]:
    """Of five kinds in turn; every fifth wants the same parcel as the one before it in its kind."""
    makers: tuple[Callable[[int], tuple[str, str, str, dict[str, Any]]], ...] = (
        lambda n: ("parcel", f"P-{n}", "/v1/parcels", parcel_body(f"P-{n}")),
        lambda n: ("badge", f"h-{n}", "/v1/badges", {"carrier": "colibri", "holder": f"h-{n}"}),
        lambda n: ("credential", f"c-{n}", "/v1/credentials", credential(f"c-{n}")),
        lambda n: ("open", f"o-{n}", "/v1/lockers/mairie-1/compartments/1/open", {"reason": f"o-{n}"}),
        lambda n: ("parcel", f"S-{n // 10}", "/v1/parcels", parcel_body(f"S-{n // 10}")),
    )
    made = [Act(f"{seed}-{n}", *makers[n % len(makers)](n)) for n in range(count)]
    random.Random(seed).shuffle(made)
    return made


def credential(name: str) -> dict[str, Any]:
    return {"role": "courier", "tenant": "colibri", "scopes": ["parcels:read"], "name": name}


class Callers:
    """Ten for each act, in a thread of its own; whoever is cut off waits for the gateway and asks again."""

    def __init__(self, stack: Stack, wanted: list[Act]) -> None:
        self.seen = Seen()
        self.up = threading.Event()
        self.up.set()
        self._url, self._secret = stack.url, stack.operator_key
        self._waiting = iter(wanted)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    async def _all(self) -> None:
        room = httpx.Limits(max_connections=ACTS_AT_ONCE * RETRIES)
        headers = {"Authorization": f"Bearer {self._secret}"}
        async with httpx.AsyncClient(
            base_url=self._url, headers=headers, limits=room, timeout=WAIT_S, trust_env=False
        ) as client:
            await asyncio.gather(*(self._one_after_the_other(client) for _ in range(ACTS_AT_ONCE)))

    async def _one_after_the_other(self, client: httpx.AsyncClient) -> None:
        for act in self._waiting:
            await asyncio.gather(*(self._until_answered(client, act) for _ in range(RETRIES)))

    async def _until_answered(self, client: httpx.AsyncClient, act: Act) -> None:
        while True:
            while not self.up.is_set():
                await asyncio.sleep(0.1)
            try:
                answer = await client.post(act.path, json=act.body, headers={"Idempotency-Key": act.key})
            except httpx.TransportError:
                self.seen.broken += 1
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status_code in LATER and "retry-after" in answer.headers:
                self.seen.later += 1
                await asyncio.sleep(PAUSE_S)
                continue
            self._note(act, answer)
            return

    def _note(self, act: Act, answer: httpx.Response) -> None:
        seen = self.seen
        seen.answers[act.key][answer.status_code, answer.content, answer.headers.get("location", "")] += 1
        seen.replayed += "idempotency-replayed" in answer.headers
        seen.done += 1
        if answer.status_code not in (201, 202, 409):
            seen.wrong.append(f"{act.key}: {answer.status_code} {answer.text[:200]}")


def run(folder: Path, seed: int, keys: int, kills: int, say: Callable[[str], None]) -> Outcome:
    chance = random.Random(seed)
    wanted = acts(seed, keys)
    began = time.monotonic()
    marks = sorted(chance.sample(range(1, keys * RETRIES), kills))
    with Stack(folder, flags=FLAGS) as stack:
        stack.api.post("/v1/lockers", locker_body())
        stack.api.post("/v1/lockers/mairie-1/provisioning", {})
        callers = Callers(stack, wanted)
        callers.start()
        for mark in marks:
            while callers.seen.done < mark and callers.alive:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.02)
            callers.up.clear()
            stack.kill_gateway()
            stack.start_gateway()
            callers.up.set()
            say(f"killed after {callers.seen.done} answers; up again at {time.monotonic() - began:.1f} s")
        while callers.alive:
            time.sleep(0.01)
    seen = callers.seen
    with contextlib.closing(sqlite3.connect(folder / "gateway" / "consigne.db")) as books:
        effects, wrong = judge(wanted, seen, books)
    refused = sum(answer[0] == 409 for answers in seen.answers.values() for answer in answers)
    seconds = round(time.monotonic() - began, 1)
    return Outcome(
        seed, keys, seen.done, kills, seen.broken, seen.replayed, seen.later, effects, refused, seconds, wrong
    )


# ------------------------------------------------------------------ the rules
def judge(wanted: list[Act], seen: Seen, books: sqlite3.Connection) -> tuple[int, list[str]]:
    """How many effects the books hold, and every rule that was broken."""
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, sql in EFFECTS.items():
        for word, row in books.execute(sql):
            rows[kind, word].append(str(row))
    words = {(act.kind, act.word) for act in wanted}
    wrong = [*seen.wrong, *_of_answers(wanted, seen)]
    wrong += [f"{kind} {word}: {len(rows[kind, word])} effects" for kind, word in words if len(rows[kind, word]) != 1]
    strange = [word for kind, word in rows if (kind, word) not in words and word != "operator key file"]
    wrong += [f"{word}: nobody asked for it" for word in strange]
    kept = books.execute("SELECT count(*) FROM answers").fetchone()[0]
    if kept != len(wanted) + 2:  # the locker, and its provisioning
        wrong.append(f"{kept} answers are kept for {len(wanted) + 2} acts")
    if books.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        wrong.append("the books are damaged")
    return sum(len(rows[word]) for word in words), wrong


def _of_answers(wanted: list[Act], seen: Seen) -> Iterator[str]:
    """All ten got one and the same; one act of each word was carried out, and the others were told that it was."""
    good: Counter[tuple[str, str]] = Counter()
    for act in wanted:
        answers = seen.answers[act.key]
        if len(answers) != 1 or sum(answers.values()) != RETRIES:
            yield f"{act.key}: {sum(answers.values())} answers, of {len(answers)} kinds"
        good[act.kind, act.word] += any(status < 400 for status, _, _ in answers)
    yield from (f"{kind} {word}: {count} were told 201 or 202" for (kind, word), count in good.items() if count != 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="at random, and printed")
    parser.add_argument("--keys", type=int, default=1_000, help="acts, each sent ten times at once (%(default)s)")
    parser.add_argument("--kills", type=int, help="one for each fifty acts, if not given")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    kills = max(1, options.keys // 50) if options.kills is None else options.kills
    print(f"seed {seed}, {options.keys} acts by {RETRIES} each, {kills} kills", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="consigne-idempotency-") as folder:
        outcome = run(Path(folder), seed, options.keys, kills, lambda line: print(line, file=sys.stderr, flush=True))
    for broken in outcome.wrong[:20]:
        print(f"seed {seed}: {broken}", file=sys.stderr)
    print(json.dumps(asdict(outcome)), flush=True)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
