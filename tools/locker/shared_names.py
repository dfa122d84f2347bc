"""Words that MicroPython has in its ROM, in the place of names that the locker's code gives itself.

A name is an entry of the heap, and 1,260 of them double a table of 4.5 kB; a word of the ROM costs nothing. Here every
name that device/ and protocol/ alone can say becomes such a word. Two names share one where they never meet: neither
in a file as plain names, nor as attributes in a family of classes. What is said in a string, by the virtual board, by
native code or as a module stays, unless the string names an attribute. Only what is compiled for a board changes; its
lines stay where they are.
"""

import ast
import builtins
import functools
import keyword
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tools.locker.text_names import renamed, said

SPARE_WORDS = Path(__file__).with_name("spare_words.txt")  # in the ROM of every port, and of no use to the agent
API_WORDS = Path(__file__).with_name("micropython_words.txt")  # the others of its ROM: some are asked of its objects
SHIM = Path(__file__).with_name("shim")
_ROOT = Path(__file__).resolve().parents[2]
CALLERS = (_ROOT / "protocol", _ROOT / "device", SHIM)
_WORD = re.compile(r"[A-Za-z_]\w*")
_SHOWN = re.compile(r"__|\w+Error$")  # Python's own; and what a traceback is read for
_ANYWHERE = "attribute of an object that another file made"
Place = tuple[str, str]  # ("file", its name) or ("class", a family's first class)


@functools.lru_cache(maxsize=1_000)
def tree(text: str) -> ast.Module:
    """To be read only: whoever asks again gets the same."""
    return ast.parse(text)


@functools.cache
def spare_words() -> tuple[str, ...]:
    return tuple(SPARE_WORDS.read_text().split())


@functools.cache
def rom_words() -> frozenset[str]:
    return frozenset(spare_words()) | frozenset(API_WORDS.read_text().split())


def with_shared_names(
    texts: Mapping[str, str], untouched: Iterable[str] = (), spoken: frozenset[str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """The same files, by their names, with words of the ROM; and what each name has become. `untouched`: files that
    must stay as they are; `spoken`: what others say to them (None: the virtual board)."""
    stay = set(untouched)
    program = _Program(texts, stay, shim_words() if spoken is None else spoken)
    words = _dictionary(program)
    fresh: dict[str, str] = {}
    for name, text in texts.items():
        if name not in stay:
            text = _with_shared_parameters(renamed(text, words, quoted=True), program.taken)  # noqa: PLW2901
        fresh[name] = text
    return fresh, words


def _dictionary(program: "_Program") -> dict[str, str]:
    """Those that most places know are served first."""
    free = [word for word in spare_words() if word not in program.taken]
    where: dict[str, set[Place]] = defaultdict(set)  # of a word, where it is spoken for
    found: dict[str, str] = {}
    for name in sorted(program.own, key=lambda name: (-len(program.places[name]), name)):
        for word in free:
            if not _meet(program.places[name], where[word]):
                where[word] |= program.places[name]
                found[name] = word
                break
    return found


def _meet(one: set[Place], other: set[Place]) -> bool:
    """Whether two names with these places can be mixed up."""
    if one & other:
        return True
    outside = {("class", _ANYWHERE)}
    return bool(one & outside and _of_classes(other)) or bool(other & outside and _of_classes(one))


def _of_classes(places: set[Place]) -> bool:
    return any(kind == "class" for kind, _name in places)


class _Program:
    """`own`: names that nothing but these files can say; `places`: where each is known; `taken`: every other word."""

    def __init__(self, texts: Mapping[str, str], untouched: set[str], spoken: frozenset[str]) -> None:
        self.places: dict[str, set[Place]] = defaultdict(set)
        self._families = _families(texts)
        defined: set[str] = set()
        everything: set[str] = set()
        fixed = set(dir(builtins)) | set(keyword.kwlist) | spoken
        for name, text in texts.items():
            fixed.update(name.removesuffix(".py").split("/"))
            module = tree(text)
            fixed.update(_strings(module))
            fixed.update(_imported_from_outside(module, texts))
            words = [one for one in said(text) if not one.quoted]
            everything.update(one.word for one in words)
            if name in untouched:
                fixed.update(one.word for one in words)
                continue
            defined.update(_defined(module))
            for one in words:
                if not one.attribute:
                    self.places[one.word].add(("file", name))
            self._place_members(module)
        self.own = {name for name in defined - fixed - rom_words() if not _SHOWN.match(name)}
        self.taken = everything | fixed

    def _place_members(self, module: ast.Module) -> None:
        for asked in _asked_for(module):
            self.places[str(asked.value)].add(("class", _ANYWHERE))
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                family = self._families[node.name]
                for member in _members(node):
                    self.places[member].add(("class", family))
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and not _on_self(node):
                self.places[node.attr].add(("class", _ANYWHERE))


def _families(texts: Mapping[str, str]) -> dict[str, str]:
    """Of each class, by its name, the first of those that inherit from one another."""
    family: dict[str, str] = {}
    nodes = [node for text in texts.values() for node in ast.walk(tree(text)) if isinstance(node, ast.ClassDef)]
    for node in nodes:
        family.setdefault(node.name, node.name)
    for node in nodes:
        for base in node.bases:
            mine, theirs = family[node.name], family.get(ast.unparse(base).rpartition(".")[2])
            if theirs is not None and mine != theirs:
                family = {name: mine if first == theirs else first for name, first in family.items()}
    return family


def _members(node: ast.ClassDef) -> Iterator[str]:
    """What an object of this class may be asked for, as far as its own text says."""
    yield from (one.value for one in _fields(node) if isinstance(one.value, str))
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement.name
        elif not isinstance(statement, ast.ClassDef):
            yield from (one.id for one in ast.walk(statement) if isinstance(one, ast.Name))
    yield from (one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and _on_self(one))


def _on_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _defined(module: ast.Module) -> Iterator[str]:
    """Every name that this file gives to something."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Import):
            yield from (one.asname for one in node.names if one.asname is not None)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
    yield from (one.value for one in _fields(module) if isinstance(one.value, str))
    for statement in _outside_functions(module.body):
        yield from (
            one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        )


def _outside_functions(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _outside_functions(statement.body)
        elif not isinstance(statement, ast.FunctionDef):
            yield statement


def _imported_from_outside(module: ast.Module, texts: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (part for one in node.names for part in one.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.replace(".", "/") + ".py" not in texts:
            yield from (one.name for one in node.names)


def _strings(module: ast.Module) -> Iterator[str]:
    """Words that are a string of their own and no name of an attribute. Annotations are not compiled."""
    skipped: set[int] = {id(node) for node in (*_asked_for(module), *_fields(module))}
    for node in ast.walk(module):
        for field in ("annotation", "returns"):
            annotation = getattr(node, field, None)
            if isinstance(annotation, ast.AST):
                skipped.update(id(one) for one in ast.walk(annotation))
    for node in ast.walk(module):
        value = node.value if isinstance(node, ast.Constant) and id(node) not in skipped else None
        if isinstance(value, str) and _WORD.fullmatch(value):
            yield value


def _asked_for(module: ast.Module) -> Iterator[ast.Constant]:
    """The names in getattr() and hasattr()."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr"):
            yield from (one for one in node.args[1:2] if isinstance(one, ast.Constant))


def _fields(module: ast.AST) -> Iterator[ast.Constant]:
    """The names in a record's FIELDS (protocol/record.py), which its objects have as attributes."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FIELDS":
            yield from (one for one in ast.walk(node.value) if isinstance(one, ast.Constant))


@functools.cache
def shim_words() -> frozenset[str]:
    """What may be said to the virtual board: not what is private to it."""
    words = [one.word for path in SHIM.glob("*.py") for one in said(path.read_text())]
    return frozenset(word for word in words if word[0] != "_")


# ------------------------------------------------------------------ names of one file
def _with_shared_parameters(text: str, taken: set[str]) -> str:
    """Parameters that no call names, and that are nothing else in this file, whatever they are elsewhere."""
    used = {one.word for one in said(text) if not one.quoted} | taken
    free = (word for word in spare_words() if word not in used)
    return renamed(text, dict(zip(_parameters(text), free, strict=False)), attributes=False)


def with_own_words(text: str) -> str:
    """Native code, whose public names and types stay: its parameters, and what nobody else can say."""
    used = {one.word for one in said(text)}
    own = [one.name for one in tree(text).body if isinstance(one, ast.FunctionDef) and one.name[0] == "_"]
    free = (word for word in spare_words() if word not in used)
    return renamed(text, dict(zip([*own, *_parameters(text)], free, strict=False)), attributes=False)


def _parameters(text: str) -> list[str]:
    spoken: set[str] = set()
    fixed = set(dir(builtins)) | keywords() | rom_words()
    for scope in ast.walk(tree(text)):
        if isinstance(scope, ast.FunctionDef | ast.Lambda):
            arguments = scope.args
            spoken.update(one.arg for one in (*arguments.posonlyargs, *arguments.args))
            fixed.update(one.arg for one in arguments.kwonlyargs)
        if isinstance(scope, ast.FunctionDef | ast.ClassDef):
            fixed.add(scope.name)
        elif isinstance(scope, ast.alias):
            fixed.update((scope.asname or scope.name).split("."))
        elif isinstance(scope, ast.Global | ast.Nonlocal):
            fixed.update(scope.names)
        if isinstance(scope, ast.Module | ast.ClassDef):
            fixed.update(_bound(scope.body))
    return sorted(word for word in spoken - fixed if word != "self")


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """What these statements give a name to, outside functions."""
    for statement in body:
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


@functools.cache
def keywords() -> frozenset[str]:
    """Every word that some call on the board gives an argument by."""
    found: set[str] = set()
    for folder in CALLERS:
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg is not None:
                    found.add(node.arg)
    return frozenset(found)
