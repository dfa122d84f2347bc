"""`python -m tools.bench [SECTION…]`: what is promised about speed and memory, measured on this machine.

Each number says what it means. The last line on stdout is all of them, as JSON.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence

from gateway import log
from tools.bench import courier_round, crypto, drain, gateway, http, latency, memory, reconnect
from tools.bench.counts import FULL, QUICK, Counts
from tools.bench.report import Report, load_average

SECTIONS: dict[str, Callable[[Report, Counts], None]] = {
    "memory": memory.run,
    "latency": latency.run,
    "round": courier_round.run,
    "gateway": gateway.run,
    "http": http.run,
    "crypto": crypto.run,
    "reconnect": reconnect.run,
    "drain": drain.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all if none is named"
    )
    parser.add_argument("--json", action="store_true", help="only the line of JSON on stdout; the tables go to stderr")
    parser.add_argument("--quick", action="store_true", help="tiny counts: does it run, not how fast")
    options = parser.parse_args(argv)
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    tables = sys.stderr if options.json else sys.stdout
    found: dict[str, object] = {"load_average_before": load_average()}
    for name, run in SECTIONS.items():
        if not options.sections or name in options.sections:
            report = Report(lambda line: print(line, file=tables, flush=True))
            run(report, QUICK if options.quick else FULL)
            found[name] = report.fields
    found["load_average_after"] = load_average()
    found["python"] = platform.python_version()
    print(json.dumps(found, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    log.configure(as_json=False)
    sys.exit(main())
