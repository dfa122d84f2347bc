"""The rules, each as a function from evidence to what is wrong: plain sentences, none when all is well.

They stand apart from the code that they check: nothing here is the agent's or the gateway's own arithmetic.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from protocol.limits import COMMAND_TTL_OPEN_S_MAX, PULSE_RETRY_MS, PULSE_TRIES_MAX, REOPEN_MS, REOPENS_MAX
from protocol.messages import Reissue, Release, Revoke
from protocol.numbers import COMMAND, DEPOSITING, FREE, HELD, REVOKED
from tools.chaos.evidence import Allocation, Entry, Locker, Pulse, Standing

AUTHORISATIONS = ("DepositAuthorised", "OfflineDepositAuthorised", "PickupAuthorised", "OpeningAuthorised")
ANCHOR_MS = 1_500  # how well a cabinet's clock can be laid beside a board's, on a busy machine
# Alarms that only a lost, doubled or invented event can raise.
IMPOSSIBLE_ALARMS = ("events_lost", "journal_went_back", "two_parcels_in_one_compartment", "holding_differs")
_BAD_WORDS = re.compile(
    r"Traceback|thread_died|lap_failed|batch_failed|event_not_taken|answer_not_sealed"
    r"|clockwork_failed error=(?!OperationalError|OSError)|AssertionError|MemoryError|\bException\b"
)


def check(locker: Locker) -> list[str]:
    """Every rule about one locker."""
    wrong = same_log(locker.journal, locker.books)
    wrong += authorised_pulses(locker.books, locker.pulses)
    wrong += Custody().walk(locker.books)
    wrong += commands_once(locker.books)
    wrong += same_holdings(locker.books, locker.at_gateway)
    return [f"{locker.name}: {one}" for one in wrong]


# ------------------------------------------------------------------ I8
def same_log(journal: Sequence[Entry], books: Sequence[Entry]) -> list[str]:
    """The gateway's log is the locker's journal: in order, no gap, no duplicate, no phantom, byte for byte."""
    wrong: list[str] = []
    for place, entry in enumerate(books, start=1):
        before = books[place - 2].seq if place > 1 else 0
        if entry.seq == before:
            wrong.append(f"I8: {entry} is twice in the books")
        elif entry.seq != before + 1:
            wrong.append(f"I8: the books go from {before} to {entry}")
    for one, following in pairwise(journal):
        if following.seq != one.seq + 1:
            wrong.append(f"I8: the journal goes from {one} to {following}")
    if not journal:
        return [*wrong, *([f"I8: a phantom, {books[0]}"] if books else [])]
    kept = {entry.seq: entry for entry in journal}
    told = {entry.seq: entry for entry in books}
    wrong += [f"I8: {entry} is not in the books" for entry in journal if entry.seq not in told]
    wrong += [f"I8: a phantom, {entry}" for entry in books if entry.seq > journal[-1].seq]
    wrong += [
        f"I8: {entry} differs from the books' {told[entry.seq]}"
        for entry in kept.values()
        if entry.seq in told and told[entry.seq].raw != entry.raw
    ]
    return wrong


# ------------------------------------------------------------------ I1, I2
def authorised_pulses(log: Sequence[Entry], pulses: Iterable[Pulse]) -> list[str]:
    """Each pulse has an authorisation for its door right before it, and none has more than its tries."""
    left = {entry.seq: PULSE_TRIES_MAX for entry in log if entry.name in AUTHORISATIONS}
    wrong: list[str] = []
    # Those of which nobody knows when in the board's time come last: they must not use up what belongs to others.
    for pulse in sorted(pulses, key=lambda one: (not one.boot, one.boot, one.mono_ms)):
        found = [entry for entry in log if left.get(entry.seq) and _allows(entry, pulse)]
        if found:
            left[found[-1].seq] -= 1
        else:
            wrong.append(f"I1: door {pulse.door} was pulsed in boot {pulse.boot} at {pulse.mono_ms:.0f} ms by nobody")
    return wrong


def _allows(entry: Entry, pulse: Pulse) -> bool:
    if entry.event.compartment != pulse.door:
        return False
    late_ms = pulse.mono_ms - entry.mono_ms
    window_ms = (PULSE_TRIES_MAX - 1) * PULSE_RETRY_MS + ANCHOR_MS
    return not pulse.boot or (entry.boot == pulse.boot and -ANCHOR_MS <= late_ms <= window_ms)


# ------------------------------------------------------------------ I3, I5, I6 at the locker
class Custody:
    """What is in each door by the log alone, and what may follow."""

    def __init__(self) -> None:
        self.holding: dict[int, int] = {}
        self.deposit: dict[int, int] = {}
        self._begun: set[tuple[int, int]] = set()  # pickups that were authorised
        self._collected: dict[tuple[int, int], Entry] = {}
        self._dead: set[tuple[int, int]] = set()  # deposits whose code was taken back or replaced
        self._revoked: set[bytes] = set()
        self._reopened: Counter[tuple[int, int]] = Counter()
        self._wrong: list[str] = []

    def walk(self, log: Sequence[Entry]) -> list[str]:
        for entry in log:
            step = _STEPS.get(entry.name)
            if step is not None:
                step(self, entry)
        return self._wrong

    def _deposit_authorised(self, entry: Entry) -> None:
        door, deposit = entry.event.compartment, entry.event.deposit
        if self.holding.get(door, FREE) != FREE:
            self._wrong.append(f"I6: {entry}: door {door} was given away while it held something")
        if deposit <= self.deposit.get(door, 0):
            self._wrong.append(f"I3: {entry}: deposit {deposit} of door {door} was used before")
        self.holding[door], self.deposit[door] = DEPOSITING, deposit

    def _deposited(self, entry: Entry) -> None:
        door = entry.event.compartment
        if self.holding.get(door) != DEPOSITING or self.deposit.get(door) != entry.event.deposit:
            self._wrong.append(f"I6: {entry}: nobody was allowed to deposit in door {door}")
        self.holding[door] = HELD

    def _abandoned(self, entry: Entry) -> None:
        self.holding[entry.event.compartment] = FREE

    def _pickup_authorised(self, entry: Entry) -> None:
        event = entry.event
        this = (event.compartment, event.deposit)
        if event.token in self._revoked:
            self._wrong.append(f"I5: {entry}: a revoked token opened door {event.compartment}")
        if this in self._dead:
            self._wrong.append(f"I5: {entry}: a code taken back opened door {event.compartment}")
        elif this in self._collected:
            self._reopen(entry, this, self._collected[this])
        elif event.reopen or self.holding.get(this[0]) != HELD or self.deposit.get(this[0]) != this[1]:
            self._wrong.append(f"I3: {entry}: door {this[0]} held no deposit {this[1]}")
        self._begun.add(this)

    def _reopen(self, entry: Entry, this: tuple[int, int], collected: Entry) -> None:
        self._reopened[this] += 1
        late_ms = entry.mono_ms - collected.mono_ms
        in_time = entry.boot == collected.boot and late_ms <= REOPEN_MS
        counted = entry.event.reopen == self._reopened[this] <= REOPENS_MAX
        if not in_time or not counted or self.holding.get(this[0]) != FREE or self.deposit.get(this[0]) != this[1]:
            self._wrong.append(f"I3: {entry}: the code of deposit {this[1]} opened door {this[0]} once too often")

    def _was_collected(self, entry: Entry) -> None:
        this = (entry.event.compartment, entry.event.deposit)
        if this in self._collected:
            self._wrong.append(f"I3: {entry}: deposit {this[1]} of door {this[0]} was collected twice")
        elif this not in self._begun:
            self._wrong.append(f"I3: {entry}: deposit {this[1]} of door {this[0]} was collected by nobody")
        self._collected[this] = entry
        self.holding[this[0]] = FREE

    def _command_done(self, entry: Entry) -> None:
        event = entry.event
        door = event.compartment
        if event.code or door is None:
            return
        if event.order == Release.TYPE:
            self.holding[door] = FREE
        elif event.order == Revoke.TYPE and self.holding.get(door) == HELD and self.deposit.get(door) == event.value:
            self._dead.add((door, event.value))
            self.holding[door] = REVOKED
        elif event.order == Reissue.TYPE:
            self._dead.add((door, self.deposit.get(door, 0)))
            self.deposit[door], self.holding[door] = event.value, HELD  # a technician may have ended its code before

    def _token_revoked(self, entry: Entry) -> None:
        self._revoked.add(entry.event.token)


_STEPS = {
    "DepositAuthorised": Custody._deposit_authorised,
    "OfflineDepositAuthorised": Custody._deposit_authorised,
    "Deposited": Custody._deposited,
    "DepositAbandoned": Custody._abandoned,
    "PickupAuthorised": Custody._pickup_authorised,
    "Collected": Custody._was_collected,
    "CommandDone": Custody._command_done,
    "TokenRevoked": Custody._token_revoked,
}


# ------------------------------------------------------------------ I4
def commands_once(log: Sequence[Entry]) -> list[str]:
    """A command took effect at most once, and an opening never after its time."""
    wrong: list[str] = []
    done: dict[bytes, Entry] = {}
    for entry in log:
        command: bytes | None = getattr(entry.event, "command", None)
        if command is None or getattr(entry.event, "code", 0):
            continue
        if command in done:
            wrong.append(f"I4: {entry}: the same command took effect at {done[command]}")
        done[command] = entry
        if entry.name == "OpeningAuthorised" and entry.event.channel == COMMAND:
            if entry.wall_s is None:
                wrong.append(f"I4: {entry}: opened on command without a clock")
            elif entry.wall_s > entry.event.issued + COMMAND_TTL_OPEN_S_MAX:
                wrong.append(f"I4: {entry}: carried out {entry.wall_s - entry.event.issued} s after its order")
    return wrong


# ------------------------------------------------------------------ I6 in the books
def one_allocation(rows: Sequence[Allocation]) -> list[str]:
    """No compartment and no parcel with two live allocations, now or at any time before."""
    wrong: list[str] = []
    for what in ("door", "parcel"):
        by: dict[object, list[Allocation]] = {}
        for row in rows:
            by.setdefault((row.locker, row.door) if what == "door" else row.parcel, []).append(row)
        for key, found in by.items():
            found.sort(key=lambda row: row.made_s)
            for one, following in pairwise(found):
                if one.ended_s is None or one.ended_s > following.made_s:
                    wrong.append(f"I6: two live allocations of {what} {key}")
    return wrong


# ------------------------------------------------------------------ both sides, at the end
def same_holdings(log: Sequence[Entry], at_gateway: Mapping[int, Standing]) -> list[str]:
    custody = Custody()
    custody.walk(log)
    return [
        f"I6: door {door} holds {custody.holding.get(door, FREE)} by the log, {standing.holding} in the books"
        for door, standing in at_gateway.items()
        if standing.holding != custody.holding.get(door, FREE)
    ]


def same_doors(cabinet: Mapping[int, str], at_gateway: Mapping[int, Standing]) -> list[str]:
    """The books say of each door what can be seen, or that a person has to look."""
    return [
        f"L1: door {door} is {cabinet.get(door)} and {standing.door} in the books"
        for door, standing in at_gateway.items()
        if standing.door != cabinet.get(door) and not standing.flagged
    ]


def quiet_log(name: str, text: str) -> list[str]:
    """Nobody's programming error is in a log."""
    found = [line for line in text.splitlines() if _BAD_WORDS.search(line)]
    return [f"{name}: {line[:200]}" for line in found]


def possible_alarms(alarms: Mapping[str, int]) -> list[str]:
    return [f"books: alarm {kind} ({alarms[kind]})" for kind in IMPOSSIBLE_ALARMS if alarms.get(kind)]
