"""Errors have a side and a code. This is the peer's side: what it sent breaks the protocol.

A ProtocolError is answered with its code and is never fatal. Codes go over the wire as numbers and are read
by people as words; both live here, once.
"""

# Number on the wire -> word in logs, on the console and in the API. 0 is success.
CODES = {
    0: "ok",
    1: "malformed",  # not CBOR, not COSE, not the shape that was agreed
    2: "not_canonical",  # CBOR that is not deterministic (RFC 8949 4.2.1)
    3: "too_large",
    4: "unknown_version",
    5: "unknown_type",
    6: "bad_value",  # well-formed, but a field is out of its limits
    7: "bad_mac",
    8: "bad_signature",
    9: "unknown_key",
    10: "expired",  # after issued + ttl, or a token past its time
    11: "repeated",  # an id that already took effect
    12: "retained",  # a command must never be a retained message
    13: "no_clock",  # the locker has no trustworthy clock and opens nothing on command
    14: "rate_limited",
    15: "wrong_locker",
    16: "unknown_compartment",
    17: "wrong_state",  # understood, but not possible as things stand
    18: "out_of_service",
    19: "no_such_request",  # Assign without a request of the last 60 s
    20: "journal_full",
    21: "jammed",
    22: "no_room",
    23: "unknown_label",
    24: "not_allowed",
    25: "bad_check_digit",
    26: "wrong_code",
    27: "spent",
    28: "throttled",
    29: "stale",  # a SetTime that answers no nonce of ours
    30: "unknown_locker",
    31: "gap",  # an event's number does not follow the last one
    32: "revoked",  # it was right once, and was taken back
}


def number_of(code: str) -> int:
    """The wire number of a code's word. Raises KeyError for a word that is none."""
    for number, word in CODES.items():
        if word == code:
            return number
    raise KeyError(code)


class ProtocolError(Exception):
    """The peer broke the protocol. `code` is one of the words above; `detail` never holds a secret."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    @property
    def number(self) -> int:
        return number_of(self.code)
