"""The store: durable, one writer, one live allocation, and no secret in any column."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, NOW_S, OPERATOR, Town, done, open_town

from gateway.domain.parcels import NewParcel
from gateway.services import commands, delegations, events, expiry, lockers, parcels, people, reissues
from gateway.store.sqlite import SqliteStore
from protocol.messages import Reissue


@pytest.fixture
def town(tmp_path: Path):
    made = open_town(tmp_path)
    yield made
    made.store.close()


def pragma(town: Town, name: str) -> object:
    with town.store.transaction() as tx:
        return tx.sql.execute(f"PRAGMA {name}").fetchone()[0]


def test_every_commit_is_on_the_disk_before_it_is_told(town: Town) -> None:
    assert pragma(town, "synchronous") == 2
    assert pragma(town, "journal_mode") == "wal"
    assert pragma(town, "foreign_keys") == 1


@pytest.mark.usefixtures("town")
def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    assert os.stat(tmp_path / "consigne.db").st_mode & 0o077 == 0


def test_an_exception_undoes_the_whole_transaction(town: Town) -> None:
    before = town.dump()
    with pytest.raises(RuntimeError), town.store.transaction() as tx:
        tx.raise_alarm("mairie-1", 1, "door_forced", None, NOW_S)
        raise RuntimeError
    assert town.dump() == before


def test_an_inner_transaction_is_undone_alone_and_committed_with_the_outer(town: Town) -> None:
    with town.store.transaction() as tx:
        tx.raise_alarm("mairie-1", 1, "outer", None, NOW_S)
        with pytest.raises(RuntimeError), town.store.transaction() as inner:
            inner.raise_alarm("mairie-1", 1, "lost", None, NOW_S)
            raise RuntimeError
        with town.store.transaction() as inner:
            inner.raise_alarm("mairie-1", 1, "inner", None, NOW_S)
        seen_elsewhere: list[int] = []
        reader = threading.Thread(target=lambda: seen_elsewhere.append(len(town.alarms())))
        reader.start()
        reader.join(60)
        assert seen_elsewhere == [0]
        assert sorted(town.alarms()) == ["inner", "outer"]  # this thread sees its own
    assert sorted(town.alarms()) == ["inner", "outer"]


def test_a_reader_waits_for_no_writer(town: Town) -> None:
    with town.store.transaction() as tx:
        tx.raise_alarm("mairie-1", 1, "x", None, NOW_S)
        done = threading.Event()
        reader = threading.Thread(target=lambda: (town.alarms(), done.set()))
        reader.start()
        assert done.wait(60)
        reader.join()


def test_reading_inside_reading_is_one_view_and_changes_nothing(town: Town) -> None:
    with town.store.reading() as outer, town.store.reading() as inner:
        assert inner.alarms(True, 1) == outer.alarms(True, 1) == []
        with pytest.raises(sqlite3.OperationalError):
            inner.raise_alarm("mairie-1", 1, "x", None, NOW_S)


def test_the_schema_itself_refuses_a_second_live_allocation(town: Town) -> None:
    town.locker("S", "S")
    one, two = town.expect("a"), town.expect("b")
    with town.store.transaction() as tx:
        tx.allocate(one.number, "mairie-1", 1, NOW_S, None)
    for parcel, box in ((two.number, 1), (one.number, 2)):
        with pytest.raises(sqlite3.IntegrityError), town.store.transaction() as tx:
            tx.allocate(parcel, "mairie-1", box, NOW_S, None)
    with town.store.transaction() as tx:
        tx.end_allocation(one.number, NOW_S)
        tx.allocate(two.number, "mairie-1", 1, NOW_S, None)


def test_an_allocation_of_what_does_not_exist_is_refused(town: Town) -> None:
    town.locker("S")
    with pytest.raises(sqlite3.IntegrityError), town.store.transaction() as tx:
        tx.allocate(town.expect("a").number, "mairie-1", 2, NOW_S, None)


def test_a_thread_that_ended_holds_no_file_open(tmp_path: Path, town: Town) -> None:
    def handles() -> int:
        return sum(
            os.path.realpath(f"/proc/self/fd/{fd}").startswith(str(tmp_path)) for fd in os.listdir("/proc/self/fd")
        )

    town.alarms()
    before = handles()
    for _ in range(20):
        reader = threading.Thread(target=town.alarms)
        reader.start()
        reader.join()
    assert handles() <= before + 1  # SQLite keeps one closed handle to use again


def test_no_question_reads_a_table_that_grows_from_end_to_end(town: Town) -> None:
    """Every statement of a whole life, as SQLite would carry it out."""
    said: set[str] = set()
    with town.store.transaction() as tx:
        tx.sql.set_trace_callback(said.add)
        town.locker("S", "S")
        parcel = town.deposited("label-1")
        town.fetch(parcel)
        second = town.deposited("label-2")
        parcels.reserve_compartment(town.desk, COLIBRI, town.expect("label-3").number)
        parcels.take_back(town.desk, COLIBRI, second.number)
        codes_given_and_taken_back(town)
        for who in (OPERATOR, COLIBRI, BOOKSHOP):
            parcels.list_parcels(town.desk, who, 2)
            events.list_events(town.desk, who, 2)
        town.now[0] += 30 * 86_400
        commands.expire_commands(town.desk)
        expiry.expire_due(town.desk)
        tx.sql.set_trace_callback(None)
        steps = [
            (step[3], statement)
            for statement in said
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for step in tx.sql.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        ]
    assert len(said) > 40
    grows = ("parcels", "events", "commands", "allocations", "operations", "recipients", "requests", "answers")
    grows += ("delegations", "revocations", "deposits", "badges")
    bad = [(step, said) for step, said in steps if step.startswith("SCAN") and any(name in step for name in grows)]
    assert not [each for each in bad if " INDEX " not in each[0]], bad
    walked = [said for step, said in steps if "parcels_of_merchant" in step and "recipients" in said]
    assert not walked, "all that a merchant ever sent is read for one deposit"


def codes_given_and_taken_back(town: Town) -> None:
    """Two parcels of one person, a neighbour, a phished code, a lost badge, a locker with a new key."""
    town.locker("S", "S", locker="gare-1")
    first, second = (town.deposited(f"joined-{n}", locker="gare-1", ref="K-1047") for n in (1, 2))
    made = delegations.delegate(town.desk, COLIBRI, first.number, "Anna")
    delegations.list_delegations(town.desk, COLIBRI, first.number)
    delegations.revoke_delegation(town.desk, COLIBRI, first.number, made.id)
    reissues.reissue(town.desk, COLIBRI, second.number)
    town.says("gare-1", done(town, Reissue(2, 1), value=2))
    parcels.pickup_code(town.desk, COLIBRI, second.number)
    people.revoke_badge(town.desk, COLIBRI, town.badge().id)
    lockers.provision_locker(town.desk, OPERATOR, "gare-1")


_COMMITTER = """
import sys
from pathlib import Path
from gateway.store.sqlite import SqliteStore
from protocol.messages import Reissue
store = SqliteStore.open(Path(sys.argv[1]))
for number in range(1_000_000):
    with store.transaction() as tx:
        tx.raise_alarm("mairie-1", number, "x", None, number)
    print(number, flush=True)
"""


def test_a_process_killed_in_mid_write_has_lost_nothing_it_told_of(tmp_path: Path) -> None:
    path = tmp_path / "killed.db"
    with subprocess.Popen([sys.executable, "-c", _COMMITTER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 200:
                writer.send_signal(signal.SIGKILL)
                break
        told = int(([line, *writer.stdout])[-1])
    store = SqliteStore.open(path)
    with store.reading() as tx:
        kept = tx.sql.execute("SELECT count(*) FROM alarms").fetchone()[0]
        assert tx.sql.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.close()
    assert kept >= told + 1


CANARIES = ("Zsófia Kanarek", "zsofia.kanarek@example.org", "+33 6 99 88 77 66", "K-1047-zk")
DELEGATE = "Benedek Pacsirta"


def test_no_code_token_or_key_is_in_the_books_and_a_person_only_in_recipients(tmp_path: Path, town: Town) -> None:
    town.locker("S")
    provisioning = lockers.provision_locker(town.desk, OPERATOR, "mairie-1")
    town.seqs.clear()
    town.wake("mairie-1", 1)
    _, secret = people.issue_credential(town.desk, OPERATOR, "courier", "colibri", frozenset({"codes:read"}), "key")
    badge = town.badge()
    parcel = parcels.expect_parcel(town.desk, COLIBRI, NewParcel("label-1", "mairie-1", "S", "colibri", "", *CANARIES))
    town.ask("mairie-1", badge, "label-1")
    town.put_in("mairie-1", 1, 1, parcel.number)
    pickup = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    delegation = delegations.delegate(town.desk, COLIBRI, parcel.number, DELEGATE)
    technician = people.issue_technician(town.desk, OPERATOR, "anne-3", 7)
    reissues.reissue(town.desk, COLIBRI, parcel.number)
    town.says("mairie-1", done(town, Reissue(1, 1), value=2))
    again = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    secrets = [secret, pickup.code, pickup.token, again.code, again.token, provisioning.mqtt_password]
    secrets += [provisioning.key.hex(), *(str(made.token) for made in (badge, delegation, technician))]
    with town.store.transaction() as tx:
        tx.sql.execute("PRAGMA optimize")
        rows = {
            table: str(tx.sql.execute(f"SELECT * FROM {table}").fetchall())
            for (table,) in tx.sql.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        }
    for table, text in rows.items():
        assert not [each for each in secrets if each in text], f"a secret lies in {table}"
        if table != "recipients":
            assert not [each for each in CANARIES if each in text], f"a person lies in {table}"
        assert (DELEGATE in text) == (table == "delegations"), f"whom somebody sent lies in {table}"
    assert all(each in rows["recipients"] for each in CANARIES)
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    needles = [each.encode() for each in secrets] + [provisioning.key]
    assert not [needle for needle in needles if needle in raw]


def test_kept_answers_come_back_and_go_with_time(town: Town) -> None:
    with town.store.transaction() as tx:
        tx.keep_answer(b"i" * 32, b"f", b"sealed", NOW_S)
        assert tx.find_answer(b"i" * 32) == (b"f", b"sealed")
        assert tx.find_answer(b"j" * 32) is None
        tx.drop_answers(NOW_S)
        assert tx.find_answer(b"i" * 32) is not None
        tx.drop_answers(NOW_S + 1)
        assert tx.find_answer(b"i" * 32) is None
