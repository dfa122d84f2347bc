"""The names that a Python text says, where they stand, and the same text with others in their place."""

import functools
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_WORD = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"[\"']([A-Za-z_]\w*)[\"']")
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_BRACES = re.compile(r"\{([^{}]*)\}")
_FORMAT = re.compile(r"![rsa]?(?=:|$)|:(?=[^\[\]()]*$).*")  # what follows an expression inside braces


class Said(NamedTuple):
    """A word of a text: line from 1, column, whether it follows a dot, and whether it is a string of its own."""

    row: int
    column: int
    word: str
    attribute: bool
    quoted: bool = False


@functools.lru_cache(maxsize=1_000)
def said(text: str) -> tuple[Said, ...]:
    """Every name in it, and every string that could be one, in order; also names inside the braces of f-strings,
    which Python 3.11 reads as one token."""
    found: list[Said] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        row, column = token.start
        if token.type == tokenize.NAME:
            found.append(Said(row, column, token.string, before == "."))
        elif token.type == tokenize.STRING and token.string[0] in "fF":
            found.extend(_inside(token.string, row, column))
        elif token.type == tokenize.STRING and (quoted := _QUOTED.fullmatch(token.string)):
            found.append(Said(row, column + 1, quoted.group(1), attribute=False, quoted=True))
        before = token.string
    return tuple(found)


def _inside(text: str, row: int, column: int) -> Iterator[Said]:
    for braces in _BRACES.finditer(text):
        expression = _STRING.sub(lambda found: " " * len(found.group()), braces.group(1))
        expression = _FORMAT.sub("", expression)
        for word in _WORD.finditer(expression):
            start = braces.start(1) + word.start()
            yield Said(row, column + start, word.group(), text[start - 1] == ".")


def renamed(text: str, words: Mapping[str, str], attributes: bool | None = None, quoted: bool = False) -> str:
    """The text with these words changed: those that follow a dot, those that do not, or both (None); and `quoted`
    ones, which are a string of their own."""
    lines = text.splitlines(keepends=True)
    for one in reversed(said(text)):
        if one.word in words and (quoted if one.quoted else attributes in (None, one.attribute)):
            line = lines[one.row - 1]
            end = one.column + len(one.word)
            assert line[one.column : end] == one.word, (one, line)
            lines[one.row - 1] = line[: one.column] + words[one.word] + line[end:]
    return "".join(lines)
