"""What checking signatures, codes and messages costs in a real MicroPython, as ratios to a sum that every
interpreter does alike: 1,000 products of 255-bit numbers modulo 2**255 - 19."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import micropython
from tools.bench import town
from tools.bench.counts import Counts
from tools.bench.report import Report
from tools.locker.rom import VIPER_BITS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "board" / "crypto.py"
# Nothing is collected while times are taken and garbage is counted: the script and all that it compares are compiled
# into this heap, as no board's code is, and walking through them again and again would blur the ratios.
HEAP_KB = 8_000
ROOM_KB = 160  # what is filled up until little is free
MESSAGE = bytes(range(120))  # with R and A: two blocks of SHA-512
# Path -> what one verification may take at most, in 1,000 products, and make of garbage.
GOALS = {"bytecode": (1.5, 850), "viper": (0.6, 50)}
FASTER_GOAL = 9
HMAC_GOAL = 3
ROOMS_KB = (40, 32, 24, 20, 16, 12, 8, 6, 4)
ROOM_GOAL_KB = ROOMS_KB[0]
# Name in the script -> what it is.
HMAC = "HMAC-SHA-256 of 120 bytes, than as micropython-lib does it"
SMALL = {
    "typed_code": "a typed code from (compartment, deposit)",
    "hmac": "HMAC-SHA-256 of 120 bytes, pads kept",
    "cbor_encode": "a journal record, checked and encoded",
    "cbor_decode": "the same decoded, strictly, to a message",
}


@dataclass(frozen=True)
class Answer:
    """What the script said; times in microseconds."""

    found: dict[str, list[float]]
    path: str

    def ratio(self, part: str, whole: str) -> float:
        return min(self.found[part]) / min(self.found[whole])


def run(report: Report, counts: Counts) -> None:
    report.heading("crypto", "real MicroPython, as ratios to 1,000 products modulo 2**255 - 19")
    interpreter = micropython.find()
    times = _asked(interpreter, HEAP_KB, "times", counts.repeats)
    churn = _asked(interpreter, HEAP_KB, "churn", 1)
    report.note(
        f"The best of {counts.repeats} rounds in one process: what else runs here only ever adds, most to what takes "
        "longest, which is the peers: trust `faster` on a quiet machine."
    )
    report.row("mulmods_us", round(min(times.found["mulmods"])), "µs", "1,000 products: the measure of the others")
    report.row("interpreter_bits", interpreter.word_bits, "bits", "of a word in this MicroPython")
    report.row("verify_path", times.path, "", "the way that `verify` takes here (protocol.paths)")
    _peers(report, times, churn)
    for path in GOALS:
        if f"verify_{path}" in times.found:
            _verification(report, path, times, churn, _least_room(interpreter, path))
        else:
            wide = interpreter.word_bits > VIPER_BITS
            why = f"words of {interpreter.word_bits} bits" if wide else "an interpreter that runs no native code"
            report.row(f"{path}_verify", "not here", "", why, f"≤ {GOALS[path][0]}")
    report.row("hmac_faster", round(times.ratio("reference_hmac", "hmac"), 1), "times", HMAC, f"≥ {HMAC_GOAL}")
    for name, meaning in SMALL.items():
        report.row(f"{name}_us", round(min(times.found[name]), 1), "µs", meaning)
        ratio = round(times.ratio(name, "mulmods") * 1000, 1)
        report.row(f"{name}_ratio", ratio, "‰", "the same, in thousandths of the 1,000 products")


def _peers(report: Report, times: Answer, churn: Answer) -> None:
    whole, part = times.ratio("reference", "mulmods"), times.ratio("reference_sha512", "mulmods")
    report.row("rfc8032_verify", round(whole, 2), "×", "a signature checked as RFC 8032, section 6, writes it")
    report.row("rfc8032_sha512", round(part, 2), "×", "of which SHA-512 of 184 bytes, as FIPS 180-4 writes it")
    report.row("rfc8032_churn_kb", round(churn.found["reference"][0] / 1000), "kB", "garbage that it makes")


def _verification(report: Report, path: str, times: Answer, churn: Answer, room_kb: int) -> None:
    goal, churn_goal_kb = GOALS[path]
    name = f"verify_{path}"
    ratio, faster = times.ratio(name, "mulmods"), times.ratio("reference", name)
    report.row(f"{path}_verify", round(ratio, 2), "×", f"one signature checked in {path}, all of it", f"≤ {goal}")
    report.row(f"{path}_sha512", round(times.ratio(f"sha512_{path}", "mulmods"), 3), "×", "of which SHA-512")
    report.row(f"{path}_faster", round(faster, 1), "times", "than RFC 8032, section 6", f"≥ {FASTER_GOAL}")
    churned_kb = round(churn.found[name][0] / 1000)
    report.row(f"{path}_churn_kb", churned_kb, "kB", "garbage that one verification makes", f"≤ {churn_goal_kb}")
    report.row(f"{path}_room_kb", room_kb, "kB", "of free heap in which it works", f"≤ {ROOM_GOAL_KB}")


def _least_room(interpreter: micropython.Interpreter, path: str) -> int:
    """The smallest heap of ROOMS_KB that `path` verifies in; the first must do."""
    least = 0
    for kilobytes in ROOMS_KB:
        try:
            answer = _asked(interpreter, ROOM_KB, "room", path, kilobytes)
        except HeapTooSmallError:
            break
        assert answer.found["free"][0] <= kilobytes * 1000
        least = kilobytes
    if not least:
        raise OSError(f"{path} does not verify in {ROOMS_KB[0]} kB")
    return least


class HeapTooSmallError(Exception):
    """The script ran out of heap."""


def _asked(interpreter: micropython.Interpreter, heap_kb: int, *words: str | int) -> Answer:
    keys = town.keys()
    table = keys.trusted[keys.kid]
    done = subprocess.run(
        [*interpreter.command, *interpreter.heap_options(heap_kb), str(SCRIPT), *map(str, words)],
        input=f"{table.hex()}\n{MESSAGE.hex()}\n{keys.sign(MESSAGE).hex()}\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=interpreter.environment(SCRIPT.parent, ROOT, ROOT / "device" / "lib"),
    )
    if "MemoryError" in done.stderr and words[0] == "room":
        raise HeapTooSmallError
    if done.returncode:
        raise OSError(f"{SCRIPT.name}: {done.stdout}{done.stderr}")
    return Answer(**json.loads(done.stdout))
