"""`python -m tools.attack [SECTION…]`: a year of guessing at every input of a locker, and what it would come to.

All of it is simulated from one seed. The last line on stdout is every number, as JSON.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence

from tools.attack import sections, weaken
from tools.attack.jobs import FULL, QUICK, Jobs
from tools.attack.sections import Findings
from tools.desk_shelf import put_up

SECTIONS: dict[str, Callable[[Findings], None]] = {
    "year": sections.year,
    "controls": sections.controls,
    "board": sections.board,
    "typing": sections.typing,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.attack", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all if none is named"
    )
    parser.add_argument("--seed", type=int, default=2026, help="the same seed, the same run (%(default)s)")
    parser.add_argument("--hours", type=int, help="of simulated time for every locker of `year`, instead of its own")
    parser.add_argument("--weaken", choices=sorted(weaken.WAYS), help="`year` against an agent without that rule")
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--quick", action="store_true", help="tiny counts: does it run, not what it finds")
    parser.add_argument("--json", action="store_true", help="only the line of JSON on stdout; the tables go to stderr")
    options = parser.parse_args(argv)
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    tables = sys.stderr if options.json else sys.stdout
    put_up()
    begun = time.perf_counter()
    wanted = [name for name in SECTIONS if not options.sections or name in options.sections]
    with Jobs(QUICK if options.quick else FULL, options.seed, options.hours) as jobs:
        findings = Findings(lambda line: print(line, file=tables, flush=True), jobs, options.seed, options.weaken)
        findings.begin(wanted)
        for name in wanted:
            SECTIONS[name](findings)
    findings.conclude(round(time.perf_counter() - begun, 1))
    findings.numbers["python"] = platform.python_version()
    print(json.dumps(findings.numbers, ensure_ascii=False), flush=True)
    return 1 if options.check and findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
