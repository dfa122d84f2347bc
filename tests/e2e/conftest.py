"""One running stack a module: real MicroPython, real Mosquitto, a real gateway process."""

from collections.abc import Iterator

import pytest
from scene import Scene

from tools.demo.stack import Stack
from tools.locker.cabinets import CABINETS


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        running.add_locker(CABINETS["mairie-1"]("mairie-1"))
        running.wait_online()
        Scene(running, "mairie-1").wait_event("Booted", 0)
        yield running


@pytest.fixture
def scene(stack: Stack) -> Scene:
    return Scene(stack, "mairie-1")
