"""How long a locker that was alone for a month takes to tell it all: real flash, board, broker, gateway and books."""

import tempfile
from pathlib import Path

from gateway.packages import cache_folder
from tools.bench.counts import Counts
from tools.bench.report import Report
from tools.reconnect import drain


def run(report: Report, counts: Counts) -> None:
    report.heading("drain", "a month without network, then a locker in MicroPython tells it to a real gateway")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache_folder()) as name:
        found = drain.run(Path(name), drain.MONTH if counts.month else drain.SHORT)
    lived = found.lived
    report.row(
        "live_codes", lived["by_code"] + lived["by_token"], "", "used while alone; each opened its own door alone"
    )
    report.row("cold_starts", lived["cold_starts"], "", "without a clock, while alone")
    report.row("wrong_codes", lived["wrong_codes"], "", "none opened anything")
    report.row("events", found.events, "events", "in the journal, unacknowledged, when the network came")
    report.row("dial_s", round(found.dial_s, 1), "s", "from a key at the panel to the birth")
    report.row(
        "drain_s", round(found.drain_s, 1), "s", "birth → all in the books, in order, no gap, none twice", "< 600"
    )
    report.row("drain_of_limit", round(found.drain_s / drain.LIMIT_S, 3), "", "of the ten minutes", "< 1")
    report.row("events_per_s", round(found.events / found.drain_s), "events/s", "from flash to the books")
    report.row(
        "agree_s", round(found.agree_s, 1), "s", "then: all acknowledged, every door the same on both sides", "< 120"
    )
    report.row("heap_free", found.heap_free, "bytes", "on the board, afterwards")
