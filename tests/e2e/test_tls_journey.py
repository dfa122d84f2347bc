"""The main job over TLS: a real locker that knows the gateway's own CA, and a port without TLS for nobody else."""

from collections.abc import Iterator

import pytest
from scene import Scene

from tools.demo.journey import play
from tools.demo.stack import Stack, quiet
from tools.locker.cabinets import CABINETS

LOCKER = "mairie-1"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = ("--broker-tls", "127.0.0.1:0", "--broker-names", "localhost,127.0.0.1")
    with Stack(tmp_path_factory.mktemp("stack"), flags=flags) as running:
        running.add_locker(CABINETS[LOCKER](LOCKER))
        running.wait_online()
        yield running


def test_a_parcel_is_deposited_and_collected_behind_tls_also_after_the_gateway_was_killed(stack: Stack):
    scene = Scene(stack, LOCKER)
    bundle = stack.lockers[LOCKER].bundle
    assert bundle.authorities and bundle.broker[1] != stack.broker[1]
    play(stack, LOCKER, quiet, "keypad")
    since = scene.last_seq()
    stack.kill_gateway()
    stack.start_gateway()  # with the same CA, and on the same port
    scene.knock()
    stack.wait_online(LOCKER)
    play(stack, LOCKER, quiet, "scanner")
    assert scene.types_since(since).count("Collected") == 1
    scene.assert_books_exact()
