"""Days of guessing at every input, in simulated time: what is compared stays within what the throttle lets through,
and whoever has a QR is served. The year is `make attack`."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from device.agent import events as on
from device.journal import Journal
from protocol import damm
from protocol.hmac import HmacKey
from protocol.keys import console_answer, sub_key
from protocol.limits import WRONG_CODE_BUCKET
from protocol.otp import typed_code
from tools.attack import sums, weaken
from tools.attack.board.chance import Chance
from tools.attack.board.locker import BLIND, SAVED, SIGN, Locker
from tools.attack.board.people import People
from tools.attack.board.siege import KEY, Plan, besieged, endure
from tools.attack.board.watch import Tally
from tools.attack.board_run import endure_on_board
from tools.attack.jobs import counts_of
from tools.attack.tickets import SignedTickets

ROOT = Path(__file__).resolve().parents[2]
SEED = 7
HOURS = {"bucket": 2, "pause": 2}  # of a weak agent's day; a bucket that is always full keeps an attacker busy
WRONG = "12345678901"


@pytest.fixture(scope="module")
def tickets() -> SignedTickets:
    return SignedTickets()


def locker_with_parcels(tickets: SignedTickets) -> tuple[Locker, Tally]:
    tally = Tally()
    locker = besieged(Plan(SEED, 1, 12, 6), tickets, tally)
    People(locker, tickets, Chance(SEED, "people"), tally).courier()
    locker.watch.guessing = True
    return locker, tally


def right_code(number: int) -> str:
    return typed_code(HmacKey(sub_key(KEY, "code")), number, 1)


def test_three_days_of_attack_are_worth_no_more_than_the_throttle_lets_through(tickets: SignedTickets):
    plan = Plan(SEED, 72, 12, 48)
    counts = counts_of(endure(plan, tickets))
    assert not sums.throttle_faults(counts, plan) + sums.customer_faults(counts), counts
    assert WRONG_CODE_BUCKET <= sums.evaluated(counts) <= WRONG_CODE_BUCKET + 9
    for name in ("tries_keypad", "tries_scanner", "tries_console", "tries_tokens", "reboots", "cuts", "blind"):
        assert counts[name] >= 10, f"the attack does too little of {name}"
    assert counts["clock_jumps"] == 3
    assert counts["qr_served"] == counts["qr"] > 80
    assert counts["qr_cut"] and counts["qr_delay_ms"] <= sums.DELAY_MS_MAX
    assert counts["told_to_show_served"] + counts.get("typed_served", 0) == counts["typed"]


def test_sixteen_digits_are_guessed_at_without_end_and_no_faster_than_the_pause(tickets: SignedTickets):
    plan = Plan(SEED, 2, 16, 48)
    counts = counts_of(endure(plan, tickets))
    assert not sums.throttle_faults(counts, plan), counts
    assert 1_000 < sums.evaluated(counts) <= 1 + 2 * 3600 / 5


def test_one_seed_gives_one_story(tickets: SignedTickets):
    first, again, other = [endure(Plan(seed, 8, 12, 14), tickets) for seed in (1, 1, 2)]
    assert first == again
    assert first["hash"] != other["hash"]


def test_the_attack_is_the_same_in_a_real_micropython():
    for plan in (Plan(SEED, 10, 12, 14), Plan(SEED, 1, 16, 14)):
        tickets = SignedTickets()
        assert endure(plan, tickets) == endure_on_board(plan, tickets)


def test_the_real_journal_on_a_file_system_gives_the_same_story(tickets: SignedTickets, tmp_path: Path):
    plan = Plan(SEED, 10, 12, 14)
    assert endure(plan, tickets, flash=Journal(str(tmp_path))) == endure(plan, tickets)


@pytest.fixture(scope="module")
def with_every_rule(tickets: SignedTickets) -> Callable[[int, int], list[str]]:
    """What is wrong with an agent that has all of them, after so many hours, with codes of so many digits."""

    @functools.cache
    def faults(hours: int, digits: int) -> list[str]:
        plan = Plan(SEED, hours, digits, 48)
        return sums.throttle_faults(counts_of(endure(plan, tickets)), plan)

    return faults


@pytest.mark.parametrize("name", sorted(weaken.WAYS))
def test_an_agent_without_one_of_the_rules_is_seen(
    tickets: SignedTickets, with_every_rule: Callable[[int, int], list[str]], name: str
):
    hours, digits = HOURS.get(name, 48), weaken.DIGITS.get(name, 12)
    assert not with_every_rule(hours, digits)
    plan = Plan(SEED, hours, digits, 48)
    counts = counts_of(endure(plan, tickets, weaken.WAYS[name]))
    assert sums.throttle_faults(counts, plan), counts


def test_a_guess_that_is_right_would_be_seen(tickets: SignedTickets):
    locker, tally = locker_with_parcels(tickets)
    locker.keys(right_code(3))
    assert (tally.of("hits"), tally.of("wrong_hand_overs")) == (1, 1)
    locker.type("login eve\r")
    challenge = locker.agent.console._challenge
    locker.type(f"answer {console_answer(KEY, challenge, 'eve')}\r")
    assert tally.of("hits") == 2 and locker.agent.console.actor == "eve"


@pytest.mark.parametrize("shown", ["keys", "scan"])
def test_what_is_cut_blind_is_the_same_for_a_right_code_and_a_wrong_one(tickets: SignedTickets, shown: str):
    left: list[tuple[object, ...]] = []
    for code in (right_code(3), WRONG + damm.check_digit(WRONG)):
        locker, tally = locker_with_parcels(tickets)
        locker.cut = BLIND
        getattr(locker, shown)(code)
        assert locker.dead and tally.of("blind") == 1 and not sums.evaluated(tally.counts)
        left.append((locker.screen, locker.closed, locker.trace.digest()))
        locker.revive()
        left[-1] += (locker.agent.books.snapshot(),)
    assert left[0] == left[1]


def test_a_wrong_code_is_paid_for_before_it_can_be_told(tickets: SignedTickets):
    for cut in (SAVED, SIGN):
        locker, tally = locker_with_parcels(tickets)
        locker.cut = cut
        locker.keys(WRONG + damm.check_digit(WRONG))
        assert locker.dead and tally.of("evaluated_keypad") == 1 and not tally.of("unpaid")
        locker.revive()
        assert locker.agent.books.bucket == WRONG_CODE_BUCKET - 1
        assert locker.agent._access.pause_left_ms(locker.now) > 0


def test_a_console_without_a_challenge_compares_nothing(tickets: SignedTickets):
    locker, tally = locker_with_parcels(tickets)
    locker.do(on.Typed(b"answer 000000000000\r"))
    assert not sums.evaluated(tally.counts)


# ------------------------------------------------------------------ the sums
def test_the_sums_are_those_of_the_design():
    assert sums.most_evaluated(Plan(0, sums.YEAR_HOURS, 12, 48), sums.YEAR_HOURS * 3_600_000) == 10 + 3 * 365
    assert sums.worst_year(12, 48) == pytest.approx(5.304e-7, rel=1e-3)
    assert sums.worst_year(12, 100) == pytest.approx(1.105e-6, rel=1e-3)
    assert sums.worst_year(16, 48) == pytest.approx(3.03e-7, rel=1e-2)
    assert sums.at_least_once(0.5, 2) == pytest.approx(0.75)
    assert sums.chances(0, 1000, 48, 12).together == pytest.approx(1000 / 2**48)


# ------------------------------------------------------------------ the command
def attack(*arguments: str) -> tuple[int, dict[str, object], str]:
    command = [sys.executable, "-m", "tools.attack", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stdout


def test_the_command_tells_the_table_and_the_numbers():
    code, numbers, told = attack("year", "board", "typing", "--quick", "--check", "--seed", "3")
    assert code == 0 and numbers["faults"] == [] and numbers["seed"] == 3
    assert set(numbers) >= {"year", "board", "typing", "assumed", "wall_s"} and "controls" not in numbers
    assert "wrong hand-overs a locker-year" in told and "--seed 3" in told


def test_a_goal_that_is_missed_fails_the_command():
    code, numbers, told = attack("year", "--hours", "2", "--weaken", "bucket", "--check", "--seed", "3")
    assert code == 1 and numbers["faults"]
    assert "missed:" in told and "--weaken bucket" in told
