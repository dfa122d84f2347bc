"""The short form of `make chaos`: whatever is killed, cut or put back on the way, the rules hold."""

from pathlib import Path

from tools.chaos.run import play
from tools.chaos.schedule import Fault
from tools.demo.stack import quiet

SEED = 2026
SECONDS = 32.0
LATE_S = 120.0  # on a busy machine the last faults come later
FAULTS = (
    Fault(7.0, "cut_power", "mairie-1", 0.5, True),
    Fault(10.0, "kill_gateway", "", 1.0, True),
    Fault(15.0, "cable_hole", "mairie-2", 2.0, False),
    Fault(18.0, "kill_broker", "", 0.5, True),
    Fault(20.0, "disk_full", "", 2.0, False),
    Fault(24.0, "restore", "", 0.5, True),
    Fault(29.0, "kill_all", "", 0.5, True),
)


def test_half_a_minute_of_faults_breaks_no_rule(tmp_path: Path) -> None:
    lockers = ("mairie-1", "mairie-2")
    outcome = play(tmp_path, SEED, SECONDS, faults=FAULTS, lockers=lockers, say=quiet, late_s=LATE_S)
    assert not outcome.wrong, f"seed {SEED}: {outcome.wrong}"
    assert outcome.numbers["deposits"] >= 2  # people were there
    assert outcome.numbers["events"] > 20
    assert len(outcome.numbers["faults"]) >= len(FAULTS) - 2  # a busy machine may have no time for the last ones
