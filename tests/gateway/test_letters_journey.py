"""Who is told what, and when: from the deposit to the receipt, through a real mail server and a real SMS provider."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books_town import COLIBRI, OPERATOR, done
from letters_town import MAIL, NAME, PHONE, URL, Letters, codes_in, letters_town, words_of

from gateway.domain.codes import typed_code
from gateway.domain.links import parcel_of
from gateway.domain.parcels import Parcel
from gateway.services import delegations, expiry, letters, parcels, reissues
from protocol.messages import (
    Deposited,
    Heartbeat,
    OfflineDepositAuthorised,
    Reissue,
)
from protocol.numbers import SIZES

DAY_S = 86_400
HOUR_S = 3_600


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Letters]:
    with letters_town(tmp_path) as made:
        yield made


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Letters]:
    with letters_town(tmp_path, with_sms=True) as made:
        yield made


def reissued(here: Letters, parcel: Parcel) -> Parcel:
    """Another code, as the locker says."""
    assert parcel.compartment is not None and parcel.deposit is not None
    reissues.reissue(here.town.desk, COLIBRI, parcel.number)
    here.town.says("mairie-1", done(here.town, Reissue(parcel.compartment, 0), value=parcel.deposit + 1))
    return here.town.parcel(parcel.number)


# ------------------------------------------------------------------ arrived
def test_a_deposit_brings_a_letter_with_the_code_that_the_locker_takes(here: Letters) -> None:
    parcel = here.deposited(mail=MAIL, name=NAME)
    assert here.run() == 1
    (message,) = here.box.got
    assert parcel.compartment is not None and parcel.deposit is not None
    right = typed_code(here.town.desk.keys.hmac("mairie-1", 1, "code"), parcel.compartment, parcel.deposit, 12)
    for kind in ("plain", "html"):
        said = words_of(message, kind).replace('</span> <span style="white-space:nowrap">', " ")
        assert codes_in(said) == {right}
    assert here.box.envelopes == [("consigne@saint-elan.example", [MAIL])]
    assert here.told(parcel) == [("arrived", "mail", "sent")]
    assert here.run() == 0 and len(here.box.got) == 1, "told once"


def test_the_link_in_a_letter_is_the_personal_one(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    said = words_of(here.box.got[0])
    (link,) = {word for word in said.split() if word.startswith(f"{URL}/p/")}
    assert parcel_of(here.town.desk.keys.derived("pages"), link.removeprefix(f"{URL}/p/")) == parcel.number


def test_a_recipient_without_an_address_gets_nothing_and_nothing_fails(here: Letters) -> None:
    nobody, named = here.expect("label-1"), here.expect("label-2", name=NAME)
    for parcel in (nobody, named):
        here.put_in(parcel)
    assert here.run() == 0
    assert here.told(nobody) == here.told(named) == []


def test_a_parcel_that_is_only_expected_or_reserved_is_nothing_to_tell(here: Letters) -> None:
    parcel = here.expect("label-1", mail=MAIL)
    parcels.reserve_compartment(here.town.desk, COLIBRI, parcel.number)
    assert here.run() == 0 and here.told(parcel) == []


def test_mail_and_phone_both_get_arrivals_and_new_codes_and_mail_alone_the_rest(both: Letters) -> None:
    parcel = both.deposited(mail=MAIL, phone=PHONE)
    assert both.run() == 2
    parcel = reissued(both, parcel)
    assert both.run() == 2
    both.town.fetch(parcel)
    assert both.run() == 1
    every_way = [(kind, channel, "sent") for kind in ("arrived", "code_changed") for channel in ("mail", "sms")]
    assert both.told(parcel) == [*every_way, ("collected", "mail", "sent")]


def test_a_phone_alone_gets_everything_as_text_messages(both: Letters) -> None:
    assert both.provider is not None
    parcel = both.deposited(phone=PHONE)
    both.run()
    assert codes_in(both.provider.got[0]["message"]) == {both.code(parcel)}
    assert both.provider.got[0]["recipients"] == ["+33699887766"]
    both.town.fetch(parcel)
    both.run()
    assert both.told(parcel) == [("arrived", "sms", "sent"), ("collected", "sms", "sent")]
    assert both.rows(parcel)[0].provider_id == "sm-1"


def test_a_phone_where_no_messages_are_sent_is_shown_as_such(here: Letters) -> None:
    parcel = here.deposited(phone=PHONE)
    assert here.run() == 0
    (row,) = here.rows(parcel)
    assert (row.channel, row.state, row.reason) == ("sms", "dropped", "not_configured")


def test_mail_stands_in_for_a_phone_that_cannot_be_reached_and_the_other_way_round(here: Letters) -> None:
    parcel = here.deposited(mail=MAIL, phone=PHONE)
    here.run()
    assert here.told(parcel) == [("arrived", "mail", "sent")]
    here.town.desk = replace(
        here.town.desk, settings=replace(here.town.desk.settings, smtp=None, sms_url="x", sms_body="x")
    )
    here.town.fetch(parcel)
    letters.write_owed(here.town.desk)
    assert here.told(parcel)[1:] == [("collected", "sms", "waiting")]


def test_a_parcel_that_a_locker_took_in_alone_is_told_once_its_recipient_is_known(here: Letters) -> None:
    badge = here.town.badge()
    here.town.says(
        "mairie-1",
        OfflineDepositAuthorised(1, 1, badge.id, "colibri", "label-9", SIZES.index("S")),
        Deposited(1, 1, 0),
    )
    assert here.run() == 0
    parcel = here.expect("label-9", mail=MAIL)
    assert parcel.state == "deposited" and here.run() == 1
    assert codes_in(words_of(here.box.got[0])) == {here.code(parcel)}


# ------------------------------------------------------------------ outdated
def test_a_code_that_changes_while_its_letter_waits_is_never_sent(here: Letters) -> None:
    parcel = here.deposited()
    old = here.code(parcel)
    letters.write_owed(here.town.desk)
    parcel = reissued(here, parcel)
    assert here.run() == 1
    assert codes_in(words_of(here.box.got[0])) == {here.code(parcel)} and here.code(parcel) != old
    assert here.told(parcel) == [("arrived", "mail", "dropped"), ("code_changed", "mail", "sent")]
    assert "Nouveau code" in here.subjects()[0]


def test_a_code_that_changes_before_anybody_was_told_of_the_first_is_simply_the_code(here: Letters) -> None:
    parcel = reissued(here, here.deposited())
    here.run()
    assert here.told(parcel) == [("arrived", "mail", "sent")]
    assert codes_in(words_of(here.box.got[0])) == {here.code(parcel)}


def test_what_was_collected_before_its_letter_went_is_told_as_collected_only(here: Letters) -> None:
    parcel = here.deposited()
    letters.write_owed(here.town.desk)
    here.town.fetch(parcel)
    here.run()
    assert here.told(parcel) == [("arrived", "mail", "dropped"), ("collected", "mail", "sent")]


def test_a_code_that_is_being_taken_back_is_not_sent_and_a_take_back_ends_its_letter(here: Letters) -> None:
    parcel = here.deposited()
    letters.write_owed(here.town.desk)
    with here.town.store.transaction() as tx:
        tx.sql.execute("UPDATE compartments SET holding = 3 WHERE number = ?", (parcel.compartment,))
    assert here.run() == 0 and here.told(parcel) == [("arrived", "mail", "waiting")]
    with here.town.store.transaction() as tx:
        tx.keep_parcel(replace(parcel, state="taken_back", ended_s=here.town.now[0]))
    here.town.later(DAY_S)
    assert here.run() == 0 and here.told(parcel) == [("arrived", "mail", "dropped")]


# ------------------------------------------------------------------ reminded, expired, collected
def test_a_reminder_comes_once_a_day_before_the_end(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    here.town.later(6 * DAY_S - 1)
    assert here.run() == 0
    here.town.later(1)
    assert here.run() == 1 and "Rappel" in here.subjects()[1]
    assert codes_in(words_of(here.box.got[1])) == {here.code(parcel)}
    here.town.later(HOUR_S)
    parcel = reissued(here, parcel)
    assert here.run() == 1, "the new code"
    here.town.later(20 * HOUR_S)
    assert here.run() == 0
    assert [kind for kind, *_ in here.told(parcel)] == ["arrived", "reminder", "code_changed"]


def test_nobody_is_reminded_of_what_they_were_told_this_morning(here: Letters) -> None:
    here.town.desk = replace(here.town.desk, settings=replace(here.town.desk.settings, pickup_days=1))
    parcel = here.deposited()
    here.mail._desk = here.town.desk
    here.run()
    assert here.told(parcel) == [("arrived", "mail", "sent")]


def silent(here: Letters, seconds: int) -> None:
    """Time in which the locker says nothing."""
    here.town.now[0] += seconds
    expiry.expire_due(here.town.desk)


def test_no_reminder_while_the_days_stand_still_and_one_when_they_go_on(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    silent(here, 6 * DAY_S + HOUR_S)
    assert here.town.parcel(parcel.number).deadline_paused
    assert here.run() == 0
    here.town.tell("mairie-1", Heartbeat(1, 1, 0))
    expiry.expire_due(here.town.desk)
    assert here.run() == 0, "its days were given back"
    here.town.later(6 * DAY_S)
    assert here.run() == 1 and "Rappel" in here.subjects()[1]


def test_a_reminder_that_waits_while_the_days_are_paused_follows_the_deadline(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    here.town.later(6 * DAY_S)
    letters.write_owed(here.town.desk)
    silent(here, HOUR_S)
    assert here.run() == 0 and here.told(parcel)[1:] == [("reminder", "mail", "waiting")]
    silent(here, 5 * DAY_S)
    here.town.tell("mairie-1", Heartbeat(1, 1, 0))
    expiry.expire_due(here.town.desk)
    assert here.run() == 1 and "Rappel" in here.subjects()[1]


def test_who_comes_too_late_is_told_whom_to_ask(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    here.town.later(7 * DAY_S)
    expiry.expire_due(here.town.desk)
    assert here.run() == 1
    said = words_of(here.box.got[1])
    assert "colibri" in said and not codes_in(said)
    assert here.told(parcel) == [("arrived", "mail", "sent"), ("expired", "mail", "sent")]


def test_a_receipt_says_who_collected_and_when(here: Letters) -> None:
    by_code, by_neighbour = here.deposited("label-1"), here.deposited("label-2")
    sent = delegations.delegate(here.town.desk, COLIBRI, by_neighbour.number, "Anna Pacsirta")
    here.run()
    here.town.fetch(by_code)
    here.town.fetch(by_neighbour, token=sent.id)
    assert here.run() == 2
    second, first = sorted(words_of(message) for message in here.box.got[2:])
    assert "avec votre code" in first and "with your code" in first
    assert "personne que vous avez envoyée" in second and "person you sent" in second
    assert "2027" in first and not codes_in(first)
    assert "Pacsirta" not in str(here.box.got[3])


def test_a_parcel_taken_back_by_its_sender_is_no_receipt(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    operation = parcels.take_back(here.town.desk, COLIBRI, parcel.number)
    assert operation.kind == "take_back"
    with here.town.store.transaction() as tx:
        tx.keep_parcel(replace(parcel, state="taken_back", ended_s=here.town.now[0]))
    assert here.run() == 0


def test_what_is_over_for_days_is_told_to_nobody(here: Letters) -> None:
    """The mail was set up late, or the gateway was away."""
    collected, waiting = here.deposited("label-1"), here.deposited("label-2")
    here.town.fetch(collected)
    here.town.later(3 * DAY_S + 1)
    assert here.run() == 1
    assert here.told(collected) == [] and here.told(waiting) == [("arrived", "mail", "sent")]


# ------------------------------------------------------------------ the books
def test_a_restored_backup_tells_again_only_what_it_does_not_remember_and_under_the_same_id(
    here: Letters, tmp_path: Path
) -> None:
    first = here.deposited("label-1")
    here.run()
    copy = sqlite3.connect(tmp_path / "backup.db")
    with here.town.store.reading() as tx:
        tx.sql.backup(copy)
    parcel = here.expect("label-2", mail=MAIL)
    here.put_in(parcel)
    here.run()
    second = here.box.got[-1]["Message-ID"]
    with here.town.store.transaction() as tx:  # what the backup did not know
        tx.sql.execute("DELETE FROM letters WHERE parcel = ?", (parcel.number,))
        tx.sql.execute("UPDATE parcels SET told_state = NULL, told_deposit = NULL WHERE number = ?", (parcel.number,))
    copy.close()
    assert here.run() == 1
    assert here.box.got[-1]["Message-ID"] == second
    assert here.told(first) == [("arrived", "mail", "sent")]


def test_letters_go_with_the_recipients_row(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    here.town.fetch(parcel)
    here.run()
    here.town.later(30 * DAY_S)
    expiry.expire_due(here.town.desk)
    with here.town.store.reading() as tx:
        assert tx.sql.execute("SELECT count(*) FROM letters").fetchone() == (0,)
    assert here.run() == 0, "and nobody is told again"


def test_what_is_owed_is_found_without_reading_all_parcels(here: Letters) -> None:
    statements: set[str] = set()
    with here.town.store.transaction() as tx:
        tx.sql.set_trace_callback(statements.add)
        parcel = here.deposited()
        letters.write_owed(here.town.desk)
        letters.due(here.town.desk, "mail")
        here.town.later(6 * DAY_S)
        letters.write_owed(here.town.desk)
        letters.letters_of(here.town.desk, OPERATOR, parcel.number)
        here.town.fetch(parcel)
        here.town.later(40 * DAY_S)
        expiry.expire_due(here.town.desk)
        tx.sql.set_trace_callback(None)
        asked = [said for said in statements if said.startswith(("SELECT", "UPDATE", "DELETE"))]
        plans = [(said, step[3]) for said in asked for step in tx.sql.execute(f"EXPLAIN QUERY PLAN {said}")]
    mine = [(said, plan) for said, plan in plans if "told" in said or "letters" in said or "remind" in said]
    assert {"parcels_untold", "parcels_to_remind", "letters_due"} <= {
        word for _, plan in mine for word in plan.split()
    }
    walked = [each for each in mine if each[1].startswith("SCAN") and " INDEX " not in each[1]]
    assert not walked, walked


def test_another_tenant_sees_no_messages_and_a_gateway_without_mail_says_so(here: Letters) -> None:
    parcel = here.deposited()
    here.run()
    without = replace(here.town.desk, settings=replace(here.town.desk.settings, smtp=None))
    assert [row.state for row in letters.letters_of(without, COLIBRI, parcel.number) or []] == ["sent"]
    other = here.expect("label-2", mail=MAIL)
    assert letters.letters_of(without, COLIBRI, other.number) is None
    assert letters.letters_of(here.town.desk, COLIBRI, other.number) == []
