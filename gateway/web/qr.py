"""A QR as a drawing inside a page, as large as its place."""

import segno

MEDIUM, QUARTILE = "m", "q"  # a screen; paper that gets wet and scratched


def svg(text: str, error: str = MEDIUM) -> str:
    """With its quiet zone of four. Markup of ours: a template takes it as `safe`."""
    made = segno.make_qr(text, error=error, boost_error=False)
    return made.svg_inline(scale=1, border=4, light="#fff", omitsize=True)
