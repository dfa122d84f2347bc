"""Slips of the finger: most are caught by the check digit, and the few that pass open nobody else's door."""

import math
import random

import pytest

from protocol import damm
from protocol.limits import WRONG_CODE_BUCKET
from tools.attack import typos
from tools.attack.board.chance import Chance
from tools.attack.board.people import People
from tools.attack.board.siege import DAY_MS, Plan, besieged
from tools.attack.board.watch import Tally
from tools.attack.tickets import SignedTickets

SEED = 5


@pytest.mark.parametrize("model", sorted(typos.MODELS))
def test_mistyped_codes_open_no_other_door(model: str):
    found = typos.count(typos.full_codes(48), typos.DIGITS, 30_000, typos.MODELS[model], SEED)
    assert found.customers == 30_000 == found.typed - found.mistyped, "everybody got in at last"
    assert found.mistyped == found.short + found.typo + found.passed
    assert 0.09 < found.share(found.mistyped) < 0.13
    assert found.share(found.passed) < 0.003
    assert found.others == 0
    assert typos.another_door(found, 48) < 2e-8  # of so small a sample; `make attack` holds it to 1e-8


@pytest.mark.parametrize("model", sorted(typos.MODELS))
def test_the_product_of_shares_predicts_what_is_counted_where_hits_are_frequent(model: str):
    others, predicted = 0, 0.0
    for number in range(4):
        codes = typos.short_codes(400, 4, bytes([number]) * 32)
        found = typos.count(codes, 5, 5_000, typos.MODELS[model], SEED + number, often=20)
        others += found.others
        predicted += typos.predicted_others(found, 400, 5)
    assert predicted > 20
    assert abs(others - predicted) < 5 * math.sqrt(predicted), (others, predicted)


def test_a_single_wrong_digit_and_a_swap_are_always_caught():
    chance = random.Random(SEED)
    codes = typos.full_codes(14)
    for name in ("single", "swap"):
        for _ in range(2_000):
            right = str(codes._live[chance.randrange(14)]).zfill(typos.DIGITS)
            typed = typos.SLIP_KINDS[name](right, chance)
            assert typed == right or not damm.is_valid(typed), (right, typed)


def test_the_shares_lie_within_what_verhoeff_found_and_make_a_whole():
    ranges = {"single": (60, 90), "swap": (10, 20), "twin": (0.5, 1.5), "phonetic": (0.5, 1.5)}
    for name, (lowest, highest) in ranges.items():
        assert lowest <= typos.SHARES[name] <= highest
    assert 10 <= typos.SHARES["omitted"] + typos.SHARES["added"] <= 20
    assert sum(typos.SHARES.values()) == pytest.approx(100)


def test_the_bucket_of_quiet_years_is_the_agents_own():
    tally, tickets = Tally(), SignedTickets()
    locker = besieged(Plan(SEED, 1, 12, 3), tickets, tally)
    People(locker, tickets, Chance(SEED, "people"), tally).courier()
    chance = random.Random(SEED)
    model = typos.QuietBucket()
    for number in range(60):
        locker.wait(chance.randrange(1, DAY_MS // 2))
        front = str(number).zfill(11)
        if locker.agent.books.bucket:
            locker.keys(front + damm.check_digit(front))
            model.take(locker.clock)
        else:
            model.refill(locker.clock)
        assert model.left == locker.agent.books.bucket, number
    assert tally.of("honest_compared") >= 30


def test_without_an_attacker_the_bucket_stays_nearly_full():
    years_of = typos.lowest_bucket(13, 500, SEED)
    assert sum(years_of) == 500
    assert sum(years_of[: WRONG_CODE_BUCKET - 4]) == 0
