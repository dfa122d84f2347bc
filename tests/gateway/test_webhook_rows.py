"""Each change of a parcel is written down for whom it concerns, in the transaction of the change, whoever made it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, OPERATOR, RIVAL, Town, authorised, done, open_town
from hook_town import hook, private_town, waiting

import gateway.store
from gateway.domain import webhooks as domain
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import STATES, TABLE, NewParcel, Parcel
from gateway.domain.webhooks import TYPE_OF, TYPES
from gateway.services import announcements, contracts, expiry, parcels
from protocol.messages import Collected, Deposited, DoorClosed, DoorOpened, OfflineDepositAuthorised, Open
from protocol.numbers import SIZES

URL = "http://127.0.0.1:9009/"


@pytest.fixture
def town(tmp_path: Path):
    made = private_town(tmp_path)
    yield made
    made.store.close()


def kinds(town: Town, webhook: int | None = None) -> list[str]:
    """Types of what waits, in order."""
    with town.store.reading() as tx:
        rows = tx.sql.execute(
            "SELECT body FROM deliveries WHERE ?1 IS NULL OR webhook = ?1 ORDER BY position", (webhook,)
        )
        return [json.loads(body)["type"] for (body,) in rows]


def bodies(town: Town) -> list[dict]:
    with town.store.reading() as tx:
        return [json.loads(body) for (body,) in tx.sql.execute("SELECT body FROM deliveries ORDER BY position")]


# ------------------------------------------------------------------ every transition
@pytest.mark.parametrize(("before", "step"), sorted(TABLE))
def test_every_step_of_a_parcels_life_is_written_down(town: Town, before: str, step: str) -> None:
    town.locker("S")
    parcel = town.expect("a")
    with town.store.transaction() as tx:
        tx.sql.execute("UPDATE parcels SET state = ? WHERE number = ?", (before, parcel.number))
    hook(town, URL)
    with town.store.transaction() as tx:
        known = tx.parcel(parcel.number)
        assert known is not None
        tx.keep_parcel(replace(known, state=TABLE[before, step]))
    told = kinds(town)
    silent = step in ("reserve", "release")
    assert told == ([] if silent else [TYPE_OF[TABLE[before, step]]])


def test_no_other_statement_changes_a_parcels_state() -> None:
    folder = Path(gateway.store.__path__[0])
    text = "\n".join(path.read_text() for path in sorted(folder.rglob("*.py")))
    text = re.sub(r'"\s*\n?\s*f?"', "", text)  # a statement over several lines
    assert len(re.findall(r"INSERT (?:OR \w+ )?INTO parcels\b", text)) == 1
    sets = re.findall(r"UPDATE parcels SET (.*?)(?: WHERE| FROM)", text)
    changing = [found for found in sets if re.search(r"\bstate =", found)]
    assert len(changing) == 1


def test_the_use_cases_tell_each_type(town: Town) -> None:
    town.locker("S", "S", "S", "S")
    hook(town, URL)
    town.fetch(town.deposited("fetched"))
    assert kinds(town) == ["parcel.expected", "parcel.deposited", "parcel.collected"]
    town.deposited("late")
    taken = town.deposited("back")
    parcels.take_back(town.desk, COLIBRI, taken.number)
    assert taken.compartment is not None
    town.says(
        "mairie-1",
        authorised(town, taken.compartment),
        DoorOpened(taken.compartment),
        DoorClosed(taken.compartment),
        done(town, Open(taken.compartment, "take_back")),
    )
    lost = town.deposited("lost")
    assert lost.compartment is not None and lost.deposit is not None
    other = town.expect("other")
    town.put_in("mairie-1", lost.compartment, lost.deposit + 1, other.number)
    twice = NewParcel("twice", "mairie-1", "S", "colibri")
    for shop in (BOOKSHOP, replace(BOOKSHOP, tenant="bakery")):
        contracts.make(town.desk, OPERATOR, shop.tenant, "colibri")
        announcements.announce(town.desk, shop, twice)
    town.later(town.desk.settings.pickup_days * 86_400)
    expiry.expire_due(town.desk)
    told = {(body["type"], body["data"]["label"]) for body in bodies(town)}
    assert {("parcel.taken_back", "back"), ("parcel.disputed", "lost"), ("parcel.expired", "late")} <= told
    assert {body["type"] for body in bodies(town)} == set(TYPES)


def test_a_change_that_is_rolled_back_tells_nobody(town: Town) -> None:
    town.locker("S")
    hook(town, URL)
    parcel = town.expect("a")
    with pytest.raises(RuntimeError), town.store.transaction() as tx:
        tx.keep_parcel(replace(parcel, state="deposited"))
        raise RuntimeError
    assert kinds(town) == ["parcel.expected"]


def test_what_is_written_again_unchanged_is_told_once(town: Town) -> None:
    town.locker("S")
    hook(town, URL)
    parcel = town.deposited("a")
    with town.store.transaction() as tx:
        tx.keep_parcel(parcel)
    assert kinds(town) == ["parcel.expected", "parcel.deposited"]


def test_coming_back_from_a_reservation_is_no_new_announcement(town: Town) -> None:
    town.locker("S")
    hook(town, URL)
    parcel = town.expect("a")
    parcels.reserve_compartment(town.desk, COLIBRI, parcel.number)
    parcels.release_reservation(town.desk, COLIBRI, parcel.number)
    assert kinds(town) == ["parcel.expected"]


# ------------------------------------------------------------------ whom it concerns
def test_each_is_told_of_its_own_parcels_only(town: Town) -> None:
    town.locker("S")
    own = {who.name: hook(town, URL, who).number for who in (COLIBRI, RIVAL, BOOKSHOP, OPERATOR)}
    parcels.expect_parcel(town.desk, BOOKSHOP, NewParcel("a", "mairie-1", "S", "colibri", "bookshop"))
    town.expect("b")  # of no merchant
    counts = {name: len(kinds(town, number)) for name, number in own.items()}
    assert counts == {COLIBRI.name: 2, RIVAL.name: 0, BOOKSHOP.name: 1, OPERATOR.name: 2}


def test_a_merchant_and_a_carrier_of_one_name_are_two(town: Town) -> None:
    town.locker("S")
    merchant = hook(town, URL, replace(BOOKSHOP, tenant="colibri"))
    carrier = hook(town, URL, replace(COLIBRI, tenant="bookshop"))
    parcels.expect_parcel(town.desk, BOOKSHOP, NewParcel("a", "mairie-1", "S", "colibri"))
    assert kinds(town, merchant.number) == kinds(town, carrier.number) == []


def test_only_the_types_that_were_asked_for_are_told(town: Town) -> None:
    town.locker("S")
    hook(town, URL, COLIBRI, "parcel.collected", "parcel.expired")
    town.fetch(town.deposited("a"))
    assert kinds(town) == ["parcel.collected"]


def alone(town: Town) -> ParcelNumber:
    """A locker without a gateway took in a parcel that nobody had announced."""
    badge = town.badge()
    town.says(
        "mairie-1",
        OfflineDepositAuthorised(1, 1, badge.id, "colibri", "unannounced", SIZES.index("S")),
        DoorOpened(1),
        Deposited(1, 1, 0),
    )
    with town.store.reading() as tx:
        found = tx.parcel_of_label("colibri", "unannounced")
    assert found is not None
    return found.number


def test_a_merchant_hears_of_a_parcel_that_was_inside_before_it_was_announced(town: Town) -> None:
    town.locker("S")
    carriers, shops = hook(town, URL), hook(town, URL, BOOKSHOP)
    parcel = alone(town)
    assert kinds(town, carriers.number) == ["parcel.deposited"] and kinds(town, shops.number) == []
    with town.store.transaction() as tx:
        tx.sql.execute("DELETE FROM deliveries")  # the carrier has it
    town.later(3_600)
    parcels.expect_parcel(town.desk, OPERATOR, NewParcel("unannounced", "mairie-1", "S", "colibri", "bookshop"))
    assert kinds(town, carriers.number) == []
    assert kinds(town, shops.number) == ["parcel.deposited"]
    told = bodies(town)[-1]["data"]
    assert told["merchant"] == "bookshop" and told["announced"]
    assert told["deadline"] == domain.maybe_instant(town.parcel(parcel).deadline_s)


def test_nothing_is_written_where_nobody_listens(town: Town) -> None:
    town.locker("S")
    town.fetch(town.deposited("a"))
    assert waiting(town) == []


# ------------------------------------------------------------------ what is said
def test_the_body_is_a_cloudevent_of_the_parcel(town: Town) -> None:
    town.locker("S")
    hook(town, URL)
    town.fetch(town.deposited("6A1"))
    expected, deposited, collected = bodies(town)
    assert set(deposited) == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
    assert deposited["specversion"] == "1.0" and deposited["source"] == "urn:consigne:locker:mairie-1"
    assert deposited["subject"] == deposited["data"]["id"] and deposited["data"]["state"] == "deposited"
    assert deposited["data"]["label"] == "6A1" and deposited["data"]["compartment"] == 1
    assert expected["data"]["compartment"] is None
    assert collected["data"]["collected_by"] == "recipient" and collected["data"]["ended_at"]
    assert len({body["id"] for body in (expected, deposited, collected)}) == 3


def test_no_person_and_no_code_is_in_a_body(town: Town) -> None:
    town.locker("S*")
    hook(town, URL)
    new = NewParcel(
        "a", "mairie-1", "S", "colibri", "", "Anna Canary", "canary@mail.fr", "+33 3 99", "ref-canary", True, True
    )
    parcel = parcels.expect_parcel(town.desk, COLIBRI, new)
    town.put_in("mairie-1", 1, 1, parcel.number)
    pickup = parcels.pickup_code(town.desk, COLIBRI, parcel.number)
    with town.store.reading() as tx:
        text = str(tx.sql.execute("SELECT group_concat(body) FROM deliveries").fetchone())
    for canary in ("anary", "+33", "accessible", "heavy", pickup.code, pickup.token, "recipient_"):
        assert canary not in text, canary


def test_an_event_has_the_same_id_after_the_books_were_restored() -> None:
    """Its locker tells the deposit again, at another time: the receiver knows it already."""
    first = domain.event_id(_parcel("deposited"))
    assert first == domain.event_id(replace(_parcel("deposited"), deposited_s=99))
    assert len({domain.event_id(_parcel(state)) for state in STATES}) == len(STATES)


def _parcel(state: str) -> Parcel:
    return Parcel(ParcelNumber(7), "a", "mairie-1", "S", "colibri", "", False, False, state, 1)


def test_the_longest_parcel_fits_into_a_body() -> None:
    long = replace(_parcel("collected"), label="\\" * 64, locker="l" * 32, carrier="c" * 32, merchant="m" * 32)
    assert len(domain.body_of(long, 1)) < 2_000


# ------------------------------------------------------------------ what is counted
def test_parcels_deposits_and_pickups_are_counted_as_they_change(town: Town) -> None:
    town.locker("S", "S")
    town.fetch(town.deposited("a"))
    town.deposited("b")
    town.expect("c")
    with town.store.reading() as tx:
        counted = {name: count for name, count in tx.tallies().items() if count}
        states = dict(tx.sql.execute("SELECT 'parcels_' || state, count(*) FROM parcels GROUP BY state").fetchall())
    assert counted == {**states, "deposits": 2, "pickups": 1}


def test_books_from_before_are_counted_when_they_are_migrated(tmp_path: Path) -> None:
    town = open_town(tmp_path)
    town.locker("S", "S")
    town.fetch(town.deposited("a"))
    town.deposited("b")
    with town.store.transaction() as tx:
        before = {name: count for name, count in tx.tallies().items() if count}
        [script] = (Path(gateway.store.__path__[0]) / "schema").glob("*_webhooks.sql")
        statements = script.read_text().split(";")
        tx.sql.execute("DELETE FROM tallies")
        for statement in [one for one in statements if "INSERT INTO tallies" in one]:
            tx.sql.execute(statement)
        assert tx.tallies() == before
    town.store.close()


def test_the_collecting_of_a_re_opened_door_is_counted_once(town: Town) -> None:
    town.locker("S")
    parcel = town.deposited("a")
    town.fetch(parcel)
    assert parcel.compartment is not None and parcel.deposit is not None
    town.says("mairie-1", Collected(parcel.compartment, parcel.deposit))
    with town.store.reading() as tx:
        assert tx.tallies()["pickups"] == 1
