"""`consigne provision`: a new locker in one sitting, over the cable to its serial console.

Look at the board, have its key made, write it all, see every door open and shut, wait until the gateway hears it, and
draw its label. Nothing half done counts: /config.json comes last, and without it a board does nothing. So whatever
went wrong, the same command is given again.
"""

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from protocol.keys import console_answer
from tools.board_files import BoardFiles
from tools.client import OK, REFUSED, USAGE, Failed, Gateway, Json, gateway_url
from tools.commands import must_be_new, word
from tools.console.login import leave, log_in
from tools.console.ports import choose, open_port, usb_ports
from tools.console.session import Session
from tools.demo.stack import bundle_of, description
from tools.door_round import see_every_door
from tools.flash import starts
from tools.key_commands import sure
from tools.label import label
from tools.locker.pins import PinError, check
from tools.locker.provision import Bundle, config, flash_files
from tools.serial_repl import Repl

FLASH_FREE_MIN = 640 * 1024  # the journal wants 512 kB, or no deposit is ever taken
_TRIED = ("/config.new", "/config.try", "/config.trial", "/config.no", "/config.begun")  # device/desk/trial.py
ERASED = ("/config.json", *_TRIED, "/key", "/trust", "/tls", "/journal")  # the first is missed by every start
VERSION_MIN = (1, 22)
ONLINE_WAIT_S = 120.0
ORDER_WAIT_S = 20.0
ACTOR = "provision"
EPILOG = """\
BANK is a JSON file that describes the cabinet: id, name, modules with their compartments (number, size, place in mm,
lock and door pins or a lock board's driver and channel), keypad, scanner, display. docs: device/README.md, "Parts" and
"Lock boards"; the demo's two are in tools/locker/cabinets.py.

The Wi-Fi password is asked for, or read from --wifi-password-file: never a flag.
"""


def add_words(parser: ArgumentParser) -> None:
    parser.epilog = f"{parser.epilog}\n\n{EPILOG}"
    parser.add_argument("bank", metavar="BANK", help="JSON file: the locker's id, modules, doors and parts")
    parser.add_argument("--port", metavar="PORT", help="its serial port; if only one is there, none")
    parser.add_argument("--wifi", metavar="SSID", help="its Wi-Fi; without: a cable, or a network of its own")
    parser.add_argument("--wifi-password-file", metavar="FILE")
    parser.add_argument("--broker", metavar="HOST:PORT", help="where it dials, if not where the gateway says")
    parser.add_argument("--ca", metavar="FILE", help="PEM of the CA of a broker that is not the gateway's own")
    parser.add_argument("--no-doors", action="store_true", help="do not open each door once")
    parser.add_argument("--label", metavar="FILE", help="write its label there, as SVG")
    parser.add_argument("--yes", action="store_true", help="do not ask before what is on the board is erased")


def provision_board(arguments: Namespace, gateway: Gateway) -> int:
    """Exit code 1 when a door did not do what it should, or the gateway did not hear it. Raises Failed."""
    bank = _bank(Path(arguments.bank))
    must_be_new(arguments.label)
    authorities = (_authority(arguments.ca),) if arguments.ca else ()
    network = _network(arguments)
    with open_port(arguments.port or choose(usb_ports())) as port:
        with Repl(port) as repl:
            files = BoardFiles(repl)
            _say(f"[1/5] board: {_look(repl, files)}")
            _ask_before_erasing(arguments, files, str(bank["locker"]))
            bundle = _bundle(arguments, _keyed(gateway, bank), authorities)
            host, dialled = bundle.broker
            _say(f"[2/5] key: generation {bundle.generation}; broker: {host}:{dialled}, {_tls(bundle)}")
            written = flash_files(config(bank, bundle, bundle.broker, network), bundle)
            for path in ERASED:
                files.remove(path)
            for path, content in written.items():
                files.write(path, content)
            _say(f"[3/5] written, and read again: {len(written)} files")
        well = _try_out(Session(port), bundle, arguments.no_doors)
    if arguments.label:
        _draw_label(Path(arguments.label), bank, bundle)
    return OK if well else REFUSED


def _tls(bundle: Bundle) -> str:
    return f"TLS for {bundle.server_name}" if bundle.authorities else "without TLS"


def _say(line: str) -> None:
    print(line, flush=True)


# ------------------------------------------------------------------ what is asked for
def _bank(path: Path) -> dict[str, Any]:
    try:
        bank = json.loads(path.read_text("utf-8"))
        check(bank)
        description(bank)
    except OSError as problem:
        raise Failed(f"cannot read {path}: {type(problem).__name__}", "name the cabinet's JSON file", USAGE)
    except PinError as problem:
        raise Failed(str(problem), f"mend {path}", USAGE)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        said = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        raise Failed(f"{path} describes no cabinet: {said}", "see consigne provision --help", USAGE)
    return bank


def _network(arguments: Namespace) -> Mapping[str, str] | None:
    if not arguments.wifi:
        return None
    if not arguments.wifi_password_file:
        return {"ssid": arguments.wifi, "password": getpass(f"Password of the Wi-Fi {arguments.wifi}: ")}
    try:
        password = Path(arguments.wifi_password_file).read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        why = type(problem).__name__
        raise Failed(f"cannot read {arguments.wifi_password_file}: {why}", "name the file with the password", USAGE)
    return {"ssid": arguments.wifi, "password": password}


def _authority(path: str) -> bytes:
    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError) as problem:
        raise Failed(f"{path} is no CA's certificate: {type(problem).__name__}", "name a file in PEM", USAGE)


# ------------------------------------------------------------------ the board
def _look(repl: Repl, files: BoardFiles) -> str:
    """What it is, in words. Raises Failed when a locker cannot run on it."""
    version, machine, memory = repl.run(
        "import sys, gc\ngc.collect()\nprint('.'.join(map(str, sys.implementation[1][:2])))\n"
        "print(sys.platform)\nprint(gc.mem_free() + gc.mem_alloc())"
    ).split()
    if tuple(map(int, version.split("."))) < VERSION_MIN:
        raise Failed(f"MicroPython {version} is too old", "flash 1.22 or newer (esptool)", REFUSED)
    if repl.ask("any([_kind(p + '/device') for p in sys.path])") != "True":
        raise Failed("there is no code of ours on this board", "consigne flash", REFUSED, "no_code")
    free = files.free_bytes()
    if free < FLASH_FREE_MIN and not files.kind("/journal"):
        raise Failed(
            f"{free // 1024} kB of flash are free, and a locker wants {FLASH_FREE_MIN // 1024}",
            "erase what is not ours, or give its file system a larger partition",
            REFUSED,
        )
    return f"MicroPython {version} on {machine}, heap {int(memory) // 1024} kB, flash {free // 1024} kB free"


def _ask_before_erasing(arguments: Namespace, files: BoardFiles, locker: str) -> None:
    if not files.kind("/config.json") and not files.kind("/journal"):
        return
    try:
        former = str(json.loads(files.read("/config.json"))["locker"])
    except (Failed, ValueError, KeyError, TypeError):
        former = "that was half provisioned"
    whose = "this locker" if former == locker else f"a locker {former}"
    erased = "what it knows will be erased, and its codes open nothing any more: fetch what lies inside first."
    sure(arguments, f"This board is {whose}; {erased}")


# ------------------------------------------------------------------ the gateway
def _keyed(gateway: Gateway, bank: Mapping[str, Any]) -> Json:
    """Registered if it is new; each time with a new key."""
    place = f"/v1/lockers/{word(str(bank['locker']))}"
    try:
        gateway.get(place)
    except Failed as failed:
        if failed.code != "unknown_locker":
            raise
        gateway.post("/v1/lockers", description(bank))
    return gateway.post(f"{place}/provisioning", {})


def _bundle(arguments: Namespace, given: Json, authorities: tuple[bytes, ...]) -> Bundle:
    bundle = bundle_of(given)
    if authorities:
        bundle = replace(bundle, authorities=authorities)
    if arguments.broker:
        host, _, port = arguments.broker.rpartition(":")
        if not host or not port.isdecimal():
            raise Failed(f"no address: {arguments.broker}", "say --broker HOST:PORT", USAGE)
        bundle = replace(bundle, broker=(host, int(port)), server_name=bundle.server_name or host)
    if not bundle.broker[0]:
        raise Failed(
            "the gateway does not know by which name lockers reach its broker", "say --broker HOST:PORT", USAGE
        )
    if given["broker"] and given["broker"]["tls"] and not bundle.authorities:
        raise Failed("the broker wants TLS, and its CA is not the gateway's", "name it: --ca FILE", USAGE)
    return bundle


# ------------------------------------------------------------------ trying it out
def _try_out(session: Session, bundle: Bundle, no_doors: bool) -> bool:
    """Whether every door did what it should, and the gateway's broker took the locker in."""
    if not starts(session):
        raise Failed("the locker does not start", "look at its console: consigne console --raw", REFUSED)
    session.wait_s = ORDER_WAIT_S
    well = True
    if not no_doors:
        log_in(session, ACTOR, lambda _locker, asked: console_answer(bundle.key, bytes.fromhex(asked), ACTOR))
        try:
            wrong = see_every_door(session, _say)
        finally:
            leave(session)
        said = f"not as they should be: {', '.join(map(str, wrong))}" if wrong else "every one opened and shut"
        _say(f"[4/5] doors: {said}")
        well = not wrong
    last = _wait_online(session)
    _say(f"[5/5] broker: {'the locker is online' if not last else 'not reached: ' + last}")
    return well and not last


def _wait_online(session: Session) -> str:
    """ "" or the word for what stands in the way."""
    until = time.monotonic() + ONLINE_WAIT_S
    while (facts := session.ask("net"))["state"] != "online":
        if time.monotonic() > until:
            return str(facts["last_error"]) or "no answer"
        time.sleep(0.5)
    return ""


def _draw_label(path: Path, bank: Mapping[str, Any], bundle: Bundle) -> None:
    address = f"{gateway_url().rstrip('/')}/operator/lockers/{bundle.locker}"
    doors = sum(len(module["compartments"]) for module in bank["modules"])
    lines = (f"{doors} casiers · doors · clé n° {bundle.generation} · {time.strftime('%Y-%m-%d')}", address)
    try:
        path.write_text(label(bundle.locker, str(bank["name"]), address, lines), "utf-8")
    except OSError as problem:
        raise Failed(f"cannot write {path}: {type(problem).__name__}", "name another file", USAGE)
    _say(f"label: {path}")
