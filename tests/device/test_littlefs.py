"""The journal on a real LittleFS, in a real MicroPython, with its power cut wherever it can be cut."""

from on_board import run


def test_no_power_cut_at_any_flash_operation_loses_a_saved_record():
    # Files that were open at the cut complain when they are swept up; the last line is ours.
    words = run("power_cuts.py")[-1].split()
    assert words[0] == "cuts" and int(words[1]) > 100, "the cuts were not where the writes are"
