"""Lines of words, as wide as people read them on a console of 40 columns."""

WIDTH = 38


def wrapped(text: str, width: int = WIDTH - 4) -> "list[str]":
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = (line + " " + word).strip()
    return lines + [line] if line else lines  # noqa: RUF005 - MicroPython knows no stars here
