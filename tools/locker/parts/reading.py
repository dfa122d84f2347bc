"""What a display of dots shows: as text again, and as a picture."""

import struct
import zlib
from collections.abc import Iterable, Sequence

from tools.locker.parts.dots import HIGH, WIDE, glyphs

WIDTH, HEIGHT = 20, 4
CELL = WIDE + 1
MARGINS = range(1, 1 + CELL)  # where the text may begin: it moves, so that it does not burn in
Dots = Sequence[Sequence[bool]]


def lines(dots: Dots) -> list[str]:
    """By the characters' own shapes, wherever the text stands; what is none of them is U+FFFD."""
    read = [_read(dots, margin) for margin in MARGINS]
    return min(read, key=lambda found: sum(line.count("\ufffd") for line in found))


def _read(dots: Dots, margin: int) -> list[str]:
    shapes = {shape: character for character, shape in glyphs().items()}
    rows: list[str] = []
    for row in range(HEIGHT):
        cells = (_columns(dots, row, margin + CELL * place) for place in range(WIDTH))
        rows.append("".join(shapes.get(cell, "\ufffd") for cell in cells).rstrip())
    return rows


def _columns(dots: Dots, row: int, left: int) -> bytes:
    """Of a cell, each two rows of dots as one; what has halves that differ, or a filled gap, is no character."""
    upper = [dots[2 * (HIGH * row + y)][left : left + CELL] for y in range(HIGH)]
    lower = [dots[2 * (HIGH * row + y) + 1][left : left + CELL] for y in range(HIGH)]
    if upper != lower or any(line[WIDE] for line in upper):
        return b""
    return bytes(sum(line[x] << y for y, line in enumerate(upper)) for x in range(WIDE))


def png(dots: Dots, scale: int = 4) -> bytes:
    """A picture of one bit a dot (PNG, ISO/IEC 15948)."""
    rows = [b"\0" + _packed(dot for dot in row for _ in range(scale)) for row in dots for _ in range(scale)]
    size = struct.pack(">IIBBBBB", len(dots[0]) * scale, len(dots) * scale, 1, 0, 0, 0, 0)
    body = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _packed(row: Iterable[bool]) -> bytes:
    bits = "".join("01"[dot] for dot in row)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
