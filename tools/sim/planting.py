"""How a deliberate fault gets into the product while a simulation runs, and out of it again."""

from collections.abc import Callable, Generator, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

Owner = MutableMapping[Any, Any] | type[Any]


@dataclass(frozen=True)
class _Change:
    """`owner`'s `name` is for a while what `made_of` makes of what is there."""

    owner: Owner
    name: Any
    made_of: Callable[[Any], Any]


BUGS: dict[str, list[_Change]] = {}


def bug(owner: Owner, name: Any, of: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The function below is called in place of `owner`'s `name`, with that before the other arguments, while the bug
    of its name is planted: or the one of the name `of`, where a bug is more than one function."""

    def keep(stand_in: Callable[..., Any]) -> Callable[..., Any]:
        BUGS.setdefault(of or stand_in.__name__, []).append(_Change(owner, name, partial(_in_place, stand_in)))
        return stand_in

    return keep


def bug_of_value(of: str, owner: Owner, name: Any, value: Any) -> None:
    """The same for what is no function: a limit, a property."""
    BUGS.setdefault(of, []).append(_Change(owner, name, lambda _former: value))


@contextmanager
def planted(name: str) -> Generator[None, None, None]:
    """The bug of this name is in the product while this lasts; "": none."""
    with ExitStack() as stack:
        for change in BUGS[name] if name else ():
            stack.enter_context(_changed(change))
        yield


def _in_place(stand_in: Callable[..., Any], former: Any) -> Any:
    if isinstance(former, staticmethod):
        return staticmethod(_in_place(stand_in, former.__func__))

    def called(*arguments: Any) -> Any:
        return stand_in(former, *arguments)

    return called


@contextmanager
def _changed(change: _Change) -> Generator[None, None, None]:
    owner, name = change.owner, change.name
    former = owner[name] if isinstance(owner, MutableMapping) else vars(owner)[name]
    _put(owner, name, change.made_of(former))
    try:
        yield
    finally:
        _put(owner, name, former)


def _put(owner: Owner, name: Any, value: Any) -> None:
    if isinstance(owner, MutableMapping):
        owner[name] = value
    else:
        setattr(owner, name, value)
