"""`consigne keys`: make the gateway's keys, look at them, and rotate the signing key. Ids and paths are printed, a
key never is; what exists is never overwritten.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from gateway.config import data_folder
from gateway.key_files import CURRENT, MASTER, NEXT, OLD, KeyFileError, KeyFolder
from gateway.keys import VARIABLES, SigningKey, check_of
from protocol.tokens import key_id
from tools.client import OK, REFUSED, USAGE, Failed, Gateway, Json
from tools.commands import say, table, word

KEY_COLUMNS = ("id", "state", "lockers", "badges", "parcels")
FILE_COLUMNS = ("key", "id", "path", "problem")
_IDS: dict[str, Callable[[bytes], bytes]] = {
    MASTER: lambda secret: check_of(secret)[:4],
    CURRENT: lambda secret: SigningKey(secret).kid,
    NEXT: lambda secret: SigningKey(secret).kid,
    OLD: key_id,
}
_WORDS = {MASTER: "master", CURRENT: "signing", NEXT: "next signing", OLD: "old signing (public)"}


def sure(arguments: Namespace, question: str) -> None:
    """Asks a person; a script has to have said --yes."""
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise Failed(question, "nobody is here to be asked: say --yes", USAGE)
    print(f"{question} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failed("nothing was done", "", REFUSED)


# ------------------------------------------------------------------ files
def _folder(arguments: Namespace) -> KeyFolder:
    data = Path(arguments.folder) if arguments.folder else data_folder(os.environ)
    return KeyFolder(data / "keys")


def _files(folder: KeyFolder) -> list[Json]:
    rows: list[Json] = []
    for name, identify in _IDS.items():
        known, problem = None, None
        try:
            secret = folder.read(name)
            known = None if secret is None else identify(secret).hex()
        except (KeyFileError, OSError) as wrong:
            problem = str(wrong)
        if known is not None or problem is not None:
            rows.append({"key": _WORDS[name], "id": known, "path": str(folder.path / name), "problem": problem})
    return rows


def show(of_gateway: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    def command(arguments: Namespace) -> int:
        return show_files(arguments) if arguments.folder else of_gateway(arguments)

    return command


def show_files(arguments: Namespace) -> int:
    """Exit code 1 when something should be mended."""
    folder = _folder(arguments)
    rows = _files(folder)
    problems = folder.problems()
    text = "\n".join([table(rows, FILE_COLUMNS), *problems])
    say(arguments, {"keys": rows, "problems": problems}, text)
    return REFUSED if problems or any(row["problem"] for row in rows) else OK


def make(arguments: Namespace) -> int:
    folder = _folder(arguments)
    missing = [name for name in (MASTER, CURRENT) if VARIABLES[name] not in os.environ and not folder.has(name)]
    there = [name for name in _IDS if folder.has(name)]
    if arguments.replace_lost:
        sure(arguments, "Every locker will have to be provisioned again, and QR codes and badges be issued again.")
    elif not missing:
        raise Failed("the keys are there; nothing is overwritten", "look at them: consigne keys show --folder …")
    elif there:
        raise Failed(
            f"{' and '.join(missing)} missing beside {', '.join(there)}: lost?",
            "restore it from its backup; only if it is lost for good, say --replace-lost",
        )
    try:
        for name in missing:
            folder.make(name)
        if arguments.replace_lost:
            folder.mark_replaced()
    except (KeyFileError, OSError) as wrong:
        raise Failed(f"cannot make the keys: {wrong}", "name a folder of your own with --folder")
    rows = _files(folder)
    text = f"{table(rows, FILE_COLUMNS[:3])}\nBack up {folder.path} now, apart from the database."
    return say(arguments, {"keys": rows, "made": missing}, text)


# ------------------------------------------------------------------ a running gateway
def _told(arguments: Namespace, document: Json) -> int:
    lines = [table(document["data"], KEY_COLUMNS), f"lockers provisioned: {document['provisioned']}"]
    for name, heading in (("waiting", "waiting"), ("cut_off", "cut off")):
        lines += [f"{heading}: {', '.join(document[name])}"] if document[name] else []
    lines += [f"next: {action}" for action in document["next_actions"]]
    return say(arguments, document, "\n".join(lines))


def show_of_gateway(arguments: Namespace, gateway: Gateway) -> int:
    return _told(arguments, gateway.get("/v1/keys"))


def rotate(arguments: Namespace, gateway: Gateway) -> int:
    return _told(arguments, gateway.post("/v1/keys/rotation", {}))


def promote(arguments: Namespace, gateway: Gateway) -> int:
    late = ", and lockers that do not trust it yet refuse new badges and QR codes" if arguments.force else ""
    sure(arguments, f"The next key will sign, the current one's secret half will be erased{late}.")
    return _told(arguments, gateway.post("/v1/keys/promotion", {"force": arguments.force}))


def drop(arguments: Namespace, gateway: Gateway) -> int:
    """What it signed is counted before it is asked about."""
    known = {key["id"]: key for key in gateway.get("/v1/keys")["data"]}
    key = known.get(arguments.key)
    if key is not None and key["state"] in ("next", "old"):
        signed = f"{key['badges']} badges and the QR codes of up to {key['parcels']} waiting parcels"
        sure(arguments, f"{signed} signed by {arguments.key} will open nothing any more; typed codes will.")
    query = "?force=true" if arguments.force else ""
    dropped = gateway.delete(f"/v1/keys/{word(arguments.key)}{query}")
    text = "\n".join([f"key {dropped['id']} is {dropped['state']}", *dropped["consequences"]])
    return say(arguments, dropped, text)
