"""Whoever asks too often is told when to come again, and holds up nobody else. Its clock stands here."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
from http_town import Town, key, open_locker, parcel_body, town
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.people import GATEWAY, SCOPES
from gateway.limits import STRANGER_REQUESTS_AT_ONCE, STRANGER_REQUESTS_PER_S
from gateway.rates import Buckets, Charge, Gate, Limit
from gateway.services import people

PER_S, AT_ONCE = 2, 40  # of a key, in these tests
ACTING = ("get", "post", "put", "delete")


class Hour:
    """A clock that is moved by hand. Seconds."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture(scope="module")
def clock() -> Hour:
    return Hour()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, clock: Hour):
    with town(tmp_path_factory.mktemp("town"), gate=Gate(PER_S, clock)) as made:
        open_locker(made)
        yield made


@pytest.fixture(autouse=True)
def later(clock: Hour) -> None:
    """Every bucket is full again."""
    clock.s += 10_000


def until_refused(ask: Callable[[], httpx.Response], most: int = 500) -> tuple[int, httpx.Response]:
    """How many were let in before the first refusal, and it."""
    for asked in range(most):
        answer = ask()
        if answer.status_code == 429:
            return asked, answer
    raise AssertionError("never refused")


def test_a_key_that_asks_in_a_loop_is_told_when_to_come_again(here: Town, clock: Hour) -> None:
    caller = here.caller()
    asked, refused = until_refused(lambda: caller.get("/v1/lockers"))
    assert asked == AT_ONCE
    said = refused.json()
    assert (said["code"], refused.headers["content-type"]) == ("rate_limited", "application/problem+json")
    assert said["next_actions"] and "send it again in 1 s" in said["detail"]
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit"] == f'"key";r=0;t={AT_ONCE // PER_S}'
    assert refused.headers["ratelimit-policy"] == f'"key";q={AT_ONCE};w={AT_ONCE // PER_S}'
    clock.s += int(refused.headers["retry-after"])
    assert [caller.get("/v1/lockers").status_code for _ in range(PER_S + 1)] == [200] * PER_S + [429]


def test_every_answer_to_a_key_says_what_is_left(here: Town) -> None:
    caller = here.caller()
    said = [caller.get("/v1/lockers").headers["ratelimit"] for _ in range(3)]
    assert said == [f'"key";r={AT_ONCE - place};t={-(-place // PER_S)}' for place in (1, 2, 3)]


def test_one_key_in_a_loop_holds_up_no_other_key_from_there(here: Town) -> None:
    loud, quiet = here.caller(), here.caller()
    until_refused(lambda: loud.get("/v1/lockers"))
    assert quiet.get("/v1/lockers").status_code == 200
    assert loud.get("/v1/lockers").status_code == 429


def test_a_key_is_one_key_however_it_is_written(here: Town) -> None:
    caller = here.caller()
    kind, secret = caller.headers["authorization"].split()
    ways = [f"{kind} {secret}", f"bearer {secret}", f"BEARER   {secret}"]
    nobody = here.with_secret(None)

    def ask() -> httpx.Response:
        ways.append(ways.pop(0))
        return nobody.get("/v1/lockers", headers={"Authorization": ways[0]})

    assert until_refused(ask)[0] == AT_ONCE


def test_an_act_that_was_refused_for_haste_is_carried_out_by_its_retry(here: Town, clock: Hour) -> None:
    caller, same = here.caller("courier", "colibri"), key()
    until_refused(lambda: caller.get("/v1/parcels"))
    assert caller.post("/v1/parcels", json=parcel_body("hasty"), headers=same).status_code == 429
    clock.s += 1
    assert caller.post("/v1/parcels", json=parcel_body("hasty"), headers=same).status_code == 201
    clock.s += 60
    assert [row["label"] for row in caller.get("/v1/parcels").json()["data"]] == ["hasty"]


def test_who_shows_no_good_key_is_counted_by_address_and_holds_up_no_good_key(here: Town, clock: Hour) -> None:
    known = here.caller()
    assert known.get("/v1/lockers").status_code == 200
    wrong = [here.with_secret(secret) for secret in (None, "wrong-1", "wrong-2")]

    def ask() -> httpx.Response:
        wrong.append(wrong.pop(0))
        return wrong[0].get("/v1/lockers")

    asked, refused = until_refused(ask)
    assert asked == STRANGER_REQUESTS_AT_ONCE and refused.headers["ratelimit"].startswith('"address";r=0;')
    assert known.get("/v1/lockers").status_code == 200
    clock.s += int(refused.headers["retry-after"])
    answers = [ask().status_code for _ in range(STRANGER_REQUESTS_PER_S + 1)]
    assert answers == [401] * STRANGER_REQUESTS_PER_S + [429]


def test_behind_a_proxy_on_this_machine_everyone_has_an_address_of_their_own(here: Town) -> None:
    proxy = here.with_secret(None)

    def ask(address: str) -> httpx.Response:
        return proxy.get("/v1/lockers", headers={"X-Forwarded-For": address})

    until_refused(lambda: ask("192.0.2.1"))
    assert ask("192.0.2.2").status_code == 401 and ask("192.0.2.1").status_code == 429


def test_a_new_key_costs_its_address_nothing(here: Town) -> None:
    browser = here.with_secret(None)
    for number in range(STRANGER_REQUESTS_AT_ONCE + 20):
        _, secret = people.issue_credential(here.desk, GATEWAY, "operator", "", SCOPES, f"new {number}")
        assert browser.get("/v1/lockers", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_a_key_that_was_revoked_is_a_stranger(here: Town) -> None:
    operator = here.caller()
    body = {"role": "courier", "tenant": "colibri", "scopes": ["parcels:read"], "name": "lost"}
    made = operator.post("/v1/credentials", json=body, headers=key()).json()
    lost = here.with_secret(made["secret"])
    assert lost.get("/v1/parcels").headers["ratelimit-policy"].startswith('"key"')
    assert operator.delete(f"/v1/credentials/{made['id']}").status_code == 204
    answers = [lost.get("/v1/parcels") for _ in range(2)]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[1].headers["ratelimit-policy"].startswith('"address"')


def test_signing_in_is_counted_with_the_wrong_keys_of_its_address(here: Town, clock: Hour) -> None:
    good = here.caller().headers["authorization"].split()[1]
    browser = here.with_secret(None)

    def sign_in(secret: str) -> httpx.Response:
        return browser.post("/sign-in", data={"key": secret, "next": "/"}, headers={"Origin": here.url})

    for _ in range(STRANGER_REQUESTS_AT_ONCE + 5):
        assert sign_in(good).status_code == 303
    asked, refused = until_refused(lambda: sign_in("wrong"))
    assert asked == STRANGER_REQUESTS_AT_ONCE and refused.headers["retry-after"] == "1"
    assert "text/html" in refused.headers["content-type"]
    badge = browser.post("/courier/badge", data={"badge": "WRONG"}, headers={"Origin": here.url})
    assert badge.status_code == 429 and sign_in(good).status_code == 429
    clock.s += 1
    assert sign_in(good).status_code == 303


def test_whoever_supervises_the_gateway_is_always_answered(here: Town) -> None:
    nobody = here.with_secret(None)
    until_refused(lambda: nobody.get("/v1/lockers"))
    assert nobody.get("/health").status_code == 200
    assert nobody.get("/ready").status_code == 429


def test_no_address_is_kept_or_logged(here: Town) -> None:
    gate = Gate()
    gate.admit("192.0.2.77", "Bearer secret-in-a-header")
    kept = repr((list(gate.keys._kept.items()), list(gate.strangers._kept.items())))
    assert "192.0.2.77" not in kept and "secret-in-a-header" not in kept
    here.with_secret(None).get("/v1/lockers")
    host = str(urlsplit(here.url).hostname)
    assert "http_request" in here.logged() and host not in here.logged()


def test_every_operation_says_that_it_may_be_refused_for_haste(here: Town) -> None:
    document = here.with_secret(None).get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in set(methods) & set(ACTING):
            responses = methods[method]["responses"]
            assert ("429" in responses) == (path != "/health"), (method, path)
            if path != "/health":
                assert set(responses["429"]["headers"]) == {"Retry-After", "RateLimit", "RateLimit-Policy"}


def test_addresses_of_one_ipv6_network_are_one() -> None:
    gate = Gate()
    assert gate.name_of("2001:db8::1") == gate.name_of("2001:db8::ffff:2") != gate.name_of("2001:db8:0:1::1")
    assert gate.name_of("192.0.2.1") != gate.name_of("192.0.2.2")
    assert gate.name_of("") != gate.name_of("a name that a proxy said")


# ------------------------------------------------------------------ the buckets by themselves
def test_no_more_buckets_are_kept_than_there_is_room_for() -> None:
    buckets = Buckets(Limit("address", 1, 2), Hour(), names_max=3)
    for name in (b"a", b"b", b"c", b"a", b"d"):
        buckets.take(name)
    assert len(buckets) == 3 and b"b" not in buckets and b"a" in buckets


@given(st.lists(st.floats(0, 30) | st.just(0.0), max_size=120))
def test_nobody_gets_more_than_what_was_saved_and_what_came_since(pauses: list[float]) -> None:
    """Over any stretch of time; and who waits as long as told is let in."""
    clock = Hour()
    buckets = Buckets(Limit("key", 0.7, 5), clock)
    let_in: list[float] = []
    for pause in pauses:
        clock.s += pause
        charge: Charge = buckets.take(b"one")
        assert (charge.wait_s == 0) == (charge.retry_s == 0) and 0 <= charge.left <= 5
        if charge.wait_s:
            clock.s += charge.retry_s
            assert not buckets.take(b"one").wait_s
        let_in.append(clock.s)
    for first in range(len(let_in)):
        for last in range(first, len(let_in)):
            assert last - first + 1 <= 5 + 0.7 * (let_in[last] - let_in[first]) + 1e-6


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    clock = Hour()
    buckets = Buckets(Limit("key", 1, 2), clock)
    buckets.take(b"one")
    clock.s -= 500
    assert buckets.take(b"one").left == 0 and buckets.take(b"one").wait_s == 1
