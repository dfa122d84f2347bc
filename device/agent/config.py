"""What a locker is told once, at provisioning: who it is, what it is built of, whom it trusts.

How it is told, and what is refused, is device.agent.described's, which only a start needs.
"""

from protocol.record import Record

FIRMWARE = "0.1.0"


class ConfigError(Exception):
    """The configuration cannot be used; the message names the field and what it should be."""


class Config(Record):
    """`trusted` maps a key id to that key's prepared Ed25519 table; `numbers` are the compartments, sorted, and
    `sizes` their places in SIZES."""

    FIELDS = ("locker", "generation", "key", "numbers", "trusted", "code_digits", "has_scanner", "sizes")
    locker: str
    generation: int
    key: bytes
    numbers: "list[int]"
    trusted: "dict[bytes, bytes]"
    code_digits: int
    has_scanner: bool
    sizes: bytes
