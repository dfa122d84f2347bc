"""`python -m tools.chaos`: a real stack under load, everything in it killed, cut or filled up in turn, then rules.

The seed draws the faults and what people do. The same seed gives the same schedule, not the same microseconds: real
processes keep their own time. The last line on stdout is every number, as JSON; exit 1 when a rule was broken.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.chaos.run import CABINETS, play
from tools.chaos.schedule import KINDS, schedule


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="draws the schedule (at random, and printed)")
    parser.add_argument("--minutes", type=float, default=8.0, help="of faults, before all is healed (%(default)s)")
    parser.add_argument("--lockers", type=int, default=3, choices=range(1, 4), help="%(default)s")
    parser.add_argument("--only", help=f"these kinds of fault, with commas; of {', '.join(KINDS)}")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep books, flash images and logs there")
    options = parser.parse_args(argv)
    kinds = tuple(options.only.split(",")) if options.only else KINDS
    if set(kinds) - set(KINDS):
        parser.error(f"no fault {', '.join(sorted(set(kinds) - set(KINDS)))}; there are {', '.join(KINDS)}")
    seed: int = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    lockers = tuple(CABINETS)[: options.lockers]
    faults = schedule(seed, options.minutes * 60, lockers, kinds)
    print(f"seed {seed}, {options.minutes} minutes, {len(faults)} faults:", file=sys.stderr)
    for fault in faults:
        print(f"  {fault}", file=sys.stderr)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="consigne-chaos-") as temporary:
        folder = options.keep or Path(temporary)
        outcome = play(folder, seed, options.minutes * 60, faults=faults, lockers=lockers, say=say)
    for why in outcome.wrong:
        print(f"seed {seed}: {why}", file=sys.stderr)
    print(json.dumps(outcome.document(), ensure_ascii=False), flush=True)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
