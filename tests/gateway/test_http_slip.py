"""A slip is a page that prints by itself: digits, QR, deadline, advice; no person, no script, nothing loaded."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest
from http_town import RECIPIENT, Town, deposited, key, open_locker, parcel_body, town

from gateway.http import slip
from gateway.words import LANGUAGES
from gateway.words.moments import moment
from protocol import otp

CET = timezone(timedelta(hours=1), "CET")
GMT = timezone(timedelta(), "GMT")
NO_ZONES = timezone(timedelta(), "Europe")  # what C says for TZ=Europe/Paris on a machine without time zones
HOSTILE = '<script>alert("x")</script> & Mairie'


@pytest.fixture
def here(tmp_path: Path):
    with town(tmp_path) as made:
        yield made


class Seen(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] != "style":
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_slip_says_where_which_code_until_when_and_how(here: Town) -> None:
    parcel = deposited(here)
    operator = here.caller()
    pickup = operator.get(f"/v1/parcels/{parcel}/pickup").json()
    answer = operator.get(f"/v1/parcels/{parcel}/slip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = Seen(answer.text).text
    until = datetime.fromisoformat(pickup["deadline"]).astimezone()
    for said in ("Mairie, porte 1", pickup["code"], f" {until.year} ", "3 minutes", "ne vous demandera ce code"):
        assert said in text, said


def test_a_slip_is_french_unless_english_is_asked_for(here: Town) -> None:
    parcel = deposited(here)
    operator = here.caller()
    french = operator.get(f"/v1/parcels/{parcel}/slip").text
    english = operator.get(f"/v1/parcels/{parcel}/slip?language=en").text
    assert '<html lang="fr">' in french and "Votre code" in french
    assert '<html lang="en">' in english and "Your code" in english
    assert operator.get(f"/v1/parcels/{parcel}/slip?language=fr").status_code == 200
    for unknown in ("de", "", "FR", "fr|en", "fr\n"):
        refused = operator.get(f"/v1/parcels/{parcel}/slip", params={"language": unknown})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_value"), unknown


def test_a_code_of_16_digits_stands_in_groups_of_four_and_without_a_qr_that_nothing_there_could_read(
    here: Town,
) -> None:
    parcel = deposited(here, code_digits=16)
    operator = here.caller()
    code = operator.get(f"/v1/parcels/{parcel}/pickup").json()["code"]
    assert [len(group) for group in code.split(" ")] == [4, 4, 4, 4] and otp.is_well_formed(code.replace(" ", ""))
    page = operator.get(f"/v1/parcels/{parcel}/slip").text
    seen = Seen(page)
    assert code in seen.text and not seen.of("svg") and "QR" not in seen.text


def test_the_digits_are_heard_one_by_one(here: Town) -> None:
    parcel = deposited(here)
    operator = here.caller()
    code = operator.get(f"/v1/parcels/{parcel}/pickup").json()["code"]
    page = operator.get(f"/v1/parcels/{parcel}/slip").text
    heard = ", ".join(" ".join(group) for group in code.split(" "))
    assert f'<p class="spoken">{heard}</p>' in page
    assert 'class="code" aria-hidden="true"' in page, "what is seen in groups would be heard as numbers of three"


def test_the_page_has_headings_and_a_name_for_its_picture(here: Town) -> None:
    seen = Seen(here.caller().get(f"/v1/parcels/{deposited(here)}/slip").text)
    assert [name for name, _ in seen.elements if name in ("h1", "h2")] == ["h1", "h2", "h2"]
    assert [bool(div["aria-label"]) for div in seen.of("div") if div.get("role") == "img"] == [True]
    assert seen.of("title") and seen.of("main") and seen.of("meta")[1]["name"] == "viewport"


def test_a_slip_names_no_person_parcel_carrier_or_shop(here: Town) -> None:
    parcel = deposited(here)
    page = here.caller().get(f"/v1/parcels/{parcel}/slip").text
    for hidden in (*RECIPIENT.values(), "Lefèvre", parcel, "label-1", "colibri", "fleurs", "mairie-1"):
        assert hidden not in page, hidden


def test_a_slip_runs_no_script_and_loads_nothing(here: Town) -> None:
    answer = here.caller().get(f"/v1/parcels/{deposited(here)}/slip")
    seen = Seen(answer.text)
    assert not {name for name, _ in seen.elements} & {"script", "link", "img", "iframe", "object", "form", "a", "base"}
    for name, attributes in seen.elements:
        assert not {"style", "src", "href", "srcset"} & set(attributes), (name, attributes)
        assert not [attribute for attribute in attributes if attribute.startswith("on")], name
    assert "url(" not in slip.STYLE and "@import" not in slip.STYLE


def test_the_policy_allows_this_style_by_its_hash_and_nothing_else(here: Town) -> None:
    answer = here.caller().get(f"/v1/parcels/{deposited(here)}/slip")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rules = answer.headers["content-security-policy"].split("; ")
    assert rules[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"


def test_a_hostile_name_of_a_locker_stays_text(here: Town) -> None:
    page = here.caller().get(f"/v1/parcels/{deposited(here, name=HOSTILE)}/slip").text
    assert "<script" not in page and "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Mairie" in page
    assert f"{HOSTILE}, porte 1" in Seen(page).text


def test_a_slip_of_another_tenant_does_not_exist(here: Town) -> None:
    parcel = deposited(here)
    for foreign in (here.caller("courier", "martinet"), here.caller("merchant", "livres")):
        answer = foreign.get(f"/v1/parcels/{parcel}/slip")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_parcel")
        assert answer.headers["content-type"] == "application/problem+json"
    for own in (here.caller("courier", "colibri"), here.caller("merchant", "fleurs")):
        assert own.get(f"/v1/parcels/{parcel}/slip").status_code == 200


def test_a_parcel_that_is_not_in_a_locker_has_no_slip(here: Town) -> None:
    operator = open_locker(here, count=1)
    parcel = operator.post("/v1/parcels", json=parcel_body("label-2"), headers=key()).json()["id"]
    answer = operator.get(f"/v1/parcels/{parcel}/slip")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["next_actions"]


def test_a_slip_leaves_no_code_in_headers_or_log(here: Town) -> None:
    parcel = deposited(here)
    operator = here.caller()
    answer = operator.get(f"/v1/parcels/{parcel}/slip?language=en")
    code = operator.get(f"/v1/parcels/{parcel}/pickup").json()["code"]
    logged = here.logged()
    assert "route=/v1/parcels/{parcel}/slip" in logged and parcel not in logged
    for hidden in (code, code.replace(" ", ""), RECIPIENT["name"]):
        assert hidden not in logged and hidden not in str(answer.headers) and hidden not in str(answer.url)


def test_a_slip_is_documented_as_a_page_and_its_refusals_as_problems(here: Town) -> None:
    document = here.with_secret(None).get("/openapi.json").json()
    operation = document["paths"]["/v1/parcels/{parcel}/slip"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/html"]
    assert list(operation["responses"]["409"]["content"]) == ["application/problem+json"]
    language = next(one for one in operation["parameters"] if one["name"] == "language")
    assert language["required"] is False and language["schema"]["default"] == "fr"


@pytest.mark.parametrize(
    ("until", "french", "english"),
    [
        (
            datetime(2026, 12, 2, 14, 30, 59, tzinfo=CET),
            "mercredi 2 décembre 2026 à 14 h 30",
            "Wednesday 2 December 2026 at 14:30",
        ),
        (
            datetime(2027, 8, 1, 9, 5, tzinfo=CET),
            "dimanche 1er août 2027 à 9 h 05",
            "Sunday 1 August 2027 at 9:05",
        ),
        (
            datetime(2027, 1, 4, 18, 0, tzinfo=CET),
            "lundi 4 janvier 2027 à 18 h",
            "Monday 4 January 2027 at 18:00",
        ),
        (
            datetime(2027, 1, 4, 18, 0, tzinfo=GMT),
            "lundi 4 janvier 2027 à 18 h",
            "Monday 4 January 2027 at 18:00",
        ),
        *(
            (
                datetime(2027, 1, 4, 18, 0, tzinfo=zone),
                "lundi 4 janvier 2027 à 18 h UTC",
                "Monday 4 January 2027 at 18:00 UTC",
            )
            for zone in (UTC, NO_ZONES)
        ),
    ],
)
def test_a_deadline_reads_as_people_write_it(until: datetime, french: str, english: str) -> None:
    said = {name: moment(until, words) for name, words in LANGUAGES.items()}
    assert {name: " ".join(text.split()) for name, text in said.items()} == {"fr": french, "en": english}
    assert re.search(r"(à|at)\u00a0\d", said["fr"] + said["en"]), "the hour stays with its word"


def test_the_printed_digits_are_legible_at_arms_length() -> None:
    """EN 301 549, 5.1.4: capitals of 0.7 degrees, 4.9 mm at 40 cm. Arial's digits are 0.716 of its size."""
    sizes = [float(size) for size in re.findall(r"--digits: ([\d.]+)mm", slip.STYLE)]
    assert len(sizes) == 2 and all(size * 0.716 >= 5 for size in sizes)


def test_the_paper_is_a6_in_millimetres_because_css_has_no_word_for_it() -> None:
    assert "@page { size: 105mm 148mm;" in slip.STYLE
