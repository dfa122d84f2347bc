"""How a code is shown, on a page, on paper and in an answer: its digits in groups, its token as a QR."""

import segno


def groups_of(code: str) -> list[str]:
    """Four groups, of three digits or of four: easier to read out and to type."""
    size = len(code) // 4
    return [code[place : place + size] for place in range(0, len(code), size)]


def qr_svg(token: str, sized: bool = True) -> str:
    """Level M and a quiet zone of four: read from a cracked phone in the rain. Not `sized`: as large as its place."""
    made = segno.make_qr(token, error="m", boost_error=False)
    return made.svg_inline(scale=4 if sized else 1, border=4, light="#fff", omitsize=not sized)
