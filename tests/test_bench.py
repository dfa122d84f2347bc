"""Every section of the bench runs and says all that it promises; how fast anything is, is no test's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import micropython
from tools.bench.memory import LARGE_KB, cabinet, code_lines, measured
from tools.bench.report import Report, median, percentile
from tools.locker import rom
from tools.locker.controller import ROMFS_SINCE

ROOT = Path(__file__).resolve().parent.parent

# Section -> some of the numbers that people look for in it.
PROMISED = {
    "memory": (
        "code_bytes",
        "verify_path",
        "code_from_py_bytes",
        "agent_bytes",
        "heap_free_14",
        "heap_free_boards_tls",
        "heap_session_boards_tls",
        "heap_free_sensors",
        "heap_session_sensors",
        "code_lines",
        "rom_image_bytes",
    ),
    "latency": ("key_to_pulse_median_ms", "debounce_share", "post_to_pulse_p99_ms", "publish_to_pulse_min_ms"),
    "gateway": (
        "durable_per_s",
        "echo_per_s",
        "durable_to_echo",
        "event_to_command_p50_ms",
        "event_to_command_p99_ms",
    ),
    "round": (
        "scan_to_open_median_s",
        "close_to_screen_median_s",
        "close_to_books_p95_s",
        "machine_p95_s",
        "machine_to_limit",
    ),
    "http": ("allocations_per_s", "empty_page_per_s", "reservation_p99_ms"),
    "drain": ("live_codes", "events", "drain_s", "drain_of_limit", "agree_s", "heap_free"),
    "reconnect": (
        "peak_of_fleet",
        "last_online_s",
        "births_per_s",
        "simulated_10000_300s_peak",
        "simulated_power_peak",
    ),
    "crypto": (
        *("bytecode_verify", "bytecode_faster", "bytecode_churn_kb", "bytecode_room_kb", "viper_verify"),
        *("rfc8032_verify", "verify_path", "typed_code_us", "hmac_us", "hmac_faster", "cbor_decode_us"),
    ),
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.bench", "--quick", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.parametrize("section", sorted(PROMISED))
def test_each_section_runs_and_tells_what_it_promises(section: str):
    done = bench(section)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert any(f"python -m tools.bench {section}" in line for line in lines), "the command to print it again"
    found = json.loads(lines[-1])
    assert set(found) >= {section, "load_average_before", "load_average_after"}
    for name in PROMISED[section]:
        assert name in found[section]
        assert any(line.split()[:1] == [name] for line in lines), f"{name} is in the JSON and not in the table"
    assert found[section].get("orphans", 0) == 0, "a courier's parcel that the books and the hands place differently"
    if section == "memory":
        assert found[section]["heap_session_boards_tls"] > 0, "an order that the largest locker has no heap for"


def test_with_json_nothing_but_one_line_comes_out():
    done = bench("crypto", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["crypto"]
    assert "bytecode_verify" in done.stderr, "the tables are still told, beside"


def test_a_section_that_does_not_exist_is_named():
    done = bench("speed")
    assert done.returncode == 2
    assert "speed" in done.stderr and "gateway" in done.stderr


def test_a_row_is_told_and_kept_under_one_name():
    told: list[str] = []
    report = Report(told.append)
    report.row("events_per_s", 12_345, "events/s", "what it means", "≥ 10,000")
    assert report.fields == {"events_per_s": 12_345}
    assert "12,345" in told[0] and "what it means" in told[0] and "≥ 10,000" in told[0]


def test_the_99th_percentile_is_a_value_that_was_seen():
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 50) == 50.0
    assert percentile(values, 99) == 99.0
    assert percentile([3.0, 1.0, 2.0], 99) == 3.0
    assert median([3.0, 1.0, 2.0]) == 2.0


def test_lines_of_code_are_counted_without_comments_and_docstrings():
    module = '"""A module,\nof two lines."""\n\n# why\nX = (\n    1,  # one\n)\n\n\n'
    function = 'def f():\n    """What."""\n    return X\n'
    assert code_lines(module + function) == 5


def test_a_cabinet_of_any_size_has_a_pin_for_each_of_its_parts():
    for boxes in (14, 48, 100):
        hardware = cabinet(boxes)
        places = [place for module in hardware["modules"] for place in module["compartments"]]
        pins = [pin for place in places for pin in (place["lock"], place["door"])]
        pins += hardware["keypad"]["rows"] + hardware["keypad"]["columns"]
        assert len(places) == boxes and len(set(pins)) == len(pins)


def test_a_board_takes_native_code_from_its_rom_where_words_are_32_bits_wide():
    interpreter = micropython.find()
    built = rom.build(interpreter)
    in_place = interpreter.version >= ROMFS_SINCE
    image = [str(built / "rom.img")] if in_place else []
    found = measured(interpreter, interpreter.heap_options(LARGE_KB), image, built)
    native = in_place and interpreter.native and interpreter.word_bits == rom.VIPER_BITS
    assert found["verify_path"] == ("viper" if native else "bytecode")


def test_an_image_holds_native_code_only_for_a_machine_that_can_run_it():
    for bits, native, there in ((32, "x86", True), (32, "armv6", True), (64, "x64", False), (32, "", False)):
        built = rom.build(micropython.Interpreter(("micropython",), (1, 25), bits, native))
        assert [(built / "compiled" / name).with_suffix(".mpy").exists() for name in rom.VIPER] == [there] * 2
        assert not any((built / "sources" / name).exists() for name in rom.VIPER)
        words = json.loads((built / "names.json").read_text())
        assert (built / "compiled" / words["protocol.ed25519_bytecode"]).with_suffix(".mpy").exists()
