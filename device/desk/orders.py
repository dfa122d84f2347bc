"""The orders of the console, as a table of text: read where it lies, since a board has no room for it as a dictionary.

One a line: its name, the module that carries it out, flags, and how it is used. `*` needs a login, `-` does not; `~`
takes the rest of the line as it is. CAPITALS are a value, [brackets] may be left out, a|b is one of them. The module
(device/desk, or a full name) has ORDERS: name -> function(desk, words), which answers once by desk.ok or desk.err: at
once, or after the lines for people that it yields, or later, as desk.task. What `help NAME` says is in screens/desk,
under the name. Usage fits 36 columns.
"""

_TABLE = """
answer who - HEX
badge who ~ TOKEN
cal cal - [NUMBER [CYCLES]]
config settings - [try|confirm|cancel]
doors look - [NUMBER]
heap look -
help guide - [ORDER]
journal look -
language act - [fr|en]
log log * [export [FIRST]]
login who - NAME
logout who -
module bolted -~ [scan|add|replace|retire]
net net - [test]
open act * NUMBER
reboot act *
selftest selftest * [doors]
sensors sensors -
service service - [on|off]
status look -
time act - [set UNIX_SECONDS]
"""


def find(name: str) -> "tuple[str, str, str] | None":
    """(module, flags, usage without its name) of an order."""
    start = _TABLE.find("\n" + name + " ") + 1
    if not start or not name or " " in name or "\n" in name:
        return None
    row = _TABLE[start + len(name) + 1 : _TABLE.find("\n", start)].split(" ", 2)
    return row[0], row[1], row[2] if len(row) == 3 else ""


def names() -> "list[str]":
    return [line[: line.find(" ")] for line in _TABLE.strip("\n").split("\n")]


def counts(flags: str, usage: str) -> "tuple[int, int]":
    """How many words it takes behind its name: at least, at most."""
    return len(usage.split("[", 1)[0].split()), 1 if "~" in flags else len(usage.split())
