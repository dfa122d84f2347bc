"""What `consigne` asks of a gateway, one function a command: read, print as a table or as JSON, or act and wait.

Answers go to stdout and nothing else does; a command raises Failed with its remedy and never prints a traceback.
"""

import json
import os
import time
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import segno

from gateway.limits import PAGE_SIZE_MAX
from tools.client import OK, REFUSED, UNFINISHED, USAGE, Failed, Gateway, Json
from tools.console.login import in_fours
from tools.progress import Progress

BADGE_USAGE = "consigne badge CARRIER HOLDER, or consigne badge HOLDER --technician"
POLL_S = 0.25
OPERATION_WAIT_S = 75.0  # the order runs out after 60 s, and the gateway notices a little later
LOCKER_COLUMNS = ("id", "name", "provisioned", "online", "firmware", "seen_at")
FLEET_COLUMNS = ("id", "firmware", "online", "seen_at", "generation")
COMPARTMENT_COLUMNS = ("number", "module", "size", "availability", "door", "holding", "accessible", "parcel")
PARCEL_COLUMNS = ("id", "label", "carrier", "locker", "size", "state", "compartment", "deadline")


def cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, cast(list[object], value)))
    return str(value)


def table(rows: Iterable[Json], columns: Sequence[str]) -> str:
    """Columns as wide as they need, headings in capitals."""
    lines = [[column.upper() for column in columns], *([cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    padded = ("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def fields(document: Json) -> str:
    width = max(map(len, document))
    return "\n".join(f"{name.ljust(width)}  {cell(value)}".rstrip() for name, value in document.items())


def say(arguments: Namespace, document: Any, text: str) -> int:
    print(json.dumps(document, ensure_ascii=False, indent=2) if arguments.json else text)
    return OK


def word(text: str) -> str:
    """One part of a path, whatever was typed: `..` and `/` lead nowhere else."""
    return quote(text, safe="").replace(".", "%2E")


def rows_of(gateway: Gateway, path: str, what: str, **query: int) -> list[Json]:
    """The whole of a list, which may be long."""
    found: list[Json] = []
    with Progress(f"reading {what}") as progress:
        for row in gateway.pages(path, **query):
            found.append(row)
            progress.note(f"{len(found):,}")
    return found


def list_lockers(arguments: Namespace, gateway: Gateway) -> int:
    found = rows_of(gateway, "/v1/lockers", "lockers")
    return say(arguments, found, table(found, LOCKER_COLUMNS))


def show_locker(arguments: Namespace, gateway: Gateway) -> int:
    locker = gateway.get(f"/v1/lockers/{word(arguments.locker)}")
    doors = list(gateway.pages(f"/v1/lockers/{word(arguments.locker)}/compartments"))
    text = f"{fields(locker)}\n\n{table(doors, COMPARTMENT_COLUMNS)}"
    return say(arguments, {**locker, "compartments": doors}, text)


def greet(arguments: Namespace, gateway: Gateway) -> int:
    """Which language is wanted of it, and which it has; first of all the one that is named, if one is."""
    path = f"/v1/lockers/{word(arguments.locker)}/greeting"
    found = gateway.put(path, {"language": arguments.language}) if arguments.language else gateway.get(path)
    return say(arguments, found, fields(found))


def show_fleet(arguments: Namespace, gateway: Gateway) -> int:
    """As each locker said at its last birth: what it runs now, if it is online."""
    found = sorted(gateway.pages("/v1/lockers"), key=lambda locker: (locker["firmware"] or "", locker["id"]))
    rows: list[Json] = [{column: locker[column] for column in FLEET_COLUMNS} for locker in found]
    versions: dict[str, int] = {}
    for row in rows:
        name = row["firmware"] or "unknown"
        versions[name] = versions.get(name, 0) + 1
    counted = ", ".join(f"{count} of {name}" for name, count in versions.items())
    return say(
        arguments, {"versions": versions, "lockers": rows}, f"{table(rows, FLEET_COLUMNS)}\n{counted or 'no lockers'}"
    )


def answer_console(arguments: Namespace, gateway: Gateway) -> int:
    """What a technician without a network types at the locker's console."""
    body = {"challenge": "".join(arguments.challenge).lower(), "name": arguments.name}
    found = gateway.post(f"/v1/lockers/{word(arguments.locker)}/console-answers", body)
    return say(arguments, found, in_fours(str(found["answer"])))


def list_parcels(arguments: Namespace, gateway: Gateway) -> int:
    found = rows_of(gateway, "/v1/parcels", "parcels", limit=PAGE_SIZE_MAX)
    return say(arguments, found, table(found, PARCEL_COLUMNS))


def show_parcel(arguments: Namespace, gateway: Gateway) -> int:
    parcel = gateway.get(f"/v1/parcels/{word(arguments.parcel)}")
    return say(arguments, parcel, fields(parcel))


def expect_parcel(arguments: Namespace, gateway: Gateway) -> int:
    body: Json = {
        "label": arguments.label,
        "locker": arguments.locker,
        "size": arguments.size,
        "carrier": arguments.carrier,
        "accessible": arguments.accessible,
        "heavy": arguments.heavy,
    }
    named = {"merchant": arguments.merchant, "recipient_ref": arguments.recipient_ref}
    body |= {name: value for name, value in named.items() if value}
    parcel = gateway.post("/v1/parcels", body)
    return say(arguments, parcel, fields(parcel))


def print_slip(arguments: Namespace, gateway: Gateway) -> int:
    """The page goes to a new file that only its owner can read, or to stdout: it opens a door."""
    page = gateway.page(f"/v1/parcels/{word(arguments.parcel)}/slip", language=arguments.language)
    if not arguments.output:
        print(page, end="")
        return OK
    try:
        file = os.open(arguments.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise Failed(f"cannot make {arguments.output}: {type(problem).__name__}", "name a new file", USAGE)
    with open(file, "w", encoding="utf-8") as output:
        output.write(page)
    return OK


def open_door(arguments: Namespace, gateway: Gateway) -> int:
    path = f"/v1/lockers/{word(arguments.locker)}/compartments/{arguments.compartment}/open"
    operation = gateway.post(path, {"reason": arguments.reason})
    operation = wait_for(gateway, operation)
    say(arguments, operation, f"compartment {operation['compartment']} of {operation['locker']}: {operation['state']}")
    if operation["state"] == "failed":
        raise Failed(
            f"the locker did not open it: {operation['error']}",
            "see how it stands: consigne lockers show " + str(operation["locker"]),
            REFUSED,
        )
    return OK


def reissue(arguments: Namespace, gateway: Gateway) -> int:
    body: Json = {"reason": arguments.reason} if arguments.reason else {}
    operation = wait_for(gateway, gateway.post(f"/v1/parcels/{word(arguments.parcel)}/reissue", body))
    if operation["state"] == "failed":
        say(arguments, operation, f"{operation['parcel']}: failed")
        raise Failed(
            f"the locker did not re-issue it: {operation['error']}", " ".join(operation["next_actions"]), REFUSED
        )
    line = f"{operation['parcel']} has another code; the old one and its delegations open nothing any more"
    return say(arguments, operation, f"{line}\nread the new one: GET /v1/parcels/{operation['parcel']}/pickup")


def hand_in_receipt(arguments: Namespace, gateway: Gateway) -> int:
    """The text as it is; digits with what the courier keyed at the locker, in groups or not."""
    said: Json = {"receipt": arguments.receipt}
    if not arguments.receipt.startswith("CR1:"):
        said = {"digits": arguments.receipt.replace(" ", "").replace("-", "")}
        said |= {"locker": arguments.locker, "label": arguments.label, "size": arguments.size}
    parcel = gateway.post("/v1/receipts", said)
    where = f"{parcel['locker']}, compartment {parcel['compartment']}"
    return say(arguments, parcel, f"{parcel['id']} is {parcel['state']} in {where}")


def delegate(arguments: Namespace, gateway: Gateway) -> int:
    """The QR goes to the file that is named, or onto the terminal; --json prints the token too."""
    must_be_new(arguments.svg)
    made = gateway.post(f"/v1/parcels/{word(arguments.parcel)}/delegations", {"name": arguments.name})
    draw(arguments, made)
    return say(arguments, made, f"delegation {made['id']} for {made['name']}, good once until {made['expires_at']}")


def wait_for(gateway: Gateway, operation: Json) -> Json:
    """The operation once its door opened, it is done, or it failed."""
    until = time.monotonic() + OPERATION_WAIT_S
    with Progress(f"waiting for {operation['locker']}, {OPERATION_WAIT_S:.0f} s at most") as progress:
        while operation["state"] in ("waiting", "authorised"):
            if time.monotonic() > until:
                raise Failed(
                    f"{operation['id']} has not ended", "is the locker online? consigne lockers list", UNFINISHED
                )
            progress.note(str(operation["state"]))
            time.sleep(POLL_S)
            operation = gateway.get(f"/v1/operations/{operation['id']}")
    return operation


def issue_badge(arguments: Namespace, gateway: Gateway) -> int:
    """The QR goes to the file that is named, or onto the terminal; --json prints the token too."""
    if arguments.technician == (arguments.carrier is not None):
        raise Failed("a courier's badge names its carrier, a technician's does not", BADGE_USAGE, USAGE)
    must_be_new(arguments.svg)
    body: Json = {"role": "technician" if arguments.technician else "courier", "days": arguments.days}
    named = {"carrier": arguments.carrier, "holder": arguments.holder, "locker": arguments.locker}
    badge = gateway.post("/v1/badges", body | {name: value for name, value in named.items() if value is not None})
    draw(arguments, badge)
    whose = f"{badge['carrier'] or badge['role']}/{badge['holder']}"
    return say(arguments, badge, f"badge {badge['id']} of {whose}, good until {badge['expires_at']}")


def must_be_new(svg: str | None) -> None:
    """Nothing is overwritten; looked at before anything is made."""
    if svg and Path(svg).exists():
        raise Failed(f"{svg} exists", "name a new file", USAGE)


def draw(arguments: Namespace, issued: Json) -> None:
    if arguments.svg:
        try:
            Path(arguments.svg).write_text(issued["qr_svg"], "utf-8")
        except OSError as problem:
            raise Failed(f"cannot write {arguments.svg}: {type(problem).__name__}", "name another file", USAGE)
    if not arguments.json and not arguments.svg:
        segno.make_qr(issued["token"], error="m").terminal(border=4, compact=True)
