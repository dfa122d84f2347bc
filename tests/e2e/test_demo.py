"""The demonstration: its page, its one journey, and that it leaves nothing behind."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from demo_process import running_demo, start

from tools.console import Session, open_port

ROOT = Path(__file__).resolve().parents[2]
CONSOLES: list[str] = []  # the serial ports that the demo printed


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """`python -m tools.demo`, its address, and the folder everything it starts works in."""
    folder = tmp_path_factory.mktemp("demo")
    with running_demo(folder) as running:
        CONSOLES.extend(running.consoles)
        yield running.process, running.url, folder


def left_behind(folder: Path) -> list[str]:
    """Command lines of the processes that work in that folder: their arguments name it, or a board's environment."""
    lines: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            told = (path.parent / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if str(folder) in line or f"IMAGE={folder}" in told:
            lines.append(line)
    return lines


def wait_until(true: Callable[[], object], wait_s: float = 120) -> None:
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_page_plays_a_deposit_and_a_pickup(demo: tuple[subprocess.Popen[str], str, Path]) -> None:
    with httpx.Client(base_url=demo[1], trust_env=False, timeout=60) as page:
        stage = page.get("/api/stage").json()
        assert [len(locker["hardware"]["modules"]) for locker in stage["lockers"]] == [2, 4]
        badge = page.post("/api/badges", json={"carrier": "colis-bleu"}).json()
        label = page.post("/api/parcels", json={"locker": "gare-1", "size": "S", "carrier": "colis-bleu"}).json()
        with page.stream("GET", "/api/feed") as stream:
            lines = stream.iter_lines()
            do(page, {"do": "scan", "text": badge["text"]})
            heard(lines, lambda news: news.get("type") == "CourierIdentified")
            do(page, {"do": "scan", "text": label["text"]})
            door = heard(lines, lambda news: news.get("type") == "DoorOpened")["compartment"]
            do(page, {"do": "push", "compartment": door})
            heard(lines, lambda news: news.get("type") == "Deposited")
            parcel = page.get("/api/parcels").json()["parcels"][0]
            assert (parcel["label"], parcel["compartment"]) == (label["text"], door)
            do(page, {"do": "keys", "keys": "*" + parcel["pickup"]["code"]})
            heard(lines, lambda news: news.get("type") == "DoorOpened")
            do(page, {"do": "push", "compartment": door})
            heard(lines, lambda news: news.get("type") == "Collected")


def test_the_page_plays_a_neighbour_another_code_a_slip_and_a_technicians_badge(
    demo: tuple[subprocess.Popen[str], str, Path],
) -> None:
    with httpx.Client(base_url=demo[1], trust_env=False, timeout=60) as page:

        def newest() -> dict[str, Any]:
            return page.get("/api/parcels").json()["parcels"][0]

        badge = page.post("/api/badges", json={"carrier": "colis-bleu"}).json()
        label = page.post("/api/parcels", json={"locker": "mairie-1", "size": "S", "carrier": "colis-bleu"}).json()
        with page.stream("GET", "/api/feed") as stream:
            lines = stream.iter_lines()
            do(page, {"do": "scan", "text": badge["text"]}, "mairie-1")
            heard(lines, lambda news: news.get("type") == "CourierIdentified")
            do(page, {"do": "scan", "text": label["text"]}, "mairie-1")
            door = heard(lines, lambda news: news.get("type") == "DoorOpened")["compartment"]
            do(page, {"do": "push", "compartment": door}, "mairie-1")
            wait_until(lambda: "pickup" in newest())
            path, before = f"/api/parcels/{label['parcel']}", newest()["pickup"]["code"]
            assert page.post(f"{path}/code", json={}).json() == {"state": "done"}
            after = newest()["pickup"]["code"]
            assert after != before
            slip = page.get(f"{path}/slip", params={"language": "en"})
            assert after[:3] in slip.text and "sha256-" in slip.headers["content-security-policy"]
            neighbour = page.post(f"{path}/neighbour", json={}).json()
            assert neighbour["text"] in [item["text"] for item in page.get("/api/stage").json()["hand"]]
            do(page, {"do": "keys", "keys": "*"}, "mairie-1")
            do(page, {"do": "scan", "text": neighbour["text"]}, "mairie-1")
            heard(lines, lambda news: news.get("type") == "DoorOpened")
            do(page, {"do": "push", "compartment": door}, "mairie-1")
            wait_until(lambda: newest()["state"] == "collected")
            technician = page.post("/api/technicians", json={"name": "camille"}).json()
            do(page, {"do": "scan", "text": technician["text"]}, "mairie-1")
            heard(lines, lambda news: news.get("type") == "ServiceActed")
        assert page.post("/api/parcels/par_nobody/code", json={}).status_code == 422


def do(page: httpx.Client, order: dict[str, object], locker: str = "gare-1") -> None:
    assert page.post(f"/api/lockers/{locker}/do", json=order).status_code == 200


def heard(lines: Iterator[str], test: Callable[[dict], bool]) -> dict:
    for line in lines:
        if line.startswith("data: "):
            news = json.loads(line[6:])
            if test(news):
                return news
    raise AssertionError("the feed ended")


def test_the_printed_serial_port_answers_every_order_while_the_page_listens_too(
    demo: tuple[subprocess.Popen[str], str, Path],
) -> None:
    assert demo[0].poll() is None and len(CONSOLES) == 2
    with open_port(CONSOLES[0]) as port:
        session = Session(port)
        for _ in range(40):
            assert session.order("status").startswith("OK ")


def test_the_technicians_console_is_in_the_page(demo: tuple[subprocess.Popen[str], str, Path]) -> None:
    with httpx.Client(base_url=demo[1], trust_env=False, timeout=60) as page:
        assert page.post("/api/lockers/mairie-1/login", json={"name": "camille"}).json() == {"ok": True}
        page.post("/api/lockers/mairie-1/console", json={"text": "status\r"})
        wait_until(lambda: '"locker":"mairie-1"' in page.get("/api/stage").json()["lockers"][0]["console"])


def test_the_page_answers_to_its_own_address_only(demo: tuple[subprocess.Popen[str], str, Path]) -> None:
    with httpx.Client(base_url=demo[1], trust_env=False) as page:
        answer = page.get("/")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert page.get("/", headers={"Host": "evil.example"}).status_code == 403
        stranger = {"Origin": "http://evil.example"}
        assert page.post("/api/badges", json={"carrier": "colis-bleu"}, headers=stranger).status_code == 403
        assert page.post("/api/badges", content="carrier=colis-bleu").status_code == 415
        assert page.post("/api/lockers/mairie-1/do", json={"do": "explode"}).status_code == 422
        assert page.post("/api/lockers/nowhere/do", json={"do": "kill"}).status_code == 404


def test_one_click_signs_in_and_no_secret_reaches_the_browser(
    demo: tuple[subprocess.Popen[str], str, Path],
) -> None:
    form = {"role": "operator", "next": "/operator"}
    with httpx.Client(trust_env=False, timeout=60) as browser:
        page = browser.get(demo[1])
        assert (
            browser.post(f"{demo[1]}/sign-in", data=form, headers={"Origin": "http://evil.example"}).status_code == 403
        )
        assert browser.post(f"{demo[1]}/sign-in", data={**form, "role": "mayor"}).status_code == 422
        assert browser.post(f"{demo[1]}/sign-in", data={**form, "next": "http://evil.example"}).status_code == 422
        assert browser.post(f"{demo[1]}/sign-in", json=form).status_code == 415
        answer = browser.post(f"{demo[1]}/sign-in", data=form)
        there = answer.headers["location"]
        assert answer.status_code == 303 and urlsplit(there).query == "" and "HttpOnly" in answer.headers["set-cookie"]
        fleet = browser.get(there)
        assert fleet.status_code == 200 and "Mairie" in fleet.text
        policy = fleet.headers["content-security-policy"]
        assert f"frame-ancestors {demo[1]} " in policy and "'none'; base" not in policy.split("frame-ancestors")[1]
        key = next(demo[2].glob("*/gateway/operator.key")).read_text().strip()
        told = [page.text, str(answer.headers), there, fleet.text, *(str(one.headers) for one in answer.history)]
        assert not [text for text in told if key in text]
        stranger = {"Host": "evil.example"}
        assert browser.get(there, headers=stranger).status_code == 403


def test_nothing_on_the_page_comes_from_elsewhere() -> None:
    static = ROOT / "tools" / "demo" / "static"
    for path in static.iterdir():
        text = path.read_text().replace("http://www.w3.org/", "")
        assert "http:" not in text and "https:" not in text, path.name


def test_ctrl_c_ends_every_process(demo: tuple[subprocess.Popen[str], str, Path]) -> None:
    process, _url, folder = demo
    assert len(left_behind(folder)) >= 5  # gateway, broker, lockers and their controllers
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    wait_until(lambda: not left_behind(folder))  # a board dies of its locker's death a moment later
    assert list(folder.iterdir()) == []


def test_one_journey_plays_itself_in_a_folder_however_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("téléchargé " * 15)  # longer than a Unix socket's path may be, and than a name of MicroPython's
    deep.mkdir()
    process = start(deep, "--once")
    said, _ = process.communicate(timeout=240)
    last = json.loads(said.splitlines()[-1])
    assert (process.returncode, last["journey"]) == (0, "ok"), said
    assert set(last) == {"journey", "deposit_ms", "pickup_ms"}
    assert list(deep.iterdir()) == []


def test_an_outright_kill_leaves_no_process_either(tmp_path: Path) -> None:
    process = start(tmp_path, "--once")
    wait_until(lambda: any("tools.locker" in line for line in left_behind(tmp_path)))
    process.kill()
    process.communicate()
    wait_until(lambda: not left_behind(tmp_path))


def test_a_journey_that_cannot_be_says_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNE_HTTP_PORT", "nonsense")
    process = start(tmp_path, "--once")
    said, _ = process.communicate(timeout=60)
    last = json.loads(said.splitlines()[-1])
    assert (process.returncode, last["journey"]) == (1, "failed")
    assert last["step"]
