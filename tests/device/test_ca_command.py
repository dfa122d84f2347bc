"""`consigne ca` and what `consigne doctor` says of it: a CA is replaced, and no locker is away for it."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from locker_on_table import town_locker
from test_tls import LOCAL, mosquitto

from gateway.authority import CA, CA_KEY, NEXT, NEXT_KEY, SERVER, SERVER_KEY, Authority, AuthorityError, certificates
from gateway.ports import lasting_port
from tools import ca_commands, consigne
from tools.client import OK, REFUSED, USAGE
from tools.console.ports import open_port
from tools.console.session import Session
from tools.flash import starts
from tools.locker.client import start
from tools.locker.flash import read_files

NAMES = ("localhost", "broker.example.fr")
NOW = datetime.datetime.now(datetime.UTC)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = consigne.main(["ca", *words])
    return code, capsys.readouterr().out


def bring_up(town: Path, broker: Path) -> None:
    """What a gateway does at its start: see to the certificate; here for a Mosquitto of the test's own."""
    authority = Authority(town / "tls")
    authority.certify(NAMES)
    for ours, theirs in ((SERVER, "cert.pem"), (SERVER_KEY, "key.pem")):
        (broker / theirs).write_bytes((town / "tls" / ours).read_bytes())


def test_a_ca_is_replaced_while_a_locker_stands_in_the_field_and_it_is_away_for_no_moment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    port, folder = lasting_port(LOCAL), ("--folder", str(tmp_path))
    former = Authority(tmp_path / "tls").der
    place = town_locker(tmp_path / "one", held=[3], broker=("127.0.0.1", port), authorities=(former,))

    def passes() -> bool:
        bring_up(tmp_path, tmp_path)
        with mosquitto(tmp_path, port), open_port(locker.console) as cable:
            return bool(Session(cable, wait_s=70).ask("net test")["passed"])

    with start(place) as locker:
        assert passes()
        assert run(capsys, "renew", *folder)[0] == OK
        assert run(capsys, "renew", *folder)[0] == OK, "as often as one likes"
        code, said = run(capsys, "bring", "--port", locker.console, "--json", *folder)
        brought = json.loads(said)
        assert code == OK and len(brought["there"]) == 2
        assert passes(), "the former one signs still"
        assert run(capsys, "switch", *folder)[0] == USAGE, "a script has to say --yes"
        assert run(capsys, "switch", "--yes", *folder)[0] == OK
        assert Authority(tmp_path / "tls").der != former
        assert passes(), "and now the next one does"
        code, said = run(capsys, "bring", "--port", locker.console, "--json", *folder)
        assert code == OK and len(json.loads(said)["there"]) == 1, "nobody believes the former one any more"
        assert passes()


def test_a_locker_that_dials_without_tls_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Authority(tmp_path / "tls")
    place = town_locker(tmp_path / "one")
    with start(place) as locker:
        assert run(capsys, "bring", "--port", locker.console, "--folder", str(tmp_path))[0] == REFUSED
        with open_port(locker.console) as cable:
            assert starts(Session(cable)), "and it runs again"
    assert not [name for name in read_files(place / "flash.img") if name.startswith("/tls")]


def test_a_power_cut_between_the_two_files_of_a_switch_ends_it_at_the_next_start(tmp_path: Path):
    authority = Authority(tmp_path)
    authority.renew()
    _, following = authority.trusted
    (tmp_path / NEXT_KEY).replace(tmp_path / CA_KEY)  # … and the power goes
    again = Authority(tmp_path)
    assert again.der == following and again.trusted == (following,)
    assert not (tmp_path / NEXT).exists()
    with pytest.raises(AuthorityError, match="no next CA"):
        again.switch()


def test_a_next_ca_without_its_key_does_not_become_the_ca(tmp_path: Path):
    authority = Authority(tmp_path)
    authority.renew()
    (tmp_path / NEXT_KEY).unlink()
    assert Authority(tmp_path).der == authority.der


@pytest.mark.parametrize(
    ("days", "names", "wrong", "remedy"),
    [
        (0, NAMES, "", ""),
        (0, (*NAMES, "new.example.fr"), "not for new.example.fr", "restart the gateway"),
        (350, NAMES, "broker's certificate holds 4", "start the gateway"),
        (400, NAMES, "broker's certificate holds -", "start the gateway"),
        (7_300 - 650, NAMES, "the CA holds 6", "consigne ca renew"),
    ],
)
def test_what_will_end_or_names_somebody_else_is_told_with_its_remedy(
    tmp_path: Path, days: int, names: tuple[str, ...], wrong: str, remedy: str
):
    Authority(tmp_path).certify(NAMES)

    found, said = ca_commands.problem_of(tmp_path, names, NOW + datetime.timedelta(days=days))
    assert wrong in found and bool(wrong) == bool(found) and remedy in said


def test_doctor_looks_at_the_certificates_of_the_gateway_on_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CONSIGNE_DATA", str(tmp_path))
    monkeypatch.setenv("CONSIGNE_URL", "http://127.0.0.1:9")
    (tmp_path / "consigne.toml").write_text(
        'broker_tls = "127.0.0.1:8883"\nbroker_names = "localhost, broker.example.fr"\n'
    )

    def row() -> dict[str, Any]:
        assert consigne.main(["doctor", "--json"]) == REFUSED, "there is no gateway"
        return {one["check"]: one for one in json.loads(capsys.readouterr().out)}["certificates"]

    assert "missing" in row()["wrong"]
    Authority(tmp_path / "tls").certify(("localhost",))
    assert "not for broker.example.fr" in row()["wrong"]
    Authority(tmp_path / "tls").certify(NAMES)
    assert row()["ok"]


def test_looking_makes_nothing_and_says_where_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(capsys, "show", "--folder", str(tmp_path))[0] == USAGE
    assert not (tmp_path / "tls").exists()
    (tmp_path / "tls").mkdir(mode=0o700)
    code, said = run(capsys, "show", "--folder", str(tmp_path), "--json")
    assert code == REFUSED and "missing" in json.loads(said)["problem"]
    Authority(tmp_path / "tls").certify(NAMES)
    code, said = run(capsys, "show", "--folder", str(tmp_path))
    assert code == OK and "localhost, broker.example.fr" in said
    assert set(certificates(tmp_path / "tls")) == {CA, NEXT, SERVER}
