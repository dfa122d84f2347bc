"""What is compiled for a board says the same with fewer names."""

from tools.locker.fewer_names import keywords, with_fewer_names
from tools.locker.rom import SOURCES

_SMALL = """from typing import TYPE_CHECKING

from protocol.limits import PULSE_MS, PULSE_MS_MAX
from protocol.numbers import DEPOSITING as FILLING
from protocol.numbers import DOOR_STATES, HELD

if TYPE_CHECKING:
    from typing import Any

_TOLD_MS = 8 * 1_000
_OPEN, _SHUT = 1, 2


class Panel:
    def __init__(self, now: "Any") -> None:
        self._until = now + _TOLD_MS

    def _say(self) -> str:
        return f"{self._until} {PULSE_MS} {_OPEN} {HELD} {DOOR_STATES[_SHUT]} {FILLING}"


def told(now: int) -> str:
    return Panel(now)._say()
"""


def _run(text: str) -> str:
    names: dict[str, object] = {}
    exec(compile(text, "small.py", "exec"), names)
    told = names["told"]
    assert callable(told)
    return str(told(5))


def test_a_file_says_the_same_with_fewer_names() -> None:
    short = with_fewer_names("small.py", _SMALL)
    assert _run(short) == _run(_SMALL) == "8005 300 1 2 opening 1"
    for gone in ("_until", "_say", "PULSE_MS", "_TOLD_MS", "HELD", "Any\n", "FILLING"):
        assert gone not in short, gone
    assert "DOOR_STATES" in short, "a row of words is no number"


def test_parameters_are_renamed_unless_a_call_or_anything_else_of_the_file_says_their_name() -> None:
    text = (
        "import wing\n"
        "class Box:\n"
        "    depth_of_it = 3\n"
        "    def swap(self, other_one, depth_of_it, wing, *, kept=1):\n"
        "        said = f'{other_one + 1} {self.depth_of_it}'\n"
        "        return said, [other_one for _ in (1,)], lambda other_one: other_one, kept\n"
        "def swap_all(unheard_of):\n"
        "    return Box().swap(unheard_of, 1, 2)[0]\n"
    )
    short = with_fewer_names("small.py", text)
    assert "other_one" not in short and "unheard_of" not in short
    for stays in ("def swap(self,", "depth_of_it", "wing", "kept=1", "def swap_all("):
        assert stays in short, stays
    names: dict[str, object] = {"__name__": "small"}
    exec(short.replace("import wing\n", ""), names)
    swap_all = names["swap_all"]
    assert callable(swap_all) and swap_all(4) == "5 3"
    assert {"period", "server_hostname"} <= keywords(), "what calls name is known"


def test_lines_stay_where_they_are_so_that_a_traceback_names_the_right_one() -> None:
    for path in sorted((SOURCES / "device" / "agent").glob("*.py")):
        text = path.read_text()
        short = with_fewer_names(f"device/agent/{path.name}", text)
        assert short.count("\n") == text.count("\n"), path.name
        compile(short, path.name, "exec")
        for line, (one, other) in enumerate(zip(text.splitlines(), short.splitlines(), strict=True), start=1):
            if one.lstrip().startswith(("def ", "class ")) and "_" not in one.split("(")[0].split()[1]:
                assert one.split("(")[0] == other.split("(")[0], (path.name, line)
