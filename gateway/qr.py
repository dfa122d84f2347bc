"""QR codes as pictures: what the API hands out and what the pages show."""

import segno


def svg(token: str, sized: bool = True) -> str:
    """Level M and a quiet zone of four: read from a cracked phone in the rain. Not `sized`: as large as its place."""
    made = segno.make_qr(token, error="m", boost_error=False)
    return made.svg_inline(scale=4 if sized else 1, border=4, light="#fff", omitsize=not sized)
