"""A large locker full of parcels has room for a technician: every order answers, and nothing restarts."""

from pathlib import Path
from typing import Any

import pytest
from locker_on_table import KEY, NOBODY, code_of, deposits

from protocol.keys import console_answer
from tools.console import Session, open_port
from tools.locker import cabinets
from tools.locker.client import start
from tools.locker.flash import write_files
from tools.locker.provision import Bundle, provision

DOORS = range(1, 49)
ORDERS = ("module", "module scan", "selftest", "module", "doors", "config", "heap")
MORE_ORDERS = ("help", "cal", "service", "net", "log export", "help cal")
NAMES_STEP = 2_500  # bytes: the table of names takes 4,500 more of the heap, for ever, once a session fills it


@pytest.mark.parametrize("hardware", [cabinets.gare("gare-1"), cabinets.mixed("gare-1")], ids=["pins", "boards"])
def test_a_technician_at_a_full_locker_is_answered_and_the_locker_goes_on(
    tmp_path: Path, hardware: dict[str, Any]
) -> None:
    place = tmp_path / "locker"
    provision(place, hardware, Bundle("gare-1", 1, KEY, NOBODY))
    write_files(place / "flash.img", deposits(place, list(DOORS), list(DOORS)))
    with start(place) as locker, open_port(locker.console) as port:
        session = Session(port, wait_s=30)
        challenge = session.ask("login anne")["challenge"]
        session.ask("answer " + console_answer(KEY, bytes.fromhex(challenge), "anne"))
        boot = session.ask("status")["boot"]
        said = [session.order(order) for order in ORDERS]
        assert all(word.startswith(("OK ", "ERR bad_value there are 0 buses")) for word in said), said
        assert '"D":{"board":"gpio","doors":"36-48","state":"ok"}' in said[0], said
        free = int(session.ask("heap")["free"])
        assert all(session.order(order).startswith("OK ") for order in MORE_ORDERS)
        assert free - int(session.ask("heap")["free"]) < NAMES_STEP, "a session fills the table of names"
        after = session.ask("status")
        assert (after["boot"], session.actor) == (boot, "anne")
        locker.client.keys(code_of(48))
        locker.client.wait_for_door(48, "open")
    assert not (place / "locker.log").read_text()
