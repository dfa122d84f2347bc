"""Settings, read once at start: built-in value < consigne.toml < CONSIGNE_* in the environment < flag.

Loud: every wrong or unknown setting is named, all at once, and nothing starts. No other file reads the
environment or a flag.
"""

import dataclasses
import ipaddress
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address as MailAddress
from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.limits import BROKER_NAMES_MAX, HOST_SIZE_MAX, KEY_REQUESTS_PER_S, PUBLIC_URL_SIZE_MAX

FILE_NAME = "consigne.toml"
_HOST = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)
_PREFIX = "CONSIGNE_"
# Variables with our prefix that are not settings of the gateway: they belong to the tools.
OTHER_VARIABLES = frozenset(
    (
        "CACHE",
        "CHROMIUM",
        "CONFIG",
        "DATA",
        "KEY",
        "KEY_FILE",
        "MASTER_KEY",
        "MICROPYTHON",
        "NEXT_SIGNING_KEY",
        "PYTHON",
        "SIGNING_KEY",
        "URL",
    )
)


class ConfigurationError(Exception):
    """`problems`: every one that was found, in words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Address:
    """Where something listens; user and password only for a broker that is not ours, the user for a mail server."""

    host: str
    port: int
    user: str = ""
    password: str = dataclasses.field(default="", repr=False)
    tls: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)


@dataclass(frozen=True)
class Settings:
    data: Path
    http: Address = Address("127.0.0.1", 8420)
    broker: Address | None = None  # None: our own Mosquitto
    broker_listen: Address = Address("127.0.0.1", 0)  # of our own; port 0: a free one, kept for the next start
    broker_tls: Address | None = None  # of our own, for lockers, behind TLS; port 0 as above
    broker_names: tuple[str, ...] = ()  # what lockers may call it; they dial the first
    database: str = ""  # "": consigne.db in the data folder
    mosquitto: str = ""  # "": found on PATH, or unpacked
    log: str = "plain"
    public_url: str = ""  # where people reach the pages, without a slash at its end; "": where we listen
    pickup_days: int = 7  # from deposit to expiry
    reservation_minutes: int = 24 * 60  # how long a compartment is kept for a parcel that does not come
    requests_per_second: int = KEY_REQUESTS_PER_S  # of one key of the API, on average
    webhooks_allow_private: bool = False  # receivers in our own network, also over http: on-premises and in tests
    mail_from: str = ""
    smtp: Address | None = None  # tls: from the first byte; else STARTTLS, on this machine none
    smtp_password_file: Path | None = None
    sms_url: str = ""
    sms_headers_file: Path | None = None
    sms_body: str = ""

    @property
    def database_path(self) -> Path:
        return Path(self.database) if self.database else self.data / "consigne.db"

    @property
    def channels(self) -> tuple[str, ...]:
        """By which recipients can be told something."""
        mail = ("mail",) if self.smtp is not None and self.mail_from else ()
        return mail + (("sms",) if self.sms_url and self.sms_body else ())

    @staticmethod
    def default(data: Path) -> "Settings":
        return Settings(data)


@dataclass(frozen=True)
class Field:
    """How one setting is read. `parse` raises ValueError with what it wanted."""

    parse: Callable[[str], Any]
    purpose: str


def _address(text: str) -> Address:
    parts = urlsplit(text if "//" in text else f"//{text}")
    wanted = f"HOST:PORT, not {parts.hostname or ''}"
    try:
        port = parts.port
    except ValueError:
        raise ValueError(wanted)
    if not parts.hostname or port is None or parts.path not in ("", "/") or parts.query:
        raise ValueError(wanted)
    if parts.scheme not in ("", "mqtt", "mqtts", "http"):
        raise ValueError("mqtt://HOST:PORT or mqtts://HOST:PORT")
    return Address(parts.hostname, port, parts.username or "", parts.password or "", parts.scheme == "mqtts")


def is_loopback(host: str) -> bool:
    """This machine: what goes there crosses no wire."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host_names(text: str) -> tuple[str, ...]:
    names = tuple(text.replace(",", " ").split())
    fit = all(len(name) <= HOST_SIZE_MAX and _HOST.fullmatch(name) for name in names)
    if not fit or not 0 < len(names) <= BROKER_NAMES_MAX or len(set(names)) < len(names):
        raise ValueError(f"1 to {BROKER_NAMES_MAX} host names or IPv4 addresses of {HOST_SIZE_MAX} letters at most")
    return names


def _mail_server(text: str) -> Address:
    parts = urlsplit(text)
    wanted = "smtp://[USER@]HOST:PORT or smtps://[USER@]HOST:PORT"
    try:
        port = parts.port
    except ValueError:
        raise ValueError(wanted)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port is None or parts.path not in ("", "/"):
        raise ValueError(wanted)
    if parts.password is not None:
        raise ValueError(f"{wanted}; the password in a file, named by smtp_password_file")
    return Address(parts.hostname, port, unquote(parts.username or ""), tls=parts.scheme == "smtps")


def _web_address(text: str) -> str:
    """https, because it carries what opens doors; on this machine http will do."""
    parts = urlsplit(text)
    try:
        known = bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not known or not safe or parts.username is not None or parts.fragment or not text.isprintable():
        raise ValueError("https://HOST… (http:// on this machine only), without user and password")
    return text


def _public_url(text: str) -> str:
    url = _web_address(text).rstrip("/")
    if urlsplit(url).query or len(url) > PUBLIC_URL_SIZE_MAX:
        raise ValueError(f"an address of {PUBLIC_URL_SIZE_MAX} characters at most, to which /p/… can be added")
    return url


def _mail_from(text: str) -> str:
    found = getaddresses([text])
    name, address = found[0] if len(found) == 1 else ("", "")
    try:
        domain = MailAddress(name, addr_spec=address).domain
    except (ValueError, IndexError):
        domain = ""
    if not domain or not text.isprintable() or not address.isascii():
        raise ValueError("NAME@DOMAIN, or Words <NAME@DOMAIN>")
    return text


def _sms_body(text: str) -> str:
    try:
        template = json.loads(text)
    except ValueError:
        template = None
    if not isinstance(template, dict) or "{to}" not in text or "{text}" not in text:
        raise ValueError('a JSON object with {to} and {text} in it, like {"to": "{to}", "message": "{text}"}')
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(" or ".join(words))
        return text

    return parse


def _yes_or_no(text: str) -> bool:
    return _one_of("yes", "no")(text) == "yes"


FIELDS: Mapping[str, Field] = {
    "data": Field(Path, "folder of everything that is kept: database, keys, broker"),
    "http": Field(_address, "where the HTTP API listens (port 0: a free one)"),
    "broker": Field(_address, "an MQTT broker to use in place of our own: mqtt://[user:password@]host:port"),
    "broker_listen": Field(_address, "where our own Mosquitto listens (port 0: a free one)"),
    "broker_tls": Field(_address, "where it listens for lockers, behind TLS; broker_listen is then for us alone"),
    "broker_names": Field(_host_names, "host names and IPv4 addresses of it, the first is what lockers dial"),
    "database": Field(str, "path of the SQLite file"),
    "mosquitto": Field(str, "the mosquitto program to run (else: on PATH, or the system's package unpacked)"),
    "log": Field(_one_of("plain", "json"), "form of the log lines on stderr: plain or json"),
    "pickup_days": Field(_whole(1, 60), "days from deposit to expiry"),
    "reservation_minutes": Field(_whole(1, 60 * 24 * 14), "how long a compartment waits for its parcel"),
    "webhooks_allow_private": Field(_yes_or_no, "webhooks may lead into our own network, and be http: yes or no"),
    "requests_per_second": Field(
        _whole(1, 1_000_000), "of one API key, on average; what is over is answered 429 with Retry-After"
    ),
    "public_url": Field(
        _public_url, "what people reach us by: links in letters begin with it (else: the HTTP address)"
    ),
    "mail_from": Field(_mail_from, "who letters come from: Words <NAME@DOMAIN>"),
    "smtp": Field(_mail_server, "the mail server that takes our letters: smtp://[user@]host:port, or smtps://"),
    "smtp_password_file": Field(Path, "file with its password, for its owner's eyes only"),
    "sms_url": Field(_web_address, "where text messages are POSTed to"),
    "sms_headers_file": Field(Path, "file with lines NAME: VALUE for that POST, for its owner's eyes only"),
    "sms_body": Field(_sms_body, 'the JSON for it: {"to": "{to}", "message": "{text}"}'),
}


GO_TOGETHER = (
    ("broker_tls", "broker_names"),
    ("broker_names", "broker_tls"),
    ("smtp", "mail_from"),
    ("mail_from", "smtp"),
    ("smtp_password_file", "smtp"),
    ("sms_url", "sms_body"),
    ("sms_body", "sms_url"),
    ("sms_headers_file", "sms_url"),
)


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where data lives unless told otherwise."""
    given = environment.get(_PREFIX + "DATA")
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(given) if given else Path(base) / "consigne"


def load(argv: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Raises ConfigurationError with every problem found."""
    problems: list[str] = []
    flags = _flags(argv, problems)
    data = Path(flags.get("data") or data_folder(environment)).absolute()
    named = flags.pop("config", None) or environment.get(_PREFIX + "CONFIG")
    values = {"data": str(data)}
    values |= _file(Path(named) if named else data / FILE_NAME, bool(named), problems)
    values |= _environment(environment, problems)
    values |= flags
    values["data"] = str(data)
    parsed: dict[str, Any] = {}
    for name, text in values.items():
        try:
            parsed[name] = FIELDS[name].parse(text)
        except ValueError as error:
            problems.append(f"{name}: wanted {error}")
    problems += [f"{name} goes with {other}: set both" for name, other in GO_TOGETHER if _alone(name, other, values)]
    if isinstance(parsed.get("smtp"), Address) and parsed["smtp"].user and "smtp_password_file" not in values:
        problems.append("smtp names a user: put its password into a file, and name it by smtp_password_file")
    problems += _problems_of_broker(parsed)
    if problems:
        raise ConfigurationError(problems)
    return Settings(**parsed)


def _problems_of_broker(parsed: Mapping[str, Any]) -> list[str]:
    """A port without TLS beside the one with it would be found and used."""
    if "broker_tls" not in parsed:
        return []
    found = ["broker_tls is our own broker's, and broker names another: set one of them"] if "broker" in parsed else []
    listen = parsed.get("broker_listen")
    if listen is not None and not listen.is_loopback:
        found.append("broker_listen: with broker_tls it is for the gateway alone: 127.0.0.1:PORT, or leave it out")
    return found


def _alone(name: str, other: str, values: Mapping[str, str]) -> bool:
    return name in values and other not in values


def _flags(argv: Sequence[str], problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    words = list(argv)
    while words:
        word = words.pop(0)
        flag, equals, value = word.partition("=")
        name = flag[2:].replace("-", "_")
        if not flag.startswith("--") or name not in (*FIELDS, "config"):
            problems.append(f"unknown argument {flag}: known are {', '.join(_flag_names())}")
        elif not equals and not words:
            problems.append(f"{flag} wants a value")
        else:
            found[name] = value if equals else words.pop(0)
    return found


def _flag_names() -> list[str]:
    return ["--" + name.replace("_", "-") for name in (*FIELDS, "config")]


def _file(path: Path, wanted: bool, problems: list[str]) -> dict[str, str]:
    try:
        with path.open("rb") as stream:
            document = tomllib.load(stream)
    except FileNotFoundError:
        if wanted:
            problems.append(f"{path} does not exist")
        return {}
    except UnicodeDecodeError:
        problems.append(f"{path}: save it as UTF-8")
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}")
        return {}
    found: dict[str, str] = {}
    for name, value in document.items():
        if name == "data" or name not in FIELDS:
            problems.append(f"{path}: unknown setting {name}")
        elif isinstance(value, bool) or not isinstance(value, str | int):
            problems.append(f"{path}: {name} wants text or a whole number")
        else:
            found[name] = str(value)
    return found


def _environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for variable in sorted(environment):
        name = variable[len(_PREFIX) :].lower()
        if not variable.startswith(_PREFIX) or name.upper() in OTHER_VARIABLES:
            continue
        if name in FIELDS:
            found[name] = environment[variable]
        else:
            problems.append(f"{variable} is no setting: known are {', '.join(_PREFIX + at.upper() for at in FIELDS)}")
    return found


def usage() -> str:
    lines = ["consigne gateway [--config FILE] and any of:"]
    lines += [f"  --{name.replace('_', '-'):24}{field.purpose}" for name, field in FIELDS.items()]
    lines.append(f"Each also as a line of {FILE_NAME} in the data folder, or {_PREFIX}<NAME> in the environment.")
    return "\n".join(lines)
