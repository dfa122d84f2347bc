"""The gateway's secrets, and every key that follows from them.

The master key and the Ed25519 signing keys live in files only their owner may read (or in the environment);
locker keys are worked out from the master when needed and stored nowhere. At most two signing keys are trusted at
once: the current one, and the one that follows it or the one it followed. Nothing here is ever logged.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.key_files import CURRENT, MASTER, NEXT, OLD, REPLACED, KeyFileError, KeyFolder, decoded
from gateway.limits import LOCKERS_CACHED_MAX
from protocol import cose, ed25519_tables, tokens
from protocol.errors import ProtocolError
from protocol.hmac import HmacKey
from protocol.keys import KEY_SIZE, hkdf, locker_key, sub_key

VARIABLES = {
    MASTER: "CONSIGNE_MASTER_KEY",
    CURRENT: "CONSIGNE_SIGNING_KEY",
    NEXT: "CONSIGNE_NEXT_SIGNING_KEY",
}
RESTORE = (
    "restore it from its backup; if it is lost for good, run `consigne keys make --replace-lost`, and then provision "
    "every locker again"
)
_CHECKED = b"consigne books"


class SigningKey:
    """A key that signs, now or later, with the comb table by which it is verified."""

    def __init__(self, seed: bytes) -> None:
        self._signer = Ed25519PrivateKey.from_private_bytes(seed)
        public_key = self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.table = ed25519_tables.prepare(public_key)
        self.kid = tokens.key_id(public_key)
        # How every message begins that names this key as its signer; the payload's head and bytes follow.
        self.named = cose.to_be_signed(self.kid, b"")[:-1]

    def sign(self, message: bytes) -> bytes:
        return self._signer.sign(message)


@dataclass(frozen=True)
class Ring:
    """The signing keys of one moment; replaced as a whole, so that no thread ever sees half of a change."""

    current: SigningKey
    next: SigningKey | None
    old: bytes | None  # the table of the key before, while it is trusted
    trusted: dict[bytes, bytes]

    @staticmethod
    def of(current: SigningKey, following: SigningKey | None = None, old: bytes | None = None) -> "Ring":
        """Raises KeyFileError for three keys, or twice the same."""
        tables = [current.table] + [key.table for key in (following,) if key] + [table for table in (old,) if table]
        trusted = {tokens.key_id(table[:KEY_SIZE]): table for table in tables}
        if len(trusted) != len(tables):
            raise KeyFileError("the next signing key is the current one: leave it out, or name another")
        if len(trusted) > 2:
            raise KeyFileError("a next and an old signing key at once: lockers hold two; remove the one you drop")
        return Ring(current, following, old, trusted)


class Keys:
    """Made by load() or from_secrets(); safe to use from several threads."""

    def __init__(self, master: bytes, ring: Ring, folder: KeyFolder | None = None, in_files: bool = False) -> None:
        """`folder`: where generations are kept; `in_files`: the signing keys are there too and can be changed."""
        assert len(master) == KEY_SIZE
        self._master = master
        self._ring = ring
        self._folder = folder
        self._in_files = in_files
        self._former: SigningKey | None = None  # signed until a moment ago; never after a start
        self._changing = threading.Lock()
        self._generations: dict[str, int] = {} if folder is None else folder.generations()
        self._cache: dict[tuple[str, int, str], HmacKey] = {}

    @staticmethod
    def from_secrets(master: bytes, signing_seed: bytes) -> "Keys":
        return Keys(master, Ring.of(SigningKey(signing_seed)))

    @staticmethod
    def load(path: Path, environment: Mapping[str, str], make: bool = True) -> "Keys":
        """From the environment, else from files in the folder; what is not there is made, if it may be."""
        folder = KeyFolder(path)
        master = _held(MASTER, folder, environment, make)
        in_files = VARIABLES[CURRENT] not in environment
        if in_files and VARIABLES[NEXT] in environment:
            raise KeyFileError(f"{VARIABLES[NEXT]} goes with {VARIABLES[CURRENT]}: set both, or neither")
        current = SigningKey(_held(CURRENT, folder, environment, make))
        if in_files:
            following, old = folder.read(NEXT), folder.read(OLD)
        else:
            text = environment.get(VARIABLES[NEXT])
            following, old = None if text is None else decoded(text, VARIABLES[NEXT]), None
        old_table = None if old is None else _table(old, str(path / OLD))
        if old_table == current.table:
            old_table = None  # a promotion whose second step did not happen
        ring = Ring.of(current, None if following is None else SigningKey(following), old_table)
        return Keys(master, ring, folder, in_files)

    # -------------------------------------------------------------- lockers
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
        return _derived(self._master, purpose)

    def webhook_secret(self, salt: bytes) -> bytes:
        """Signs what one webhook is told; the books keep the salt alone."""
        return HmacKey(_derived(self._master, "webhooks")).digest(salt)

    @property
    def check(self) -> bytes:
        """What books keep of the master key they go with."""
        return check_of(self._master)

    def new_generation(self, locker: str, known: int) -> int:
        """Higher than `known` and than any this locker ever had, whatever the books remember: a generation that
        comes again would bring its old codes back to life."""
        with self._changing:
            number = max(known, self._generations.get(locker, 0)) + 1
            self._keep_generations({locker: number})
            return number

    def note_generations(self, known: Mapping[str, int]) -> dict[str, int]:
        """What the books know is kept beside the keys; those of which the keys knew a higher one are returned."""
        with self._changing:
            highest = self._generations
            higher = {name: highest[name] for name, number in known.items() if highest.get(name, 0) > number}
            fresh = {name: number for name, number in known.items() if number > highest.get(name, 0)}
            if fresh:
                self._keep_generations(fresh)
            return higher

    def _keep_generations(self, fresh: Mapping[str, int]) -> None:
        if self._folder is not None:
            self._folder.raise_generations(fresh)
        self._generations.update(fresh)

    # -------------------------------------------------------------- signing
    @property
    def kid(self) -> bytes:
        return self._ring.current.kid

    @property
    def public_key(self) -> bytes:
        return self._ring.current.table[:KEY_SIZE]

    @property
    def next_kid(self) -> bytes | None:
        following = self._ring.next
        return None if following is None else following.kid

    @property
    def old_kid(self) -> bytes | None:
        old = self._ring.old
        return None if old is None else tokens.key_id(old[:KEY_SIZE])

    @property
    def in_files(self) -> bool:
        """False: the environment holds the signing keys, and only whoever sets it can change them."""
        return self._in_files

    @property
    def trusted(self) -> dict[bytes, bytes]:
        """What lockers are given at provisioning, and what checks our own tokens: key id -> comb table."""
        return self._ring.trusted

    def sign(self, message: bytes) -> bytes:
        """With the key that the message names as its signer (cose.to_be_signed): a promotion between a caller's look
        at `kid` and its call here does not mix two keys. What names none is signed by the current one."""
        former, ring = self._former, self._ring
        for other in (former, ring.next):
            if other is not None and message.startswith(other.named):
                return other.sign(message)
        return ring.current.sign(message)

    # -------------------------------------------------------------- rotation
    def begin(self) -> bytes:
        """Make the next key, if there is none; its id."""
        with self._changing:
            ring = self._ring
            if ring.next is None:
                assert ring.old is None
                following = SigningKey(self._files().make(NEXT))
                self._ring = Ring.of(ring.current, following)
                return following.kid
            return ring.next.kid

    def promote(self) -> None:
        """The next key is the current one from here on."""
        with self._changing:
            ring = self._ring
            assert ring.next is not None
            for step in self._files().promotion(ring.current.table[:KEY_SIZE]):
                step()
            self._former = ring.current
            self._ring = Ring.of(ring.next, None, ring.current.table)

    def let_go(self, kid: bytes) -> None:
        """Forget the next or the old key. The current one stays."""
        with self._changing:
            ring = self._ring
            if kid == self.next_kid:
                self._remove(NEXT)
                self._ring = Ring.of(ring.current, None, ring.old)
            elif kid == self.old_kid:
                self._remove(OLD)
                self._former = None
                self._ring = Ring.of(ring.current, ring.next)

    def recall(self, public_key: bytes) -> None:
        """The books remember the key before this one, and its file is gone, or keys are not in files."""
        with self._changing:
            table = _table(public_key, "the old signing key in the books")
            self._ring = Ring.of(self._ring.current, self._ring.next, table)
            if self._in_files:
                self._files().keep_old(public_key)

    def _files(self) -> KeyFolder:
        assert self._folder is not None and self._in_files
        return self._folder

    def _remove(self, name: str) -> None:
        if self._in_files:
            self._files().remove(name)

    # -------------------------------------------------------------- the operator's word
    @property
    def replaced(self) -> bool:
        """The operator replaced lost keys, and knows that lockers have to be provisioned again."""
        return self._folder is not None and self._folder.has(REPLACED)

    def settle_replacement(self) -> None:
        if self._folder is not None and self._folder.has(REPLACED):
            self._folder.remove(REPLACED)


def check_of(master: bytes) -> bytes:
    """Tells a master key from another, and nothing else: the MAC of a constant under a key that is used for nothing
    else. A master key is 256 random bits, so it cannot be found by trying either."""
    return HmacKey(_derived(master, "check")).digest(_CHECKED)[:16]


def _derived(master: bytes, purpose: str) -> bytes:
    return hkdf(master, b"", b"consigne/1/gateway/" + purpose.encode(), KEY_SIZE)


def _held(name: str, folder: KeyFolder, environment: Mapping[str, str], make: bool) -> bytes:
    variable = VARIABLES[name]
    if variable in environment:
        return decoded(environment[variable], variable)
    secret = folder.read(name)
    if secret is None and not make:
        raise KeyFileError(f"{folder.path / name} is missing, and the books know lockers that depend on it: {RESTORE}")
    return folder.make(name) if secret is None else secret


def _table(public_key: bytes, where: str) -> bytes:
    try:
        return ed25519_tables.prepare(public_key)
    except ProtocolError:
        raise KeyFileError(f"{where} holds no public key")
