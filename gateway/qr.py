"""QR codes as pictures, for the API and the pages. Markup of ours, which templates take as safe."""

import segno


def svg(text: str, *, sized: bool = True, paper: bool = False) -> str:
    """With its quiet zone of four, at level M: read from a cracked phone in the rain; on `paper`, which gets wet and
    scratched, at level Q. Not `sized`: as large as its place."""
    made = segno.make_qr(text, error="q" if paper else "m", boost_error=False)
    return made.svg_inline(scale=4 if sized else 1, border=4, light="#fff", omitsize=not sized)
