"""The modules of device.desk come and go on a host as on a board, and cost little: each is found and read once.

A board unloads them for the sake of its heap, and what a module held goes with it; so it must be in every simulation
too. What is kept here is no more than the compiled code. A session of an attacker loads eight modules a minute, and
each was looked for in every folder; then all that a process of the test suite has loaded, four thousand modules, was
looked through for those of the desk.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace

from device.agent import console

DESK = "device.desk."


class Shelf(MetaPathFinder, Loader):
    """Finds the modules of the desk before anybody else does; `put_up` makes it do so."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(DESK):
            return None
        if fullname not in self._codes:
            found = PathFinder.find_spec(fullname, path, target)
            if found is None or not isinstance(found.loader, SourceLoader) or found.submodule_search_locations:
                return None
            code = found.loader.get_code(fullname)
            if code is None or found.origin is None:
                return None
            self._codes[fullname] = found.origin, code
        spec = spec_from_loader(fullname, self, origin=self._codes[fullname][0], is_package=False)
        if spec is not None:
            spec.has_location = True  # tracebacks and coverage name the file
        return spec

    def create_module(self, spec: ModuleSpec) -> None:  # noqa: ARG002
        return None  # an ordinary one

    def exec_module(self, module: ModuleType) -> None:
        exec(self._codes[module.__name__][1], vars(module))


class Loaded:
    """What device.agent.console sees as `sys.modules`: the modules of the device in it, and no others."""

    def __init__(self) -> None:
        root = Path(console.__file__).parents[1]
        files = [path.relative_to(root.parent).with_suffix("") for path in sorted(root.rglob("*.py"))]
        self._names = tuple(".".join(file.parts).removesuffix(".__init__") for file in files)

    def __iter__(self) -> Iterator[str]:
        return filter(sys.modules.__contains__, self._names)

    def __delitem__(self, name: str) -> None:
        del sys.modules[name]

    def get(self, name: str) -> ModuleType | None:
        return sys.modules.get(name)


def put_up() -> None:
    """Once for the whole process."""
    if not any(isinstance(finder, Shelf) for finder in sys.meta_path):
        sys.meta_path.insert(0, Shelf())
        setattr(console, "sys", SimpleNamespace(modules=Loaded()))  # noqa: B010
