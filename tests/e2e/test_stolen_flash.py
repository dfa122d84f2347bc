"""An opened locker is worth only itself: its flash opens nothing at another one, and signs nothing anywhere."""

import os
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from overheard import Tap, found, of_key
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from scene import Scene

from protocol import cose, messages, otp, tokens
from protocol.errors import number_of
from protocol.hmac import HmacKey
from protocol.keys import KEY_SIZE, console_answer, sub_key
from protocol.topics import topic
from tools.console import Session, open_port
from tools.demo.stack import Stack
from tools.locker.cabinets import CABINETS
from tools.locker.flash import read_files

THIEF, VICTIM = "mairie-1", "gare-1"
DEPOSITS = 40  # of each compartment, far more than it has had


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Tap]]:
    """Two lockers with a parcel in each; the thief's is then switched off and read."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        tap = Tap(running.broker)
        running.add_locker(CABINETS[THIEF](THIEF))
        running.add_locker(CABINETS[VICTIM](VICTIM), tap.address)
        running.wait_online()
        for name in (THIEF, VICTIM):
            Scene(running, name).deposit().close()
        running.lockers[THIEF].stop()
        yield running, tap
        tap.stop()


@pytest.fixture(scope="module")
def stack(scenery: tuple[Stack, Tap]) -> Stack:
    return scenery[0]


@pytest.fixture(scope="module")
def tap(scenery: tuple[Stack, Tap]) -> Tap:
    return scenery[1]


@pytest.fixture(scope="module")
def dump(stack: Stack) -> dict[str, bytes]:
    return read_files(stack.lockers[THIEF].folder / "flash.img")


@pytest.fixture
def victim(stack: Stack) -> Scene:
    return Scene(stack, VICTIM)


def test_its_key_derives_no_code_of_the_other(stack: Stack, dump: dict[str, bytes], victim: Scene) -> None:
    """Every code that the stolen key gives for the other's compartments, against the live one; then a try at it."""
    parcels = stack.api.pages("/v1/parcels")
    parcel = next(row for row in parcels if row["locker"] == VICTIM and row["state"] == "deposited")
    live = "".join(filter(str.isdigit, stack.api.get(f"/v1/parcels/{parcel['id']}/pickup")["code"]))
    stolen = HmacKey(sub_key(dump["/key"], "code"))
    derived = {
        otp.typed_code(stolen, place, deposit, digits)
        for place in range(1, 49)
        for deposit in range(1, DEPOSITS)
        for digits in otp.CODE_DIGITS
    }
    assert live not in derived
    since, pulses = victim.last_seq(), victim.pulses()
    victim.cabinet.keys(otp.typed_code(stolen, parcel["compartment"], 1))
    assert victim.wait_event("CodeRefused", since)["fields"]["code"] == number_of("wrong_code")
    assert victim.pulses() == pulses


def test_its_key_orders_nothing_of_the_other(stack: Stack, dump: dict[str, bytes], victim: Scene, tap: Tap) -> None:
    """Not even when the broker is the thief's, and hands on whatever it likes."""
    pulses = victim.pulses()
    command = messages.Down(os.urandom(8), int(time.time()), 60, messages.Open(1, "thief"))
    for key, opens in ((dump["/key"], False), (victim.locker.bundle.key, True)):
        before = _refused(victim)
        down = HmacKey(sub_key(key, "down"))
        sealed = cose.mac0(down, bytes([victim.locker.bundle.generation]), messages.encode(command))
        tap.publish(topic(VICTIM, "down"), sealed)
        if opens:  # the same bytes under the right key: so it was the key alone that failed
            stack.wait_for("the door", lambda: victim.pulses() > pulses)
        else:
            stack.wait_for("the refusal", lambda before=before: _refused(victim) > before)
            assert victim.pulses() == pulses
    victim.cabinet.push(1)


def _refused(scene: Scene) -> int:
    with open_port(scene.locker.console) as port:
        return int(Session(port).ask("net")["refused"])


def test_its_password_lets_nobody_in_as_the_other(stack: Stack, dump: dict[str, bytes]) -> None:
    password = sub_key(dump["/key"], "mqtt").hex()
    assert _connects(stack, THIEF, password) == "Success"
    assert _connects(stack, VICTIM, password) == "Not authorized"


def _connects(stack: Stack, name: str, password: str) -> str:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="", protocol=paho.MQTTv311)
    client.username_pw_set(name, password)
    codes: list[str] = []
    client.on_connect = lambda _client, _data, _flags, reason, _properties: codes.append(str(reason))
    client.connect(*stack.broker)
    client.loop_start()
    try:
        return stack.wait_for("the broker's answer", lambda: codes)[0]
    finally:
        client.disconnect()
        client.loop_stop()


def test_its_key_opens_no_console_of_the_other(stack: Stack, dump: dict[str, bytes], victim: Scene) -> None:
    with open_port(victim.locker.console) as port:
        session = Session(port)
        challenge = bytes.fromhex(session.ask("login eve")["challenge"])
        order = "answer " + console_answer(dump["/key"], challenge, "eve")
        said = stack.wait_for("the end of the pause", lambda: _unless_throttled(session.order(order)))
        assert said.startswith("ERR wrong_code")


def _unless_throttled(said: str) -> str:
    return "" if said.startswith("ERR throttled") else said


def test_nothing_in_it_signs_a_token(stack: Stack, dump: dict[str, bytes], victim: Scene) -> None:
    """Every 32 bytes of what provisioning left are tried as a signing seed; the journal holds ids and numbers."""
    given = {name: content for name, content in dump.items() if not name.startswith("/journal/")}
    public = {content[:32] for name, content in given.items() if name.startswith("/trust/")}
    assert len(public) == 1
    for content in given.values():
        for at in range(len(content) - KEY_SIZE + 1):
            seed = content[at : at + KEY_SIZE]
            assert Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() not in public
    secrets = {
        name: of_key(bytes.fromhex((stack.data / "keys" / f"{name}.key").read_text().strip()))
        for name in ("master", "signing")
    }
    secrets["the victim's key"] = of_key(stack.lockers[VICTIM].bundle.key)
    image = (stack.lockers[THIEF].folder / "flash.img").read_bytes()
    assert found(secrets, [("the flash", image), *dump.items()]) == []
    kid = tokens.key_id(next(iter(public)))
    forger = Ed25519PrivateKey.from_private_bytes(dump["/key"])
    claims = tokens.Token("x", VICTIM, int(time.time()) + 3600, os.urandom(8), tokens.PICKUP, 1, 1)
    since, pulses = victim.last_seq(), victim.pulses()
    victim.cabinet.scan(tokens.seal(claims, kid, forger.sign))
    assert victim.wait_event("CodeRefused", since)["fields"]["code"] == number_of("bad_signature")
    assert victim.pulses() == pulses
