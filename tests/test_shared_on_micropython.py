"""Every file of tests/shared passes in a real MicroPython too; CPython runs them as ordinary tests."""

from pathlib import Path

import pytest

from tools import micropython, run_shared


@pytest.fixture(scope="session")
def interpreter() -> micropython.Interpreter:
    return micropython.find()


@pytest.mark.parametrize("file", run_shared.shared_files(), ids=lambda file: file.name)
def test_a_shared_file_passes_in_micropython(interpreter: micropython.Interpreter, file: Path):
    outcome = run_shared.run_file(interpreter, file)
    assert not outcome.trouble, outcome.trouble


def test_a_failing_test_is_reported_with_its_line(interpreter: micropython.Interpreter, tmp_path: Path):
    file = tmp_path / "test_wrong.py"
    file.write_text("def test_right():\n    assert True\n\n\ndef test_wrong():\n    assert 1 == 2\n")
    outcome = run_shared.run_file(interpreter, file)
    assert outcome.passed == ["test_right"]
    assert "line 6, in test_wrong" in outcome.trouble


def test_a_file_without_tests_or_one_that_ends_the_interpreter_is_trouble(
    interpreter: micropython.Interpreter, tmp_path: Path
):
    (tmp_path / "test_empty.py").write_text("")
    assert run_shared.run_file(interpreter, tmp_path / "test_empty.py").trouble
    (tmp_path / "test_crash.py").write_text("def test_one():\n    import nowhere\n\n\nimport sys\nsys.exit(3)\n")
    assert run_shared.run_file(interpreter, tmp_path / "test_crash.py").trouble


def test_the_interpreter_is_what_it_says(interpreter: micropython.Interpreter):
    assert interpreter.version >= micropython.OLDEST
    assert interpreter.word_bits in {32, 64}
    again = micropython.probe(interpreter.command)
    assert again == interpreter


def test_a_heap_is_scaled_on_64_bits():
    narrow = micropython.Interpreter(("micropython",), (1, 25), 32)
    wide = micropython.Interpreter(("micropython",), (1, 25), 64)
    assert narrow.heap_options(110) == ["-X", "heapsize=110k"]
    assert wide.heap_options(110) == ["-X", "heapsize=182k"]


def test_a_program_that_is_no_micropython_is_not_taken():
    assert micropython.probe(("/bin/false",)) is None
    assert micropython.probe(("/no/such/program",)) is None
    assert micropython.probe(("/bin/echo", "micropython 1 1 32 1")) is None
