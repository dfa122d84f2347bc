"""The characters of displays of dots, as dots.txt draws them; `python -m tools.locker.parts.dots` writes them for the
board, as device/drivers/dots.py.
"""

from functools import cache
from pathlib import Path

WIDE, HIGH = 5, 8
ART = Path(__file__).with_name("dots.txt")
OF_THE_BOARD = Path(__file__).parents[3] / "device" / "drivers" / "dots.py"
_PLAIN = range(0x21, 0x7F)
_HEAD = '''"""What tools/locker/parts/dots.txt draws: five columns a character, the lowest bit on top. Bytes, which
are read where they lie, in a ROMFS or frozen, and take nothing of the heap.
Made by `python -m tools.locker.parts.dots`.
"""

# Latin-1, in the order of their columns behind those of 21 to 7E
ACCENTED = (
{accented}
)
COLUMNS = (
{rows}
)
'''


@cache
def glyphs() -> dict[str, bytes]:
    """Character -> its five columns, the lowest bit on top. The space is empty."""
    found = {" ": bytes(WIDE)}
    lines = ART.read_text(encoding="utf-8").split("\n\n", 1)[1].splitlines()
    for start in range(0, len(lines), 1 + HIGH):
        rows = [line.split() for line in lines[start + 1 : start + 1 + HIGH]]
        for place, character in enumerate(lines[start].split()):
            found[character] = _columns([row[place] for row in rows])
    return found


def _columns(rows: list[str]) -> bytes:
    return bytes(sum((row[x] == "#") << y for y, row in enumerate(rows)) for x in range(WIDE))


def module() -> str:
    """The text of device/drivers/dots.py."""
    drawn = glyphs()
    plain = [chr(code) for code in _PLAIN]
    accented = sorted(character for character in drawn if ord(character) > _PLAIN[-1])
    rows = "\n".join(f"    {_bytes(drawn[one])}  # {one}" for one in (*plain, *accented))
    codes = "".join(accented).encode("latin-1")
    folded = "\n".join(f"    {_bytes(codes[place : place + 16])}" for place in range(0, len(codes), 16))
    return _HEAD.format(accented=folded, rows=rows)


def _bytes(some: bytes) -> str:
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in some) + '"'


if __name__ == "__main__":
    OF_THE_BOARD.write_text(module(), encoding="utf-8")
