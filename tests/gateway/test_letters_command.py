"""Letters of the command itself, as a process: killed between a send and its mark, ended while a server hangs, asked
by an office whether somebody was told; and with a real locker, the code of a letter opens the door."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from books_town import COLIBRI, open_town
from letters_town import MAIL, PHONE, SMS_BODY, codes_in, postbox, provider, words_of
from patience import WAIT_S, wait_for

from gateway.domain.ids import parcel_id
from gateway.domain.parcels import NewParcel
from gateway.keys import Keys
from gateway.services import parcels
from protocol.messages import Assign
from tools.demo.journey import Play
from tools.demo.stack import Stack, quiet
from tools.locker.cabinets import CABINETS

ROOT = Path(__file__).parents[2]
FROM = "Consignes <consigne@saint-elan.example>"


def books(data: Path, *recipients: dict[str, str]) -> list[str]:
    """Parcels that wait, in books that no gateway has open; their ids."""
    town = open_town(data, keys=Keys.load(data / "keys", {}))
    town.now[0] = int(time.time())
    town.locker("S", "S", "S")
    made: list[str] = []
    for number, recipient in enumerate(recipients, 1):
        fields = {f"recipient_{name}": value for name, value in recipient.items()}
        new = NewParcel(f"label-{number}", "mairie-1", "S", "colibri", **fields)
        parcel = parcels.expect_parcel(town.desk, COLIBRI, new)
        answer = town.ask("mairie-1", town.badge(), parcel.label)
        assert isinstance(answer, Assign)
        town.put_in("mairie-1", answer.compartment, 1, parcel.number)
        made.append(parcel_id(parcel.number))
    town.store.close()
    return made


class Running:
    def __init__(self, data: Path, **settings: str) -> None:
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        command = [sys.executable, "-m", "gateway.main", "--data", str(data), "--http", "127.0.0.1:0", *flags]
        self.said = (data / "said").open("a+")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self.said, text=True)
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")

    def messages(self, parcel: str) -> Any:
        secret = Path(self.ready["operator_key_file"]).read_text().strip()
        headers = {"Authorization": f"Bearer {secret}"}
        address = f"{self.ready['http']}/v1/parcels/{parcel}"
        answer = httpx.get(address, headers=headers, trust_env=False, timeout=WAIT_S)
        assert answer.status_code == 200, answer.text
        return answer.json()["messages"]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def log(self) -> str:
        self.said.seek(0)
        return self.said.read()


@contextlib.contextmanager
def running(data: Path, **settings: str) -> Iterator[Running]:
    made = Running(data, **settings)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()
        made.said.close()


def test_a_gateway_killed_between_a_send_and_its_mark_sends_that_letter_once_more_and_no_more(tmp_path: Path) -> None:
    (parcel,) = books(tmp_path, {"mail": MAIL})
    to_kill: queue.Queue[int] = queue.Queue()
    with postbox() as box:

        def kill_once() -> str:
            if not box.got:
                os.kill(to_kill.get(timeout=60), signal.SIGKILL)
            return "250 OK"

        box.said_at_end = kill_once
        settings = {"smtp": f"smtp://127.0.0.1:{box.port}", "mail_from": FROM}
        with running(tmp_path, **settings) as first:
            to_kill.put(first.process.pid)
            wait_for(lambda: first.process.poll() is not None, named="the kill")
        assert first.process.returncode == -signal.SIGKILL
        wait_for(lambda: box.got, named="the letter in the box")
        for _ in range(2):
            with running(tmp_path, **settings) as again:
                wait_for(lambda gateway=again: gateway.messages(parcel)[0]["state"] == "sent", named="the mark")
                assert again.end() == 0
    assert len(box.got) == 2 and box.got[0]["Message-ID"] == box.got[1]["Message-ID"]


def test_an_office_sees_whether_somebody_was_told(tmp_path: Path) -> None:
    reachable, wrong, nobody = books(tmp_path, {"mail": MAIL, "phone": PHONE}, {"phone": "12"}, {})
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer hush-hush\n")
    headers.chmod(0o600)
    with postbox() as box, provider() as there:
        settings = {
            "smtp": f"smtp://127.0.0.1:{box.port}",
            "mail_from": FROM,
            "public_url": "https://colis.example/",
            "sms_url": there.url,
            "sms_body": SMS_BODY,
            "sms_headers_file": str(headers),
        }
        with running(tmp_path, **settings) as gateway:
            wait_for(lambda: len(box.got) == 1 and len(there.got) == 1, named="the letters")
            wait_for(lambda: {row["state"] for row in gateway.messages(reachable)} == {"sent"}, named="their marks")
            wait_for(lambda: gateway.messages(wrong)[0]["state"] == "given_up", named="the end of the other")
            rows = gateway.messages(reachable)
            assert [(row["kind"], row["channel"]) for row in rows] == [("arrived", "mail"), ("arrived", "sms")]
            assert all(row["sent_at"].endswith("Z") and row["reason"] is None for row in rows)
            assert set(rows[0]) == {"kind", "channel", "state", "sent_at", "reason"}
            (row,) = gateway.messages(wrong)
            assert (row["state"], row["reason"], row["sent_at"]) == ("given_up", "bad_number", None)
            assert gateway.messages(nobody) == []
            assert gateway.end() == 0
            said = gateway.log()
    assert "letter_given_up" in said and f"parcel={wrong}" in said
    assert not [each for each in (MAIL, PHONE, "99887766", "hush-hush") if each in said]
    assert "https://colis.example/p/" in there.got[0]["message"] and "https://colis.example/p/" in words_of(box.got[0])
    assert there.headers[0]["Authorization"] == "Bearer hush-hush"
    assert box.greeted[0] == "colis.example"


def test_a_gateway_without_mail_sends_nothing_and_says_so_and_tells_later_who_waits(tmp_path: Path) -> None:
    (parcel,) = books(tmp_path, {"mail": MAIL})
    with running(tmp_path) as without:
        assert without.messages(parcel) is None
        assert without.end() == 0
    with postbox() as box, running(tmp_path, smtp=f"smtp://127.0.0.1:{box.port}", mail_from=FROM) as gateway:
        wait_for(lambda: box.got, named="the letter")
        assert f"{gateway.ready['http']}/p/" in words_of(box.got[0])
        assert "letters_without_public_url" in gateway.log()


def test_a_mail_server_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    books(tmp_path, {"mail": MAIL})
    with socket.create_server(("127.0.0.1", 0)) as silence:
        port = silence.getsockname()[1]
        with running(tmp_path, smtp=f"smtp://127.0.0.1:{port}", mail_from=FROM) as gateway:
            held, _ = silence.accept()
            assert gateway.end() == 0
            held.close()
            said = gateway.log()
            assert "letters_held_up" not in said, "it did not wait until the server was given up"
            assert "letters_failed" not in said


def ends(data: Path, *flags: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "gateway.main", "--data", str(data), "--http", "127.0.0.1:0", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)
    return done.returncode, done.stderr


def test_a_password_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("hush-hush\n")
    password.chmod(0o644)
    smtp = "--smtp=smtps://consigne@mail.example:465"
    status, said = ends(tmp_path / "data", smtp, f"--mail-from={FROM}", f"--smtp-password-file={password}")
    assert status == 1 and "chmod 600" in said and "hush" not in said


def test_headers_that_are_none_stop_the_start_without_being_shown(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text("hush-hush\n")
    headers.chmod(0o600)
    flags = ("--sms-url=https://sms.example/", f"--sms-body={SMS_BODY}", f"--sms-headers-file={headers}")
    status, said = ends(tmp_path / "data", *flags)
    assert status == 1 and "line 1" in said and "hush" not in said


# ------------------------------------------------------------------ a real locker
def test_the_code_of_a_letter_opens_the_door_of_a_real_locker_and_a_receipt_follows(tmp_path: Path) -> None:
    with postbox() as box:
        flags = (f"--smtp=smtp://127.0.0.1:{box.port}", f"--mail-from={FROM}", "--public-url=https://colis.example")
        with Stack(tmp_path, flags=flags) as stack:
            stack.add_locker(CABINETS["mairie-1"]("mairie-1"))
            stack.wait_online()
            part = Play(stack, "mairie-1", quiet)
            part.label = "CB0123456789FR"
            wanted = {"label": part.label, "locker": "mairie-1", "size": "S", "carrier": "colis-bleu"}
            part.parcel = stack.api.post("/v1/parcels", {**wanted, "recipient": {"mail": MAIL}})["id"]
            part.show_badge()
            part.scan_label()
            part.close_door()
            wait_for(lambda: box.got, named="the letter")
            part.courier_leaves()
            (code,) = codes_in(words_of(box.got[0]))
            part.cabinet.keys(code)
            assert int(part.door("open")["compartment"]) == part.compartment
            part.close_door()
            part.collected()
            wait_for(lambda: len(box.got) == 2, named="the receipt")
            assert "retiré" in str(box.got[1]["Subject"])
            told = stack.api.get(f"/v1/parcels/{part.parcel}")["messages"]
            assert [(row["kind"], row["state"]) for row in told][:1] == [("arrived", "sent")]
            part.close()
        kept = b"".join(path.read_bytes() for path in stack.data.rglob("*") if path.is_file())
        said = (tmp_path / "gateway.log").read_bytes()
    assert MAIL.encode() in kept and code.encode() not in kept + said and MAIL.encode() not in said
