"""`consigne doctor`: what we need here, the broker's certificates, the gateway, our key. Each line has its remedy."""

import json
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable

from tools.ca_commands import certificates_here
from tools.client import OK, REFUSED, Failed, Gateway, connect_here, gateway_url
from tools.progress import Progress

PYTHON_MIN = (3, 11)
# A check returns what is wrong, or "" and the remedy that would not be needed.
Check = Callable[[], tuple[str, str]]


def _python() -> tuple[str, str]:
    good = sys.version_info >= PYTHON_MIN
    return ("" if good else "python is older than 3.11", "install python3.11 or newer")


def _program(name: str, remedy: str) -> Check:
    def check() -> tuple[str, str]:
        found = shutil.which(name) or os.path.exists(f"/usr/sbin/{name}")
        return ("" if found else f"{name} is not installed here", remedy)

    return check


def _gateway() -> tuple[str, str]:
    with Gateway.connect(gateway_url(), "") as gateway:
        gateway.get("/ready")
    return "", ""


def _key() -> tuple[str, str]:
    with connect_here() as gateway:
        gateway.get("/v1/lockers")
    return "", ""


# name, must it hold, the check
CHECKS: tuple[tuple[str, bool, Check], ...] = (
    ("python", True, _python),
    ("mosquitto", False, _program("mosquitto", "nothing to do: the gateway unpacks the system's own package")),
    ("micropython", False, _program("micropython", "nothing to do: `make setup` fetches it for virtual lockers")),
    ("certificates", True, certificates_here),
    ("gateway", True, _gateway),
    ("key", True, _key),
)


def check(arguments: Namespace) -> int:
    """Exit code 0 when everything that must hold does."""
    found: list[dict[str, str | bool]] = []
    with Progress("checking") as progress:
        for name, needed, run in CHECKS:
            progress.note(name)
            try:
                wrong, remedy = run()
            except Failed as failed:
                wrong, remedy = failed.text, failed.remedy
            found.append(
                {"check": name, "ok": not wrong, "needed": needed, "wrong": wrong, "remedy": remedy if wrong else ""}
            )
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for row in found:
            mark = "ok  " if row["ok"] else ("FAIL" if row["needed"] else "-   ")
            print(f"{mark} {row['check']}" + (f": {row['wrong']} ({row['remedy']})" if row["wrong"] else ""))
    return OK if all(row["ok"] or not row["needed"] for row in found) else REFUSED
