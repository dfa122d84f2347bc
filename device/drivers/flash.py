"""What provisioning left on the flash: /config.json, /key, /trust/<key id>; and where the journal lives."""

import json
import os
from binascii import unhexlify
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

JOURNAL = "/journal"


def read_config(root: str = "") -> "dict[str, Any]":
    """Raises OSError (not there) or ValueError (not JSON)."""
    with open(root + "/config.json") as file:
        return json.load(file)


def read_key(root: str = "") -> bytes:
    with open(root + "/key", "rb") as file:
        return file.read()


def read_trust(document: "dict[str, Any]", root: str = "") -> "dict[bytes, bytes]":
    """Key id -> prepared table, for the keys that the configuration names."""
    trusted: dict[bytes, bytes] = {}
    for name in document.get("trusted", []):
        with open(f"{root}/trust/{name}", "rb") as file:
            trusted[unhexlify(name)] = file.read()
    return trusted


def journal_folder(root: str = "") -> str:
    """Made when it is not there yet."""
    folder = root + JOURNAL
    try:
        os.mkdir(folder)
    except OSError:
        return folder  # it is there already
    return folder
