"""The post: retries that end, a slow provider that holds up nobody else, restarts that lose and repeat nothing, and no
address or code where none belongs."""

import io
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters_town import (
    FROM,
    MAIL,
    NAME,
    PHONE,
    SMS_BODY,
    URL,
    Letters,
    Provider,
    codes_in,
    letters_town,
    mail_sender,
    provider,
    words_of,
)
from patience import wait_for

from gateway import limits, log
from gateway.domain.letters import Contents, pause_s
from gateway.notify.letters import Post, Round
from gateway.notify.senders import NeverError, Sender, TryLater
from gateway.notify.sms_http import SmsSender
from gateway.services import letters

HOUR_S = 3_600
DAY_S = 86_400


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Letters]:
    with letters_town(tmp_path) as made:
        yield made


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Letters]:
    with letters_town(tmp_path, with_sms=True) as made:
        yield made


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    log.configure(as_json=False, stream=stream)
    yield stream
    log.configure(as_json=False)


class Said:
    """A sender that answers as a test says, and remembers what it was given."""

    def __init__(self, answer: Callable[[Contents], str]) -> None:
        self.answer = answer
        self.given: list[Contents] = []

    def send(self, contents: Contents) -> str:
        self.given.append(contents)
        return self.answer(contents)

    def close(self) -> None: ...


def fails(failure: Exception) -> Callable[[Contents], str]:
    def answer(_contents: Contents) -> str:
        raise failure

    return answer


def round_of(here: Letters, sender: Sender, channel: str = "mail") -> Round:
    return Round(here.town.desk, channel, sender)


# ------------------------------------------------------------------ later
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_pauses_double_from_a_minute_to_six_hours_with_a_part_left_to_chance(tries: int, chance: int) -> None:
    wait_s = pause_s(tries, limits.LETTER_AGAIN_S_MAX, chance)
    whole = min(60 * 2 ** min(max(tries, 1) - 1, 30), 6 * HOUR_S)
    assert max(60, whole // 2) <= wait_s <= whole


@pytest.mark.parametrize(("asked", "wait_s"), [(None, 60), (7_200.5, 7_200), (1e9, 6 * HOUR_S), (-5, 60), (5, 60)])
def test_a_provider_may_ask_for_more_time_but_not_for_ever(asked: float | None, wait_s: int) -> None:
    assert pause_s(1, limits.LETTER_AGAIN_S_MAX, 0, asked) == wait_s


def test_a_letter_that_waits_is_tried_less_and_less_often_and_given_up_after_three_days(
    here: Letters, logged: io.StringIO
) -> None:
    parcel = here.deposited()
    here.box.said = lambda _address: "451 4.7.1 greylisted"
    times: list[int] = []
    for _ in range((3 * DAY_S + 7 * HOUR_S) // 300):
        tries = here.rows(parcel)[0].tries if here.rows(parcel) else 0
        here.run()
        if here.rows(parcel)[0].tries > tries:
            times.append(here.town.now[0])
        here.town.now[0] += 300
    row = here.rows(parcel)[0]
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert gaps[0] <= 300 and max(gaps) <= 6 * HOUR_S + 300 and gaps[-1] > 2 * HOUR_S
    assert (row.state, row.reason) == ("given_up", "not_now") and 10 < row.tries < 40
    assert times[-1] - times[0] >= 3 * DAY_S
    given_up = [line for line in logged.getvalue().splitlines() if "letter_given_up" in line]
    assert len(given_up) == 1 and f"parcel={parcel.id}" in given_up[0] and "kind=arrived channel=mail" in given_up[0]
    here.box.said = lambda _address: "250 OK"
    assert here.run() == 0, "given up is given up"


def test_a_server_that_is_down_for_two_days_costs_nobody_a_letter(here: Letters) -> None:
    waiting = [here.deposited(f"label-{number}", mail=f"p{number}@mail.example") for number in range(4)]
    here.box.stop()
    tries = 0
    for _ in range(2 * 24 * 12):
        here.run()
        here.town.later(300)
        tries = sum(row.tries for parcel in waiting for row in here.rows(parcel))
    assert 2 * 24 * 4 <= tries <= 2 * 24 * 8 + 10, "one letter knocks, every quarter of an hour or so"
    here.box.start()
    here.town.later(limits.LETTER_CHANNEL_AGAIN_S_MAX)
    here.run()
    here.town.later(limits.LETTER_CHANNEL_AGAIN_S_MAX)
    here.run()
    assert sorted(to for _, (to,) in here.box.envelopes) == [f"p{number}@mail.example" for number in range(4)]
    assert all(here.told(parcel) == [("arrived", "mail", "sent")] for parcel in waiting)


def test_what_waited_for_longer_than_three_days_because_we_were_away_is_tried_once_more(here: Letters) -> None:
    parcel = here.deposited()
    letters.write_owed(here.town.desk)
    here.town.later(4 * DAY_S)
    assert here.run() == 1 and here.told(parcel) == [("arrived", "mail", "sent")]


def test_an_address_that_is_refused_is_given_up_and_shown_and_the_others_go(
    here: Letters, logged: io.StringIO
) -> None:
    wrong, right = here.deposited("label-1", mail="nobody@mail.example"), here.deposited("label-2")
    here.box.said = lambda address: "550 5.1.1 unknown" if address.startswith("nobody") else "250 OK"
    assert here.run() == 1
    assert here.told(wrong) == [("arrived", "mail", "given_up")] and here.rows(wrong)[0].reason == "refused"
    assert here.told(right) == [("arrived", "mail", "sent")]
    assert logged.getvalue().count("letter_given_up") == 1


def test_one_letter_that_trips_over_a_bug_of_ours_holds_up_no_other(here: Letters, logged: io.StringIO) -> None:
    poison, good = here.deposited("label-1", mail="poison@mail.example"), here.deposited("label-2")

    def answer(contents: Contents) -> str:
        if "poison" in contents.address:
            raise KeyError(contents.address)
        return ""

    assert round_of(here, Said(answer)).run() == 1
    assert here.told(good) == [("arrived", "mail", "sent")]
    assert here.rows(poison)[0].tries == 1 and here.rows(poison)[0].reason == "failed"
    assert "error=KeyError" in logged.getvalue() and "poison@" not in logged.getvalue()


def test_a_letter_at_which_a_server_always_hangs_holds_up_the_others_for_minutes_only(here: Letters) -> None:
    here.deposited("label-1", mail="poison@mail.example")
    others = [here.deposited(f"label-{number}") for number in (2, 3)]

    def answer(contents: Contents) -> str:
        if "poison" in contents.address:
            raise TryLater("no_answer", of_the_channel=True)
        return ""

    work = round_of(here, Said(answer))
    for _ in range(4):
        work.run()
        here.town.later(120)
    assert all(here.told(parcel) == [("arrived", "mail", "sent")] for parcel in others)


def test_a_provider_that_says_when_is_left_alone_until_then(both: Letters) -> None:
    assert both.provider is not None and both.sms is not None
    for label in ("label-1", "label-2"):
        both.deposited(label, phone=PHONE)
    both.provider.said = (429, {"Retry-After": "1800"}, b"")
    both.run()
    assert len(both.provider.got) == 1, "not asked again for the second letter"
    both.provider.said = (200, {}, b"")
    both.town.later(1_799)
    assert both.run() == 0
    both.town.later(1)
    assert both.run() == 2


def test_a_channel_that_worked_in_between_is_asked_again_after_a_minute(here: Letters, logged: io.StringIO) -> None:
    down = True

    def answer(_contents: Contents) -> str:
        if down:
            raise TryLater("no_answer", of_the_channel=True)
        return ""

    work = round_of(here, Said(answer))
    here.deposited("label-1")
    for _ in range(8):
        work.run()
        here.town.later(limits.LETTER_CHANNEL_AGAIN_S_MAX)
    waits = [int(wait) for wait in re.findall(r"letters_held_up .*seconds=(\d+)", logged.getvalue())]
    assert waits[0] == 60 and waits[-1] > 300
    down = False
    assert work.run() == 1
    down = True
    here.deposited("label-2")
    work.run()
    assert re.findall(r"letters_held_up .*seconds=(\d+)", logged.getvalue())[-1] == "60"


# ------------------------------------------------------------------ threads
def test_a_provider_that_is_slow_holds_up_no_other_and_not_the_end(both: Letters) -> None:
    assert both.provider is not None
    held = threading.Event()
    slow = Said(lambda _contents: str(held.wait()))
    quick = SmsSender(both.provider.url, {}, SMS_BODY, URL)
    post = Post(both.town.desk, {"mail": slow, "sms": quick})
    post.start()
    try:
        parcel = both.deposited(mail=MAIL, phone=PHONE)
        post.wake()
        wait_for(lambda: slow.given, named="the mail")
        wait_for(lambda: ("arrived", "sms", "sent") in both.told(parcel), named="the text message")
        assert ("arrived", "mail", "waiting") in both.told(parcel)
        held.set()
        wait_for(lambda: ("arrived", "mail", "sent") in both.told(parcel), named="the mail's mark")
    finally:
        held.set()
        post.stop()


def test_the_post_is_woken_by_a_commit_and_needs_no_timer(here: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.LETTERS_LOOK_S", 3_600.0)
    post = Post(here.town.desk, {"mail": mail_sender(here.box, "none")})
    post.start()
    try:
        for label in ("label-1", "label-2"):
            here.deposited(label)
            post.wake()
            wait_for(lambda count=int(label[-1]): len(here.box.got) == count, named=label)
    finally:
        post.stop()


def test_the_end_waits_for_nothing_that_is_not_under_way(here: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.LETTERS_LOOK_S", 3_600.0)
    monkeypatch.setattr("gateway.limits.LETTERS_PAUSE_S", 3_600.0)
    post = Post(here.town.desk, {"mail": mail_sender(here.box, "none")})
    post.start()
    post.stop()
    wait_for(lambda: not [each for each in threading.enumerate() if each.name.startswith("letters-")])
    here.deposited()
    post.wake()
    assert here.box.got == []


def test_a_database_that_fails_for_a_while_ends_no_thread(here: Letters, logged: io.StringIO) -> None:
    post = Post(here.town.desk, {"mail": mail_sender(here.box, "none")})
    here.deposited()
    with here.town.store.transaction() as tx:
        tx.sql.execute("ALTER TABLE letters RENAME TO mislaid")
    post.start()
    try:
        wait_for(lambda: "letters_failed" in logged.getvalue(), named="the line in the log")
        with here.town.store.transaction() as tx:
            tx.sql.execute("ALTER TABLE mislaid RENAME TO letters")
        post.wake()
        wait_for(lambda: here.box.got, named="the letter")
    finally:
        post.stop()


# ------------------------------------------------------------------ restarts
class PowerCut(BaseException):
    """Between the send and the mark."""


def test_a_letter_whose_row_could_not_be_marked_goes_once_more_under_the_same_id(here: Letters) -> None:
    parcel = here.deposited()
    sender = mail_sender(here.box, "none")

    def answer(contents: Contents) -> str:
        sender.send(contents)
        raise PowerCut

    with pytest.raises(PowerCut):
        round_of(here, Said(answer)).run()
    assert here.told(parcel) == [("arrived", "mail", "waiting")]
    for _ in range(3):
        round_of(here, mail_sender(here.box, "none")).run()
    assert len(here.box.got) == 2
    assert here.box.got[0]["Message-ID"] == here.box.got[1]["Message-ID"]


def test_two_rounds_at_once_write_no_letter_twice(both: Letters) -> None:
    for number in range(4):
        both.deposited(f"label-{number}", mail=MAIL, phone=PHONE)
    threads = [threading.Thread(target=letters.write_owed, args=(both.town.desk,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert both.run() == 8


# ------------------------------------------------------------------ privacy
def test_no_address_and_no_code_is_in_a_log_or_a_row_when_providers_fail_in_every_way(
    tmp_path: Path, logged: io.StringIO
) -> None:
    with letters_town(tmp_path / "town", with_sms=True) as both:
        assert both.provider is not None
        number = "+33699887766"
        parcel = both.deposited(mail=MAIL, phone=PHONE, name=NAME)
        codes = {both.code(parcel)}
        said = ["450 4.2.1 <{}> busy", "421 4.3.2 {} later", "550 5.1.1 <{}>: no such user"]
        answers = [(500, b""), (401, b""), (400, f"bad {number}".encode())]
        for mail, (status, body) in zip(said, answers, strict=True):
            both.box.said = mail.format
            both.provider.said = (status, {}, body)
            both.run()
            both.town.later(2 * HOUR_S)
        assert both.told(parcel) == [("arrived", "mail", "given_up"), ("arrived", "sms", "given_up")]
        both.box.said = lambda _address: "250 OK"
        both.provider.said = (200, {}, b'{"id": "sm-77"}')
        both.put_in(both.expect("label-2", mail=MAIL, phone=PHONE))
        both.run()
        codes |= codes_in(words_of(both.box.got[0]))
        assert len(codes) == 2
        with both.town.store.reading() as tx:
            tables = [name for (name,) in tx.sql.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            rows = {name: str(tx.sql.execute(f"SELECT * FROM {name}").fetchall()) for name in tables}
        raw = b"".join(path.read_bytes() for path in (tmp_path / "town").iterdir())
        wal = (tmp_path / "town" / "consigne.db-wal").read_bytes()
    personal = [MAIL, MAIL.split("@")[0], PHONE, number, "99887766", NAME]
    assert wal and MAIL.encode() in raw, "the search finds what is there"
    for code in codes:
        for form in (code, " ".join(re.findall("...", code))):
            assert form.encode() not in raw and form not in logged.getvalue()
    for each in personal:
        assert each not in logged.getvalue()
        assert not [name for name, text in rows.items() if name != "recipients" and each in text]
    assert "letter_given_up" in logged.getvalue() and FROM not in logged.getvalue()


def test_never_and_later_hold_no_address_whatever_a_server_says(here: Letters) -> None:
    here.box.said = lambda address: f"550 <{address}> is unknown"
    here.deposited()
    contents = letters.open_letter(here.town.desk, _first(here))
    with pytest.raises(NeverError) as failure:
        mail_sender(here.box, "none").send(contents)
    assert MAIL not in f"{failure.value!r} {failure.value}"


def _first(here: Letters):
    letters.write_owed(here.town.desk)
    return letters.due(here.town.desk, "mail")[0]


def test_a_provider_url_on_another_machine_may_use_the_proxies_of_the_environment() -> None:
    with provider() as there:
        assert isinstance(there, Provider)
        assert not SmsSender(there.url, {}, SMS_BODY, URL)._client.trust_env
    assert SmsSender("https://sms.example/send", {}, SMS_BODY, URL)._client.trust_env


def test_settings_that_change_do_not_lose_what_waits(here: Letters) -> None:
    parcel = here.deposited()
    letters.write_owed(here.town.desk)
    without = replace(here.town.desk, settings=replace(here.town.desk.settings, smtp=None))
    assert Round(without, "sms", Said(lambda _contents: "")).run() == 0
    assert here.run() == 1 and here.told(parcel) == [("arrived", "mail", "sent")]
