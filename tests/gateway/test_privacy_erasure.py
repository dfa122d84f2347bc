"""A person who is erased is found nowhere: not in the books' files, the log, the metrics or any answer.

A whole gateway as a process, a locker over MQTT, a mail server, a receiver of webhooks; every place in which a person
can be named gets a word that stands nowhere else. Before the erasure each of them is found: so the search can find.
"""

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hook_town import Receiver, receiving
from letters_town import Postbox, postbox
from mqtt_town import TinyLocker
from patience import WAIT_S, wait_for

from gateway.config import Address
from gateway.domain import ids
from gateway.keys import Keys
from protocol.errors import number_of
from protocol.messages import (
    Collected,
    CommandDone,
    DepositAuthorised,
    Deposited,
    DoorOpened,
    PickupAuthorised,
    Reissue,
)
from tools.client import OK, REFUSED, USAGE
from tools.consigne import main

ROOT = Path(__file__).parents[2]
PLANTED = {
    "name": "Zsófia Kanarek",
    "mail": "zsofia.kanarek@mail.example",
    "phone": "+33 6 99 88 77 66",
    "ref": "client-KANAREK-7",
    "delegate": "Anna Pacsirta",
    "words": "mon vélociraptor manque",
    "reason": "Kakukk appelle",
    "closing": "rendu chez Madame Fecske",
}


@dataclass
class Here:
    """The gateway and all that stands around it."""

    data: Path
    log: Path
    process: subprocess.Popen[str]
    url: str
    client: httpx.Client
    locker: TinyLocker
    box: Postbox
    receiver: Receiver
    seq: int = 0
    answers: list[str] = field(default_factory=list[str])

    def act(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.client.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def says(self, *events: Any) -> None:
        for event in events:
            self.seq += 1
            self.locker.say(self.seq, event)

    def state(self, parcel: str) -> str:
        return self.get(f"/v1/parcels/{parcel}")["state"]

    # ------------------------------------------------------------ what a person goes through
    def delivered(self, label: str, box: int, recipient: dict[str, str], ref: str) -> str:
        new = {"label": label, "locker": "mairie-1", "size": "M", "carrier": "colibri", "recipient": recipient}
        parcel = self.act("/v1/parcels", new | {"recipient_ref": ref})["id"]
        assert self.act(f"/v1/parcels/{parcel}/reservation", {})["compartment"] == box
        number = ids.parcel_number(parcel)
        self.says(DepositAuthorised(box, 1, 1, number, None, None), DoorOpened(box), Deposited(box, 1, number))
        wait_for(lambda: self.state(parcel) == "deposited")
        return parcel

    def fetched(self, parcel: str, box: int) -> None:
        self.says(PickupAuthorised(box, 1, 1, 0, None), DoorOpened(box), Collected(box, 1))
        wait_for(lambda: self.state(parcel) == "collected")

    def page_of(self, mail: str) -> str:
        """As the link in their letter leads there."""
        (letter,) = [str(message) for message in self.box.got if mail in str(message["To"])]
        found = re.search(rf"{self.url}(/p/[\w-]+)", letter)
        assert found, letter
        return found[1]

    def form(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(path, data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    # ------------------------------------------------------------ looking everywhere
    def found(self, text: str, parcel: str) -> set[str]:
        """Where it is: in files of the data folder, what was logged, metrics, answers of the API and of pages."""
        needles = {text.encode(), json.dumps(text)[1:-1].encode()}
        places = {
            str(path.relative_to(self.data)): path.read_bytes() for path in self.data.rglob("*") if path.is_file()
        }
        places["log"] = self.log.read_bytes()
        reports = self.get("/v1/reports")["data"]
        asked = ("/metrics", "/v1/parcels", "/v1/events", "/v1/webhooks", "/operator/log/acts", "/operator/parcels")
        asked += tuple(f"/v1/parcels/{parcel}{more}" for more in ("", "/delegations"))
        asked += (f"/v1/privacy/parcels/{parcel}", f"/operator/parcels/{parcel}", f"/v1/privacy/erasures/{parcel}")
        asked += tuple(f"/v1/reports/{report['id']}" for report in reports)
        for path in asked:
            places[path] = self.client.get(path).content
        return {place for place, held in places.items() if any(needle in held for needle in needles)}


def register(client: httpx.Client) -> None:
    box = {"size": "M", "width_mm": 400, "height_mm": 300, "depth_mm": 500, "x_mm": 0}
    boxes = [{**box, "number": number, "bottom_mm": 500 * number} for number in (1, 2)]
    body = {"id": "mairie-1", "name": "Mairie", "modules": [{"name": "A", "compartments": boxes}]}
    for path, said in (("/v1/lockers", body), ("/v1/lockers/mairie-1/provisioning", {})):
        assert client.post(path, json=said, headers={"Idempotency-Key": str(uuid.uuid4())}).status_code == 201


def knock(address: Address, keys: Keys) -> TinyLocker:
    """As soon as the broker knows its password."""
    tries: list[TinyLocker] = []

    def let_in() -> bool:
        tries.append(TinyLocker(address, "mairie-1", keys=keys))
        if tries[-1].refused:
            tries.pop().close()
        return bool(tries)

    wait_for(let_in)
    return tries[0]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("gateway")
    data, log = folder / "data", folder / "log"
    with postbox() as box, receiving() as receiver, log.open("w") as log_file:
        command = [sys.executable, "-m", "gateway.main", "--data", str(data), "--http", "127.0.0.1:0"]
        command += ["--smtp", f"smtp://127.0.0.1:{box.port}", "--mail-from", "Consigne <consigne@example.fr>"]
        command += ["--webhooks-allow-private", "yes"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log_file, text=True)
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            secret = Path(ready["operator_key_file"]).read_text().strip()
            headers = {"Authorization": f"Bearer {secret}"}
            with httpx.Client(base_url=ready["http"], headers=headers, timeout=WAIT_S, trust_env=False) as client:
                register(client)
                client.post("/sign-in", data={"key": secret}, headers={"Sec-Fetch-Site": "same-origin"})
                host, port = ready["broker"].rsplit(":", 1)
                locker = knock(Address(host, int(port)), Keys.load(data / "keys", {}))
                locker.birth(doors=b"\x01\x01")
                made = Here(data, log, process, ready["http"], client, locker, box, receiver)
                wait_for(lambda: made.get("/v1/lockers/mairie-1")["online"])
                yield made
                locker.close()
        finally:
            process.terminate()
            process.communicate(timeout=WAIT_S)


def report_closed(here: Here, page: str) -> None:
    assert here.form(f"{page}/report", kind="cannot_reach", words=PLANTED["words"]).status_code == 303
    (report,) = here.get("/v1/reports")["data"]
    here.act(f"/v1/reports/{report['id']}/closing", {"reason": PLANTED["closing"]})


def new_code_refused(here: Here, parcel: str) -> None:
    """Asked for with a reason; the locker cannot."""
    operation = here.act(f"/v1/parcels/{parcel}/reissue", {"reason": PLANTED["reason"]})
    wait_for(lambda: here.locker.orders(Reissue))
    (down,) = [down for down in here.locker.heard if isinstance(down.command, Reissue)]
    here.says(CommandDone(down.id, down.issued_s, number_of("wrong_state"), Reissue.TYPE, 1, 0))
    wait_for(lambda: here.get(f"/v1/operations/{operation['id']}")["state"] == "failed")


def collected(body: bytes, parcel: str) -> bool:
    return parcel in body.decode() and json.loads(body)["type"] == "parcel.collected"


def test_who_is_erased_is_found_nowhere_and_was_found_before(here: Here) -> None:
    here.act("/v1/webhooks", {"url": here.receiver.url})
    person = {"name": PLANTED["name"], "mail": PLANTED["mail"], "phone": PLANTED["phone"]}
    parcel = here.delivered("label-1", 1, person, PLANTED["ref"])
    other = here.delivered("label-2", 2, {"name": "Noé Balogh", "mail": "noe@mail.example"}, "client-8")
    wait_for(lambda: len(here.box.got) == 2)
    page = here.page_of(PLANTED["mail"])
    assert PLANTED["delegate"] in here.form(f"{page}/delegations", name=PLANTED["delegate"], once="1").text
    new_code_refused(here, parcel)
    report_closed(here, page)

    everywhere = {what: here.found(text, parcel) for what, text in PLANTED.items()}
    unseen = {what for what, places in everywhere.items() if not {"consigne.db", "consigne.db-wal"} & places}
    assert not unseen, everywhere
    untold = {what for what, places in everywhere.items() if f"/v1/privacy/parcels/{parcel}" not in places}
    assert not untold, "an export holds all of it"

    (waiting,) = here.act("/v1/privacy/erasures", {"phone": "06.99.88.77.66"})["data"]
    assert (waiting["parcel"], waiting["state"]) == (parcel, "waiting"), "its recipient has still to come"
    assert here.client.get(page).status_code == 200
    here.fetched(parcel, 1)
    wait_for(lambda: here.get(f"/v1/privacy/erasures/{parcel}")["state"] == "done")

    assert {what: places for what, text in PLANTED.items() if (places := here.found(text, parcel))} == {}
    assert here.found("Noé Balogh", other) >= {"consigne.db"}, "somebody else is still known"
    assert here.client.get(page).status_code == 404
    wait_for(lambda: [got for got in here.receiver.got if collected(got.body, parcel)], named="the last of the parcel")
    told = b"".join(got.body for got in here.receiver.got).decode()
    assert not any(text in told for text in PLANTED.values())


def test_the_same_from_the_command_line_and_an_altered_act_is_named(
    here: Here, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {"label": "label-3", "locker": "mairie-1", "size": "M", "carrier": "colibri"}
    parcel = here.act("/v1/parcels", new | {"recipient": {"name": "Ida Cinege", "mail": "ida@mail.example"}})["id"]
    monkeypatch.setenv("CONSIGNE_URL", here.url)
    monkeypatch.setenv("CONSIGNE_KEY_FILE", str(here.data / "operator.key"))

    def run(*words: str) -> tuple[int, str]:
        return main(words), capsys.readouterr().out

    def typed(address: str, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "tools.consigne", *words, "--contact"]
        done = subprocess.run(command, cwd=ROOT, input=address, stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout

    code, said = typed("IDA@mail.example\n", "privacy", "export")
    assert code == OK and json.loads(said)["parcels"][0]["known"]["recipients"][0]["name"] == "Ida Cinege"
    assert run("privacy", "erase", parcel)[0] == USAGE, "a script says --yes"
    code, said = typed("ida@mail.example\n", "privacy", "erase", "--yes")
    assert code == OK and parcel in said and "waiting" in said
    code, said = run("audit", "check")
    head = re.search(r"^head +([0-9a-f]{64})", said, re.M)
    assert code == OK and head
    wait_for(lambda: "acts_chained" in here.log.read_text())
    with contextlib.closing(sqlite3.connect(here.data / "consigne.db", WAIT_S)) as books, books:
        books.execute("UPDATE acts SET made_s = made_s - 60 WHERE id = 1")
    code, said = run("audit", "check", "--json")
    assert code == REFUSED and [(one["act"], one["what"]) for one in json.loads(said)["wrong"]] == [(1, "altered")]
