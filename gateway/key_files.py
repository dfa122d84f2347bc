"""The key folder: files that only their owner may read, on the disk before anything in them is used.

  master.key        every locker's key follows from it        signing.key       signs tokens now
  signing-next.key  will sign, once lockers believe it        signing-old.pub   signed before: its public half
  generations       the highest key generation each locker ever had; no secret, but lost it cannot be worked out
  replaced          the operator's word that lost keys were replaced on purpose; the next start reads and removes it

A promotion is two steps, of which the second decides; so a crash anywhere leaves the state before or the state after.
"""

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

MASTER, CURRENT, NEXT, OLD = "master.key", "signing.key", "signing-next.key", "signing-old.pub"
GENERATIONS, REPLACED = "generations", "replaced"
KNOWN = (MASTER, CURRENT, NEXT, OLD, GENERATIONS, REPLACED)
SIZE = 32


class KeyFileError(Exception):
    """A key that cannot be used, and what to do about it. Never holds the key."""


class KeyFolder:
    """Reading refuses what others can read. Nothing here keeps a key in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def read(self, name: str) -> bytes | None:
        """None: there is no such file. Raises KeyFileError."""
        if not self.has(name):
            return None
        self._check_folder()
        return decoded(read_secret(self.path / name), str(self.path / name))

    def make(self, name: str) -> bytes:
        """A new random key; the one that is there already, if another start just made it."""
        write_secret(self.path / name, secrets.token_hex(SIZE))
        made = self.read(name)
        assert made is not None
        return made

    def promotion(self, public_key: bytes) -> tuple[Callable[[], None], ...]:
        """The steps by which the next key becomes the current one, whose public half is `public_key`."""

        def keep_old() -> None:  # while it names the current key, the promotion has not happened
            write_secret(self.path / OLD, public_key.hex(), replace=True)

        def switch() -> None:
            (self.path / NEXT).replace(self.path / CURRENT)
            sync_folder(self.path)

        return keep_old, switch

    def keep_old(self, public_key: bytes) -> None:
        write_secret(self.path / OLD, public_key.hex(), replace=True)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)
        if self.path.exists():
            sync_folder(self.path)

    def mark_replaced(self) -> None:
        write_secret(self.path / REPLACED, "the operator replaced lost keys", replace=True)

    # -------------------------------------------------------------- generations
    def generations(self) -> dict[str, int]:
        """Locker -> the highest generation it was ever given. Raises KeyFileError."""
        if not self.has(GENERATIONS):
            return {}
        found: dict[str, int] = {}
        for line in read_secret(self.path / GENERATIONS).splitlines():
            locker, _, number = line.partition(" ")
            if not (number.isascii() and number.isdecimal()):
                raise KeyFileError(
                    f"{self.path / GENERATIONS} is damaged: restore it, it tells used keys from new ones"
                )
            found[locker] = int(number)
        return found

    def raise_generations(self, fresh: Mapping[str, int]) -> None:
        """Durable before a key is handed out."""
        found = self.generations() | dict(fresh)
        text = "\n".join(f"{name} {highest}" for name, highest in sorted(found.items()))
        write_secret(self.path / GENERATIONS, text, replace=True)

    # -------------------------------------------------------------- looking
    def problems(self) -> list[str]:
        """What an operator should mend, each with its remedy; reads no key."""
        if not self.path.exists():
            return [f"{self.path} does not exist: consigne keys make"]
        found: list[str] = []
        if self.path.stat().st_mode & 0o077:
            found.append(f"{self.path} is open to others: chmod 700 {self.path}")
        for path in sorted(self.path.iterdir()):
            if path.name not in KNOWN:
                found.append(
                    f"{path} is no file of ours: left over from a crash? It may hold a key that was never used"
                )
            elif path.stat().st_mode & 0o077:
                found.append(f"{path} can be read by others: chmod 600 {path}")
        return found

    def _check_folder(self) -> None:
        if self.path.stat().st_mode & 0o077:
            raise KeyFileError(f"{self.path} is open to others: chmod 700 {self.path}, and think about who looked in")


def decoded(text: str, where: str) -> bytes:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != SIZE:
        raise KeyFileError(f"{where} must hold {SIZE} bytes as {2 * SIZE} hex digits")
    return secret


def write_secret(path: Path, text: str, *, replace: bool = False) -> None:
    """A file that nobody else can read at any moment of its life; whole and durable, or not there.

    Unless told to `replace`, one that is there stays as it is.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    if replace:
        fresh.replace(path)
    else:
        try:
            os.link(fresh, path)  # unlike rename: never replaces a key that another start just made
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_secret(path: Path) -> str:
    """Refuses a file that others can read: its secret is no secret."""
    try:
        with path.open() as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path} is no ordinary file")
            if status.st_mode & 0o077:
                raise KeyFileError(
                    f"{path} can be read by others: chmod 600 {path}, and think about who may have read it"
                )
            return stream.read().strip()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}")
    except UnicodeDecodeError:
        raise KeyFileError(f"{path} holds no text")
