"""No code, token or key in any log, URL, event, MQTT payload, database or file: known ones go through a whole journey,
with all that can go wrong on the way, and then every byte that was kept or sent is searched for them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from overheard import Tap, found, kept_files, of_code, of_key, of_token
from scene import Scene

from protocol import damm
from protocol.keys import PURPOSES, sub_key
from tools.console import Session, log_in, open_port
from tools.demo.stack import Stack
from tools.locker.cabinets import CABINETS


@dataclass
class Journey:
    """What was planted, and what came out."""

    stack: Stack
    tap: Tap
    secrets: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    said: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    plain: dict[str, str] = field(default_factory=dict[str, str])  # what is still to be typed


def well_formed(front: str) -> str:
    return front + damm.check_digit(front)


def play(journey: Journey, scene: Scene) -> None:
    """A courier and a customer who errs in every way, a technician, and callers who put codes where none belong."""
    api = scene.stack.api
    part = scene.deposit()
    pickup = api.get(f"/v1/parcels/{part.parcel}/pickup")
    code = "".join(filter(str.isdigit, pickup["code"]))
    typo = code[:-1] + str((int(code[-1]) + 1) % 10)
    wrong = well_formed("40506070809")
    journey.secrets |= {"the code": of_code(code), "a typo": of_code(typo), "a wrong code": of_code(wrong)}
    journey.secrets["the token"] = of_token(pickup["token"])
    again = api.get(f"/v1/parcels/{part.parcel}/pickup")["token"]
    journey.secrets["the token, read again"] = of_token(again)
    badge = api.post("/v1/badges", {"carrier": "colis-bleu", "holder": "livreur-9", "days": 1})
    journey.secrets["a badge"] = of_token(badge["token"])
    forged = pickup["token"][:-6] + "AAAAAA"
    since = scene.last_seq()
    scene.cabinet.keys(typo)
    scene.cabinet.scan(forged)
    scene.cabinet.keys(wrong)
    scene.wait_event("CodeRefused", since)
    _misplaced(journey, code, pickup["token"])
    _technician(journey, scene)
    _others(journey, scene, part.parcel)
    scene.cabinet.wait_until(lambda state: "Bienvenue" in state["screen"][0])
    part.show_token()
    part.close_door()
    part.collected()
    scene.cabinet.keys(journey.plain["the new code"])
    part.door("open")
    part.close_door()
    part.close()


def _others(journey: Journey, scene: Scene, parcel: str) -> None:
    """A neighbour, a slip, another code, a technician's badge at the scanner."""
    api = scene.stack.api
    neighbour = api.post(f"/v1/parcels/{parcel}/delegations", {"name": "Mme Bertin-Lefort"})
    journey.secrets["a delegate's token"] = of_token(neighbour["token"])
    assert "<svg" in api.page(f"/v1/parcels/{parcel}/slip")
    operation = api.post(f"/v1/parcels/{parcel}/reissue", {"reason": "phished"})
    path = f"/v1/operations/{operation['id']}"
    scene.stack.wait_for("the new code", lambda: api.get(path)["state"] == "done")
    new = api.get(f"/v1/parcels/{parcel}/pickup")
    journey.plain["the new code"] = "".join(filter(str.isdigit, new["code"]))
    journey.secrets["the new code"] = of_code(journey.plain["the new code"])
    journey.secrets["the new token"] = of_token(new["token"])
    badge = api.post("/v1/badges", {"role": "technician", "holder": "anne-3", "days": 1})
    journey.secrets["a technician's badge"] = of_token(badge["token"])
    with open_port(scene.locker.console) as port:
        session = Session(port)
        journey.said.append(("the answer to a badge", session.order(f"badge {badge['token']}").encode()))
        session.order("logout")


def _misplaced(journey: Journey, code: str, token: str) -> None:
    """In paths, queries, bodies and headers: refused, and written down nowhere."""
    stack = journey.stack
    head = {"authorization": f"Bearer {stack.operator_key}", "idempotency-key": "leak-1"}
    with httpx.Client(base_url=stack.url, headers=head, trust_env=False) as web:
        answers = [
            web.get(f"/v1/parcels/{code}"),
            web.get("/v1/parcels", params={"cursor": code, "code": code}),
            web.get(f"/v1/lockers/{code}/compartments"),
            web.post("/v1/parcels", json={"label": 1, "code": code, "token": token}),
            web.post(
                "/v1/parcels", content=json.dumps({"label": code})[:-1], headers={"content-type": "application/json"}
            ),
            web.get("/v1/parcels", headers={"authorization": f"Bearer {token}"}),
            web.get("/v1/parcels/x/pickup", headers={"authorization": f"Bearer {code}"}),
        ]
    assert all(answer.status_code >= 400 or answer.request.url.path == "/v1/parcels" for answer in answers)
    # An answer goes to whoever sent the secret; it is what is kept of it that counts.
    journey.said += [("an answer's headers", str(answer.headers).encode()) for answer in answers]


def _technician(journey: Journey, scene: Scene) -> None:
    def answer(locker: str, challenge: str) -> str:
        body = {"challenge": challenge, "name": "camille"}
        given = str(scene.stack.api.post(f"/v1/lockers/{locker}/console-answers", body)["answer"])
        journey.secrets["a console answer"] = [given.encode()]
        return given

    with open_port(scene.locker.console) as port:
        session = Session(port)
        log_in(session, "camille", answer, "mairie-1")
        for order in ("help", "status", "doors", "journal", "net", "selftest", "time", "logout"):
            journey.said.append((f"the console's {order}", session.order(order).encode()))


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        tap = Tap(stack.broker)
        stack.add_locker(CABINETS["mairie-1"]("mairie-1"), tap.address)
        stack.wait_online()
        done = Journey(stack, tap)
        scene = Scene(stack, "mairie-1")
        scene.wait_event("Booted", 0)
        play(done, scene)
        done.said.append(("the events", json.dumps(scene.events()).encode()))
        done.said.append(("the MQTT packets", bytes(tap.heard)))
        yield done
        tap.stop()


def test_no_code_and_no_token_is_in_anything_that_was_kept_or_sent(journey: Journey) -> None:
    assert len(journey.tap.heard) > 2_000 and len(journey.secrets) >= 10
    places = [*journey.said, *kept_files(journey.stack.folder)]
    assert {"gateway.log", "gateway/consigne.db", "mairie-1/flash.img", "mairie-1/locker.log"} <= dict(places).keys()
    assert found(journey.secrets, places) == []


def test_a_persons_name_is_in_the_books_and_nowhere_else(journey: Journey) -> None:
    name = {"the neighbour's name": [b"Bertin-Lefort"]}
    books = list((journey.stack.folder / "gateway").glob("consigne.db*"))
    assert found(name, [(path.name, path.read_bytes()) for path in books])
    assert found(name, [*journey.said, *kept_files(journey.stack.folder, books)]) == []


def test_no_key_is_anywhere_but_where_it_has_to_be(journey: Journey) -> None:
    folder, bundle = journey.stack.folder, journey.stack.lockers["mairie-1"].bundle
    files = {name: folder / "gateway" / "keys" / f"{name}.key" for name in ("master", "signing")}
    own = {name: of_key(bytes.fromhex(path.read_text().strip())) for name, path in files.items()}
    everywhere = list(kept_files(folder, [*files.values(), folder / "gateway" / "operator.key"]))
    assert found(own | {"operator": [journey.stack.operator_key.encode()]}, [*journey.said, *everywhere]) == []
    lockers = {"its key": of_key(bundle.key)}
    lockers |= {purpose: of_key(sub_key(bundle.key, purpose)) for purpose in PURPOSES}
    assert found({"its key": lockers["its key"]}, [("flash", (folder / "mairie-1" / "flash.img").read_bytes())])
    kept = list(kept_files(folder, [folder / "mairie-1" / "flash.img"]))
    del lockers["mqtt"]  # on the wire it is the password of CONNECT, which TLS is for
    assert found(lockers, [*journey.said, *kept]) == []


def test_the_search_finds_what_is_there(journey: Journey, tmp_path: Path) -> None:
    for what, forms in journey.secrets.items():
        for form in forms:
            (tmp_path / "leak").write_bytes(b"x" * 100 + form + b"y")
            assert found(journey.secrets, kept_files(tmp_path)), what
