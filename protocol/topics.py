"""MQTT topics: consigne/1/<shard>/<locker>/up, …/down and …/state.

The shard is two hex digits of SHA-256(locker id): workers share a fleet by shard while each locker's order
is kept.
"""

import hashlib

from protocol.errors import ProtocolError

PREFIX = "consigne/1"
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
LOCKER_ID_MAX = 32


def is_locker_id(text: str) -> bool:
    """1 to 32 of a-z, 0-9 and '-', not starting with '-': safe in topics, file names and URLs."""
    if not 0 < len(text) <= LOCKER_ID_MAX or text[:1] == "-":
        return False
    # Slices: MicroPython keeps each letter that is taken out of a text in its table of names.
    return all([text[at : at + 1] in _ID_LETTERS for at in range(len(text))])


def shard(locker: str) -> str:
    return hashlib.sha256(locker.encode()).digest()[:1].hex()


def topic(locker: str, leaf: str) -> str:
    """`leaf` is up, down or state."""
    assert is_locker_id(locker) and leaf in ("up", "down", "state")
    return f"{PREFIX}/{shard(locker)}/{locker}/{leaf}"


def locker_of(name: str) -> "tuple[str, str]":
    """(locker, leaf) of a topic name. Raises ProtocolError("malformed")."""
    parts = name.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != PREFIX or not is_locker_id(parts[3]) or parts[2] != shard(parts[3]):
        raise ProtocolError("malformed", "topic")
    return parts[3], parts[4]
