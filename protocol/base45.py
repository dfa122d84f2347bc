"""Base45 (RFC 9285): bytes as the alphanumeric letters that a QR code packs best. Decoding is strict."""

from protocol.errors import ProtocolError

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def encode(data: bytes) -> str:
    out = bytearray()
    for place in range(0, len(data) - 1, 2):
        value = data[place] << 8 | data[place + 1]
        out.append(_ALPHABET[value % 45])
        out.append(_ALPHABET[value // 45 % 45])
        out.append(_ALPHABET[value // 2025])
    if len(data) & 1:
        out.append(_ALPHABET[data[-1] % 45])
        out.append(_ALPHABET[data[-1] // 45])
    return str(bytes(out), "ascii")


def decode(text: "str | bytes") -> bytes:
    """Raises ProtocolError("malformed") for a letter, a length or a value that encode() never writes."""
    letters = text.encode() if isinstance(text, str) else text
    if len(letters) % 3 == 1:
        raise ProtocolError("malformed", "Base45 length")
    out = bytearray()
    for place in range(0, len(letters), 3):
        group = letters[place : place + 3]
        value = 0
        for at in range(len(group) - 1, -1, -1):
            digit = _ALPHABET.find(group[at : at + 1])
            if digit < 0:
                raise ProtocolError("malformed", "Base45 letter")
            value = value * 45 + digit
        if value >> (8 * (len(group) - 1)):
            raise ProtocolError("malformed", "Base45 value")
        out.extend(value.to_bytes(len(group) - 1, "big"))
    return bytes(out)
