"""An Ed25519 signer for tests that run where no library is (RFC 8032, section 5.1.6); slow, and not constant-time.

Its keys are the published ones of RFC 8032, section 7.1.
"""

from binascii import unhexlify

from protocol.ed25519 import L, P, inverse
from protocol.ed25519_tables import BASE, _decompress, _times
from protocol.sha512 import sha512

SECRET = unhexlify("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
OTHER_SECRET = unhexlify("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")


def public_key(secret: bytes) -> bytes:
    return _base_times(_scalar(secret))


def sign(secret: bytes, message: bytes) -> bytes:
    nonce = int.from_bytes(sha512(sha512(secret)[32:] + message), "little") % L
    r = _base_times(nonce)
    h = int.from_bytes(sha512(r + public_key(secret) + message), "little") % L
    return r + ((nonce + h * _scalar(secret)) % L).to_bytes(32, "little")


def _scalar(secret: bytes) -> int:
    half = bytearray(sha512(secret)[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    return int.from_bytes(bytes(half), "little")


def _base_times(scalar: int) -> bytes:
    x, y = _decompress(BASE)
    x, y, z, _t = _times(scalar, (x, y, 1, x * y % P))
    scale = inverse(z)
    return (y * scale % P | (x * scale % P & 1) << 255).to_bytes(32, "little")
