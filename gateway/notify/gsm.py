"""The alphabet of text messages (GSM 03.38, 3GPP TS 23.038 6.2.1): what is in it costs seven bits.

One letter outside of it makes a message more than twice as dear, so all that is written here is brought into it.
"""

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # each costs two
ONE_SEGMENT = 160
OF_SEVERAL = 153  # the header that joins them takes seven
# fmt: off
_PLAINER = {
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "·": ".", "•": "-",
    "œ": "oe", "Œ": "OE",
}
# fmt: on


def plain(text: str) -> str:
    """In the alphabet: accents that it lacks fall, what has no likeness is a question mark, space is space."""
    return "".join(map(_letter, " ".join(text.split())))


def _letter(letter: str) -> str:
    if letter in BASIC or letter in EXTENDED:
        return letter
    if letter in _PLAINER:
        return _PLAINER[letter]
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return base if base and all(part in BASIC for part in base) else "?"


def size(text: str) -> int:
    """Septets of a text in the alphabet."""
    assert all(letter in BASIC or letter in EXTENDED for letter in text)
    return len(text) + sum(letter in EXTENDED for letter in text)


def segments(text: str) -> int:
    """How many messages it is paid as. None of our texts has a letter of two septets where two meet: close enough."""
    septets = size(text)
    return 1 if septets <= ONE_SEGMENT else -(-septets // OF_SEVERAL)
