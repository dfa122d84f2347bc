"""The gateway's two secrets, and every key that follows from them.

The master key and the Ed25519 signing key live in files only their owner may read (or in the environment);
locker keys are worked out from the master when needed and stored nowhere. Nothing here is ever logged.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.limits import LOCKERS_CACHED_MAX
from protocol import ed25519_tables, tokens
from protocol.hmac import HmacKey
from protocol.keys import KEY_SIZE, hkdf, locker_key, sub_key

_FILES = {"master": "master.key", "signing": "signing.key"}
_VARIABLES = {"master": "CONSIGNE_MASTER_KEY", "signing": "CONSIGNE_SIGNING_KEY"}


class KeyFileError(Exception):
    """A key that cannot be used, and what to do about it. Never holds the key."""


class Keys:
    """Made by load() or from_secrets(); safe to use from several threads."""

    def __init__(self, master: bytes, signing_seed: bytes) -> None:
        assert len(master) == KEY_SIZE and len(signing_seed) == KEY_SIZE
        self._master = master
        self._signer = Ed25519PrivateKey.from_private_bytes(signing_seed)
        self.public_key = self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = tokens.key_id(self.public_key)
        # What lockers are given at provisioning, and what checks our own tokens: key id -> comb table.
        self.trusted: dict[bytes, bytes] = {self.kid: ed25519_tables.prepare(self.public_key)}
        self._cache: dict[tuple[str, int, str], HmacKey] = {}

    @staticmethod
    def from_secrets(master: bytes, signing_seed: bytes) -> "Keys":
        return Keys(master, signing_seed)

    @staticmethod
    def load(folder: Path, environment: Mapping[str, str]) -> "Keys":
        """From the environment, else from files in `folder`, made at the first start."""
        return Keys(_secret("master", folder, environment), _secret("signing", folder, environment))

    def locker_key(self, locker: str, generation: int) -> bytes:
        return locker_key(self._master, locker, generation)

    def sub_key(self, locker: str, generation: int, purpose: str) -> bytes:
        return sub_key(self.locker_key(locker, generation), purpose)

    def hmac(self, locker: str, generation: int, purpose: str) -> HmacKey:
        """A sub-key ready to use: its hash states are kept, so a message costs no derivation."""
        name = (locker, generation, purpose)
        ready = self._cache.get(name)
        if ready is None:
            if len(self._cache) >= LOCKERS_CACHED_MAX * 2:
                self._cache.clear()
            ready = self._cache[name] = HmacKey(self.sub_key(locker, generation, purpose))
        return ready

    def mqtt_password(self, locker: str, generation: int) -> str:
        return self.sub_key(locker, generation, "mqtt").hex()

    def derived(self, purpose: str) -> bytes:
        """A secret of the gateway's own ("credentials", "broker"), which no locker ever holds."""
        return hkdf(self._master, b"", b"consigne/1/gateway/" + purpose.encode(), KEY_SIZE)

    def sign(self, message: bytes) -> bytes:
        return self._signer.sign(message)


def _secret(name: str, folder: Path, environment: Mapping[str, str]) -> bytes:
    variable = _VARIABLES[name]
    if variable in environment:
        return _decoded(environment[variable], variable)
    path = folder / _FILES[name]
    if not path.exists():
        write_secret(path, secrets.token_hex(KEY_SIZE))
    return _decoded(read_secret(path), str(path))


def _decoded(text: str, where: str) -> bytes:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_SIZE:
        raise KeyFileError(f"{where} must hold {KEY_SIZE} bytes as {2 * KEY_SIZE} hex digits")
    return secret


def write_secret(path: Path, text: str) -> None:
    """A new file that nobody else can read at any moment of its life; durable before its key is used."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(fresh, path)  # unlike rename: never replaces a key that another start just made
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_secret(path: Path) -> str:
    """Refuses a file that others can read: its secret is no secret."""
    try:
        status = path.stat()
        if status.st_mode & 0o077:
            raise KeyFileError(f"{path} can be read by others: chmod 600 {path}, and think about who may have read it")
        return path.read_text().strip()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}")
