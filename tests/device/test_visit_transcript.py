"""docs/console-visit.md shows a technician's visit; here it is made, at a locker in a real MicroPython."""

import re
from pathlib import Path

from locker_on_table import KEY, NOBODY, deposits
from technician import ROOT, Technician

from protocol.keys import console_answer
from tools.client import OK
from tools.locker.cabinets import mairie
from tools.locker.client import start
from tools.locker.flash import write_files
from tools.locker.provision import Bundle, provision

PAGE = ROOT / "docs" / "console-visit.md"
# What differs from visit to visit -> as the page has it.
VARYING = {
    r"(?<=Challenge  ).*": "3f2a 19bc 0d4e 77a1",
    r"(?<=mairie-1 anne )[0-9a-f]{16}": "3f2a19bc0d4e77a1",
    r"(?<=gives up\): ).*": "a1b2 c3d4 e5f6",
    r"(?<=heap_free     ).*": "21216",
    r"(?<=uptime_s      ).*": "2",
    r"(?<=link          ).*": "waiting",
    r"(?<=\nfree   ).*": "15611",
}


def shown(screen: str) -> str:
    text = screen.replace("\r", "")
    for varying, fixed in VARYING.items():
        text = re.sub(varying, fixed, text)
    return text.strip()


def test_the_page_shows_a_visit_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "locker"
    provision(folder, mairie("mairie-1"), Bundle("mairie-1", 1, KEY, NOBODY))
    write_files(folder / "flash.img", deposits(folder, list(range(1, 15)), [3, 5]))
    alone = {"CONSIGNE_DATA": str(tmp_path / "no gateway here")}
    with start(folder) as locker, Technician(locker.console, columns=72, rows=60, environment=alone) as person:
        person.sees("mairie-1> ")
        person.types("login anne\r")
        person.sees("mairie-1 anne ")
        challenge = person.sees("gives up): ").split()[0]
        person.types(f"{console_answer(KEY, bytes.fromhex(challenge), 'anne')}\r")
        for order in ("status", "doors", "selftest", "open 3", "wait door 3 open", "journal", "logout"):
            person.sees("# ")
            person.types(f"{order}\r")
        person.sees("mairie-1> ")
        person.types("exit\r")
        assert person.ends() == OK
    block = PAGE.read_text("utf-8").split("```")[1]
    assert shown(person.clean) == block.split("$ consigne console\n", 1)[1].strip()
