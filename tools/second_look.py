"""A few tests that failed in the whole suite are looked at once more, with the machine to themselves.

Of five thousand tests with brokers, lockers and browsers, six at a time on two cores, one may lose a race that is its
own. Whoever waits for the suite should not learn no more than "red" from that. The rules: only where pytest ran to its
end, only up to MOST failures, once, and no word of the first failure is kept back. What fails again fails the suite;
what holds is named at the very end, because it is a fault all the same, in the test or in the product.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 3  # more than that is no race
TESTS_FAILED = 1  # pytest's exit code; all others say that there was no whole run
FAILED = Path(".pytest_cache/v/cache/lastfailed")  # pytest's own, in the folder where it was started


def failed() -> list[str]:
    """The tests that failed when they were last run, as pytest writes it down; none where it wrote nothing."""
    try:
        return sorted(json.loads(FAILED.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def second_look(code: int) -> int:
    """Given how the suite ended, how it ends: `code`, or 0 if each of the few that failed holds alone."""
    names = failed()
    if code != TESTS_FAILED or not 0 < len(names) <= MOST:
        return code
    print(f"\nOnce more, alone: {', '.join(names)}", flush=True)
    again = [sys.executable, "-m", "pytest", "--last-failed", "--last-failed-no-failures", "none"]
    code = subprocess.run(again, check=False).returncode
    if code == 0:
        print("\nHeld when alone, and failed beside others. Each is a race to be mended, told above:")
        print("".join(f"  {name}\n" for name in names), end="", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(second_look(int(sys.argv[1])))
