"""A short storm of hostile bytes; `make fuzz-console` makes a million of them."""

from pathlib import Path

from console_fuzz import campaign


def test_hostile_bytes_neither_restart_a_locker_nor_log_anybody_in_nor_take_its_heap(tmp_path: Path):
    campaign(20_000, 1, tmp_path / "locker")
