"""What a mail says and how it is handed over: languages, headers that nobody else writes, TLS that is checked, answers
of a real mail server."""

import email.policy
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters_town import FROM, MAIL, NAME, URL, Postbox, Signed, codes_in, mail_sender, postbox, signed, words_of

from gateway.domain.ids import ParcelNumber
from gateway.domain.letters import KINDS, WITH_CODE, Contents, Letter
from gateway.notify.mail import compose
from gateway.notify.senders import NeverError, TryLater
from gateway.notify.smtp import MailSender, MailServer, ehlo_name
from gateway.words.moments import here

NOW_S = 1_800_000_000
SECRET = "AAAAAAAAAAGx1b-7Jw3k_0aVd9cE5hQz"


def contents(kind: str = "arrived", **more: object) -> Contents:
    letter = Letter(1, ParcelNumber(1), kind, 7, "mail", NOW_S, NOW_S)
    made = Contents(
        letter=letter,
        message_id="fedcba98fedcba98fedcba98fedcba98",
        address=MAIL,
        name=NAME,
        secret=SECRET,
        place="Mairie de Saint-Élan",
        door=3,
        asks="librairie-du-port",
        now_s=NOW_S,
        code="123456789012" if kind in WITH_CODE else "",
        deadline_s=NOW_S + 7 * 86_400,
        ended_s=NOW_S if kind == "collected" else None,
    )
    return replace(made, **more)


def composed(kind: str = "arrived", **more: object) -> EmailMessage:
    """As the mail server would read it from the wire."""
    sent = compose(contents(kind, **more), FROM, URL).as_bytes()
    read = email.message_from_bytes(sent, policy=email.policy.SMTP)
    assert isinstance(read, EmailMessage)
    return read


# ------------------------------------------------------------------ what it says
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_is_french_first_and_english_after_it(kind: str) -> None:
    said = words_of(composed(kind))
    french, english = said.split("-----")
    assert ("colis" in french) and ("parcel" in english) and "Mairie de Saint-Élan" in french
    assert (f"{URL}/p/{SECRET}" in french) and (f"{URL}/p/{SECRET}" in english)
    assert codes_in(said) == ({"123456789012"} if kind in WITH_CODE else set())


def test_an_arrival_says_place_door_code_deadline_and_what_to_do() -> None:
    french = words_of(composed()).split("-----")[0].replace("\N{NO-BREAK SPACE}", " ")
    until = here(NOW_S + 7 * 86_400)
    wanted = (
        "Pour Zsófia Kanarek",
        "Mairie de Saint-Élan, porte 3",
        "    123 456 789 012",
        f"avant le vendredi {until.day} janvier 2027 à {until.hour} h",
        "Refermée trop tôt ? Le même code la rouvre pendant 3 minutes.",
        "Personne de chez nous ne vous demandera ce code.",
    )
    for words in wanted:
        assert words in french, words


def test_the_same_code_that_opens_other_doors_too_says_so() -> None:
    assert "porte 4, porte 9" in words_of(composed(opens_also=(4, 9)))


def test_a_locker_without_a_scanner_is_not_shown_a_qr() -> None:
    said = words_of(composed(code="1234567890123456", has_scanner=False))
    assert "1234 5678 9012 3456" in said and "QR" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_and_the_link_stand_in_no_header(kind: str) -> None:
    message = composed(kind)
    headers = "\n".join(f"{name}: {value}" for name, value in message.items())
    assert not re.search(r"123.?456", headers) and SECRET not in headers


def test_a_letter_says_that_a_machine_wrote_it_and_from_whom() -> None:
    message = composed()
    assert message["Auto-Submitted"] == "auto-generated"
    assert str(message["From"]) == FROM
    assert str(message["Message-ID"]) == "<fedcba98fedcba98fedcba98fedcba98@saint-elan.example>"
    assert message["Date"].datetime.replace(tzinfo=UTC).timestamp() == NOW_S  # -0000: UTC, at an unnamed place
    assert message["To"].addresses[0].addr_spec == MAIL and message["To"].addresses[0].display_name == NAME


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_in_it_loads_nothing_asks_nothing_and_names_its_languages(kind: str) -> None:
    elements = Elements(words_of(composed(kind), "html")).found
    tags = {tag for tag, _ in elements}
    assert tags <= {"html", "head", "meta", "title", "body", "div", "h1", "p", "span", "a", "hr"}
    assert [attributes["lang"] for _, attributes in elements if "lang" in attributes] == ["fr", "fr", "en"]
    addresses = [value for _, attributes in elements for name, value in attributes.items() if name in ("src", "href")]
    assert set(addresses) == {f"{URL}/p/{SECRET}"}
    assert all("url(" not in (attributes.get("style") or "") for _, attributes in elements)


def test_nothing_in_the_page_is_wider_than_a_small_phone() -> None:
    page = words_of(composed(code="1234567890123456", has_scanner=False), "html")
    unbroken = re.findall(r'white-space:nowrap">([^<]*)<', page)
    assert [len(half) for half in unbroken] == [9, 9, 9, 9] and "1234 5678" in unbroken
    assert 9 * 0.61 * 28 < 320 - 2 * 12, "nine digits of 28 pixels beside two margins of 12"
    assert "word-break:break-all" in page and not re.search(r"[^-]width:\s*[3-9]\d\dpx", page)


# ------------------------------------------------------------------ who else would like to write in it
EVIL = ("a\r\nBcc: all@x.example", "a\nSubject: free", "a\r\n\r\n<h1>b", "\x00\x07a\x1b[31m", 'x" <b@c.example>, "y')


@pytest.mark.parametrize("text", EVIL)
def test_a_name_or_a_place_writes_no_header_and_no_markup(text: str) -> None:
    message = composed(name=text, place=text)
    assert {name for name, _ in message.items()} == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"),
        *("MIME-Version", "Content-Type"),
    }
    assert [each.addr_spec for each in message["To"].addresses] == [MAIL]
    page = words_of(message, "html")
    assert "<h1>b" not in page and page.count("<h1") == 2
    assert not re.search("[\x00-\x08\x1b]", page + words_of(message))


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_people_and_places_are_called_the_letter_is_one(name: str, place: str) -> None:
    message = composed(name=name, place=place)
    assert [each.addr_spec for each in message["To"].addresses] == [MAIL]
    assert codes_in(words_of(message)) >= {"123456789012"} and not message.defects


def test_very_long_names_and_other_alphabets_arrive_whole() -> None:
    place = "Ελευθερία ЖЖЖ 市庁舎 " * 8
    message = composed(name="Ő" * 500, place=place)
    assert place.strip() in words_of(message) and place.strip() in str(message["Subject"])
    wire = compose(contents(name="Ő" * 500, place=place), FROM, URL).as_bytes()
    assert wire.isascii() and max(map(len, wire.split(b"\r\n"))) <= 998


WRONG = ("", "a", "a@", "@b.example", "a@b.example,c@d.example", "a@b.example c@d.example", "a b@c.example")
WRONG += ("a@b.example\r\nRCPT TO:<c@d.example>", "<a@b.example>", "é@b.example", "a@b.example>", "a@" + "b" * 300)


@pytest.mark.parametrize("address", WRONG)
def test_what_is_no_single_address_is_never_sent_to(address: str) -> None:
    with pytest.raises(NeverError) as failure:
        compose(contents(address=address), FROM, URL)
    assert failure.value.reason == "bad_address" and (len(address) < 3 or address not in str(failure.value))


def test_a_domain_with_accents_is_written_as_mail_servers_read_it() -> None:
    assert composed(address="a@bücher.example")["To"].addresses[0].addr_spec == "a@xn--bcher-kva.example"


# ------------------------------------------------------------------ handed over
@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as made:
        yield made


def sent(sender: MailSender, **more: object) -> str:
    try:
        return sender.send(contents(**more))
    finally:
        sender.close()


def later(sender: MailSender, **more: object) -> TryLater:
    with pytest.raises(TryLater) as failure:
        sent(sender, **more)
    assert MAIL not in str(failure.value)
    return failure.value


def test_letters_of_a_round_go_over_one_connection_and_we_say_who_we_are(box: Postbox) -> None:
    sender = mail_sender(box, "none")
    ids = {sender.send(contents()) for _ in range(3)}
    sender.close()
    assert len(box.got) == 3 and box.greeted == ["colis.saint-elan.example"]
    assert ids == {"<fedcba98fedcba98fedcba98fedcba98@saint-elan.example>"}, "the same letter has the same id"


def test_an_address_as_a_name_stands_in_brackets() -> None:
    names = ("127.0.0.1", "::1", "colis.example")
    assert [ehlo_name(name) for name in names] == ["[127.0.0.1]", "[IPv6:::1]", "colis.example"]


@pytest.mark.parametrize("said", ["550 5.1.1 <{}> unknown", "553 no such {}", "500 {}"])
def test_an_address_that_the_server_refuses_is_never_tried_again(box: Postbox, said: str) -> None:
    box.said = said.format
    with pytest.raises(NeverError) as failure:
        sent(mail_sender(box, "none"))
    assert failure.value.reason == "refused" and MAIL not in repr(failure.value)


def test_a_text_that_the_server_refuses_is_never_tried_again(box: Postbox) -> None:
    box.said_at_end = lambda: "554 5.7.1 we take this for spam"
    with pytest.raises(NeverError):
        sent(mail_sender(box, "none"))


@pytest.mark.parametrize(("said", "of_the_channel"), [("450 4.2.1 {} is busy", False), ("421 4.3.2 closing", True)])
def test_not_now_is_later(box: Postbox, said: str, of_the_channel: bool) -> None:
    box.said = said.format
    assert later(mail_sender(box, "none")).of_the_channel == of_the_channel
    box.said = lambda _address: "250 OK"
    box.said_at_end = lambda: said.format("it")
    assert later(mail_sender(box, "none")).of_the_channel == of_the_channel


def test_a_refused_letter_does_not_spoil_the_connection_for_the_next(box: Postbox) -> None:
    sender = mail_sender(box, "none")
    box.said = lambda address: "550 no" if address.startswith("wrong") else "250 OK"
    with pytest.raises(NeverError):
        sender.send(contents(address="wrong@mail.example"))
    sender.send(contents())
    sender.close()
    assert len(box.got) == 1 and len(box.greeted) == 1


def test_a_server_that_hangs_up_in_between_is_dialled_again(box: Postbox) -> None:
    sender = mail_sender(box, "none")
    sender.send(contents())
    box.said = lambda _address: "421 closing"
    with pytest.raises(TryLater):
        sender.send(contents())
    box.said = lambda _address: "250 OK"
    sender.send(contents())
    sender.close()
    assert len(box.got) == 2


def test_a_server_that_is_not_there_is_later_for_all() -> None:
    failure = later(mail_sender(Postbox(), "none"))
    assert (failure.reason, failure.of_the_channel) == ("no_answer", True)


@pytest.fixture
def silence() -> Iterator[Postbox]:
    """Takes the connection and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def hold() -> None:
        try:
            while True:
                held.append(listener.accept()[0])
        except OSError:
            return

    thread = threading.Thread(target=hold)
    thread.start()
    made = Postbox()
    made.port = listener.getsockname()[1]
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for each in held:
        each.close()


@pytest.mark.parametrize("tls", ["none", "starttls", "first"])
def test_a_server_that_hangs_is_given_up_in_time(silence: Postbox, monkeypatch: pytest.MonkeyPatch, tls: str) -> None:
    monkeypatch.setattr("gateway.notify.smtp.SMTP_WAIT_S", 0.2)
    failure = later(mail_sender(silence, tls))
    assert failure.of_the_channel


# ------------------------------------------------------------------ TLS and login
@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return signed(tmp_path_factory.mktemp("good"))


def test_starttls_and_login_are_done_before_any_letter(good: Signed) -> None:
    box = Postbox(tls_context=good.server_context(), require_starttls=True, auth_required=True)
    box._settings["authenticator"] = box.check_login
    box.start()
    try:
        sent(mail_sender(box, "starttls", good.client_context(), user="consigne", password="hush-hush"))
        assert box.logins == [("consigne", "hush-hush")] and len(box.got) == 1
        failure = later(mail_sender(box, "starttls", good.client_context(), user="consigne", password="wrong"))
        assert (failure.reason, failure.of_the_channel) == ("login_refused", True)
        assert "wrong" not in repr(failure)
    finally:
        box.stop()


def test_tls_from_the_first_byte(good: Signed) -> None:
    with postbox(ssl_context=good.server_context()) as box:
        sent(mail_sender(box, "first", good.client_context()))
        assert len(box.got) == 1


@pytest.mark.parametrize("fault", ["unknown_ca", "other_name", "run_out"])
@pytest.mark.parametrize("tls", ["starttls", "first"])
def test_a_certificate_that_is_not_the_servers_own_gets_no_letter(tmp_path: Path, fault: str, tls: str) -> None:
    name = "mail.other.example" if fault == "other_name" else "127.0.0.1"
    bad = signed(tmp_path / "bad", name, days=-1 if fault == "run_out" else 1)
    trusted = signed(tmp_path / "other") if fault == "unknown_ca" else bad
    settings = {"tls_context" if tls == "starttls" else "ssl_context": bad.server_context()}
    with postbox(**settings) as box:
        failure = later(mail_sender(box, tls, trusted.client_context()))
    assert (failure.reason, failure.of_the_channel) == ("not_safe", True)
    assert box.got == [] and box.logins == []


def test_a_server_that_no_longer_offers_starttls_gets_neither_password_nor_letter(box: Postbox) -> None:
    failure = later(mail_sender(box, "starttls", user="consigne", password="hush-hush"))
    assert failure.reason == "not_safe" and box.got == [] and box.logins == []


def test_a_sender_that_the_server_does_not_take_is_no_letters_fault(good: Signed) -> None:
    with postbox(tls_context=good.server_context(), require_starttls=True) as box:
        failure = later(mail_sender(box, "none"))
    assert (failure.reason, failure.of_the_channel) == ("sender_refused", True)


def test_a_password_shows_in_no_repr() -> None:
    assert "hush" not in repr(MailServer("h", 25, "none", "u", "hush"))
    assert MAIL not in repr(contents()) and SECRET not in repr(contents()) and "123456" not in repr(contents())
