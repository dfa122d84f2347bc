"""`python -m tools.powercuts`: the power cut at every flash operation of a locker's day; how long its flash lasts.

The real agent, journal and LittleFS in real MicroPython, over a chip in memory (tests/device/power_cuts.py and
flash_endurance.py). A control whose journal does not flush must be seen to lose. The last line is all of it as JSON.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools import micropython

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tests" / "device"
HEAP_KB = 60_000  # a chip in memory, and its whole past
TIMEOUT_S = 7_200
CONTROL_CUTS = 400
# Long enough for the average to show: LittleFS moves a folder's block on after 100 erases only, so that some block is
# always about 100 ahead of the others.
RECORDS, STARTS = 200_000, 100_000
YEARS_WANTED, RECORDS_A_DAY = 15, 5_000  # with 100,000 erases of a sector
BLOCKS = 512  # 2 MB
_ALIKE = ("operations", "records", "day_pulses")  # of the day itself, the same for every worker


def run(script: str, *words: object) -> dict[str, Any]:
    """One script of tests/device in a MicroPython of its own; what it found. Raises ScriptError."""
    folders = (ROOT, ROOT / "device" / "lib", ROOT / "tests" / "shared", SCRIPTS)
    interpreter = micropython.find()
    said = interpreter.run(SCRIPTS / script, *words, heap_kb=HEAP_KB, folders=folders, timeout_s=TIMEOUT_S)
    return json.loads(said.splitlines()[-1])


def cut(cuts: int, workers: int | None = None, control: bool = False) -> dict[str, Any]:
    """So many cuts evenly over the day (0: every operation, clean and torn), on all cores. Raises ScriptError."""
    workers = workers or os.cpu_count() or 1
    begun = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        words = ["control"] if control else []
        turns = [pool.submit(run, "power_cuts.py", cuts, turn, workers, *words) for turn in range(workers)]
        found = [turn.result() for turn in turns]
    total: dict[str, Any] = {name: found[0][name] for name in _ALIKE}
    total["cuts"] = {kind: sum(part["cuts"][kind] for part in found) for kind in found[0]["cuts"]}
    for name in found[0]:
        if name not in total:
            total[name] = sum(part[name] for part in found)
    return total | {"wall_s": round(time.perf_counter() - begun, 1)}


def line(found: dict[str, Any]) -> str:
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(found["cuts"].items()))
    return (
        f"cuts {sum(found['cuts'].values())} ({kinds}) at {found['operations']} operations, "
        f"{found['records']} records; second cuts {found['second_cuts']}; starts {found['restarts']}, "
        f"failed {found['failed']}; records lost {found['lost']} in {found['losing']} cuts; "
        f"codes that opened twice {found['twice']}; "
        f"live codes that opened {found['opened']}; {found['wall_s']} s"
    )


def endurance_lines(found: dict[str, Any]) -> list[str]:
    wear, full, rot = found["wear"], found["full"], found["rot"]
    return [
        f"wear: {wear['records']} records of {wear['record_bytes']} bytes, {wear['erases']} erases, "
        f"hottest block {wear['hottest_block']}, mean {wear['mean_block']}: "
        f"{wear['years']} years at {RECORDS_A_DAY:,} records a day",
        f"full: deposits end after {full['full_at']} records; {full['starts']} starts take none; "
        f"pickups that still fit {full['pickups']}, of {full['served']} parcels inside",
        f"rot: {rot['flips']} single bits, {rot['unharmed']} unharmed, {rot['lost_records']} records lost, "
        f"{rot['refused']} refused; none changed or made up",
    ]


def faults_of(control: dict[str, Any], found: dict[str, Any], endurance: dict[str, Any]) -> list[str]:
    """What is not as promised."""
    wrong = [name for name in ("failed", "lost", "losing", "twice") if found[name]]
    faults = [f"{name}: {found[name]}" for name in wrong]
    if not control["losing"]:
        faults.append("the control lost nothing: this test cannot fail")
    if endurance["wear"]["records"] >= RECORDS and endurance["wear"]["years"] < YEARS_WANTED:
        faults.append(f"the flash lasts less than {YEARS_WANTED} years")
    return faults


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.powercuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=0, help="so many, evenly over the day; 0, the default: all")
    parser.add_argument("--records", type=int, default=RECORDS, help="for the wear (%(default)s)")
    parser.add_argument("--starts", type=int, default=STARTS, help="without network, on a full flash (%(default)s)")
    options = parser.parse_args(argv)
    try:
        control = cut(CONTROL_CUTS, control=True)
        print("control, which does not flush:", line(control), flush=True)
        found = cut(options.cuts)
        print(line(found), flush=True)
        endurance = run("flash_endurance.py", options.records, options.starts, BLOCKS)
    except micropython.ScriptError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(endurance_lines(endurance)), flush=True)
    print(json.dumps({"control": control, "cuts": found, "endurance": endurance}), flush=True)
    faults = faults_of(control, found, endurance)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
