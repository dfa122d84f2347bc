"""How tests wait: for something to be so, looked at again and again, and never for a time."""

import time
from collections.abc import Callable

WAIT_S = 60.0  # a machine that is slow and busy with others' work; nothing here should take a tenth of it


def wait_for(what: Callable[[], object], seconds: float = WAIT_S, named: str = "it") -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"{named} did not come in time"
        time.sleep(0.005)
