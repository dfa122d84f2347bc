"""The label of a locker, to print and stick inside its technician's door: its id in large letters, and a QR code that
leads to its page."""

from html import escape

import segno

WIDTH_MM, HEIGHT_MM = 90, 38
_QR_MM, _EDGE_MM = 30, 4
_TEXT_MM = _QR_MM + 2 * _EDGE_MM
_LETTERS_MM = WIDTH_MM - _TEXT_MM - _EDGE_MM


def label(locker: str, name: str, address: str, lines: tuple[str, ...]) -> str:
    """An SVG of 90 x 38 mm in black. `address`: what its QR says; `lines`: small ones below."""
    size = min(9.0, _LETTERS_MM / (0.62 * len(locker)))  # a bold letter is about so wide
    rows = [
        f'<text x="{_TEXT_MM}" y="13" font-size="{size:.2f}" font-weight="bold">{escape(locker)}</text>',
        f'<text x="{_TEXT_MM}" y="19" font-size="4" {_squeezed(name, 4)}>{escape(name)}</text>',
        *(
            f'<text x="{_TEXT_MM}" y="{24 + 3.5 * place}" font-size="2.6" {_squeezed(line, 2.6)}>{escape(line)}</text>'
            for place, line in enumerate(lines)
        ),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}" font-family="Liberation Sans, Arial, sans-serif">\n'
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/>\n{_qr(address)}\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def _qr(text: str) -> str:
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix]
    dots = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    scale = _QR_MM / len(rows)
    return f'<path transform="translate({_EDGE_MM} {_EDGE_MM}) scale({scale:.4f})" d="{"".join(dots)}"/>'


def _squeezed(text: str, size: float) -> str:
    """What would run over the edge is set closer."""
    wide = len(text) * size * 0.52 > _LETTERS_MM
    return f'textLength="{_LETTERS_MM}" lengthAdjust="spacingAndGlyphs"' if wide else ""
