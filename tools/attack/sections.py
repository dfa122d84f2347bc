"""What each section tells: a table for people, the same numbers for JSON, and every goal that was missed."""

import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from protocol.numbers import CONSOLE, KEYPAD, SCANNER
from tools.attack import sums, typos, weaken
from tools.attack.board.locker import BOOT_MS, OFF_MS
from tools.attack.board.people import RESCAN_MS
from tools.attack.board.siege import PICKUPS_A_DAY, TYPED_PERCENT, Plan
from tools.attack.board.watch import INPUTS
from tools.attack.jobs import CROWDED_CODES, CROWDED_SECRET, Document, Jobs, control_plan, counts_of, quiet_years
from tools.attack.sums import Counts, of
from tools.bench.report import Report, Say

ANOTHER_DOOR_MAX = 1e-8  # a locker-year, with 48 live codes and nobody attacking
SIGMAS_MAX = 5  # between what was counted and what was predicted
_NAME, _CELL = 46, 16


@dataclass
class Findings:
    say: Say
    jobs: Jobs
    seed: int
    weakness: str | None
    numbers: dict[str, object] = field(default_factory=dict[str, object])
    faults: list[str] = field(default_factory=list[str])
    _under_way: dict[str, dict[str, Future[Document]]] = field(default_factory=dict[str, dict[str, Future[Document]]])

    def begin(self, names: Sequence[str]) -> None:
        """Everything at once, so that no core waits for a table."""
        starts = {
            "year": lambda: self.jobs.year(self.weakness),
            "controls": self.jobs.controls,
            "board": self.jobs.board,
            "typing": self.jobs.typing,
        }
        self._under_way = {name: starts[name]() for name in names}

    def of(self, section: str) -> dict[str, Document]:
        """What the section's runs left, and their place in the JSON."""
        found = {name: future.result() for name, future in self._under_way[section].items()}
        self.numbers[section] = found
        return found

    def heading(self, name: str, text: str) -> None:
        weak = f" --weaken {self.weakness}" if self.weakness and name == "year" else ""
        self.say(f"\n{name}: {text}")
        self.say(f"  again: python -m tools.attack {name} --seed {self.seed}{weak}")

    def table(self, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
        for name, cells in [("", heads), *rows]:
            self.say(f"  {name:<{_NAME}}" + "".join(f"{cell:>{_CELL}}" for cell in cells))

    def note(self, text: str) -> None:
        Report(self.say).note(text)

    def conclude(self, wall_s: float) -> None:
        self.numbers |= {"seed": self.seed, "wall_s": wall_s, "faults": self.faults}
        self.say(f"\nseed {self.seed}, {wall_s:.0f} s: " + ("every goal is met" if not self.faults else "missed:"))
        for fault in self.faults:
            self.say(f"  {fault}")


def _whole(value: int) -> str:
    return f"{value:,}"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.1f} s"


# ------------------------------------------------------------------ year
def year(findings: Findings) -> None:
    findings.heading("year", "somebody who never stops guessing, at every input, with a hand on the switch")
    plans = findings.jobs.lockers
    found = findings.of("year")
    columns = [(plans[name], counts_of(found[name])) for name in plans]
    findings.table([f"{plan.digits} digits, {plan.codes}" for plan in plans.values()], _attack_rows(columns))
    findings.table(["" for _ in columns], _chance_rows(columns))
    findings.table(["" for _ in columns], _people_rows(columns))
    for name, plan in plans.items():
        counts = counts_of(found[name])
        chance = sums.of_a_year(counts, plan, plan.codes)
        found[name] |= {
            "hours": plan.hours,
            "most_evaluated": sums.most_evaluated(plan, of(counts, "simulated_ms")),
            "wrong_hand_overs_a_year": chance.together,
            "worst_year": sums.worst_year(plan.digits, plan.codes),
        }
        faults = sums.throttle_faults(counts, plan) + sums.customer_faults(counts)
        findings.faults += [f"year {name}: {fault}" for fault in faults]
        findings.say(f"  {name}: {found[name]['wall_s']} s, hash {found[name]['hash']}")
    findings.numbers["assumed"] = {"off_ms": OFF_MS, "boot_ms": BOOT_MS, "rescan_ms": RESCAN_MS}
    findings.note(
        f"Assumed: {PICKUPS_A_DAY} pickups a day, {TYPED_PERCENT} % of them typed; {_seconds(OFF_MS)} without power, "
        f"{_seconds(BOOT_MS)} from power to the first lap; whoever was cut off looks and scans again within "
        f"{_seconds(RESCAN_MS)}; the attacker steps aside for customers, but for cutting the power "
        "on some of them, once."
    )
    findings.note("A part of a year is scaled to one in the chances, and in no other row.")


def _attack_rows(columns: Sequence[tuple[Plan, Counts]]) -> list[tuple[str, list[str]]]:
    def row(text: str, *names: str) -> tuple[str, list[str]]:
        return text, [_whole(sum(of(counts, name) for name in names)) for _, counts in columns]

    most = [sums.most_evaluated(plan, of(counts, "simulated_ms")) for plan, counts in columns]
    free = [_whole(of(counts, "unpaid")) if plan.digits < 16 else "no bucket" for plan, counts in columns]
    return [
        ("simulated days", [f"{of(counts, 'simulated_ms') / 86_400_000:.1f}" for _, counts in columns]),
        row("tries: keypad", "tries_keypad"),
        row("tries: digits at the scanner", "tries_scanner"),
        row("tries: answers on the console", "tries_console"),
        row("tries: forged, foreign and spent tokens", "tries_tokens"),
        row("restarts", "reboots"),
        row("  of them cuts in the middle of something", "cuts"),
        row("clock jumps of years", "clock_jumps"),
        row("guesses evaluated: keypad", "evaluated_" + INPUTS[KEYPAD]),
        row("guesses evaluated: scanner", "evaluated_" + INPUTS[SCANNER]),
        row("guesses evaluated: console", "evaluated_" + INPUTS[CONSOLE]),
        row("guesses evaluated", *["evaluated_" + name for name in INPUTS.values()]),
        ("  the most that the throttle lets through", [_whole(value) for value in most]),
        row("compared blind (cut before it could show)", "blind"),
        ("evaluated, and not on flash first", free),
        row("evaluated within the pause of the last", "in_pause"),
    ]


def _chance_rows(columns: Sequence[tuple[Plan, Counts]]) -> list[tuple[str, list[str]]]:
    chances = [sums.of_a_year(counts, plan, plan.codes) for plan, counts in columns]
    live = [
        of(counts, "live_codes") / max(1, of(counts, "evaluated_keypad") + of(counts, "evaluated_scanner"))
        for _, counts in columns
    ]
    return [
        ("wrong hand-overs, seen", [_whole(of(counts, "wrong_hand_overs")) for _, counts in columns]),
        ("wrong hand-overs a locker-year", [f"{chance.together:.2e}" for chance in chances]),
        ("  scaled to a year by", [f"{sums.YEAR_HOURS / plan.hours:.1f}" for plan, _ in columns]),
        ("  by codes, all of them live all the time", [f"{chance.codes:.2e}" for chance in chances]),
        ("  by the console (2^-48 an answer)", [f"{chance.answers:.2e}" for chance in chances]),
        ("  by forged tokens (2^-128 a scan, one a second)", [f"{chance.tokens:.0e}" for chance in chances]),
        ("  the same with 100 live codes", [f"{sums.of_a_year(c, p, 100).together:.2e}" for p, c in columns]),
        ("if the throttle's most were all codes", [f"{sums.worst_year(p.digits, p.codes):.2e}" for p, _ in columns]),
        ("live codes when a code was evaluated, mean", [f"{mean:.1f}" for mean in live]),
    ]


def _people_rows(columns: Sequence[tuple[Plan, Counts]]) -> list[tuple[str, list[str]]]:
    def row(text: str, name: str) -> tuple[str, list[str]]:
        return text, [_whole(of(counts, name)) for _, counts in columns]

    def longest(text: str, name: str) -> tuple[str, list[str]]:
        return text, [_seconds(of(counts, name)) for _, counts in columns]

    return [
        row("customers who show a QR", "qr"),
        row("  refused", "qr_refused"),
        row("  delayed by a restart", "qr_delayed"),
        longest("  longest delay", "qr_delay_ms"),
        row("customers who type", "typed"),
        row("  served by their code", "typed_served"),
        row("  told to show the QR (bucket empty)", "typed_throttled"),
        row("    and then served by it", "told_to_show_served"),
        row("  neither", "typed_refused"),
        longest("  longest wait for the pause or a restart", "typed_delay_ms"),
        row("parcels deposited meanwhile", "deposits"),
    ]


# ------------------------------------------------------------------ controls
def controls(findings: Findings) -> None:
    findings.heading("controls", "the same attack on agents with one rule taken away: each must be seen")
    found = findings.of("controls")
    rows: list[tuple[str, list[str]]] = []
    for name, document in found.items():
        plan, counts = control_plan(name, findings.jobs.amount, findings.seed), counts_of(document)
        seen = sums.throttle_faults(counts, plan)
        document["seen"] = "; ".join(seen)
        cells = [
            _whole(sums.evaluated(counts)),
            _whole(sums.most_evaluated(plan, of(counts, "simulated_ms"))),
            _whole(of(counts, "unpaid")) if plan.digits < 16 else "no bucket",
            _whole(of(counts, "in_pause")),
            f"{sums.of_a_year(counts, plan, plan.codes).together:.1e}",
        ]
        rows.append((f"{name} ({plan.digits} digits, {plan.hours} h)", cells))
        if not seen:
            findings.faults.append(f"controls: {name} was not seen")
    findings.table(["evaluated", "at most", "not saved first", "in the pause", "chance a year"], rows)
    for name in found:
        findings.say(f"  {name}: {(weaken.WAYS[name].__doc__ or '').strip()} Seen: {found[name]['seen'] or 'no'}.")


# ------------------------------------------------------------------ board
def board(findings: Findings) -> None:
    findings.heading("board", "the same program in a real MicroPython")
    for name, document in findings.of("board").items():
        same = "the same counts and hash as here" if document["same"] else "NOT the same as here"
        findings.say(f"  {name}: {document['hours']} h, {document['evaluated']} guesses evaluated, {same}")
        findings.say(f"    {document['board_hash']}")
        if not document["same"]:
            findings.faults.append(f"board: {name} differs: {document['hash']} here")


# ------------------------------------------------------------------ typing
def typing(findings: Findings) -> None:
    findings.heading("typing", f"slips of {typos.TYPED_A_YEAR:,} people a year who type, and nobody attacking")
    found = findings.of("typing")
    models = [found[name] for name in typos.MODELS]

    def row(text: str, name: str, unit: str = "") -> tuple[str, list[str]]:
        return text, [f"{model[name]:,}{unit}" if isinstance(model[name], int | float) else "" for model in models]

    chances = [float(model["another_door_48"]) for model in models]
    rows = [
        row("customers", "customers"),
        row("codes mistyped", "mistyped_percent", " %"),
        row("  caught as too short", "short_percent", " %"),
        row("  past the check digit: a guess", "passed_percent", " %"),
        row("guesses a year that nobody meant", "guesses_a_year"),
        ("another's door a locker-year, 48 live codes", [f"{chance:.1e}" for chance in chances]),
        ("another's door a locker-year, 100", [f"{float(model['another_door_100']):.1e}" for model in models]),
    ]
    findings.table(list(typos.MODELS), rows)
    findings.faults += [f"typing: {chance:.1e} another's door" for chance in chances if chance > ANOTHER_DOOR_MAX]
    findings.faults += ["typing: a slip opened another's door" for model in models if model["others"]]
    for name in typos.MODELS:
        _crowded(findings, name, found["crowded_" + name])
    most = max(float(model["guesses_a_year"]) for model in models)
    lowest = quiet_years(most, findings.jobs.amount.quiet_years, findings.seed)
    findings.numbers["quiet_years"] = lowest
    told = ", ".join(f"{left} left in {count:,}" for left, count in lowest.items())
    findings.note(
        f"The bucket in {findings.jobs.amount.quiet_years:,} years of the worse model, at its lowest: {told}."
    )


def _crowded(findings: Findings, name: str, document: Document) -> None:
    """Whether the product is allowed: counted where hits are frequent."""
    others, predicted = int(document["others"]), float(document["predicted"])
    sigmas = (others - predicted) / math.sqrt(max(predicted, 1.0))
    document["sigmas"] = round(sigmas, 2)
    findings.note(
        f"{name}, with {CROWDED_CODES} live codes of {CROWDED_SECRET} secret digits and ten times the slips: "
        f"{int(document['passed']):,} passed, {others:,} met another's code, {predicted:,.0f} were predicted "
        f"({sigmas:+.1f} standard deviations)."
    )
    if abs(sigmas) > SIGMAS_MAX:
        findings.faults.append(f"typing: {name} met {others} codes of others, and {predicted:.0f} were predicted")
