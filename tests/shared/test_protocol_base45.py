"""Base45: the examples of RFC 9285, and everything that is not exactly what encode() writes."""

from refusal import refusal_of

from protocol import base45

# RFC 9285, sections 4.3 and 4.4.
EXAMPLES = (
    (b"AB", "BB8"),
    (b"Hello!!", "%69 VD92EX0"),
    (b"base-45", "UJCLQE7W581"),
    (b"ietf!", "QED8WEX0"),
)


def test_the_examples_of_rfc_9285():
    for data, text in EXAMPLES:
        assert base45.encode(data) == text
        assert base45.decode(text) == data and base45.decode(text.encode()) == data


def test_every_byte_at_every_place_survives():
    assert base45.encode(b"") == "" and base45.decode("") == b""
    for size in range(1, 6):
        for byte in range(256):
            for place in range(size):
                data = bytearray(size)
                data[place] = byte
                text = base45.encode(bytes(data))
                assert base45.decode(text) == bytes(data)
                assert len(text) == size // 2 * 3 + size % 2 * 2


def test_lengths_that_no_encoding_has_are_refused():
    for text in ("A", "BB8B", "%69 VD92E"[:7]):
        assert refusal_of(base45.decode, text) == "malformed", text


def test_letters_outside_the_alphabet_are_refused():
    for letter in range(256):
        data = bytes([letter]) + b"B8"
        wanted = "accepted" if letter in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" else "malformed"
        assert refusal_of(base45.decode, data) == wanted, letter
    assert refusal_of(base45.decode, "\u00c9B8") == "malformed"
    assert refusal_of(base45.decode, "bb8") == "malformed"


def test_values_too_big_for_their_bytes_are_refused():
    """FGW is 65535 and GGW is 65536 (RFC 9285, section 6); U5 is 255 and V5 is 256."""
    assert base45.decode("FGW") == b"\xff\xff" and refusal_of(base45.decode, "GGW") == "malformed"
    assert base45.decode("U5") == b"\xff" and refusal_of(base45.decode, "V5") == "malformed"
    assert refusal_of(base45.decode, ":::") == "malformed" and refusal_of(base45.decode, "::") == "malformed"
