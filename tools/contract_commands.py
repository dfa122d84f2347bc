"""`consigne contracts`: which carriers each merchant announces parcels for."""

from argparse import Namespace

from tools.client import Gateway
from tools.commands import fields, rows_of, say, table, word
from tools.key_commands import sure

COLUMNS = ("merchant", "carrier", "since", "waiting")


def list_contracts(arguments: Namespace, gateway: Gateway) -> int:
    found = rows_of(gateway, "/v1/contracts", "contracts")
    return say(arguments, found, table(found, COLUMNS))


def add(arguments: Namespace, gateway: Gateway) -> int:
    made = gateway.post("/v1/contracts", {"merchant": arguments.merchant, "carrier": arguments.carrier})
    return say(arguments, made, fields(made))


def end(arguments: Namespace, gateway: Gateway) -> int:
    sure(arguments, "What this merchant announced for this carrier and nobody has put in yet gets no door any more.")
    left = gateway.delete(f"/v1/contracts/{word(arguments.merchant)}/{word(arguments.carrier)}")
    return say(arguments, left, f"ended; parcels without a door now: {left['waiting']}")
