"""A bad wire opens no wrong door, calls none closed that is not, and hides no board that is gone. The long form is
`make lock-boards`."""

import pytest
from lock_board_campaign import FAMILIES, Cabinet, played
from lock_chip_campaign import CHIPS

OPENINGS = 100


@pytest.mark.parametrize("name", FAMILIES)
def test_with_one_byte_in_a_hundred_damaged_every_opening_is_the_ordered_door_s_and_every_loss_is_told(name: str):
    figures = played(name, OPENINGS)
    assert figures.openings == OPENINGS and figures.bytes_damaged > OPENINGS and figures.losses
    assert not figures.broken + figures.jams, figures.told


@pytest.mark.parametrize("name", FAMILIES)
def test_an_answer_that_is_wrong_under_a_right_checksum_moves_no_door(name: str):
    figures = played(name, OPENINGS, damaged=0.0, forged=0.01)
    assert figures.answers_forged > 3
    assert not figures.broken + figures.false_open, figures.told


@pytest.mark.parametrize("name", FAMILIES)
def test_a_board_that_takes_its_time_to_answer_is_understood_all_the_same(name: str):
    cabinet = Cabinet(name, 1, damaged=0.0)
    for board in cabinet.boards:
        board.slow_ms = 45.0
    cabinet.settle()
    for _ in range(10):
        cabinet.open_and_shut()
    assert not cabinet.lost_at and not cabinet.figures.broken + cabinet.figures.jams, cabinet.figures.told


@pytest.mark.parametrize("name", CHIPS)
def test_with_one_byte_in_a_hundred_damaged_on_a_chip_s_bus_only_the_ordered_lock_moves(name: str):
    figures = played(name, OPENINGS, made=CHIPS[name])
    assert figures.openings == OPENINGS and figures.bytes_damaged > OPENINGS // 10 and figures.losses
    assert not figures.broken + figures.jams, figures.told
