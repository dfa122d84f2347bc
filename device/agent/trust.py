"""Which signing keys this locker believes: changed in the field only by a statement that one of them has signed.

The table of a key to come is gathered in memory, part by part, and is worth nothing until a signed statement names
its digest. Then it is on flash before the old one goes, and before the answer is.
"""

import hashlib
from typing import TYPE_CHECKING

from device.agent.effects import DropTrust, KeepTrust
from protocol.ed25519 import TABLE_SIZE
from protocol.errors import ProtocolError
from protocol.limits import TRUSTED_KEYS_MAX
from protocol.tokens import key_id
from protocol.trust import open_statement

if TYPE_CHECKING:
    from device.agent.effects import Effect
    from protocol.messages import TrustPart
    from protocol.trust import Statement


class Trust:
    """`trusted` is the agent's own and changes at once; the shell's follows what is on flash."""

    def __init__(self, trusted: "dict[bytes, bytes]") -> None:
        self._trusted = trusted
        self._kid = b""
        self._table = bytearray()

    def gather(self, part: "TrustPart") -> None:
        """Parts come in order; whatever does not follow is left out, and the digest will tell."""
        if part.offset == 0:
            self._kid = part.kid
            self._table = bytearray()
        if part.kid != self._kid or part.offset != len(self._table) or part.kid in self._trusted:
            return
        if part.offset + len(part.part) <= TABLE_SIZE:
            self._table.extend(part.part)

    def change(self, statement: bytes, effects: "list[Effect]") -> "tuple[str, int]":
        """("", the number of the key id added) once everything is ordered that makes it so; or (why not, 0)."""
        try:
            wanted = open_statement(statement, self._trusted)
        except ProtocolError as error:
            return error.code, 0
        kid = None if wanted.public_key is None else key_id(wanted.public_key)
        after = [known for known in self._trusted if known not in (kid, wanted.drop)]
        if kid is not None:
            after.append(kid)
        if not after:
            return "wrong_state", 0
        if len(after) > TRUSTED_KEYS_MAX:
            return "no_room", 0
        if kid is not None and kid not in self._trusted:
            table = self._whole(kid, wanted)
            if table is None:
                return "wrong_state", 0
            effects.append(KeepTrust(kid, table))
            self._trusted[kid] = table
        if wanted.drop is not None and wanted.drop != kid and wanted.drop in self._trusted:
            effects.append(DropTrust(wanted.drop))
            del self._trusted[wanted.drop]
        return "", 0 if kid is None else int.from_bytes(kid, "big")

    def _whole(self, kid: bytes, wanted: "Statement") -> "bytes | None":
        table, self._table = bytes(self._table), bytearray()
        right = kid == self._kid and len(table) == TABLE_SIZE and table[:32] == wanted.public_key
        return table if right and hashlib.sha256(table).digest() == wanted.digest else None
