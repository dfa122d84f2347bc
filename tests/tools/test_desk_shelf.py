"""The desk's modules on a host: gone means gone, as on a board, and what is kept changes nothing."""

import sys

from device.agent.console import load, unload


def test_a_module_that_went_comes_again_as_a_new_one_from_the_same_file():
    unload()
    first = load("editor")
    first.left_behind = True
    assert sys.modules["device.desk.editor"] is first and sys.modules["device.desk"].editor is first
    unload()
    assert "device.desk.editor" not in sys.modules and not hasattr(sys.modules["device.desk"], "editor")
    again = load("editor")
    assert again is not first and not hasattr(again, "left_behind")
    assert again.__file__ == first.__file__ and again.__file__.endswith("device/desk/editor.py")
    assert (again.__package__, type(again.__spec__.loader).__name__) == ("device.desk", "Shelf")


def test_who_is_kept_or_not_named_stays():
    for name in ("editor", "seat"):
        load(name)
    unload(("seat",))
    assert "device.desk.seat" in sys.modules and "device.desk.editor" not in sys.modules
    load("editor")
    unload(names=("device.desk.seat",))
    assert "device.desk.editor" in sys.modules and "device.desk.seat" not in sys.modules
    unload()
    assert not [name for name in sys.modules if name.startswith("device.desk.")]
