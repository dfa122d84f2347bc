"""What a courier carries in the phone: the badge as a QR, receipts of lockers that were alone, proofs, and the app."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import resvg_py
import zxingcpp
from courier_town import courier, expect, phone, words
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_town import Town, open_locker, town
from PIL import Image

from gateway.domain import proofs
from gateway.domain.ids import parcel_number
from gateway.domain.people import GATEWAY
from gateway.limits import RECEIPT_GUESSES_MAX
from gateway.services import parcels, people, rounds
from gateway.web import assets
from gateway.web.courier_page import KEEP
from protocol import cbor, cose, damm, receipts, tokens, trust
from protocol.errors import ProtocolError
from protocol.messages import DepositAuthorised, Deposited, DepositRequested, OfflineDepositAuthorised
from protocol.numbers import FIRST


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


# ------------------------------------------------------------------ the badge
def badge_of(here: Town) -> people.Badge:
    return people.issue_badge(here.desk, GATEWAY, "colibri", "c-17", 300)


def read(page: str) -> str:
    """The QR on a page, seen by a scanner."""
    (svg,) = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    drawn = resvg_py.svg_to_bytes(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1), width=390)
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(bytes(drawn))), formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


def test_the_badge_is_drawn_for_whoever_brings_its_text_and_lets_them_in(here: Town) -> None:
    badge, client = badge_of(here), here.with_secret(None)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    assert "<svg" not in client.get("/courier/badge").text
    answer = client.post("/courier/badge", data={"badge": badge.token})
    assert answer.status_code == 200 and read(answer.text) == badge.token
    assert "colibri · c-17" in words(answer.text)
    assert client.get("/courier").status_code == 200, "signed in by it"
    people.revoke_badge(here.desk, GATEWAY, badge.id)
    assert client.get("/courier").status_code == 303
    assert client.post("/courier/badge", data={"badge": badge.token}).status_code == 401


def test_the_text_of_a_badge_is_in_no_log_and_no_book(here: Town, tmp_path: Path) -> None:
    badge, client = badge_of(here), here.with_secret(None)
    assert badge.token is not None
    client.post("/courier/badge", data={"badge": badge.token})
    assert badge.token not in here.logged()
    books = b"".join(path.read_bytes() for path in tmp_path.glob("consigne.db*"))
    assert badge.token.encode() not in books and badge.id in books


@pytest.mark.parametrize("text", ["", "WRONG", "é", "A" * 700])
def test_what_is_no_badge_is_refused_in_words(here: Town, text: str) -> None:
    answer = here.with_secret(None).post("/courier/badge", data={"badge": text})
    assert answer.status_code == 401 and "Ce badge n’est pas connu" in words(answer.text)
    assert "set-cookie" not in answer.headers


def test_whoever_is_signed_in_stays_who_they_are_beside_a_badge(here: Town) -> None:
    client = phone(here, "rival")
    answer = client.post("/courier/badge", data={"badge": badge_of(here).token})
    assert "set-cookie" not in answer.headers and read(answer.text)
    assert 'data-carrier="rival"' in client.get("/courier").text


def test_no_other_site_can_sign_a_phone_in(here: Town) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = here.with_secret(None).post("/courier/badge", data={"badge": badge_of(here).token}, headers=headers)
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


# ------------------------------------------------------------------ receipts
def receipt(label: str, box: int = 2, deposit: int = 1, carrier: str = "colibri") -> receipts.Receipt:
    return receipts.Receipt(box, deposit, b"badge--8", carrier, label, 1, None)


def text_of(here: Town, label: str, carrier: str = "colibri") -> str:
    key = here.desk.keys.hmac("mairie-1", 1, "receipt")
    return receipts.seal(key, b"\x01", "mairie-1", receipt(label, carrier=carrier))


def keyed(here: Town, label: str) -> dict[str, str]:
    digits = receipts.digits(here.desk.keys.hmac("mairie-1", 1, "receipt"), receipt(label))
    return {"locker": "mairie-1", "label": label, "size": "M", "digits": digits}


def test_a_receipt_says_which_parcel_it_was_and_twice_says_the_same(here: Town) -> None:
    parcel = expect(here, "A-1")
    client = phone(here)
    first = client.post("/courier/receipts", data={"receipt": text_of(here, "A-1")})
    assert first.status_code == 200
    assert "Colis A-1 : déposé, porte 2. Son destinataire est prévenu." in words(first.text)
    assert parcels.get_parcel(here.desk, GATEWAY, parcel_number(parcel)).state == "deposited"
    before = parcels.get_parcel(here.desk, GATEWAY, parcel_number(parcel))
    for again in ({"receipt": text_of(here, "A-1")}, keyed(here, "A-1")):
        second = client.post("/courier/receipts", data=again)
        assert words(second.text) == words(first.text)
    assert parcels.get_parcel(here.desk, GATEWAY, parcel_number(parcel)) == before


@pytest.mark.parametrize(("language", "said"), [("fr", "déposé, porte 2"), ("en", "deposited, door 2")])
def test_digits_are_taken_as_they_stand_on_the_screen(here: Town, language: str, said: str) -> None:
    expect(here, "A-1")
    fields = keyed(here, "A-1")
    fields["digits"] = " ".join(fields["digits"][place : place + 3] for place in range(0, 12, 3))
    assert said in words(phone(here, language=language).post("/courier/receipts", data=fields).text)


def test_a_parcel_that_nobody_announced_is_there_and_its_recipient_told_later(here: Town) -> None:
    page = words(phone(here).post("/courier/receipts", data={"receipt": text_of(here, "NEW")}).text)
    assert "Personne ne l’avait annoncé" in page


def test_the_phones_queue_is_answered_in_a_few_words(here: Town) -> None:
    expect(here, "A-1")
    client = phone(here)
    fields = {**keyed(here, "A-1"), "answer": "json"}
    first, second = (client.post("/courier/receipts", data=fields) for _ in range(2))
    assert first.json() == second.json() and "déposé" in first.json()["text"]
    refused = client.post("/courier/receipts", data={**fields, "label": "OTHER"})
    assert (refused.status_code, "n’a pas dit cela" in refused.json()["text"]) == (422, True)
    signed_out = here.with_secret(None).post("/courier/receipts", data=fields)
    assert signed_out.status_code == 303, "kept in the phone until somebody signs in"


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"digits": "123"}, 422, "Un chiffre ne va pas"),
        ({"digits": "000000000001"}, 422, "Un chiffre ne va pas"),
        ({"size": "XL"}, 422, "Un chiffre ne va pas"),
        ({"size": "L"}, 422, "La consigne n’a pas dit cela"),
        ({"label": "OTHER"}, 422, "La consigne n’a pas dit cela"),
        ({"locker": "nowhere"}, 404, "Cette consigne n’est pas connue"),
        ({"receipt": "HELLO"}, 422, "Un chiffre ne va pas"),
        ({"receipt": "CR1:MAIRIE-1:ABCDEF"}, 422, "La consigne n’a pas dit cela"),
    ],
)
def test_a_receipt_that_is_wrong_says_what_to_check_and_keeps_what_was_typed(
    here: Town, wrong: dict[str, str], status: int, said: str
) -> None:
    fields = {**keyed(here, "A-1"), **wrong}
    answer = phone(here).post("/courier/receipts", data=fields)
    assert (answer.status_code, said in words(answer.text)) == (status, True)
    assert f'value="{fields["label"]}"' in answer.text
    assert rounds.at_locker(here.desk, courier(), "mairie-1").stop.idle


def test_another_carriers_receipt_is_not_taken(here: Town) -> None:
    expect(here, "SECRET")
    answer = phone(here, "rival").post("/courier/receipts", data={"receipt": text_of(here, "SECRET")})
    assert answer.status_code == 403 and "autre transporteur" in words(answer.text)
    answer = phone(here, "rival").post("/courier/receipts", data=keyed(here, "SECRET"))
    assert answer.status_code == 422, "as wrong as any"


def test_guessing_digits_ends_and_says_what_still_works(here: Town) -> None:
    client, fields = phone(here), keyed(here, "A-1")
    front = fields["digits"][:3] + str((int(fields["digits"][3:-1]) + 1) % 10**8).zfill(8)
    for _ in range(RECEIPT_GUESSES_MAX):
        client.post("/courier/receipts", data={**fields, "digits": front + damm.check_digit(front)})
    answer = client.post("/courier/receipts", data=fields)
    assert answer.status_code == 429 and "Lisez le QR" in words(answer.text)
    assert client.post("/courier/receipts", data={"receipt": text_of(here, "A-1")}).status_code == 200


def test_the_phone_knows_the_same_check_digit_as_the_locker() -> None:
    """A typing error is told while the locker's screen is still there."""
    script = (assets.FOLDER / "courier_receipts.js").read_text(encoding="utf-8")
    (table,) = re.findall(r'DAMM = "(\d{100})"', script)
    for front in ("00212345678", "99900000001", "01010101010"):
        interim = 0
        for digit in front:
            interim = int(table[interim * 10 + int(digit)])
        assert str(interim) == damm.check_digit(front)


# ------------------------------------------------------------------ proofs
def put_in_by(here: Town, badge: people.Badge, label: str) -> str:
    """Online: the badge asked, the door opened, and closed a minute later."""
    parcel = expect(here, label)
    here._take_up("mairie-1", 0, DepositRequested(7, badge.id, "colibri", label, FIRST))
    here.says("mairie-1", DepositAuthorised(1, 1, 7, parcel_number(parcel), None, None))
    here.now[0] += 60
    here.says("mairie-1", Deposited(1, 1, parcel_number(parcel)))
    return parcel


def test_a_proof_says_who_put_what_where_and_when(here: Town) -> None:
    badge = badge_of(here)
    parcel = put_in_by(here, badge, "A-1")
    client = phone(here)
    said = client.get(f"/courier/proofs/{parcel}.json")
    assert said.headers["content-disposition"] == f'attachment; filename="consigne-{parcel}.json"'
    handover = said.json()["handover"]
    assert (handover["parcel"], handover["label"], handover["carrier"]) == (parcel, "A-1", "colibri")
    assert (handover["locker"], handover["compartment"], handover["deposit"]) == ("mairie-1", 1, 1)
    assert (handover["courier"], handover["badge"]) == ("c-17", badge.id.hex())
    assert (handover["opened_at"], handover["closed_at"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:01:00Z")
    page = words(client.get(f"/courier/proofs/{parcel}").text)
    assert "c-17" in page and "A-1" in page and "colibri" in page


def test_anyone_with_the_public_key_can_check_a_proof_without_us(here: Town) -> None:
    """By RFC 9052 alone: nothing of the gateway's is asked but the file."""
    said = phone(here).get(f"/courier/proofs/{put_in_by(here, badge_of(here), 'A-1')}.json").json()
    tagged = cbor.decode(base64.b64decode(said["signature"]["cose_sign1"]))
    protected, _, payload, signature = tagged.value
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["signature"]["public_key"]))
    key.verify(signature, cbor.encode(["Signature1", protected, b"", payload]))
    version, purpose, text = cbor.decode(payload)
    assert (version, purpose, json.loads(text)) == (1, "handover", said["handover"])
    with pytest.raises(InvalidSignature):
        key.verify(signature, cbor.encode(["Signature1", protected, b"", payload + b"\x00"]))
    assert json.loads(proofs.text_of(cbor.encode(tagged), here.desk.keys.trusted)) == said["handover"]


def test_a_proof_is_no_token_no_statement_and_neither_is_a_proof(here: Town) -> None:
    badge = badge_of(here)
    said = phone(here).get(f"/courier/proofs/{put_in_by(here, badge, 'A-1')}.json").json()
    proof = base64.b64decode(said["signature"]["cose_sign1"])
    trusted, kid = here.desk.keys.trusted, here.desk.keys.kid
    assert badge.token is not None
    token = tokens.base45.decode(badge.token)
    statement = trust.seal(trust.to_add(trusted[kid]), kid, here.desk.keys.sign)
    for opened in (
        lambda: tokens.open_token(tokens.base45.encode(proof), trusted),
        lambda: trust.open_statement(proof, trusted),
        lambda: proofs.text_of(token, trusted),
        lambda: proofs.text_of(statement, trusted),
    ):
        with pytest.raises(ProtocolError):
            opened()
    assert cose.open_sign1(proof, trust.verifier(trusted)), "but it is signed"


def test_a_proof_of_a_locker_that_was_alone_names_its_badge_and_then_its_times(here: Town) -> None:
    badge = badge_of(here)
    client = phone(here)
    key = here.desk.keys.hmac("mairie-1", 1, "receipt")
    shown = receipts.Receipt(2, 1, badge.id, "colibri", "A-1", 1, here.now[0])
    client.post("/courier/receipts", data={"receipt": receipts.seal(key, b"\x01", "mairie-1", shown)})
    (parcel,) = rounds.at_locker(here.desk, courier(), "mairie-1").lying
    handover = client.get(f"/courier/proofs/{parcel.id}.json").json()["handover"]
    assert (handover["courier"], handover["opened_at"], handover["by_receipt"]) == ("c-17", None, True)
    here.says("mairie-1", OfflineDepositAuthorised(2, 1, badge.id, "colibri", "A-1", 1), Deposited(2, 1, 0))
    handover = client.get(f"/courier/proofs/{parcel.id}.json").json()["handover"]
    assert (handover["courier"], handover["by_receipt"]) == ("c-17", False)
    assert handover["opened_at"] == "2027-01-15T08:00:00Z"


def test_what_was_not_put_in_has_no_proof(here: Town) -> None:
    parcel = expect(here, "A-1")
    assert phone(here).get(f"/courier/proofs/{parcel}").status_code == 409


# ------------------------------------------------------------------ the app
def test_the_pages_can_be_put_on_a_phone_in_both_languages(here: Town) -> None:
    client = here.with_secret(None)
    for language, name in (("fr", "Tournée"), ("en", "Round")):
        answer = client.get(f"/courier/manifest.webmanifest?lang={language}")
        assert answer.headers["content-type"].startswith("application/manifest+json")
        said = answer.json()
        assert (said["lang"], said["short_name"], said["scope"], said["start_url"]) == (
            language,
            name,
            "/courier",
            "/courier",
        )
        assert all(client.get(icon["src"]).status_code == 200 for icon in said["icons"])


def test_the_service_worker_keeps_only_what_is_the_same_for_everyone_from_the_start(here: Town) -> None:
    client = here.with_secret(None)
    answer = client.get("/courier/sw.js?lang=en")
    assert answer.headers["service-worker-allowed"] == "/courier"
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    told = json.loads(answer.text.split("\n", 1)[0].removeprefix("const TOLD = ").removesuffix(";"))
    for address in told["shell"]:
        kept = client.get(address)
        assert kept.status_code == 200 and 'method="post" action="/sign-out"' not in kept.text, address
    page = phone(here).get("/courier").text
    needed = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
    assert needed <= set(told["shell"]), "a kept page without its style is none"


def test_only_the_round_the_lists_and_the_receipts_may_be_kept(here: Town) -> None:
    parcel = put_in_by(here, badge_of(here), "A-1")
    client = phone(here)
    for path in ("/courier", "/courier/lockers/mairie-1", "/courier/receipts"):
        answer = client.get(path)
        assert answer.headers.get(KEEP) == "yes" and 'id="kept" hidden' in answer.text, path
    for path in ("/courier/lockers/mairie-1?said=tried", f"/courier/proofs/{parcel}", "/", "/courier/lockers/nowhere"):
        assert KEEP not in client.get(path).headers, path


def test_no_page_has_a_style_or_a_script_within(here: Town) -> None:
    parcel = put_in_by(here, badge_of(here), "A-1")
    client = phone(here)
    pages = ["/courier", "/courier/lockers/mairie-1", "/courier/receipts", "/courier/badge", "/courier/offline"]
    for path in (*pages, f"/courier/proofs/{parcel}"):
        page = client.get(path).text
        assert not re.search(r"<style|<script(?! src=)|\son\w+=|\sstyle=", page), path
    drawn = client.post("/courier/badge", data={"badge": badge_of(here).token}).text
    assert not re.search(r"<style|\sstyle=", drawn)
