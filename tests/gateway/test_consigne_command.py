"""The `consigne` command against a real gateway: tables for people, JSON for programs, exit codes for scripts."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from console_line import line
from http_town import Town, key, open_locker, parcel_body, town

from gateway.domain import ids
from gateway.domain.people import SCOPES
from gateway.services import commands
from protocol import messages, numbers, receipts, tokens
from protocol.keys import console_answer
from tools import consigne
from tools.client import OK, REFUSED, UNAUTHENTICATED, UNREACHABLE, USAGE

ROOT = Path(consigne.__file__).parent.parent


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with town(tmp_path / "books") as made:
        operator = open_locker(made)
        monkeypatch.setenv("CONSIGNE_URL", made.url)
        monkeypatch.setenv("CONSIGNE_KEY", operator.headers["authorization"].split()[1])
        monkeypatch.setenv("CONSIGNE_DATA", str(tmp_path))
        yield made


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    return consigne.main(list(words)), capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_lockers_are_listed_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "lockers", "list")
    assert code == OK and text.splitlines()[0].split()[:2] == ["ID", "NAME"] and "mairie-1" in text
    code, text = run(capsys, "lockers", "list", "--json")
    assert code == OK and [locker["id"] for locker in json.loads(text)] == ["mairie-1"]


@pytest.mark.usefixtures("here")
def test_a_locker_is_shown_with_its_compartments(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "lockers", "show", "mairie-1")
    assert code == OK and text.count(" free ") >= 3
    code, text = run(capsys, "lockers", "show", "mairie-1", "--json")
    assert [box["number"] for box in json.loads(text)["compartments"]] == [1, 2, 3]


@pytest.mark.usefixtures("here")
def test_a_parcel_is_expected_shown_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["parcels", "expect", "6A1", "--locker", "mairie-1", "--size", "M", "--carrier", "colibri", "--json"]
    words += ["--recipient-ref", "K-1047"]
    code, text = run(capsys, *words)
    parcel = json.loads(text)
    assert code == OK and parcel["state"] == "expected"
    code, text = run(capsys, "parcels", "show", parcel["id"])
    assert code == OK and "expected" in text
    code, text = run(capsys, "parcels", "list", "--json")
    assert [row["id"] for row in json.loads(text)] == [parcel["id"]]


def test_every_page_of_a_long_list_is_shown(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    operator = here.with_secret(os.environ["CONSIGNE_KEY"])
    for number in range(120):
        assert operator.post("/v1/parcels", json=parcel_body(f"n{number}"), headers=key()).status_code == 201
    assert len(json.loads(run(capsys, "parcels", "list", "--json")[1])) == 120


def deposited(here: Town) -> str:
    operator = here.with_secret(os.environ["CONSIGNE_KEY"])
    parcel = operator.post("/v1/parcels", json=parcel_body("inside"), headers=key()).json()["id"]
    here.deposit("mairie-1", 1, 1, ids.parcel_number(parcel))
    return parcel


def reissued(here: Town, code: int) -> threading.Thread:
    """The locker gives the parcel in compartment 1 its number 2, or says why it does not."""

    def locker() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for name, down in commands.due_commands(here.desk, 10):
                here.says(name, messages.CommandDone(down.id, down.issued_s, code, down.command.TYPE, 1, 2))
                return
            time.sleep(0.01)

    thread = threading.Thread(target=locker)
    thread.start()
    return thread


def test_a_parcel_is_reissued_and_the_command_waits_until_the_locker_has_done_it(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    parcel = deposited(here)
    locker = reissued(here, 0)
    code, text = run(capsys, "reissue", parcel, "--reason", "phished", "--json")
    locker.join()
    operation = json.loads(text)
    assert (code, operation["kind"], operation["state"], operation["reason"]) == (OK, "reissue", "done", "phished")
    locker = reissued(here, 17)
    code = consigne.main(["reissue", parcel])
    locker.join()
    told = capsys.readouterr()
    assert code == REFUSED and "wrong_state" in told.err and "old code still opens" in told.err
    locker = reissued(here, 0)
    code, text = run(capsys, "reissue", parcel)
    locker.join()
    assert code == OK and "another code" in text and f"/v1/parcels/{parcel}/pickup" in text
    assert consigne.main(["reissue", "par_0000000000001"]) == REFUSED


def test_a_delegation_is_drawn_on_the_terminal_or_into_a_file(
    here: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parcel = deposited(here)
    code, text = run(capsys, "delegate", parcel, "Mme Bertin")
    assert code == OK and "Mme Bertin" in text and "█" in text
    svg = tmp_path / "neighbour.svg"
    code, text = run(capsys, "delegate", parcel, "Mme Bertin", "--svg", str(svg))
    assert code == OK and svg.read_text().startswith("<svg") and "█" not in text
    assert consigne.main(["delegate", parcel, "Mme Bertin", "--svg", str(svg)]) == USAGE, "nothing is overwritten"
    code, text = run(capsys, "delegate", parcel, "Mme Bertin", "--json")
    assert tokens.open_token(json.loads(text)["token"], here.desk.keys.trusted).role == tokens.DELEGATE
    assert "Bertin" not in here.logged()


def carried_out(here: Town, code: int) -> threading.Thread:
    """The locker carries out the next command it is sent, or says why it does not."""

    def locker() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for name, down in commands.due_commands(here.desk, 10):
                box = down.command.compartment
                if code:
                    said = messages.CommandDone(down.id, down.issued_s, code, down.command.TYPE, box, 0)
                    here.says(name, said)
                    return
                authorised = messages.OpeningAuthorised(box, numbers.COMMAND, None, down.id, down.issued_s)
                here.says(name, authorised, messages.DoorOpened(box))
                return
            time.sleep(0.01)

    thread = threading.Thread(target=locker)
    thread.start()
    return thread


def test_open_waits_until_the_door_is_open(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    locker = carried_out(here, 0)
    code, text = run(capsys, "open", "mairie-1", "2", "--reason", "forgotten umbrella")
    locker.join()
    assert code == OK and text.strip().endswith(("opened", "done"))


def test_open_says_why_a_door_did_not_open(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    locker = carried_out(here, 13)
    code = consigne.main(["open", "mairie-1", "2", "--reason", "test"])
    locker.join()
    assert code == REFUSED and "no_clock" in capsys.readouterr().err


def test_a_badge_is_drawn_on_the_terminal_or_into_a_file(
    here: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = run(capsys, "badge", "colibri", "staff-17", "--days", "3")
    assert code == OK and "staff-17" in text and "█" in text
    svg = tmp_path / "badge.svg"
    code, text = run(capsys, "badge", "colibri", "staff-17", "--svg", str(svg))
    assert code == OK and svg.read_text().startswith("<svg")
    assert consigne.main(["badge", "colibri", "staff-17", "--svg", str(svg)]) == USAGE, "nothing is overwritten"
    code, text = run(capsys, "badge", "anne-3", "--technician", "--locker", "mairie-1", "--days", "7", "--json")
    token = tokens.open_token(json.loads(text)["token"], here.desk.keys.trusted)
    assert (code, token.role, token.locker) == (OK, tokens.TECHNICIAN, "mairie-1")
    assert consigne.main(["badge", "anne-3"]) == USAGE
    assert consigne.main(["badge", "colibri", "anne-3", "--technician"]) == USAGE
    assert "--technician" in capsys.readouterr().err
    code, text = run(capsys, "badge", "colibri", "staff-17", "--json")
    assert tokens.open_token(json.loads(text)["token"], here.desk.keys.trusted).role == tokens.COURIER


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["lockers", "show", "nowhere"], REFUSED, "unknown_locker"),
        (["lockers", "show", "../parcels"], REFUSED, "not_found"),
        (["parcels", "show", "par_0000000000001"], REFUSED, "unknown_parcel"),
        (["open", "mairie-1", "99", "--reason", "x"], REFUSED, "unknown_compartment"),
        (["open", "mairie-1", "1", "--reason", ""], REFUSED, "body.reason"),
        (["parcels", "expect", "a", "--locker", "No", "--size", "M", "--carrier", "c"], REFUSED, "body.locker"),
    ],
)
def test_a_refusal_has_its_code_its_remedy_and_exit_code_1(
    words: list[str], exit_code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert consigne.main(words) == exit_code
    told = capsys.readouterr()
    assert told.out == "" and said in told.err and len(told.err.splitlines()) >= 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["lockers"],
        ["open", "mairie-1"],
        ["open", "mairie-1", "x", "--reason", "r"],
        ["fly"],
        ["reissue"],
        ["delegate", "par_1"],
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        consigne.main(words)
    assert ended.value.code == USAGE


def test_a_gateway_that_is_not_there_is_exit_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSIGNE_KEY", "x")
    for url in ("http://127.0.0.1:9", "http://", "nonsense"):
        monkeypatch.setenv("CONSIGNE_URL", url)
        assert consigne.main(["lockers", "list"]) in (UNREACHABLE, USAGE)
        assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.usefixtures("here")
def test_a_wrong_or_missing_key_is_exit_code_4_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSIGNE_KEY", "wrong-canary")
    assert consigne.main(["lockers", "list"]) == UNAUTHENTICATED
    told = capsys.readouterr()
    assert "unauthenticated" in told.err and "wrong-canary" not in told.err + told.out
    monkeypatch.delenv("CONSIGNE_KEY")
    assert consigne.main(["lockers", "list"]) == UNAUTHENTICATED
    assert "CONSIGNE_KEY_FILE" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_the_key_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = os.environ["CONSIGNE_KEY"]
    monkeypatch.delenv("CONSIGNE_KEY")
    (tmp_path / "operator.key").write_text(secret + "\n")
    assert consigne.main(["lockers", "list"]) == OK, "the operator key of this machine's gateway"
    named = tmp_path / "mine"
    named.write_text("wrong")
    monkeypatch.setenv("CONSIGNE_KEY_FILE", str(named))
    assert consigne.main(["lockers", "list"]) == UNAUTHENTICATED
    named.write_text(secret)
    assert consigne.main(["lockers", "list"]) == OK


def test_a_key_without_the_scope_is_exit_code_4(
    here: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    less = here.caller(scopes=SCOPES - {"doors:open"})
    monkeypatch.setenv("CONSIGNE_KEY", less.headers["authorization"].split()[1])
    assert consigne.main(["open", "mairie-1", "1", "--reason", "x"]) == UNAUTHENTICATED
    assert "doors:open" in capsys.readouterr().err


def test_a_slip_goes_to_stdout_or_into_a_new_file_for_its_owners_eyes(
    here: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = here.with_secret(os.environ["CONSIGNE_KEY"])
    parcel = operator.post("/v1/parcels", json=parcel_body("6A2"), headers=key()).json()["id"]
    assert consigne.main(["slip", parcel]) == REFUSED, "it is in no locker yet"
    assert "wrong_state" in capsys.readouterr().err
    assert operator.post(f"/v1/parcels/{parcel}/reservation", headers=key()).status_code == 201
    box = operator.get(f"/v1/parcels/{parcel}").json()["compartment"]
    here.deposit("mairie-1", box, 1, ids.parcel_number(parcel))
    digits = operator.get(f"/v1/parcels/{parcel}/pickup").json()["code"].replace(" ", "")
    code, text = run(capsys, "slip", parcel, "--language", "en")
    assert code == OK and '<html lang="en">' in text and digits[:3] + " " + digits[3:6] in text
    file = tmp_path / "slip.html"
    code, text = run(capsys, "slip", parcel, "--output", str(file))
    assert (code, text, file.stat().st_mode & 0o777) == (OK, "", 0o600)
    assert '<html lang="fr">' in file.read_text("utf-8")
    assert consigne.main(["slip", parcel, "--output", str(file)]) == USAGE, "nothing is overwritten"


def test_the_console_challenge_is_answered_through_the_gateway(here: Town) -> None:
    with line("mairie-1", here.desk.keys.locker_key("mairie-1", 1)) as locker:
        assert consigne.main(["console", locker.port, "--login", "anne", "-c", "selftest"]) == OK
        assert b"login anne\r" in locker.typed and locker.agent.console.actor == ""


def test_somebody_online_answers_a_challenge_that_was_read_out(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "answer", "mairie-1", "anne", "3F2A", "19bc", "0d4e", "77a1")
    expected = console_answer(here.desk.keys.locker_key("mairie-1", 1), bytes.fromhex("3f2a19bc0d4e77a1"), "anne")
    assert code == OK and text.replace(" ", "").strip() == expected and len(text.split()) == 3
    code, text = run(capsys, "answer", "mairie-1", "anne", "3f2a", "--json")
    assert code == REFUSED and text == ""


def test_whoever_leaves_loses_all_access_and_a_script_says_yes(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    caller = here.caller("courier", "colibri")
    named = ("privacy", "leave", "courier colibri", "--tenant", "colibri")
    assert run(capsys, *named)[0] == USAGE and caller.get("/v1/parcels").is_success
    code, text = run(capsys, *named, "--yes")
    assert code == OK and re.search(r"credentials +cred_", text) and re.search(r"badges +none", text)
    assert caller.get("/v1/parcels").status_code == 401
    code, text = run(capsys, *named, "--yes", "--json")
    assert code == OK and json.loads(text)["credentials"] == []


@pytest.mark.usefixtures("here")
def test_contracts_are_made_listed_and_ended_and_a_script_says_yes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "contracts", "add", "fleurs", "colibri")[0] == OK
    _, listed = run(capsys, "contracts", "list", "--json")
    assert [(row["merchant"], row["carrier"], row["waiting"]) for row in json.loads(listed)] == [
        ("fleurs", "colibri", 0)
    ]
    assert run(capsys, "contracts", "end", "fleurs", "colibri")[0] == USAGE, "nobody is here to be asked"
    code, said = run(capsys, "contracts", "end", "fleurs", "colibri", "--yes")
    assert code == OK and said == "ended; parcels without a door now: 0\n"
    assert json.loads(run(capsys, "contracts", "list", "--json")[1]) == []


@pytest.mark.usefixtures("here")
def test_doctor_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "doctor")
    assert code == OK and "ok   gateway" in text and "ok   key" in text
    monkeypatch.setenv("CONSIGNE_URL", "http://127.0.0.1:9")
    code, text = run(capsys, "doctor", "--json")
    rows = {row["check"]: row for row in json.loads(text)}
    assert code == REFUSED and not rows["gateway"]["ok"] and rows["gateway"]["remedy"]


@pytest.mark.usefixtures("here")
def test_it_runs_as_a_module_and_ends_quietly_in_a_pipe() -> None:
    command = f"{sys.executable} -m tools.consigne lockers list | true"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = subprocess.run(
        [sys.executable, "-m", "tools.consigne", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0 and "exit codes:" in ended.stdout


def test_a_receipt_is_handed_in_as_text_by_the_operator_and_as_digits_by_its_carrier(
    here: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = receipts.Receipt(2, 1, b"badge--8", "colibri", "6A1", 1, None)
    sealing = here.desk.keys.hmac("mairie-1", 1, "receipt")
    code, text = run(capsys, "receipt", receipts.seal(sealing, b"\x01", "mairie-1", receipt))
    assert code == OK and text.endswith("is deposited in mairie-1, compartment 2\n")
    monkeypatch.setenv("CONSIGNE_KEY", here.caller("courier", "colibri").headers["authorization"].split()[1])
    digits = receipts.digits(sealing, receipt)
    spaced = " ".join(digits[place : place + 3] for place in (0, 3, 6, 9))
    keyed = ("--locker", "mairie-1", "--label", "6A1", "--size", "M", "--json")
    code, text = run(capsys, "receipt", spaced, *keyed)
    assert code == OK and json.loads(text)["state"] == "deposited"
    assert consigne.main(["receipt", spaced, *keyed[:3], "6A2", *keyed[4:]]) == REFUSED
