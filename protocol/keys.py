"""Keys: HKDF-SHA-256 (RFC 5869) and the derivations both sides agree on.

master --HKDF(locker id, generation)--> locker key --HKDF(purpose)--> up, down, code, console, mqtt, receipt.
An opened locker is worth only itself: its key derives no other locker's.
"""

from protocol.hmac import HmacKey

KEY_SIZE = 32
PURPOSES = ("up", "down", "code", "console", "mqtt", "receipt")


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 extract and expand; length in bytes, at most 255 * 32."""
    assert length <= 255 * 32
    prk = HmacKey(HmacKey(salt or bytes(32)).digest(secret))
    output = b""
    block = b""
    while len(output) < length:
        block = prk.digest(block + info + bytes([len(output) // 32 + 1]))
        output += block
    return output[:length]


def locker_key(master: bytes, locker: str, generation: int) -> bytes:
    """The 32-byte key of one locker; the gateway works it out whenever it needs it and stores it nowhere."""
    assert len(master) == KEY_SIZE
    info = b"consigne/1/locker/" + locker.encode() + b"/" + str(generation).encode()
    return hkdf(master, b"", info, KEY_SIZE)


def sub_key(key: bytes, purpose: str) -> bytes:
    assert purpose in PURPOSES
    return hkdf(key, b"", b"consigne/1/" + purpose.encode(), KEY_SIZE)


def console_answer(key: bytes, challenge: bytes, name: str) -> str:
    """What a technician types on the serial console of the locker with `key`, once the gateway let them."""
    return HmacKey(sub_key(key, "console")).digest(challenge + name.encode())[:6].hex()
