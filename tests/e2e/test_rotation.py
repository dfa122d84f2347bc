"""A signing key is rotated while a locker works: real MicroPython, real broker, nobody visits it."""

from collections.abc import Callable
from typing import Any

from scene import Scene

from tools.console import Session, open_port
from tools.locker.flash import read_files


def states(scene: Scene) -> dict[str, Any]:
    return {key["state"]: key for key in scene.stack.api.get("/v1/keys")["data"]}


def badge(scene: Scene) -> str:
    wanted = {"carrier": "colis-bleu", "holder": "livreur-7", "days": 1}
    return str(scene.stack.api.post("/v1/badges", wanted)["token"])


def believed(scene: Scene) -> list[str]:
    with open_port(scene.locker.console) as port:
        return list(Session(port).ask("status")["keys"])


def wait_believed(scene: Scene, wanted: Callable[[], set[str]]) -> None:
    scene.stack.wait_for("the locker's keys", lambda: set(believed(scene)) == wanted())


def shown(scene: Scene, token: str) -> str:
    """What the locker says to this badge, from its welcome."""
    scene.cabinet.keys("*")
    scene.cabinet.wait_until(lambda state: "Bienvenue" in state["screen"][0])
    scene.cabinet.scan(token)
    said = "\n".join(scene.cabinet.wait_until(lambda state: "Bienvenue" not in state["screen"][0])["screen"])
    scene.cabinet.wait_until(lambda state: "Bienvenue" in state["screen"][0] or "Bonjour" in state["screen"][0])
    return said


def restart(scene: Scene) -> None:
    boots = scene.types_since(0).count("Booted")
    scene.cut_power()
    scene.knock()
    scene.stack.wait_for("the restart", lambda: scene.types_since(0).count("Booted") > boots)


def test_a_signing_key_is_rotated_while_the_locker_works(scene: Scene) -> None:
    part = scene.deposit()
    pickup = scene.stack.api.get(f"/v1/parcels/{part.parcel}/pickup")
    of_old = badge(scene)
    old = states(scene)["current"]["id"]
    assert believed(scene) == [old]

    scene.stack.api.post("/v1/keys/rotation", {})
    new = states(scene)["next"]["id"]
    wait_believed(scene, lambda: {old, new})
    scene.stack.wait_for("the books", lambda: states(scene)["next"]["lockers"] == 1)
    scene.stack.api.post("/v1/keys/promotion", {})
    assert (states(scene)["current"]["id"], states(scene)["old"]["id"]) == (new, old)
    of_new = badge(scene)
    for token in (of_old, of_new):
        assert "Bonjour" in shown(scene, token), "both are good while badges of the old one are about"
    restart(scene)
    assert set(believed(scene)) == {old, new}
    for token in (of_old, of_new):
        assert "Bonjour" in shown(scene, token)

    scene.stack.api.delete(f"/v1/keys/{old}")
    wait_believed(scene, lambda: {new})
    restart(scene)
    assert believed(scene) == [new]
    assert "non valable" in shown(scene, of_old) and "Bonjour" in shown(scene, of_new)
    scene.cabinet.keys("*")
    before = scene.pulses()
    assert "non valable" in shown(scene, pickup["token"]) and scene.pulses() == before
    part.show_token()  # read again: signed with the new key
    part.close_door()
    part.collected()
    part.close()
    scene.assert_books_exact()


def test_the_flash_holds_what_the_locker_believes_and_no_more(scene: Scene) -> None:
    """Run behind the rotation, in the same stack."""
    keys = believed(scene)
    scene.cabinet.power(False)
    scene.cabinet.wait_until(lambda state: not state["powered"])
    try:
        kept = read_files(scene.locker.folder / "flash.img")
        assert sorted(name for name in kept if name.startswith("/trust")) == [
            f"/trust/{name}" for name in sorted(keys)
        ]
    finally:
        scene.cabinet.power(True)
    scene.knock()
    scene.stack.wait_online()


def test_a_language_ordered_while_the_locker_was_off_greets_when_it_is_back_and_after_a_power_cut(
    scene: Scene,
) -> None:
    def there() -> bool:
        return scene.stack.api.get(path) == {"language": "en", "at_locker": "en"}

    path = f"/v1/lockers/{scene.locker.id}/greeting"
    scene.cabinet.power(False)
    assert scene.stack.api.put(path, {"language": "en"}) == {"language": "en", "at_locker": None}
    scene.cabinet.power(True)
    scene.cabinet.wait_for_screen("Bienvenue")
    scene.knock()
    scene.stack.wait_for("the language", there)
    scene.cabinet.wait_for_screen("Welcome")
    scene.cabinet.power(False)
    assert read_files(scene.locker.folder / "flash.img")["/language"] == b"en"
    scene.cabinet.power(True)
    scene.cabinet.wait_for_screen("Welcome")
