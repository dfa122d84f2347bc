"""The real agent and journal on a real LittleFS, in a real MicroPython, with the power cut wherever it can be cut.

Here a few hundred cuts and a short life of the flash; `make power-cuts` makes every cut there is, and the whole life.
"""

from tools.powercuts import cut, endurance_lines, line, run

CUTS = 200
CONTROL_CUTS = 60
SMALL_BLOCKS = 160


def test_no_power_cut_at_any_flash_operation_of_a_day_loses_a_record_or_opens_a_door_twice():
    found = cut(CUTS)
    assert sum(found["cuts"].values()) == CUTS and found["operations"] > 2_500, line(found)
    assert (found["failed"], found["lost"], found["losing"], found["twice"]) == (0, 0, 0, 0), line(found)
    assert found["second_cuts"] > 10 and found["opened"] > CUTS // 4, line(found)
    assert min(found["cuts"].values()) > 0, "both kinds of operation, clean and torn"


def test_a_journal_that_does_not_flush_is_seen_to_lose():
    found = cut(CONTROL_CUTS, control=True)
    assert found["losing"] > CONTROL_CUTS // 4 and found["lost"] > found["losing"], line(found)


def test_the_flash_lasts_and_full_or_rotten_it_changes_no_record():
    found = run("flash_endurance.py", 300, 400, SMALL_BLOCKS)
    assert found["wear"]["erases"] < 1.2 * found["wear"]["records"], endurance_lines(found)
    assert found["full"]["pickups"] > 400, endurance_lines(found)
    assert found["rot"]["unharmed"] > 0 and found["fat_refused"], endurance_lines(found)
