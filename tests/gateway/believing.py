"""A locker's side of the agreement about signing keys, as small as it can be: at most two keys, a table in parts, a
statement by a key that is believed now. Everything is checked with protocol.trust, as on the locker."""

import hashlib

from protocol import tokens, trust
from protocol.errors import ProtocolError, number_of
from protocol.limits import TRUSTED_KEYS_MAX
from protocol.messages import CommandDone, Down, Trust, TrustPart


class Believer:
    def __init__(self, trusted: dict[bytes, bytes]) -> None:
        self.trusted = dict(trusted)
        self._table = b""
        self._kid = b""

    def hears(self, down: Down) -> CommandDone | None:
        """The answer, to what is answered."""
        command = down.command
        if isinstance(command, TrustPart):
            if command.offset == 0:
                self._kid, self._table = command.kid, b""
            if command.kid == self._kid and command.offset == len(self._table):
                self._table += command.part
        if not isinstance(command, Trust):
            return None
        value, code = 0, "ok"
        try:
            value = self._obey(trust.open_statement(command.statement, self.trusted))
        except ProtocolError as error:
            code = error.code
        self._table = b""
        return CommandDone(down.id, down.issued_s, number_of(code), Trust.TYPE, None, value)

    def _obey(self, said: trust.Statement) -> int:
        after = {kid: table for kid, table in self.trusted.items() if kid != said.drop}
        added = b""
        if said.public_key is not None:
            added = tokens.key_id(said.public_key)
            if added not in after:
                if len(after) >= TRUSTED_KEYS_MAX:
                    raise ProtocolError("no_room")
                if hashlib.sha256(self._table).digest() != said.digest:
                    raise ProtocolError("wrong_state")
                after[added] = self._table
        if not after:
            raise ProtocolError("wrong_state")
        self.trusted = after
        return int.from_bytes(added, "big")

    def reads(self, token: str) -> bool:
        try:
            return tokens.open_token(token, self.trusted).role in tokens.ROLES
        except ProtocolError:
            return False
