"""What people are told, in their language: one file each, `fr.toml` first. Another language is one more file.

A text is named by its table and key ("slip.title"). Where a line must not break stands a no-break space in the file.
Every file has the same names with the same places to fill in; `tests/gateway/test_words.py` holds them to that.
"""

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

FIRST = "fr"  # whom nothing is known of is told this one


@dataclass(frozen=True)
class Words:
    """One language. `code`: BCP 47, as in the `lang` of a page."""

    code: str
    texts: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]

    def __call__(self, name: str, **values: object) -> str:
        """The text with its places filled in. An unknown name is our own fault: KeyError."""
        return self.texts[name].format(**values)

    def several(self, name: str) -> tuple[str, ...]:
        return self.lists[name]

    def has(self, name: str) -> bool:
        return name in self.texts


def places(text: str) -> set[str]:
    """The names of the places to fill in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _leaves(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, dict):
            yield from _leaves(cast("dict[str, Any]", value), name)
        else:
            yield name, value


def read(path: Path) -> Words:
    leaves = dict(_leaves(tomllib.loads(path.read_text(encoding="utf-8"))))
    texts = {name: value for name, value in leaves.items() if isinstance(value, str)}
    lists = {name: tuple(cast("list[str]", value)) for name, value in leaves.items() if isinstance(value, list)}
    return Words(path.stem, texts, lists)


def _all() -> dict[str, Words]:
    found = {path.stem: read(path) for path in sorted(Path(__file__).parent.glob("*.toml"))}
    return {FIRST: found.pop(FIRST), **found}


LANGUAGES = _all()


def accepted(header: str) -> Words:
    """The best of ours for an Accept-Language (RFC 9110 12.5.4); one that cannot be read asks for nothing."""
    wanted: list[tuple[float, int, str]] = []
    for place, item in enumerate(header[:200].split(",")):
        tag, _, weight = item.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            quality = 0.0
        code = tag.split("-")[0].lower()
        if code in LANGUAGES and quality > 0:
            wanted.append((-quality, place, code))
    return LANGUAGES[min(wanted)[2]] if wanted else LANGUAGES[FIRST]
