"""What Mosquitto reads: its configuration, who may say and hear what, and passwords that nobody could use if found."""

import base64
import contextlib
import getpass
import hashlib
from pathlib import Path

from gateway import limits
from gateway.authority import SERVER, SERVER_KEY
from gateway.config import Address
from gateway.key_files import write_secret
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.topics import PREFIX

GATEWAY_USER = "_gateway"  # no locker id has an underscore
_ROUNDS = 101  # PBKDF2's stretching is for weak passwords; ours are 256 random bits


def configuration(folder: Path, listen: Address, secure: Address | None = None, tls_folder: Path | None = None) -> str:
    """`secure`: where lockers come in, behind TLS; then `listen` is for us alone, on this machine."""
    lines = [
        f"listener {listen.port} {listen.host}",
        "use_username_as_clientid true",  # a locker cannot push another off the broker by taking its client id
        *(_secure_listener(secure, tls_folder) if secure is not None and tls_folder is not None else ()),
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        f"acl_file {folder}/acl",
        f"user {getpass.getuser()}",  # started as root it would drop to a user who cannot read these files
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 60",
        # Its default of 1000 delivered 1,218 of 20,000 acknowledged messages in a burst; with 0 (no limit) 2.0.11
        # cuts off whoever sends one message that it drops.
        f"max_queued_messages {limits.BROKER_QUEUE_MESSAGES_MAX}",
        f"max_queued_bytes {limits.BROKER_QUEUE_BYTES_MAX}",
        f"max_inflight_messages {limits.BROKER_INFLIGHT_MAX}",
        f"message_size_limit {MESSAGE_SIZE_MAX}",  # a larger message is dropped …
        f"max_packet_size {limits.BROKER_PACKET_SIZE_MAX}",  # … and who announces a huge one is cut off unread
        "persistent_client_expiration 1d",
        "set_tcp_nodelay true",
        "sys_interval 0",
        "connection_messages false",
        "log_dest stderr",
        "log_timestamp false",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
    ]
    return "\n".join(lines) + "\n"


def _secure_listener(secure: Address, folder: Path) -> list[str]:
    return [
        f"listener {secure.port} {secure.host}",
        "use_username_as_clientid true",
        f"certfile {folder}/{SERVER}",
        f"keyfile {folder}/{SERVER_KEY}",
        "tls_version tlsv1.2",  # or later
    ]


def access_list() -> str:
    """Locker A can neither publish as B nor read what is for B; %u is the user name, which is the locker id."""
    return (
        f"user {GATEWAY_USER}\n"
        f"topic read {PREFIX}/+/+/up\n"
        f"topic read {PREFIX}/+/+/state\n"
        f"topic write {PREFIX}/+/+/down\n"
        "\n"
        f"pattern write {PREFIX}/+/%u/up\n"
        f"pattern write {PREFIX}/+/%u/state\n"
        f"pattern read {PREFIX}/+/%u/down\n"
    )


def password_line(user: str, password: str, salt: bytes) -> str:
    """Mosquitto's $7$ form: PBKDF2 with SHA-512."""
    stretched = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"{user}:$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(stretched).decode()}\n"


def write_whole(path: Path, text: str) -> bool:
    """Whether it changed. Whole and on the disk, or as it was, and for our eyes only."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text() == text:
            return False
    write_secret(path, text.removesuffix("\n"), replace=True)
    return True
