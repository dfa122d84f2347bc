"""`consigne ca`: the CA that vouches for the broker to the lockers; replaced without cutting any off.

`renew` makes the next one beside it, `bring` writes both onto the locker at this laptop's cable and nothing else,
`switch` signs with the next one. They work on files of this machine; a gateway takes them up at its next start.
"""

import datetime
import hashlib
import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.authority import CA, SERVER, Authority, AuthorityError, certificates, names_of
from gateway.config import ConfigurationError, Settings, data_folder, load
from gateway.key_files import KeyFileError
from gateway.limits import BROKER_CA_SOON_DAYS, BROKER_CERTIFICATE_RENEWED_DAYS
from tools.board_files import BoardFiles
from tools.client import OK, REFUSED, USAGE, Failed, Json
from tools.commands import say, table
from tools.console.ports import choose, open_port, usb_ports
from tools.console.session import Session
from tools.flash import starts
from tools.key_commands import sure
from tools.serial_repl import Repl

COLUMNS = ("file", "id", "days_left", "names")
_LATE_DAYS = BROKER_CERTIFICATE_RENEWED_DAYS - 2  # a running gateway renews it sooner
_RENEW = "consigne ca renew, then bring it to every locker: gateway/README.md, TLS for the lockers"


def add_words(verbs: Any, add_json: Any) -> None:
    folder_help = "the data folder of a gateway on this machine; its CA is in tls/"
    rows = (
        ("show", "certificates of the broker, and how long they hold", show),
        ("renew", "make the next CA, beside the one that signs", renew),
        ("bring", "write both CAs onto the locker at this cable, and nothing else", bring),
        ("switch", "sign with the next CA from now on", switch),
    )
    for name, what, call in rows:
        verb: ArgumentParser = verbs.add_parser(name, help=what)
        verb.add_argument("--folder", metavar="FOLDER", help=folder_help)
        verb.set_defaults(call=call)
        add_json(verb)
        if call is bring:
            verb.add_argument("--port", metavar="PORT", help="its serial port; if only one is there, none")
        if call is switch:
            verb.add_argument("--yes", action="store_true", help="do not ask")


# ------------------------------------------------------------------ looking
def _tls_folder(arguments: Namespace) -> Path:
    folder = (Path(arguments.folder) if arguments.folder else data_folder(os.environ)) / "tls"
    if not folder.is_dir():
        raise Failed(f"there is no CA in {folder}", "set broker_tls and broker_names and start the gateway", USAGE)
    return folder


def _rows(folder: Path, now: datetime.datetime | None = None) -> list[Json]:
    now = now or datetime.datetime.now(datetime.UTC)
    return [
        {
            "file": name,
            "id": _digest(found)[:8],
            "days_left": (found.not_valid_after_utc - now).days,
            "names": names_of(found),
        }
        for name, found in certificates(folder).items()
        if found is not None
    ]


def _digest(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def problem_of(folder: Path, names: tuple[str, ...], now: datetime.datetime | None = None) -> tuple[str, str]:
    """(what is wrong with the certificates there, what to do); "" when nothing is. `names`: what lockers dial."""
    rows = {str(row["file"]): row for row in _rows(folder, now)}
    if CA not in rows:
        return "the CA's certificate is missing", f"restore ca.key and ca.pem in {folder} from their backup"
    if rows[CA]["days_left"] < BROKER_CA_SOON_DAYS:
        return f"the CA holds {rows[CA]['days_left']} days more", _RENEW
    if SERVER not in rows:
        return "the broker has no certificate", "start the gateway: it makes one"
    if rows[SERVER]["days_left"] < _LATE_DAYS:
        said = f"the broker's certificate holds {rows[SERVER]['days_left']} days more"
        return said, "start the gateway, or look at its log: it renews it by itself"
    missing = [name for name in names if name not in rows[SERVER]["names"]]
    if missing:
        return f"the broker's certificate is not for {', '.join(missing)}", "restart the gateway: it makes another"
    return "", f"CA {rows[CA]['days_left']} days, broker {rows[SERVER]['days_left']} days"


def settings_here() -> Settings:
    """Of the gateway on this machine. Raises Failed."""
    try:
        return load((), os.environ)
    except ConfigurationError as wrong:
        raise Failed("; ".join(wrong.problems), "mend consigne.toml", USAGE)


def certificates_here() -> tuple[str, str]:
    """For `consigne doctor`: of the gateway on this machine, if it has a broker behind TLS."""
    settings = settings_here()
    if settings.broker_tls is None:
        return "", "no TLS of our own"
    return problem_of(settings.data / "tls", settings.broker_names)


def show(arguments: Namespace) -> int:
    """Exit code 1 when something should be done."""
    folder = _tls_folder(arguments)
    rows = _rows(folder)
    wrong, remedy = problem_of(folder, ())
    text = "\n".join([table(rows, COLUMNS), *([f"{wrong}: {remedy}"] if wrong else [])])
    say(arguments, {"certificates": rows, "problem": wrong, "remedy": remedy if wrong else ""}, text)
    return REFUSED if wrong else OK


# ------------------------------------------------------------------ replacing it
def _authority(folder: Path) -> Authority:
    try:
        return Authority(folder)
    except (AuthorityError, KeyFileError, OSError) as wrong:
        raise Failed(str(wrong), "look at the folder: consigne ca show", REFUSED)


def renew(arguments: Namespace) -> int:
    folder = _tls_folder(arguments)
    made = _authority(folder).renew()
    first = "the next CA is made" if made else "the next CA is there already"
    text = (
        f"{table(_rows(folder), COLUMNS)}\n{first}; back up {folder}.\nRestart the gateway, so that new lockers get "
        "both; bring it to the others: consigne ca bring, at each. Then: consigne ca switch"
    )
    return say(arguments, {"made": made, "certificates": _rows(folder)}, text)


def bring(arguments: Namespace) -> int:
    """Exit code 1 when the locker does not start again. Parcels, key, and journal stay as they are. A CA that is not
    ours any more goes, once the present one was there before."""
    folder = _tls_folder(arguments)
    trusted = _authority(folder).trusted
    written = {f"/tls/{hashlib.sha256(der).hexdigest()[:8]}.der": der for der in trusted}
    with open_port(arguments.port or choose(usb_ports())) as port:
        with Repl(port) as repl:
            files = BoardFiles(repl)
            if not _dials_with_tls(files):
                raise Failed(
                    "this locker dials without TLS", "provision it again, while it is empty", REFUSED, "no_tls"
                )
            former = [f"/tls/{name}" for name in files.names("/tls")]
            for path, der in written.items():
                files.write(path, der)
            for path in (
                former if next(iter(written)) in former else ()
            ):  # it dials by our CA: the others' time is over
                if path not in written:
                    files.remove(path)
            there = files.names("/tls")
        well = starts(Session(port))
    say(
        arguments,
        {"written": sorted(written), "there": sorted(there), "started": well},
        f"in /tls: {', '.join(there)}",
    )
    if not well:
        raise Failed("the locker does not start", "look at its console: consigne console --raw", REFUSED)
    return OK


def _dials_with_tls(files: BoardFiles) -> bool:
    try:
        return "tls" in json.loads(files.read("/config.json"))["broker"]
    except (Failed, ValueError, KeyError, TypeError):
        return False


def switch(arguments: Namespace) -> int:
    folder = _tls_folder(arguments)
    sure(arguments, "Lockers that were not brought the next CA will say wrong_ca and stay away from the gateway.")
    try:
        _authority(folder).switch()
    except (AuthorityError, KeyFileError, OSError) as wrong:
        raise Failed(str(wrong), "", REFUSED)
    text = f"{table(_rows(folder), COLUMNS)}\nRestart the gateway now: its broker shows the new CA's certificate then."
    return say(arguments, {"certificates": _rows(folder)}, text)
