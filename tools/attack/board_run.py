"""The same siege in a real MicroPython: the board's interpreter, its big numbers and its hashes."""

import json
import tempfile
from pathlib import Path

from tools import micropython
from tools.attack.board.siege import Plan
from tools.attack.board.tickets import Tickets

ROOT = Path(__file__).resolve().parents[2]
HEAP_KB = 8_192  # tokens of a whole siege; what the agent needs is measured elsewhere
SCRIPT = """
import json, sys
from tools.attack.board.siege import Plan, endure
from tools.attack.board.tickets import read_tickets
with open(sys.argv[1]) as file:
    tickets = read_tickets(file.read().split("\\n"))
print(json.dumps(endure(Plan(*[int(word) for word in sys.argv[2:]]), tickets)))
"""


def endure_on_board(plan: Plan, tickets: Tickets) -> dict[str, int | str]:
    """`tickets`: those that the same siege asked for in this interpreter. Raises ScriptError, MicroPythonError."""
    interpreter = micropython.find()
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        file = Path(folder, "tickets")
        file.write_text("\n".join(tickets.to_lines()), encoding="ascii")
        words = ("-c", SCRIPT, file, *plan.values())
        return json.loads(interpreter.run(*words, heap_kb=HEAP_KB, folders=(ROOT, ROOT / "device" / "lib")))
