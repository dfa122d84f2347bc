"""What checking signatures, codes and messages costs in a real MicroPython, as ratios to a sum that every
interpreter does alike: 1,000 products of 255-bit numbers modulo 2**255 - 19."""

import json
import subprocess
from pathlib import Path

from tools import micropython
from tools.bench import town
from tools.bench.counts import Counts
from tools.bench.report import Report

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "board" / "crypto.py"
HEAP_KB = 160
CHURN_KB = 8_000  # nothing is collected while it is counted, and the reference makes a lot of garbage
MESSAGE = bytes(range(120))  # with R and A: two blocks of SHA-512
CHURN_GOAL_KB = 850
VERIFY_GOAL = 1.5
# Name in the script -> what it is.
SMALL = {
    "typed_code": "a typed code from (compartment, deposit)",
    "hmac": "HMAC-SHA-256 of 120 bytes, pads kept",
    "cbor_encode": "a journal record, checked and encoded",
    "cbor_decode": "the same decoded, strictly, to a message",
}


def run(report: Report, counts: Counts) -> None:
    report.heading("crypto", "bytecode in real MicroPython, as ratios to 1,000 products modulo 2**255 - 19")
    interpreter = micropython.find()
    times = _asked(interpreter, "times", counts.repeats, HEAP_KB)
    churn = _asked(interpreter, "churn", 1, CHURN_KB)
    report.note(f"The best of {counts.repeats} rounds in one process: what else runs here only ever adds.")
    report.row("mulmods_us", round(min(times["mulmods"])), "µs", "1,000 products: the measure of the others")
    ratio = _ratio(times, "verify", "mulmods")
    report.row("ed25519_verify", round(ratio, 2), "×", "one signature checked, all of it", f"≤ {VERIFY_GOAL}")
    report.row("of_it_sha512", round(_ratio(times, "sha512", "mulmods"), 2), "×", "of which SHA-512 of 184 bytes")
    reference = _ratio(times, "reference", "mulmods")
    report.row("rfc8032_verify", round(reference, 2), "×", "the same by the algorithm of RFC 8032, section 6")
    report.row("verify_faster", round(_ratio(times, "reference", "verify"), 1), "times", "ours is faster than that")
    churned_kb = round(churn["verify"][0] / 1000)
    report.row("verify_churn_kb", churned_kb, "kB", "garbage that one verification makes", f"≤ {CHURN_GOAL_KB}")
    report.row("rfc8032_churn_kb", round(churn["reference"][0] / 1000), "kB", "garbage that the reference makes")
    for name, meaning in SMALL.items():
        report.row(f"{name}_us", round(min(times[name]), 1), "µs", meaning)
        report.row(
            f"{name}_ratio",
            round(_ratio(times, name, "mulmods") * 1000, 1),
            "‰",
            "the same, in thousandths of the 1,000 products",
        )


def _ratio(times: dict[str, list[float]], part: str, whole: str) -> float:
    return min(times[part]) / min(times[whole])


def _asked(interpreter: micropython.Interpreter, mode: str, repeats: int, heap_kb: int) -> dict[str, list[float]]:
    keys = town.keys()
    table = keys.trusted[keys.kid]
    done = subprocess.run(
        [*interpreter.command, *interpreter.heap_options(heap_kb), str(SCRIPT), mode, str(repeats)],
        input=f"{table.hex()}\n{MESSAGE.hex()}\n{keys.sign(MESSAGE).hex()}\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=interpreter.environment(SCRIPT.parent, ROOT, ROOT / "device" / "lib"),
    )
    if done.returncode:
        raise OSError(f"{SCRIPT.name}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)
