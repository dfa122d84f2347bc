"""What is compiled for a board leaves less in its heap: texts said in passing, classes of nothing but values."""

from device.agent.effects import Pulse
from tools.locker.bare_classes import with_bare_classes
from tools.locker.fewer_names import with_fewer_names
from tools.locker.passing_words import without_passing_words
from tools.locker.rom import RUN_AS_TEXT, TYPING, VIPER, sources
from tools.locker.shared_names import with_own_words

_STAYS = 'def mode(desk):\n    return "service"\n'
_PASSES = '''"""Words."""
FIELDS = {"upshot": 1}


def tell(desk: "Desk") -> "str":
    """Short"""
    said = "service" if desk else "ju\\x73t"
    return said + f"{'inside'} of" + "longer than a name" + "" + "close"
'''


def test_a_short_text_of_a_file_that_goes_again_is_no_name_unless_it_is_one_already() -> None:
    files = {"device/desk/tell.py": _PASSES, "device/panel.py": _STAYS}
    fresh = without_passing_words(files)
    assert fresh["device/panel.py"] == _STAYS
    changed = fresh["device/desk/tell.py"]
    assert [line for line in changed.splitlines() if line not in _PASSES.splitlines()] == [
        'FIELDS = {str(b"upshot", "utf-8"): 1}'
    ]
    was: dict[str, object] = {}
    now: dict[str, object] = {}
    exec(_PASSES, was)
    exec(changed, now)
    assert was["FIELDS"] == now["FIELDS"]
    assert without_passing_words(files, ["device/desk/tell.py"]) == files


def test_a_class_of_nothing_but_values_means_the_same_made_in_one_expression() -> None:
    text = '''from protocol.record import Record


class Pulse(Record):
    """Two fields."""

    FIELDS = ("compartment", "ms")
    compartment: int


class Sum(Pulse):
    FIELDS = (*Pulse.FIELDS, "sum")

    def total(self):
        return self.sum


class Twice(Record):
    ONE = 1
    TWO = ONE + 1
'''
    fresh = with_bare_classes(text)
    assert fresh.count("\n") == text.count("\n") and fresh.count("class ") == 2, fresh
    names: dict[str, type] = {}
    exec(fresh, names)
    made = names["Pulse"](3, 300)
    assert (made.compartment, made.ms, repr(made)) == (3, 300, repr(Pulse(3, 300)))
    assert names["Sum"](1, 2, 3).total() == 3 and names["Pulse"](3, 300) == made


def test_lines_stay_where_they_are_in_all_that_is_flashed() -> None:
    texts = {name: path.read_text() for name, path in sources() if path.suffix == ".py" and name != TYPING}
    untouched = {name for name in texts if name in VIPER or name in RUN_AS_TEXT}
    fewer = without_passing_words(with_fewer_names(texts, untouched)[0], untouched)
    for name, text in fewer.items():
        fresh = with_own_words(text) if name in VIPER else with_bare_classes(text)
        assert fresh.count("\n") == texts[name].count("\n"), name
        compile(fresh, name, "exec")
