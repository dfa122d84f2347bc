"""Tokens made when they are asked for, with keys that are known to everybody and open nothing else."""

from gateway.keys import Keys
from protocol import tokens
from protocol.tokens import COURIER, PICKUP, TECHNICIAN, Token
from tools.attack.board.siege import LOCKER
from tools.attack.board.tickets import Tickets

_SIGNER, _STRANGER = bytes(32), bytes([1]) * 32
_EXPIRY_S = 4_000_000_000  # beyond every jump of the clock: an expired badge would keep the couriers away
_STRANGERS = 20


def _sealed(keys: Keys, token: Token) -> str:
    return tokens.seal(token, keys.kid, keys.sign)


def _pickup(locker: str, compartment: int, deposit: int) -> Token:
    name = (compartment << 32 | deposit).to_bytes(8, "big")
    return Token("", locker, _EXPIRY_S, name, PICKUP, compartment, deposit)


class SignedTickets(Tickets):
    def __init__(self) -> None:
        self._keys = Keys.from_secrets(bytes(32), _SIGNER)
        other = Keys.from_secrets(bytes(32), _STRANGER)
        strangers: list[str] = []
        for number in range(1, _STRANGERS + 1):
            strangers.append(_sealed(other, _pickup(LOCKER, number, 1)))  # another signer, who is not known here
            strangers.append(tokens.seal(_pickup(LOCKER, number, 1), self._keys.kid, other.sign))  # nor so named
            strangers.append(_sealed(self._keys, _pickup("elsewhere-1", number, 1)))
        super().__init__(
            self._keys.kid,
            self._keys.trusted[self._keys.kid],
            _sealed(self._keys, Token("blitz", None, _EXPIRY_S, b"courier1", COURIER, None, None)),
            _sealed(self._keys, Token("anna", None, _EXPIRY_S, b"anna-001", TECHNICIAN, None, None)),
            strangers,
        )

    def pickup(self, compartment: int, deposit: int) -> str:
        name = compartment << 32 | deposit
        if name not in self._pickups:
            self._pickups[name] = _sealed(self._keys, _pickup(LOCKER, compartment, deposit))
        return self._pickups[name]
