"""What provisioning left on the flash: /config.json, /key, /trust/<key id>; and where the journal lives.

A file of /trust is a table and its SHA-256: one that rotted is no key, and never half of one.
"""

import hashlib
import json
import os
from binascii import hexlify, unhexlify
from typing import TYPE_CHECKING

from protocol.ed25519 import TABLE_SIZE

if TYPE_CHECKING:
    from typing import Any

JOURNAL = "/journal"
_TRUST = "/trust"
_FRESH = ".new"
_KID_DIGITS = 8


def read_config(root: str = "") -> "dict[str, Any]":
    """What holds, or what is tried (device.desk.trial). Raises OSError (not there) or ValueError (not JSON)."""
    if _is_there(root + "/config.try") or _is_there(root + "/config.trial"):
        from device.desk.trial import begin  # noqa: PLC0415 - its room in the heap only when it is used

        return begin(root)
    with open(root + "/config.json") as file:
        return json.load(file)


def read_key(root: str = "") -> bytes:
    with open(root + "/key", "rb") as file:
        return file.read()


def read_trust(root: str = "") -> "dict[bytes, bytes]":
    """Key id -> prepared table, of every file that is whole."""
    trusted: dict[bytes, bytes] = {}
    folder = root + _TRUST
    for name in sorted(os.listdir(folder)) if _is_there(folder) else []:
        if len(name) != _KID_DIGITS:  # one that was being written when the power went
            continue
        with open(f"{folder}/{name}", "rb") as file:
            table = file.read(TABLE_SIZE)
            digest = file.read()
        if len(table) == TABLE_SIZE and hashlib.sha256(table).digest() == digest:
            trusted[unhexlify(name)] = table
    return trusted


class TrustFolder:
    """The tables on flash, and `trusted` in memory, which follows them: an agent that is made anew believes what a
    restart would."""

    def __init__(self, trusted: "dict[bytes, bytes]", root: str = "") -> None:
        self._trusted = trusted
        self._folder = root + _TRUST

    def keep(self, kid: bytes, table: bytes) -> None:
        """All of it or nothing, whenever the power goes. Raises OSError."""
        if not _is_there(self._folder):
            os.mkdir(self._folder)
        path = self._path(kid)
        with open(path + _FRESH, "wb") as file:
            file.write(table)
            file.write(hashlib.sha256(table).digest())
        os.rename(path + _FRESH, path)
        self._trusted[kid] = table

    def drop(self, kid: bytes) -> None:
        """Also one that a power cut has left dropped already."""
        if _is_there(self._path(kid)):
            os.remove(self._path(kid))
        self._trusted.pop(kid, None)

    def _path(self, kid: bytes) -> str:
        return f"{self._folder}/{str(hexlify(kid), 'ascii')}"


def _is_there(path: str) -> bool:
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def journal_folder(root: str = "") -> str:
    """Made when it is not there yet."""
    folder = root + JOURNAL
    try:
        os.mkdir(folder)
    except OSError:
        return folder  # it is there already
    return folder
