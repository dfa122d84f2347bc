"""Days without a network, and the network comes back: the short form of `python -m tools.bench drain`."""

from pathlib import Path

from tools.reconnect import drain


def test_what_a_locker_did_alone_is_in_the_books_in_order_and_once_when_the_network_is_back(tmp_path: Path):
    found = drain.run(tmp_path, drain.SHORT)
    assert found.lived["by_code"] + found.lived["by_token"] == found.lived["live_codes_at_start"] == drain.COMPARTMENTS
    assert found.lived["by_code"] and found.lived["by_token"] and found.lived["wrong_codes"]
    assert found.lived["cold_starts"]
    assert found.events > 400
