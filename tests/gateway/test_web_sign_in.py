"""The pages' doors: who gets in, for how long, in which language, and what no other site can do."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from http_town import Town, town

from gateway.domain.people import GATEWAY, SCOPES
from gateway.limits import SESSION_S
from gateway.services import people
from gateway.web import assets
from gateway.web.pages import POLICY
from gateway.web.sessions import COOKIE


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        yield made


def browser(here: Town, **headers: str) -> httpx.Client:
    """Keeps cookies, follows nothing by itself."""
    client = here.with_secret(None)
    client.headers.update({"Sec-Fetch-Site": "same-origin", **headers})
    return client


def operator_key(here: Town) -> str:
    return people.issue_credential(here.desk, GATEWAY, "operator", "", SCOPES, "mairie")[1]


def badge_text(here: Town) -> tuple[bytes, str]:
    badge = people.issue_badge(here.desk, GATEWAY, "colibri", "c-17", 30)
    assert badge.token is not None
    return badge.id, badge.token


def signed_in(client: httpx.Client) -> bool:
    answer = client.get("/")
    assert answer.status_code == 200, "a page that failed has the way out too"
    return "/sign-out" in answer.text


def test_whoever_has_a_key_signs_in_works_and_signs_out(here: Town) -> None:
    client = browser(here)
    assert not signed_in(client)
    answer = client.post("/sign-in", data={"key": operator_key(here)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie, "plain http on loopback"
    assert signed_in(client)
    assert client.post("/sign-out").headers["location"] == "/"
    assert not signed_in(client)


def test_a_courier_signs_in_with_the_badge_and_a_revoked_badge_signs_out(here: Town) -> None:
    client = browser(here)
    badge, token = badge_text(here)
    assert client.post("/sign-in", data={"key": token}).headers["location"] == "/courier"
    assert signed_in(client)
    people.revoke_badge(here.desk, GATEWAY, badge)
    assert not signed_in(client)
    assert client.post("/sign-in", data={"key": token}).status_code == 401


def test_a_technicians_badge_is_no_way_into_the_pages(here: Town) -> None:
    token = people.issue_technician(here.desk, GATEWAY, "t-1", 3).token
    assert token is not None and browser(here).post("/sign-in", data={"key": token}).status_code == 401


@pytest.mark.parametrize("key", ["", "wrong", "A" * 300, "clé", "consigne_" + "x" * 43, "\x00"])
def test_a_wrong_key_is_refused_in_words_and_never_shown(here: Town, key: str) -> None:
    answer = browser(here).post("/sign-in", data={"key": key})
    assert answer.status_code == 401 and 'role="alert"' in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert len(key) < 5 or key not in answer.text
    assert len(key) < 5 or key not in here.logged()


def test_a_revoked_key_signs_out_everywhere_at_once(here: Town) -> None:
    client = browser(here)
    client.post("/sign-in", data={"key": operator_key(here)})
    (credential,) = [found for found in people.list_credentials(here.desk, GATEWAY) if found.name == "mairie"]
    people.revoke_credential(here.desk, GATEWAY, credential.number)
    assert not signed_in(client)


def test_a_session_ends_by_itself(here: Town) -> None:
    client = browser(here)
    client.post("/sign-in", data={"key": operator_key(here)})
    kept = client.cookies[COOKIE]
    here.now[0] += SESSION_S
    assert "/sign-out" not in client.get("/", headers={"Cookie": f"{COOKIE}={kept}"}).text


def test_a_cookie_changed_in_any_letter_is_nobodys(here: Town) -> None:
    client = browser(here)
    client.post("/sign-in", data={"key": operator_key(here)})
    good = client.cookies.pop(COOKIE)
    assert "/sign-out" in client.get("/", headers={"Cookie": f"{COOKIE}={good}"}).text
    for place in range(len(good)):
        changed = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        if good[place] != "=":
            answer = client.get("/", headers={"Cookie": f"{COOKIE}={changed}"})
            assert "/sign-out" not in answer.text, place


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
)
def test_no_other_site_can_post_in_the_name_of_whoever_is_signed_in(here: Town, headers: dict[str, str]) -> None:
    client = browser(here)
    client.post("/sign-in", data={"key": operator_key(here)})
    assert client.post("/sign-out", headers=headers).status_code == 403
    assert signed_in(client)


def test_an_older_browser_says_at_least_where_the_form_was(here: Town) -> None:
    client = browser(here)
    client.post("/sign-in", data={"key": operator_key(here)})
    del client.headers["Sec-Fetch-Site"]
    assert client.post("/sign-out", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert client.post("/sign-out", headers={"Origin": here.url}).status_code == 303
    assert client.post("/sign-out", headers={"Origin": "null"}).status_code == 303, "from pages without a referrer"


@pytest.mark.parametrize("onward", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "x", "/\n/x"])
def test_the_way_onward_never_leaves_us(here: Town, onward: str) -> None:
    answer = browser(here).post("/sign-in", data={"key": operator_key(here), "next": onward})
    assert answer.headers["location"] == "/operator"


def test_whatever_an_address_holds_the_way_onward_is_one_header_of_plain_letters(here: Town) -> None:
    client = browser(here)
    answer = client.post("/sign-in", data={"key": operator_key(here), "next": "/operator/parcels?text=½€"})
    assert answer.headers["location"] == "/operator/parcels?text=%C2%BD%E2%82%AC"
    answer = client.get("/operator/parcels/x%0d%0aSet-Cookie:%20a=b/code")
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator/parcels/x%0D%0ASet-Cookie:%20a=b")
    assert "set-cookie" not in answer.headers


class Names(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.languages: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "html" and name == "lang":
                self.languages.append(value or "")
            if name in ("src", "href", "action"):
                self.addresses.append(value or "")


def test_the_language_is_the_one_asked_for_then_the_browsers_then_french(here: Town) -> None:
    client = browser(here)
    assert Names(client.get("/").text).languages == ["fr"]
    assert Names(client.get("/", headers={"Accept-Language": "en-GB"}).text).languages == ["en"]
    assert Names(client.get("/?lang=en").text).languages == ["en"]
    assert Names(client.get("/").text).languages == ["en"], "as chosen before"
    assert Names(client.get("/?lang=xx").text).languages == ["en"]


def test_a_page_loads_nothing_from_anywhere_else_and_runs_no_script_of_others(here: Town) -> None:
    answer = browser(here).get("/sign-in")
    assert answer.headers["content-security-policy"] == POLICY and "unsafe" not in POLICY
    assert all(re.match(r"^(/[^/]|[?#]|/$)", address) for address in Names(answer.text).addresses)
    for address in Names(answer.text).addresses:
        if address.startswith("/assets/"):
            assert browser(here).get(address).headers["cache-control"] == assets.FOR_A_YEAR


@pytest.mark.parametrize("path", ["/nowhere", "/docs", "/assets/nothing.css", "/assets/..%2fapp.py", "/p/"])
def test_a_page_that_is_not_there_says_what_to_do(here: Town, path: str) -> None:
    answer = browser(here).get(path)
    assert answer.status_code == 404 and "Ouvrez le lien du message en entier" in answer.text


def test_the_api_answers_as_before_beside_the_pages(here: Town) -> None:
    answer = browser(here).get("/v1/lockers")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"key=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % number for number in range(60)), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"k=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_a_broken_form_is_refused_as_a_page(here: Town, body: bytes, kind: str, status: int) -> None:
    answer = browser(here).post("/sign-in", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status and answer.headers["content-type"].startswith("text/html")
