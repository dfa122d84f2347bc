"""A thousand lockers whose broker, network or power comes back: nobody is trampled, and nobody waits for long.

Real links in simulated time; safety.md's bound is 5 % of the fleet a second.
"""

from protocol.limits import BACKOFF_FIRST_MS, BACKOFF_MS_MAX, LINK_STABLE_MS
from tools.reconnect.town import Town, peak

COUNT = 1_000
PEAK_MAX = COUNT * 5 // 100
HOUR_MS = 3_600_000


def settled() -> Town:
    """Everybody has been online for a while; what was rung for that is forgotten."""
    town = Town(COUNT)
    town.run(LINK_STABLE_MS)
    assert town.online == COUNT
    town.rung.clear()
    return town


def outage(town: Town, ms: int) -> None:
    town.reachable = False
    town.lose()
    town.run(ms)
    town.reachable = True
    town.run(BACKOFF_MS_MAX)


def test_a_broker_that_restarts_is_not_trampled():
    town = settled()
    outage(town, 2_000)
    assert town.online == COUNT
    assert peak(town.rung) <= PEAK_MAX
    assert COUNT <= len(town.rung) < COUNT * 1.2


def test_most_are_back_soon_after_a_short_break():
    town = settled()
    town.lose()
    town.run(BACKOFF_FIRST_MS)
    assert town.online == COUNT and len(town.rung) == COUNT
    assert peak(town.rung) <= PEAK_MAX


def test_an_outage_of_any_length_ends_in_order_and_within_a_minute_and_a_half():
    for ms in (30_000, 300_000, HOUR_MS):
        town = settled()
        outage(town, ms)
        assert town.online == COUNT, ms
        assert peak(town.rung) <= PEAK_MAX, ms


def test_a_town_whose_power_comes_back_does_not_dial_as_one():
    town = settled()
    town.power(at_once=False)
    town.run(BACKOFF_FIRST_MS)
    assert town.online == COUNT
    assert peak(town.rung) <= PEAK_MAX


def test_a_town_whose_own_network_comes_back_does_not_dial_as_one():
    town = settled()
    town.network = False
    town.lose("timeout")
    town.run(HOUR_MS)
    assert not town.rung
    town.network = True
    town.run(BACKOFF_MS_MAX)
    assert town.online == COUNT
    assert peak(town.rung) <= PEAK_MAX


def test_a_broker_that_dies_again_and_again_is_not_trampled_and_nobody_pays_for_it_afterwards():
    town = settled()
    for _ in range(10):
        outage(town, 5_000)
        town.run(20_000)  # too short for anyone to trust it
    assert peak(town.rung) <= PEAK_MAX
    town.run(BACKOFF_MS_MAX)
    assert town.online == COUNT


def test_the_count_of_a_window_is_the_most_of_any_second_and_sees_a_stampede():
    assert peak([0, 999, 1_000, 1_001, 5_000]) == 3
    assert peak([7] * COUNT) == COUNT
