"""What can become of a code, on the running system: a neighbour collects, a phished code dies, one code opens several
parcels, badges are taken back. Real MicroPython, real broker, real gateway."""

from typing import Any

from scene import Scene

from tools.console import Session, open_port
from tools.demo.journey import Play

Json = dict[str, Any]


def digits(pickup: Json) -> str:
    return "".join(filter(str.isdigit, pickup["code"]))


def done(scene: Scene, operation: Json) -> Json:
    """The operation once it has ended well."""
    path = f"/v1/operations/{operation['id']}"
    scene.stack.wait_for("the operation", lambda: scene.stack.api.get(path)["state"] in ("done", "failed"))
    ended = scene.stack.api.get(path)
    assert ended["state"] == "done", ended
    return ended


def at_rest(scene: Scene) -> None:
    scene.cabinet.keys("*")
    scene.cabinet.wait_until(lambda state: "Bienvenue" in state["screen"][0])


def refused(scene: Scene, text: str, what: str) -> None:
    """Shown at the scanner (a token) or typed (digits), it opens nothing and says so."""
    at_rest(scene)
    before = scene.pulses()
    if text.isdigit():
        scene.cabinet.keys(text)
    else:
        scene.cabinet.scan(text)
    scene.cabinet.wait_until(lambda state: what in "\n".join(state["screen"]))
    assert scene.pulses() == before


def expect_for(scene: Scene, reference: str) -> Play:
    """A parcel of that recipient, put into a door of its own."""
    part = scene.part()
    part.label = f"CB{reference}{scene.last_seq():06d}FR"
    wanted = {"label": part.label, "locker": "mairie-1", "size": "S", "carrier": "colis-bleu"}
    part.parcel = scene.stack.api.post("/v1/parcels", {**wanted, "recipient_ref": reference})["id"]
    part.show_badge()
    part.scan_label()
    part.close_door()
    part.deposited()
    part.courier_leaves()
    return part


def test_a_neighbour_collects_with_a_qr_of_their_own_and_the_books_say_so(scene: Scene) -> None:
    api, part = scene.stack.api, scene.deposit()
    code = scene.code(part)
    path = f"/v1/parcels/{part.parcel}/delegations"
    neighbour = api.post(path, {"name": "Mme Bertin"})
    scene.cabinet.scan(neighbour["token"])
    part.door("open")
    part.close_door()
    part.collected()
    row = api.get(f"/v1/parcels/{part.parcel}")
    assert (row["collected_by"], row["delegation"]) == ("delegate", neighbour["id"])
    (listed,) = api.pages(path)
    assert (listed["name"], listed["state"]) == ("Mme Bertin", "used") and listed["used_at"]
    refused(scene, code, "servi")
    part.close()


def test_a_delegation_that_is_taken_back_opens_nothing_and_the_recipients_code_still_does(scene: Scene) -> None:
    api, part = scene.stack.api, scene.deposit()
    path = f"/v1/parcels/{part.parcel}/delegations"
    neighbour = api.post(path, {"name": "Mme Bertin"})
    done(scene, api.delete(f"{path}/{neighbour['id']}"))
    assert [one["state"] for one in api.pages(path)] == ["revoked"]
    refused(scene, neighbour["token"], "non valable")
    part.type_code()
    part.close_door()
    part.collected()
    assert api.get(f"/v1/parcels/{part.parcel}")["collected_by"] == "recipient"
    part.close()


def test_a_phished_code_dies_and_the_new_one_opens(scene: Scene) -> None:
    api, part = scene.stack.api, scene.deposit()
    old = api.get(f"/v1/parcels/{part.parcel}/pickup")
    done(scene, api.post(f"/v1/parcels/{part.parcel}/reissue", {"reason": "phished"}))
    new = api.get(f"/v1/parcels/{part.parcel}/pickup")
    assert digits(new) != digits(old) and new["reissue"] is None
    refused(scene, old["token"], "non valable")
    refused(scene, digits(old), "non valable")
    scene.stack.wait_for("the end of the pause", lambda: _types(scene, digits(new)))
    part.door("open")
    part.close_door()
    part.collected()
    scene.assert_books_exact()
    part.close()


def _types(scene: Scene, code: str) -> bool:
    """Whether the locker took it: the one before was wrong, and costs a pause; what is left of a code that was begun
    in it is forgotten after a while."""
    at_rest(scene)
    scene.cabinet.keys(code)
    ended = ("Porte", "Code non valable", "Bienvenue")
    first = scene.cabinet.wait_until(lambda state: state["screen"][0].startswith(ended))["screen"][0]
    return first.startswith("Porte")


def test_one_code_opens_both_parcels_of_one_recipient_in_turn(scene: Scene) -> None:
    api = scene.stack.api
    first, second = expect_for(scene, "K77"), expect_for(scene, "K77")
    other = expect_for(scene, "K78")
    path = f"/v1/parcels/{first.parcel}/pickup"
    scene.stack.wait_for("the join", lambda: api.get(path)["opens_also"] == [second.compartment])
    at_rest(scene)
    scene.cabinet.keys(digits(api.get(path)))
    first.door("open")
    first.close_door()
    scene.cabinet.wait_until(lambda state: f"porte {second.compartment}" in "\n".join(state["screen"]))
    scene.cabinet.keys("#")
    second.door("open")
    second.close_door()
    for part in (first, second):
        part.collected()
    assert api.get(f"/v1/parcels/{other.parcel}")["state"] == "deposited"
    at_rest(scene)
    other.type_code()
    other.close_door()
    other.collected()
    for part in (first, second, other):
        part.close()


def test_a_technician_logs_in_with_a_badge_until_it_is_taken_back(scene: Scene) -> None:
    api = scene.stack.api
    badge = api.post("/v1/badges", {"role": "technician", "holder": "anne-3", "days": 7, "locker": "mairie-1"})
    with open_port(scene.locker.console) as port:
        session = Session(port)
        assert session.ask(f"badge {badge['token']}") == {"actor": "anne-3"}
        since = scene.last_seq()
        assert session.order("open 1").startswith("OK")
        assert scene.wait_event("OpeningAuthorised", since)["fields"]["actor"] == "anne-3"
        scene.cabinet.wait_until(lambda state: state["compartments"][0]["door"] == "open")
        scene.cabinet.push(1)
        assert session.order("logout").startswith("OK")
        at_rest(scene)
        scene.cabinet.scan(badge["token"])
        scene.cabinet.wait_for_screen("console est")
        assert session.order("open 1").startswith("OK"), "the badge at the scanner opens the console too"
        scene.cabinet.wait_until(lambda state: state["compartments"][0]["door"] == "open")
        scene.cabinet.push(1)
        api.delete(f"/v1/badges/{badge['id']}")
        scene.wait_event("TokenRevoked", since)
        assert session.order("open 1").startswith("ERR not_allowed")
        assert session.order(f"badge {badge['token']}").startswith("ERR revoked")


def test_a_lost_couriers_badge_is_refused_at_the_locker_itself(scene: Scene) -> None:
    api = scene.stack.api
    badge = api.post("/v1/badges", {"carrier": "colis-bleu", "holder": "livreur-3", "days": 30})
    at_rest(scene)
    scene.cabinet.scan(badge["token"])
    scene.cabinet.wait_for_screen("Bonjour")
    since = scene.last_seq()
    api.delete(f"/v1/badges/{badge['id']}")
    scene.wait_event("TokenRevoked", since)
    refused(scene, badge["token"], "non valable")

    def revocation() -> Json:
        (row,) = [row for row in api.pages("/v1/badges") if row["id"] == badge["id"]]
        return row["revocation"]

    scene.stack.wait_for("the books", lambda: revocation() == {"lockers_done": 1, "lockers_total": 1})
