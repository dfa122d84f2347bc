"""Files on a board's flash, over its raw REPL: written beside, checked by their digest, and renamed into their place.

So each is there whole or not at all, whenever the cable comes off or the power goes; what is there already is not
sent again.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

from tools.client import REFUSED, Failed
from tools.serial_repl import Repl

PIECE = 768  # bytes of a file in one program
FRESH = ".new"
_TOOLS = """
import os, hashlib
from binascii import hexlify, a2b_base64
def _kind(p):
    try:
        return 2 if os.stat(p)[0] & 0x4000 else 1
    except OSError:
        return 0
def _digest(p):
    h = hashlib.sha256()
    with open(p, "rb") as f:
        while True:
            b = f.read(512)
            if not b:
                break
            h.update(b)
    return str(hexlify(h.digest()), "ascii")
def _folders(p):
    at = p.find("/", 1)
    while at > 0:
        if not _kind(p[:at]):
            os.mkdir(p[:at])
        at = p.find("/", at + 1)
def _rid(p):
    if _kind(p) == 2:
        for n in os.listdir(p):
            _rid(p + "/" + n)
        os.rmdir(p)
    elif _kind(p):
        os.remove(p)
"""
Told = Callable[[str, int], None]  # (path, bytes of it that were sent)


class BoardFiles:
    """Raises Failed: the line broke, the flash is full, or a digest is not what was sent."""

    def __init__(self, repl: Repl) -> None:
        self._repl = repl
        repl.run(_TOOLS)

    def kind(self, path: str) -> str:
        """`file`, `folder`, or "" when there is none."""
        return ("", "file", "folder")[int(self._repl.ask(f"_kind({path!r})"))]

    def read(self, path: str) -> bytes:
        """A small file."""
        return bytes.fromhex(self._repl.ask(f"str(hexlify(open({path!r}, 'rb').read()), 'ascii')"))

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """SHA-256 in hex of those that are there."""
        program = "import json\nfor p in %r:\n    if _kind(p) == 1:\n        print(json.dumps([p, _digest(p)]))"
        said = self._repl.run(program % (list(paths),), 120.0)
        return dict(json.loads(line) for line in said.splitlines())

    def names(self, folder: str) -> list[str]:
        """What is in a folder; nothing when there is none."""
        return json.loads(
            self._repl.ask(f"__import__('json').dumps(os.listdir({folder!r}) if _kind({folder!r}) else [])")
        )

    def free_bytes(self) -> int:
        return int(self._repl.ask("os.statvfs('/')[0] * os.statvfs('/')[3]"))

    def write(self, path: str, content: bytes, told: Told = lambda _path, _size: None) -> None:
        """Whole, or as it was."""
        fresh, wanted = path + FRESH, hashlib.sha256(content).hexdigest()
        begin = f"_folders({path!r})\n_f = open({fresh!r}, 'wb')"
        end = (
            f"_f.close()\n_d = _digest({fresh!r})\nif _d == '{wanted}':\n    os.rename({fresh!r}, {path!r})\nprint(_d)"
        )
        said = ""
        for start in range(
            0, max(len(content), 1), PIECE
        ):  # one program for a small file: each is a way there and back
            piece = base64.b64encode(content[start : start + PIECE]).decode()
            is_last = start + PIECE >= len(content)
            steps = (begin if start == 0 else "", f"_f.write(a2b_base64('{piece}'))", end if is_last else "")
            said = self._repl.run("\n".join(steps))
            told(path, min(len(content), start + PIECE))
        if said.split()[-1:] != [wanted]:
            raise Failed(f"{path} was damaged on its way", "check the cable, and do it again", REFUSED, "damaged")

    def write_missing(self, files: Mapping[str, bytes], told: Told = lambda _path, _size: None) -> list[str]:
        """Those that are not there with these very bytes, in the order given; their paths."""
        there = self.digests(files)
        sent = [path for path in files if there.get(path) != hashlib.sha256(files[path]).hexdigest()]
        for path in sent:
            self.write(path, files[path], told)
        return sent

    def copy(self, path: str, to: str) -> None:
        """On the board itself, without the cable."""
        program = (
            "_folders({to!r})\n"
            "with open({path!r}, 'rb') as a, open({fresh!r}, 'wb') as b:\n"
            "    while True:\n"
            "        c = a.read(512)\n"
            "        if not c:\n"
            "            break\n"
            "        b.write(c)\n"
            "os.rename({fresh!r}, {to!r})"
        )
        self._repl.run(program.format(path=path, to=to, fresh=to + FRESH))

    def remove(self, path: str) -> None:
        """A file, or a folder with all that is in it; also what is not there."""
        self._repl.run(f"_rid({path!r})")
