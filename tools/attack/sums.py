"""From counts to chances, and what must hold. Pure: the same for the tool and for the tests."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from protocol.limits import WRONG_CODE_BUCKET, WRONG_CODE_PAUSE_MS, WRONG_CODE_REFILL_MS
from tools.attack.board.siege import HOUR_MS, Plan
from tools.attack.board.watch import INPUTS

YEAR_HOURS = 365 * 24
WRONG_HAND_OVERS_MAX = 1e-6  # per locker-year, with 48 live codes
GOAL_CODES = 48
DELAY_MS_MAX = 10_000
ANSWER_BITS = 48  # protocol.keys.console_answer: 6 bytes
SIGNATURE_BITS = 128  # what forging one Ed25519 signature takes, as it is reckoned
SCANS_A_YEAR = YEAR_HOURS * 3_600  # a scanner reads about one QR a second

_NEVER = ("qr_refused", "told_to_show_refused", "typed_refused", "not_booked_as_collected", "deposits_refused")

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Chances:
    """Of at least one wrong hand-over in a locker-year of these guesses."""

    codes: float
    answers: float
    tokens: float

    @property
    def together(self) -> float:
        return either(self.codes, either(self.answers, self.tokens))


def of(counts: Counts, name: str) -> int:
    return counts.get(name, 0)


def evaluated(counts: Counts) -> int:
    return sum(of(counts, "evaluated_" + name) for name in INPUTS.values())


def at_least_once(chance: float, times: float) -> float:
    """1 - (1 - chance) ** times, for chances so small that 1 - chance is 1."""
    return -math.expm1(times * math.log1p(-chance))


def either(one: float, other: float) -> float:
    return one + other - one * other


def chances(guesses: float, answers: float, live_codes: int, digits: int) -> Chances:
    """`guesses` of codes and `answers` to the console in a year; an open console opens every door."""
    secret = 10 ** (digits - 1)
    return Chances(
        at_least_once(live_codes / secret, guesses),
        at_least_once(2.0**-ANSWER_BITS, answers),
        at_least_once(2.0**-SIGNATURE_BITS, SCANS_A_YEAR),
    )


def of_a_year(counts: Counts, plan: Plan, live_codes: int) -> Chances:
    """Those counted, scaled to a year where it was a part of one."""
    scale = YEAR_HOURS / plan.hours
    guesses = of(counts, "evaluated_keypad") + of(counts, "evaluated_scanner")
    return chances(guesses * scale, of(counts, "evaluated_console") * scale, live_codes, plan.digits)


def most_evaluated(plan: Plan, simulated_ms: int) -> int:
    """What the throttle lets through in that time, whatever anybody does."""
    if plan.digits < 16:
        return WRONG_CODE_BUCKET + simulated_ms // WRONG_CODE_REFILL_MS
    return 1 + simulated_ms // WRONG_CODE_PAUSE_MS


def worst_year(digits: int, live_codes: int) -> float:
    """If all that the throttle ever lets through were codes."""
    plan = Plan(0, YEAR_HOURS, digits, live_codes)
    return chances(most_evaluated(plan, YEAR_HOURS * HOUR_MS), 0, live_codes, digits).together


def throttle_faults(counts: Counts, plan: Plan) -> list[str]:
    """What the numbers say against the throttle; nothing, if it holds."""
    found: list[str] = []
    most = most_evaluated(plan, of(counts, "simulated_ms"))
    if evaluated(counts) > most:
        found.append(f"{evaluated(counts):,} guesses were evaluated, and {most:,} is the most")
    if plan.digits < 16 and of(counts, "unpaid"):
        found.append(f"{of(counts, 'unpaid'):,} guesses were evaluated, and not on flash first")
    if of(counts, "in_pause"):
        found.append(f"{of(counts, 'in_pause'):,} guesses were evaluated within the pause of the one before")
    found += [f"{name} {of(counts, name)}" for name in ("hits", "wrong_hand_overs") if of(counts, name)]
    # The bucket is full at first: a part of a year, scaled, would have it full again and again.
    if plan.codes <= GOAL_CODES and (plan.digits == 16 or plan.hours >= YEAR_HOURS):
        chance = of_a_year(counts, plan, plan.codes).together
        if chance > WRONG_HAND_OVERS_MAX:
            found.append(f"{chance:.2e} wrong hand-overs a locker-year, and {WRONG_HAND_OVERS_MAX:.0e} is the goal")
    return found


def customer_faults(counts: Counts) -> list[str]:
    """What the numbers say about people with a QR, or with a code that was then shown as one."""
    delays = [(name, of(counts, name + "_delay_ms")) for name in ("qr", "told_to_show")]
    return [f"{name} {of(counts, name)}" for name in _NEVER if of(counts, name)] + [
        f"{name} delayed by {ms / 1000:.1f} s" for name, ms in delays if ms > DELAY_MS_MAX
    ]
