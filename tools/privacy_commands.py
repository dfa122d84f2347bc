"""`consigne privacy` and `consigne audit`: what is known of a recipient, its erasure, who leaves, the chain of acts.

An address is asked for, or read from stdin, and never an argument: those stand in a shell's history.
"""

import json
import sys
from argparse import Namespace

from tools.client import OK, REFUSED, USAGE, Failed, Gateway, Json
from tools.commands import fields, say, table, word
from tools.key_commands import sure

ERASURE_COLUMNS = ("parcel", "state", "asked_at", "erased_at", "done_at")
WRONG_COLUMNS = ("act", "what", "meaning")


def _whom(arguments: Namespace) -> Json:
    """What the API takes: a parcel, or what was typed after --contact."""
    if bool(arguments.parcel) == arguments.contact:
        raise Failed("whose data?", "name a parcel, or say --contact and type the address", USAGE)
    if not arguments.contact:
        return {"parcel": arguments.parcel}
    if sys.stdin.isatty():
        print("mail address or telephone number: ", end="", file=sys.stderr, flush=True)
    contact = sys.stdin.readline().strip()
    if not contact:
        raise Failed("no address", "type it, or send it on stdin", USAGE)
    return {"mail" if "@" in contact else "phone": contact}


def export(arguments: Namespace, gateway: Gateway) -> int:
    whom = _whom(arguments)
    parcels = [whom["parcel"]] if "parcel" in whom else gateway.post("/v1/privacy/lookups", whom)["data"]
    known = [gateway.get(f"/v1/privacy/parcels/{word(parcel)}") for parcel in parcels]
    print(json.dumps({"parcels": known}, ensure_ascii=False, indent=2))
    return OK


def erase(arguments: Namespace, gateway: Gateway) -> int:
    whom = _whom(arguments)
    sure(arguments, "What is erased cannot be brought back.")
    made = gateway.post("/v1/privacy/erasures", whom)["data"]
    text = table(made, ERASURE_COLUMNS) if made else "nothing is known of that address"
    return say(arguments, {"erasures": made}, text)


def leave(arguments: Namespace, gateway: Gateway) -> int:
    sure(arguments, "Every key and badge of that name stops working, and stays so.")
    made = gateway.post("/v1/departures", {"name": arguments.name, "tenant": arguments.tenant})
    lists = {name: ", ".join(made[name]) or "none" for name in ("credentials", "badges")}
    return say(arguments, made, fields({**made, **lists}))


def check_acts(arguments: Namespace, gateway: Gateway) -> int:
    found = gateway.get("/v1/privacy/audit")
    wrong: list[Json] = found["wrong"]
    shown = {name: value for name, value in found.items() if name != "wrong"}
    say(arguments, found, "\n".join([fields(shown), *([table(wrong, WRONG_COLUMNS)] if wrong else [])]))
    return REFUSED if wrong else OK
