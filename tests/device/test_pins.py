"""What provisioning refuses before a board is wired so."""

from pathlib import Path
from typing import Any

import pytest
from locker_on_table import town_locker

from tools.locker import cabinets
from tools.locker.pins import FORBIDDEN, PinError, check
from tools.locker.provision import WATCHDOG_MS


def with_lock(pin: int, board: str) -> dict[str, Any]:
    hardware: dict[str, Any] = cabinets.mairie() | {"board": board}
    hardware["modules"][0]["compartments"][0]["lock"] = pin
    return hardware


def test_every_pin_that_cannot_hold_a_lock_is_refused_by_name():
    assert sorted(FORBIDDEN["esp32"]) == [0, 2, 5, *range(6, 13), 15, *range(34, 40)]
    assert sorted(FORBIDDEN["esp32s3"]) == [0, 3, *range(26, 33), 45, 46]
    for board, pins in FORBIDDEN.items():
        for pin in pins:
            hardware = with_lock(pin, board) | {"keypad": None, "buzzer": None}
            with pytest.raises(PinError, match=rf"pin {pin} \(lock of compartment 1\) cannot drive a lock of {board}"):
                check(hardware)
            check(hardware | {"board": "another"})


def test_a_strapping_pin_may_be_read():
    hardware = with_lock(101, "esp32")
    hardware["modules"][0]["compartments"][0]["door"] = 34
    check(hardware)


def test_a_pin_that_is_used_twice_is_refused_with_both_uses(tmp_path: Path):
    for pin, other in ((102, "lock of compartment 2"), (201, "door of compartment 1"), (20, "buzzer")):
        with pytest.raises(PinError, match=f"pin {pin} is used twice") as refused:
            check(with_lock(pin, ""))
        assert other in str(refused.value) and "lock of compartment 1" in str(refused.value)
    with pytest.raises(PinError):
        town_locker(tmp_path / "one", modules=with_lock(102, "")["modules"])
    assert not (tmp_path / "one" / "flash.img").exists(), "refused before anything was written"


def test_the_watchdog_of_a_board_with_locks_is_two_seconds_at_most():
    assert 0 < WATCHDOG_MS <= 2_000
