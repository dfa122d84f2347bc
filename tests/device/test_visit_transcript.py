"""docs/console-visit.md shows a technician's visit; here it is made, at a locker in a real MicroPython."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from locker_on_table import KEY, NOBODY, code_of, deposits, wait_for_word
from technician import ROOT, Technician

from protocol.keys import console_answer
from tools.client import OK
from tools.locker.cabinets import mairie
from tools.locker.client import CabinetClient, VirtualLocker, door_of, start
from tools.locker.flash import write_files
from tools.locker.provision import Bundle, provision

PAGE = ROOT / "docs" / "console-visit.md"
OFFLINE = "  ! network offline\n      No link yet: wait a minute, then\n      net test.\n"
# What differs from visit to visit -> as the page has it.
VARYING = {
    r"(?<=Challenge  ).*": "3f2a 19bc 0d4e 77a1",
    r"(?<=mairie-1 anne )[0-9a-f]{16}": "3f2a19bc0d4e77a1",
    r"(?<=gives up\): ).*": "a1b2 c3d4 e5f6",
    r"(?<=heap_free     ).*": "27520",
    r"(?<=uptime_s      ).*": "2",
    r"(?<=link          ).*": "waiting",
    r"(?<=\nrecords  )\d+$": "35",
    r"(?<=\nfree   ).*": "15611",
    r"\b\d{3,4} ms": "170 ms",
    r"(?<=_ms       )\d+": "170",
    r"(?<=median_ms    )\d+": "170",
    r"\d{3}/\d{3}/170 ms": "170/170/170 ms",
    r"  ! network \w+\n(?:      .*\n)+": OFFLINE,
    r"network \w+$": "network offline",
}
LOGIN = "login anne"
ORDERS = (
    LOGIN,
    "language en",
    "status",
    "selftest",
    "service on",
    "selftest doors",
    "cal 2 2",
    "cal",
    "service off",
    "module",
    "module scan",
    "module replace B driver=cu16 address=1",
    "config try",
    LOGIN,
    "config confirm",
    "language en",
    "module",
    "selftest",
    "doors",
    "save visit.jsonl",
    "logout",
)


def shown(screen: str) -> str:
    text = screen.replace("\r", "")
    for varying, fixed in VARYING.items():
        text = re.sub(varying, fixed, text, flags=re.MULTILINE)
    return text.strip()


def modules() -> list[dict[str, Any]]:
    """Four doors on pins, the first with an occupancy sensor; ten on a lock board."""
    on_pins, on_board = mairie()["modules"]
    first, *others = on_pins["compartments"]
    boxes = [
        {name: box[name] for name in box if name != "door"} | {"lock": channel}
        for channel, box in enumerate(on_board["compartments"], 1)
    ]
    return [
        on_pins | {"compartments": [first | {"occupied": 300}, *others]},
        on_board | {"driver": "cu48", "bus": 0, "address": 0, "compartments": boxes},
    ]


@contextlib.contextmanager
def somebody_who_shuts_doors(client: CabinetClient) -> Iterator[None]:
    """What springs open is pushed shut a moment later."""
    over = threading.Event()

    def push() -> None:
        while not over.wait(0.1):
            state = client.state()
            for number in range(1, 15):
                if door_of(state, number) == "open":
                    client.push(number)

    pushing = threading.Thread(target=push, daemon=True)
    pushing.start()
    try:
        yield
    finally:
        over.set()
        pushing.join(10)


def break_things(locker: VirtualLocker) -> None:
    """A door that jams, an occupancy sensor that flaps, a lock board whose plug is loose."""
    locker.client.jam(2)
    for _time in range(7):
        for full in (True, False):
            locker.client.fill(1, full)
            time.sleep(0.12)
    wait_for_word(locker, 14, "closed")
    locker.client.ask("board", module="B", fault="silent", on=True)
    wait_for_word(locker, 14, "unknown")


def before(order: str, locker: VirtualLocker) -> None:
    """What she does with her hands: a latch is freed, a dead board is unscrewed for another one."""
    if order.startswith("cal 2"):
        locker.client.jam(2, False)
    elif order == "module scan":
        locker.client.ask("rewire", module="B", driver="cu16", address=1)


def has_heard_of_every_door(person: Technician) -> None:
    """After a restart, on a machine with much else to do. What is asked meanwhile is not on the page."""
    page = person.seen
    person.types("doors\r")
    while "unknown" in person.sees("# "):
        person.types("doors\r")
    person.seen, person.read = page, len(page)


def log_in(person: Technician) -> None:
    person.types(f"{LOGIN}\r")
    person.sees("mairie-1 anne ")
    challenge = person.sees("gives up): ").split()[0]
    person.types(f"{console_answer(KEY, bytes.fromhex(challenge), 'anne')}\r")


def test_the_page_shows_a_visit_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "locker"
    hardware = mairie("mairie-1") | {"modules": modules(), "buses": [{"uart": 3}]}
    provision(folder, hardware, Bundle("mairie-1", 1, KEY, NOBODY))
    write_files(folder / "flash.img", deposits(folder, list(range(1, 15)), [3, 5]))
    alone = {"CONSIGNE_DATA": str(tmp_path / "no gateway here")}
    log = tmp_path / "visit.jsonl"
    with contextlib.ExitStack() as visit:
        locker = visit.enter_context(start(folder))
        break_things(locker)
        person = visit.enter_context(Technician(locker.console, columns=72, rows=60, environment=alone))
        person.sees("mairie-1> ")
        with somebody_who_shuts_doors(locker.client):
            for place, order in enumerate(ORDERS):
                before(order, locker)
                if (ORDERS[place - 1], order) == ("module", "selftest"):
                    has_heard_of_every_door(person)
                if order == LOGIN:
                    log_in(person)
                else:
                    person.types(f"{order.replace('visit.jsonl', str(log))}\r")
                person.sees("mairie-1> " if order in ("config try", "logout") else "# ")
        person.types("exit\r")
        assert person.ends() == OK
        locker.client.keys(code_of(5))  # whose parcel lay behind the dead board
        locker.client.wait_for_door(5, "open")
    block = PAGE.read_text("utf-8").split("```")[1]
    seen = shown(person.clean.replace(str(log), "visit.jsonl"))
    assert seen == block.split("$ consigne console\n", 1)[1].strip(), seen
    saved = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["seq"] for row in saved] == list(range(1, len(saved) + 1))
    acts = [row["action"] for row in saved if row["event"] == "ServiceActed" and row["actor"] == "anne"]
    assert acts == [
        *("login", "selftest", "service on", "selftest doors", "cal 2", "service off"),
        *("module scan", "module replace B driver=cu16 add", "config try"),  # as long as an action may be
        *("login", "config confirm", "selftest", "log export"),
    ]
