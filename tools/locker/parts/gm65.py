"""A GM65-class scanner's other side: orders in (7E 00 type length address data CRC), replies out (02 00 00 length data
CRC). CRC-16/XMODEM, or AB CD for none. It keeps what is written into its zones.
"""

import binascii

HEAD = b"\x7e\x00"
READ, WRITE, SAVE = 7, 8, 9
NO_CHECK = b"\xab\xcd"
BAUD_ZONE = 0x2A
SIZE_MAX = 64


class Gm65:
    """`silent`: its wire is off."""

    def __init__(self) -> None:
        self.silent = False
        self.zones: dict[int, int] = {BAUD_ZONE: 0x39, BAUD_ZONE + 1: 0x01}
        self._heard = b""

    def feed(self, data: bytes) -> bytes:
        """What it answers."""
        if self.silent:
            return b""
        self._heard = (self._heard + data)[-SIZE_MAX:]
        start = self._heard.find(HEAD)
        if start < 0:
            return b""
        order = self._heard[start + len(HEAD) :]
        size = 4 + (order[1] if len(order) > 1 and order[0] != READ else 1)
        if len(order) < size + 2:
            return b""
        self._heard = order[size + 2 :]
        check = order[size : size + 2]
        if check not in (crc(order[:size]), NO_CHECK):
            return b""
        return self._obey(order[:size])

    def _obey(self, order: bytes) -> bytes:
        address = int.from_bytes(order[2:4], "big")
        if order[0] == READ:
            data = bytes(self.zones.get(address + place, 0) for place in range(order[4]))
        else:
            if order[0] == WRITE:
                self.zones.update({address + place: byte for place, byte in enumerate(order[4:])})
            data = b"\x00"
        body = b"\x00\x00" + bytes([len(data)]) + data
        return b"\x02" + body + crc(body)


def crc(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0).to_bytes(2, "big")
