"""How `consigne` explains itself: every command's help ends with examples, and a wrong word is told the nearest one.

After clig.dev: help on stdout when it is asked for, on stderr when something is missing, and always the next step.
"""

import argparse
import difflib
import sys
import tomllib
from argparse import Action, ArgumentError, ArgumentParser
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from tools.client import USAGE

# The command -> lines that work as they stand, and what each does.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "answer": (("consigne answer mairie-1 anne 3f2a 19bc 0d4e 77a1", "the digits that the technician reads out"),),
    "lockers": (("consigne lockers list", ""), ("consigne lockers show mairie-1", "")),
    "lockers list": (
        ("consigne lockers list", ""),
        ("consigne lockers list --json | jq -r '.[] | select(.online | not) | .id'", "those that are away"),
    ),
    "lockers show": (
        ("consigne lockers show mairie-1", ""),
        ("consigne lockers show mairie-1 --json | jq '.compartments[] | select(.quarantined)'", ""),
    ),
    "lockers greet": (
        ("consigne lockers greet mairie-1 en", "told when it is next connected"),
        ("consigne lockers greet mairie-1", "which is wanted, and which it has"),
    ),
    "parcels": (("consigne parcels list", ""), ("consigne parcels show par_0123456789abc", "")),
    "parcels list": (
        ("consigne parcels list", ""),
        ("consigne parcels list --json | jq '.[] | select(.state == \"expired\")'", "what is to be taken back"),
    ),
    "parcels show": (("consigne parcels show par_0123456789abc", ""),),
    "parcels expect": (
        ("consigne parcels expect 6A12345678901 --locker mairie-1 --size M --carrier colibri", ""),
        ("consigne parcels expect 6A12345678902 --locker mairie-1 --size L --carrier colibri --heavy", ""),
    ),
    "open": (('consigne open mairie-1 4 --reason "door stuck"', "waits until it is open, 75 s at most"),),
    "badge": (
        ("consigne badge colibri staff-17 --svg badge.svg", "a courier's, to print"),
        ("consigne badge anne-3 --technician --locker mairie-1 --days 7", "a technician's, on the terminal"),
    ),
    "slip": (("consigne slip par_0123456789abc --output slip.html", "print it from a browser, on A6"),),
    "keys": (("consigne keys show", ""), ("consigne keys rotate", "the first step of a rotation")),
    "keys show": (
        ("consigne keys show", "how far the lockers have come"),
        ("consigne keys show --folder /mnt/backup", "whether a copy is whole, without a gateway"),
    ),
    "keys make": (("consigne keys make --folder /srv/consigne", "then back them up, apart from the books"),),
    "keys rotate": (("consigne keys rotate", "then wait: consigne keys show"),),
    "keys promote": (("consigne keys promote", "asks first"), ("consigne keys promote --yes", "for scripts")),
    "keys drop": (("consigne keys drop 1a2b3c4d", "says what will open nothing any more, and asks"),),
    "ca": (("consigne ca show", ""), ("consigne ca renew", "the first step of a rotation")),
    "ca show": (("consigne ca show", ""), ("consigne ca show --folder /mnt/backup", "of a copy")),
    "ca renew": (("consigne ca renew", "then bring it to every locker"),),
    "ca bring": (("consigne ca bring", "parcels may be inside"), ("consigne ca bring --port /dev/ttyUSB1", "")),
    "ca switch": (("consigne ca switch", "asks first"), ("consigne ca switch --yes", "for scripts")),
    "delegate": (('consigne delegate par_0123456789abc "Mme Bertin" --svg neighbour.svg', ""),),
    "reissue": (("consigne reissue par_0123456789abc --reason phished", "waits until the locker has it"),),
    "provision": (
        ("consigne provision mairie-1.json --wifi Consignes --label mairie-1.svg", "a new locker, in one sitting"),
        ("consigne provision mairie-1.json --port /dev/ttyUSB1 --no-doors", "without opening each door once"),
    ),
    "flash": (("consigne flash --dry-run", "what would be sent"), ("consigne flash", "safe to break off and repeat")),
    "fleet": (("consigne fleet", ""), ("consigne fleet --json | jq .versions", "how many lockers run which")),
    "contracts": (("consigne contracts list", ""), ("consigne contracts add fleurs colibri", "")),
    "contracts list": (
        ("consigne contracts list", ""),
        ("consigne contracts list --json | jq '.[] | select(.since == null)'", "who announces without one"),
    ),
    "contracts add": (
        ("consigne contracts add fleurs colibri", "fleurs may announce parcels of colibri"),
        ("consigne contracts add fleurs fleurs", "fleurs brings its parcels by itself"),
    ),
    "contracts end": (("consigne contracts end fleurs colibri", "says what becomes of its parcels, and asks"),),
    "receipt": (
        ("consigne receipt CR1:MAIRIE-1:…", "the text of the QR code"),
        ("consigne receipt 004123456781 --locker mairie-1 --label 6A12345678901 --size M", "the digits"),
    ),
    "privacy": (("consigne privacy export par_0123456789abc", ""), ("consigne privacy erase --contact", "")),
    "privacy export": (
        ("consigne privacy export par_0123456789abc", "all that is known of its recipient, as JSON"),
        ("consigne privacy export --contact", "asks for the address: it is in no shell's history"),
    ),
    "privacy erase": (
        ("consigne privacy erase par_0123456789abc", "asks first"),
        ("consigne privacy erase --contact --yes", "every parcel of the address on stdin, for scripts"),
    ),
    "privacy leave": (
        ("consigne privacy leave c-17 --tenant colibri", "keys and badges; asks first"),
        ("consigne privacy leave guichet-2 --yes --json", "of the town's own people, for scripts"),
    ),
    "audit": (("consigne audit check", ""),),
    "audit check": (("consigne audit check", "write its head down, elsewhere"), ("consigne audit check --json", "")),
    "doctor": (("consigne doctor", ""), ("consigne doctor --json | jq '.[] | select(.ok | not)'", "")),
}


def examples_of(command: str) -> str:
    rows = EXAMPLES.get(command, ())
    width = max((len(line) for line, what in rows if what), default=0)
    lines = [f"  {line.ljust(width)}  {what}".rstrip() for line, what in rows]
    return "\n".join(["examples:", *lines]) if lines else ""


class Parser(ArgumentParser):
    """Of `consigne` and of each of its commands, which argparse makes of the same class."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        named.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, **named)
        _, _, command = self.prog.partition(" ")
        self.epilog = self.epilog or examples_of(command)

    def _check_value(self, action: Action, value: Any) -> None:
        """Raises ArgumentError with the word that was meant, if one is near."""
        known = [str(choice) for choice in action.choices or ()]
        if not known or str(value) in known:
            return
        near = difflib.get_close_matches(str(value), known, 1)
        meant = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
        raise ArgumentError(action, f"there is no {value!r}: {meant}")

    def error(self, message: str) -> NoReturn:
        """Wrong usage: what is wrong, and where to read on."""
        print(f"{self.prog}: {message}\n  see: {self.prog} --help", file=sys.stderr)
        sys.exit(USAGE)


def version() -> str:
    """Of what is installed, or of these sources."""
    try:
        return metadata.version("consigne")
    except metadata.PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
