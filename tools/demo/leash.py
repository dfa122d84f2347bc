"""`python leash.py PARENT COMMAND…`: becomes COMMAND, and dies with the process that started it.

Whoever kills the demonstration outright leaves no locker and no broker behind. (prctl(2), PR_SET_PDEATHSIG.)
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we were on the leash
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
