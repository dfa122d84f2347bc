"""The tokens that people show, as texts made beforehand: a locker's own interpreter can check them, and make none."""

from typing import TYPE_CHECKING

from protocol import base45

if TYPE_CHECKING:
    from tools.attack.board.chance import Chance


class Tickets:
    """`kid` and `table`: the key that the locker trusts. `strangers`: well-made tokens that must not be taken here."""

    def __init__(self, kid: bytes, table: bytes, courier: str, technician: str, strangers: "list[str]") -> None:
        self.kid = kid
        self.table = table
        self.courier = courier
        self.technician = technician
        self.strangers = strangers
        self._pickups: dict[int, str] = {}

    def pickup(self, compartment: int, deposit: int) -> str:
        return self._pickups[compartment << 32 | deposit]

    def to_lines(self) -> "list[str]":
        """For read_tickets() in another interpreter: all that were asked for so far."""
        lines = [self.kid.hex(), self.table.hex(), self.courier, self.technician, str(len(self.strangers))]
        lines += self.strangers
        for name in sorted(self._pickups):
            lines += [str(name), self._pickups[name]]
        return lines


def read_tickets(lines: "list[str]") -> Tickets:
    count = int(lines[4])
    tickets = Tickets(bytes.fromhex(lines[0]), bytes.fromhex(lines[1]), lines[2], lines[3], lines[5 : 5 + count])
    for at in range(5 + count, len(lines) - 1, 2):
        tickets._pickups[int(lines[at])] = lines[at + 1]
    return tickets


def with_a_bit_flipped(text: str, chance: "Chance") -> str:
    token = bytearray(base45.decode(text))
    token[chance.below(len(token))] ^= 1 << chance.below(8)
    return base45.encode(bytes(token))
