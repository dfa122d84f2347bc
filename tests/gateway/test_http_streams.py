"""Event streams: what lockers say arrives as it comes, goes on after a break without a gap, and holds nobody up."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town
from patience import wait_for

from gateway.domain import ids
from gateway.domain.events import Arrival
from gateway.limits import STREAMS_OF_CREDENTIAL_MAX
from gateway.services import take_up
from protocol.messages import BucketRefilled, Up


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.STREAM_LOOK_S", 0.02)
    monkeypatch.setattr("gateway.limits.STREAM_HEARTBEAT_S", 3.0)
    with town(tmp_path) as made:
        open_locker(made)
        yield made


class Listener:
    """A client of a stream, block by block."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()
        self.last_id = ""

    def block(self) -> dict[str, str]:
        """The next one: its fields, and "comment"."""
        found: dict[str, str] = {}
        for line in self._lines:
            if not line:
                break
            name, _, value = line.partition(":")
            found[name or "comment"] = value.strip()
        self.last_id = found.get("id", self.last_id)
        return found

    def event(self) -> dict[str, Any]:
        for _ in range(30):  # there may be heartbeats before it, of minutes in which a busy machine did something else
            block = self.block()
            assert block, "the stream has ended"
            if "data" in block:
                return json.loads(block["data"])
        raise AssertionError("nothing comes but heartbeats")

    def ended(self) -> bool:
        return any(not self.block() for _ in range(20))


@contextlib.contextmanager
def listening(caller: httpx.Client, last_id: str = "", query: str = "") -> Iterator[Listener]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with caller.stream("GET", f"/v1/events/stream{query}", headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        listener = Listener(answer)
        assert listener.block()["retry"]
        yield listener


def say(here: Town, count: int = 1) -> None:
    """In one batch, as from a locker that was away."""
    first = here.seqs.get("mairie-1", 0) + 1
    seqs = range(first, first + count)
    here.seqs["mairie-1"] = seqs[-1]
    take_up.take_up(here.desk, [Arrival("mairie-1", Up(1, seq, 1, here.now[0], BucketRefilled(1))) for seq in seqs])


def inside(here: Town, caller: httpx.Client, label: str, box: int, **more: Any) -> str:
    made = caller.post("/v1/parcels", json=parcel_body(label, **more), headers=key()).json()["id"]
    here.deposit("mairie-1", box, 1, ids.parcel_number(made))
    return made


def open_streams(here: Town) -> int:
    return here.streams.count


# ------------------------------------------------------------------ what arrives
def test_what_a_locker_says_arrives_as_the_list_has_it(here: Town) -> None:
    operator = here.caller()
    say(here)  # before: not told
    with listening(operator) as listener:
        say(here, 3)
        told = [listener.event() for _ in range(3)]
        assert told == operator.get("/v1/events").json()["data"][1:]
        headers = listener.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-store" and headers["x-request-id"]


def test_a_locker_whose_clock_says_any_time_at_all_keeps_the_log_from_nobody(here: Town) -> None:
    """It could: no date has room for it, so that every page of the log with this event, and every stream, failed."""
    operator = here.caller()
    with listening(operator) as listener:
        here.seqs["mairie-1"] = 1
        take_up.take_up(here.desk, [Arrival("mairie-1", Up(1, 1, 1, 2**63 - 1, BucketRefilled(1)))])
        assert listener.event()["at"] == "9999-12-31T23:59:59Z"
    say(here)
    assert len(operator.get("/v1/events").json()["data"]) == 2


def test_a_break_loses_nothing_and_tells_nothing_twice(here: Town) -> None:
    operator = here.caller()
    with listening(operator) as listener:
        say(here, 2)
        first = [listener.event()["seq"], listener.event()["seq"]]
        last_id = listener.last_id
    say(here, 450)  # more than two pages, while nobody listens
    with listening(operator, last_id) as listener:
        say(here)
        rest = [listener.event()["seq"] for _ in range(451)]
    assert first + rest == list(range(1, 454))


def test_a_list_goes_on_as_a_stream_from_its_resume_cursor(here: Town) -> None:
    operator = here.caller()
    say(here, 2)
    resume = operator.get("/v1/events?limit=1").json()["resume_cursor"]
    with listening(operator, query=f"?cursor={resume}") as listener:
        assert listener.event()["seq"] == 2


def test_a_listener_from_before_the_books_were_restored_hears_what_comes(here: Town) -> None:
    with listening(here.caller(), "cffffff") as listener:
        say(here)
        assert listener.event()["seq"] == 1


@pytest.mark.parametrize("bad", ["7", "x", "c" * 65])
def test_an_id_that_is_none_of_ours_is_refused(here: Town, bad: str) -> None:
    answer = here.caller().get("/v1/events/stream", headers={"Last-Event-ID": bad})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")


def test_a_tenant_hears_of_its_own_parcels_only(here: Town) -> None:
    colibri, rival = here.caller("courier", "colibri"), here.caller("courier", "rival")
    shop = here.caller("merchant", "bookshop")
    with listening(colibri) as own, listening(rival) as other, listening(shop) as merchant:
        theirs = inside(here, rival, "theirs", 1, carrier="rival")
        sold = inside(here, colibri, "sold", 2, merchant="bookshop")
        mine = inside(here, colibri, "mine", 3)
        assert [own.event()["parcel"] for _ in range(4)] == [sold, sold, mine, mine]
        assert [other.event()["parcel"] for _ in range(2)] == [theirs] * 2
        assert [merchant.event()["parcel"] for _ in range(2)] == [sold] * 2
        for caller, count in ((colibri, 4), (rival, 2), (shop, 2)):
            assert len(caller.get("/v1/events").json()["data"]) == count


def test_a_tenant_with_few_parcels_reads_a_long_log_stretch_by_stretch(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question of theirs read the whole log, however long, for the few events that are theirs."""
    monkeypatch.setattr("gateway.store.queries.log.SCANNED_EVENTS_MAX", 10)
    colibri = here.caller("courier", "colibri")
    say(here, 35)
    mine = inside(here, colibri, "mine", 1)
    found: list[str] = []
    page, pages = colibri.get("/v1/events").json(), 1
    assert page["data"] == [] and page["next_cursor"] == page["resume_cursor"] == "ca", "there may be more"
    while page["next_cursor"]:
        page, pages = colibri.get(f"/v1/events?cursor={page['next_cursor']}").json(), pages + 1
        found += [event["parcel"] for event in page["data"]]
    assert found == [mine, mine] and pages == 4
    with listening(colibri, query="?cursor=c0") as listener:
        assert [listener.event()["parcel"] for _ in range(2)] == [mine, mine]


# ------------------------------------------------------------------ its ends and limits
def test_a_silent_stream_is_kept_alive_and_its_id_moves_on(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.STREAM_HEARTBEAT_S", 0.1)
    with listening(here.caller("courier", "colibri")) as listener:
        before = listener.last_id
        say(here)  # nobody's parcel
        wait_for(lambda: listener.block()["comment"] == "still here" and listener.last_id != before)


def test_a_key_has_so_many_streams_and_gets_a_place_back_when_it_closes_one(here: Town) -> None:
    colibri = here.caller("courier", "colibri")
    with contextlib.ExitStack() as all_of_them:
        for _ in range(STREAMS_OF_CREDENTIAL_MAX - 1):
            all_of_them.enter_context(listening(colibri))
        with listening(colibri):
            refused = colibri.get("/v1/events/stream")
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
            assert refused.json()["next_actions"] and refused.headers["retry-after"]
            with listening(here.caller("courier", "colibri")):
                pass  # another key of the same tenant has its own
        wait_for(lambda: open_streams(here) == STREAMS_OF_CREDENTIAL_MAX - 1)
        with listening(colibri):
            pass
    wait_for(lambda: open_streams(here) == 0)


def test_there_are_so_many_streams_in_all(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.STREAMS_MAX", 2)
    with listening(here.caller()), listening(here.caller()):
        assert here.caller().get("/v1/events/stream").json()["code"] == "too_many_streams"


def test_a_revoked_key_hears_nothing_more(here: Town) -> None:
    operator = here.caller()
    body = {"role": "courier", "tenant": "colibri", "scopes": ["events:read"], "name": "a screen"}
    made = operator.post("/v1/credentials", json=body, headers=key()).json()
    with listening(here.with_secret(made["secret"])) as listener:
        assert operator.delete(f"/v1/credentials/{made['id']}").status_code == 204
        assert listener.ended()


def test_the_end_of_the_gateway_ends_streams_cleanly(here: Town) -> None:
    """After the last event, and so that the listener's library sees a whole answer."""
    operator = here.caller()
    with listening(operator) as listener:
        say(here)
        assert listener.event()["seq"] == 1
        here.streams.stop()
        assert listener.ended()
    assert operator.get("/v1/events/stream").status_code == 503


def test_a_stream_ends_after_a_while_and_is_taken_up_again(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.STREAM_S_MAX", 0.2)
    monkeypatch.setattr("gateway.limits.STREAM_HEARTBEAT_S", 0.05)
    operator = here.caller()
    with listening(operator) as listener:
        assert listener.ended()
        last_id = listener.last_id
    monkeypatch.setattr("gateway.limits.STREAM_S_MAX", 3_600.0)  # the next one is there when the event comes
    say(here)
    with listening(operator, last_id) as listener:
        assert listener.event()["seq"] == 1


def test_listeners_hold_no_threads(here: Town) -> None:
    """More streams than the server has threads for routes, and it still answers."""
    with contextlib.ExitStack() as all_of_them:
        listeners: list[Listener] = []
        for number in range(48):
            if number % STREAMS_OF_CREDENTIAL_MAX == 0:
                caller = here.caller()
            listeners.append(all_of_them.enter_context(listening(caller)))
        before = threading.active_count()
        say(here)
        assert [listener.event()["seq"] for listener in listeners] == [1] * 48
        assert here.caller().get("/v1/lockers").status_code == 200
        assert threading.active_count() <= before + 2


def test_a_listener_that_does_not_read_holds_up_no_other_and_is_not_read_ahead_for(here: Town) -> None:
    operator = here.caller()
    parts = urlsplit(here.url)
    with socket.create_connection((parts.hostname, parts.port)) as deaf, listening(operator) as listener:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        secret = operator.headers["authorization"]
        deaf.sendall(f"GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {secret}\r\n\r\n".encode())
        wait_for(lambda: open_streams(here) == 2)
        for _ in range(10):
            say(here, 2_000)  # more than the sockets between them hold
        assert [listener.event()["seq"] for _ in range(20_000)] == list(range(1, 20_001))
    wait_for(lambda: open_streams(here) == 0)
