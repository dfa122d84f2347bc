"""How a deliberate fault gets into the product while a simulation runs, and out of it again."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

Bug = Callable[[], Generator[None, None, None]]
BUGS: dict[str, Bug] = {}


def bug(make: Bug) -> Bug:
    """It can be planted under its name."""
    BUGS[make.__name__] = make
    return make


@contextmanager
def planted(name: str) -> Generator[None, None, None]:
    """The bug of this name is in the product while this lasts; "": none."""
    running = BUGS[name]() if name else iter(())
    next(running, None)
    try:
        yield
    finally:
        next(running, None)


@contextmanager
def instead(owner: Any, name: Any, make: Callable[[Any], Any]) -> Generator[None, None, None]:
    """`make(what is there)` takes the place of that, while this lasts."""
    former = _kept(owner, name)
    plain: Any = former.__func__ if isinstance(former, staticmethod) else former
    _put(owner, name, make(plain))
    try:
        yield
    finally:
        _put(owner, name, former)


def _kept(owner: dict[Any, Any] | type[Any], name: Any) -> Any:
    names = owner if isinstance(owner, dict) else vars(owner)
    return names[name]


def _put(owner: Any, name: Any, value: Any) -> None:
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)
