"""A signing key is rotated without visiting a locker: told, answered, promoted, let go; and nothing is cut off
unless the operator insisted. The lockers are played by the agreement alone (believing.py)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from believing import Believer
from books_town import OPERATOR, Town, cabinet, open_town, refused

from gateway.domain.people import COURIER, SCOPES, SCOPES_OF, Principal
from gateway.domain.people import OPERATOR as OPERATOR_ROLE
from gateway.domain.signing_keys import Wanted, cut_off, next_step
from gateway.keys import Keys
from gateway.limits import TRUST_AGAIN_S, TTL_STANDING_S
from gateway.services import commands, key_check, lockers, trust, trust_orders
from gateway.services.desk import Desk
from protocol.errors import number_of
from protocol.messages import CommandDone, Down, Trust


@dataclass
class Fleet:
    """A town whose lockers answer when they are online."""

    town: Town
    believers: dict[str, Believer] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def add(self, locker: str) -> Believer:
        lockers.register_locker(self.town.desk, OPERATOR, cabinet("S", locker=locker))
        return self.provision(locker)

    def provision(self, locker: str) -> Believer:
        given = lockers.provision_locker(self.town.desk, OPERATOR, locker)
        self.town.seqs[locker] = 0
        self.town.wake(locker, 1)
        made = Believer({bytes.fromhex(kid): table for kid, table in given.trusted.items()})
        self.believers[locker] = made
        return made

    def due(self) -> list[tuple[str, Down]]:
        return [(name, down) for name, down in commands.due_commands(self.town.desk, 500)]

    def deliver(self) -> int:
        """The outbox is handed over, lockers that are there answer; how many did."""
        answers: list[tuple[str, CommandDone]] = []
        for name, down in self.due():
            if name in self.away:
                continue
            for piece in trust_orders.ahead_of(down.command, self.town.desk.keys.trusted):
                assert self.believers[name].hears(Down(bytes(8), down.issued_s, down.ttl_s, piece)) is None
            answer = self.believers[name].hears(down)
            assert answer is not None
            answers.append((name, answer))
        self.town.sent()
        for name, answer in answers:
            self.town.says(name, answer)
        return len(answers)

    def rounds(self) -> None:
        """The clockwork, until nothing is to be told any more."""
        for _ in range(10):
            trust_orders.keep_up(self.town.desk)
            if not self.deliver():
                return
        raise AssertionError("it tells and tells")

    @property
    def desk(self) -> Desk:
        return self.town.desk

    @property
    def keys(self) -> Keys:
        keys = self.town.desk.keys
        assert isinstance(keys, Keys)
        return keys

    def states(self) -> dict[str, int]:
        """State -> lockers that believe it, as the books have it."""
        return {key.state: key.lockers for key in trust.status(self.desk, OPERATOR).keys}

    def books_agree(self) -> bool:
        with self.town.store.reading() as tx:
            return tx.believed() == {name: frozenset(one.trusted) for name, one in self.believers.items()}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    town = open_town(tmp_path, keys=Keys.load(tmp_path / "keys", {}))
    made = Fleet(town)
    key_check.check(town.desk)
    for locker in ("gare-1", "mairie-1", "poste-1"):
        made.add(locker)
    yield made
    town.store.close()


def test_a_whole_rotation_visits_no_locker(fleet: Fleet) -> None:
    first = fleet.keys.kid
    old_badge = fleet.town.badge().token or ""
    said = trust.begin_rotation(fleet.desk, OPERATOR)
    assert [key.state for key in said.keys] == ["current", "next"]
    assert said.waiting == ("gare-1", "mairie-1", "poste-1") and said.provisioned == 3
    assert fleet.deliver() == 3
    assert fleet.states() == {"current": 3, "next": 3} and fleet.books_agree()

    said = trust.promote(fleet.desk, OPERATOR)
    assert fleet.keys.kid != first
    assert [key.state for key in said.keys] == ["current", "old"] and said.waiting == ()
    new_badge = fleet.town.badge().token or ""
    assert all(one.reads(old_badge) and one.reads(new_badge) for one in fleet.believers.values())

    dropped = trust.drop(fleet.desk, OPERATOR, first.hex())
    assert (dropped.state, dropped.badges) == ("dropped", 2), "of which one was made in the second of the promotion"
    fleet.rounds()
    assert fleet.states() == {"dropped": 0, "current": 3} and fleet.books_agree()
    assert not any(one.reads(old_badge) for one in fleet.believers.values())
    assert all(one.reads(new_badge) for one in fleet.believers.values())
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    assert fleet.states()["next"] == 3, "and the next rotation can begin"


def test_the_next_key_is_not_promoted_before_every_locker_believes_it(fleet: Fleet) -> None:
    fleet.away = {"poste-1"}
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    why = refused("lockers_not_ready", trust.promote, fleet.desk, OPERATOR)
    assert "poste-1" in why.detail and "gare-1" not in why.detail and why.next_actions
    fleet.away = set()
    fleet.town.wake("poste-1", 1)
    fleet.rounds()
    trust.promote(fleet.desk, OPERATOR)


def test_who_was_away_at_a_forced_promotion_is_told_in_the_words_of_the_key_before(fleet: Fleet) -> None:
    fleet.away = {"poste-1"}
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    trust.promote(fleet.desk, OPERATOR, force=True)
    badge = fleet.town.badge().token or ""
    assert not fleet.believers["poste-1"].reads(badge)
    why = refused("lockers_not_ready", trust.drop, fleet.desk, OPERATOR, old_id(fleet))
    assert "poste-1" in why.detail
    fleet.town.now[0] += 40 * 86_400  # its order ran out long ago, and no secret half of the old key is left
    commands.expire_commands(fleet.desk)
    fleet.away = set()
    fleet.rounds()
    assert fleet.believers["poste-1"].reads(badge) and fleet.books_agree()


def test_who_was_away_when_the_old_key_was_dropped_by_force_is_still_told(fleet: Fleet) -> None:
    fleet.away = {"poste-1"}
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    first = fleet.keys.kid
    trust.promote(fleet.desk, OPERATOR, force=True)
    trust.drop(fleet.desk, OPERATOR, first.hex(), force=True)
    assert trust.status(fleet.desk, OPERATOR).cut_off == () and fleet.town.alarms() == []
    fleet.town.now[0] += TTL_STANDING_S + 100
    commands.expire_commands(fleet.desk)
    fleet.away = set()
    fleet.rounds()
    assert fleet.books_agree() and set(fleet.believers["poste-1"].trusted) == {fleet.keys.kid}


def test_an_order_that_ran_out_is_given_anew_while_the_rotation_lasts(fleet: Fleet) -> None:
    fleet.away = {"poste-1"}
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    (first,) = [down.id for name, down in outstanding(fleet) if name == "poste-1"]
    assert trust_orders.keep_up(fleet.desk) == 0, "one order at a time"
    fleet.town.now[0] += TTL_STANDING_S + 100
    commands.expire_commands(fleet.desk)
    assert "trust_refused" not in fleet.town.alarms()
    assert trust_orders.keep_up(fleet.desk) == 1
    (second,) = [down.id for name, down in outstanding(fleet) if name == "poste-1"]
    assert first != second


def old_id(fleet: Fleet) -> str:
    old = fleet.keys.old_kid
    assert old is not None
    return old.hex()


def outstanding(fleet: Fleet) -> list[tuple[str, Down]]:
    with fleet.town.store.reading() as tx:
        rows = tx._commands("type = ? AND state IN ('waiting', 'sent')", Trust.TYPE)
    return [(row.locker, row.down) for row in rows]


def test_a_refusal_raises_an_alarm_and_is_asked_again_but_not_in_a_loop(fleet: Fleet) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    (down,) = [down for name, down in fleet.due() if name == "gare-1"]
    fleet.town.says("gare-1", CommandDone(down.id, down.issued_s, number_of("wrong_state"), Trust.TYPE, None, 0))
    assert fleet.town.alarms() == ["trust_refused"]
    fleet.town.now[0] += TRUST_AGAIN_S - 1
    assert trust_orders.keep_up(fleet.desk) == 0
    fleet.town.now[0] += 2
    assert trust_orders.keep_up(fleet.desk) == 1
    fleet.deliver()
    assert fleet.town.alarms() == [] and fleet.states()["next"] == 3


def test_a_locker_provisioned_during_a_rotation_gets_both_keys_at_once(fleet: Fleet) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    assert len(fleet.add("marche-1").trusted) == 2
    fleet.deliver()
    assert fleet.states() == {"current": 4, "next": 4}
    trust.promote(fleet.desk, OPERATOR)
    old = fleet.keys.old_kid
    assert old in fleet.add("port-1").trusted, "badges that the old key signed are good there too"


def test_a_locker_provisioned_again_is_not_waited_for_with_its_old_order(fleet: Fleet) -> None:
    fleet.away = {"gare-1"}
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    fleet.provision("gare-1")
    assert [name for name, _ in outstanding(fleet)] == []
    trust.promote(fleet.desk, OPERATOR)


def test_a_rotation_that_is_called_off_leaves_every_locker_with_one_key(fleet: Fleet) -> None:
    fleet.away = {"poste-1"}
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    following = fleet.keys.next_kid
    assert following is not None
    trust.drop(fleet.desk, OPERATOR, following.hex())
    assert "poste-1" not in [name for name, _ in outstanding(fleet)]
    fleet.rounds()
    assert fleet.books_agree() and fleet.states() == {"current": 3, "dropped": 0}
    refused("wrong_state", trust.promote, fleet.desk, OPERATOR)


def test_an_order_called_back_that_was_carried_out_all_the_same_is_undone(fleet: Fleet) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    orders = dict(fleet.due())
    following = fleet.keys.next_kid
    assert following is not None
    pieces = trust_orders.ahead_of(orders["gare-1"].command, fleet.keys.trusted)
    trust.drop(fleet.desk, OPERATOR, following.hex())
    down = orders["gare-1"]
    for message in (*pieces, down.command):
        answer = fleet.believers["gare-1"].hears(Down(down.id, down.issued_s, down.ttl_s, message))
    fleet.town.says("gare-1", answer)
    assert following in fleet.believers["gare-1"].trusted
    fleet.rounds()
    assert fleet.books_agree() and following not in fleet.believers["gare-1"].trusted


def test_one_statement_adds_the_next_key_and_drops_a_former_one_where_a_locker_still_holds_it(fleet: Fleet) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    first = fleet.keys.kid
    trust.promote(fleet.desk, OPERATOR)
    fleet.away = {"poste-1"}
    trust.drop(fleet.desk, OPERATOR, first.hex())
    fleet.rounds()
    fleet.town.now[0] += TTL_STANDING_S + 100
    commands.expire_commands(fleet.desk)
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.away = set()
    fleet.rounds()
    assert fleet.books_agree() and fleet.states()["next"] == 3 and first not in fleet.believers["poste-1"].trusted


def test_books_that_do_not_know_the_order_take_the_lockers_word(fleet: Fleet) -> None:
    """They were restored from a backup."""
    trust.begin_rotation(fleet.desk, OPERATOR)
    following = fleet.keys.next_kid
    assert following is not None
    value = int.from_bytes(following, "big")
    fleet.town.says("gare-1", CommandDone(b"unknown!", fleet.town.now[0], 0, Trust.TYPE, None, value))
    assert fleet.states()["next"] == 1
    fleet.town.says("gare-1", CommandDone(b"unknown!", fleet.town.now[0], 0, Trust.TYPE, None, 1 << 40))
    fleet.town.says("gare-1", CommandDone(b"unknown!", fleet.town.now[0], 0, Trust.TYPE, None, 0))
    assert fleet.states()["next"] == 1


def test_a_crash_between_the_file_and_the_books_is_made_good_by_the_next_start(fleet: Fleet, tmp_path: Path) -> None:
    fleet.keys.begin()  # and the power failed before the transaction
    again = Desk(fleet.town.store, Keys.load(tmp_path / "keys", {}), fleet.desk.settings, fleet.desk.clock)
    key_check.check(again)
    assert trust_orders.keep_up(again) == 3
    again.keys.promote()  # likewise
    last = Desk(fleet.town.store, Keys.load(tmp_path / "keys", {}), fleet.desk.settings, fleet.desk.clock)
    key_check.check(last)
    assert [key.state for key in trust.status(last, OPERATOR).keys] == ["current", "old"]


def test_a_key_dropped_in_the_books_whose_file_outlived_a_crash_goes_at_the_next_start(
    fleet: Fleet, tmp_path: Path
) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    trust.promote(fleet.desk, OPERATOR)
    kept = (tmp_path / "keys" / "signing-old.pub").read_bytes()
    trust.drop(fleet.desk, OPERATOR, old_id(fleet))
    (tmp_path / "keys" / "signing-old.pub").write_bytes(kept)
    (tmp_path / "keys" / "signing-old.pub").chmod(0o600)
    again = Desk(fleet.town.store, Keys.load(tmp_path / "keys", {}), fleet.desk.settings, fleet.desk.clock)
    assert again.keys.old_kid is not None
    key_check.check(again)
    assert again.keys.old_kid is None and len(again.keys.trusted) == 1
    assert not (tmp_path / "keys" / "signing-old.pub").exists()


def test_the_public_half_of_the_old_key_is_recalled_from_the_books(fleet: Fleet, tmp_path: Path) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    trust.promote(fleet.desk, OPERATOR)
    (tmp_path / "keys" / "signing-old.pub").unlink()
    again = Desk(fleet.town.store, Keys.load(tmp_path / "keys", {}), fleet.desk.settings, fleet.desk.clock)
    key_check.check(again)
    assert again.keys.trusted == fleet.keys.trusted
    assert (tmp_path / "keys" / "signing-old.pub").exists()


def test_only_who_has_the_scope_may_touch_signing_keys(fleet: Fleet) -> None:
    less = Principal(OPERATOR_ROLE, "", SCOPES - {"keys:write"}, "less")
    for act in (trust.status, trust.begin_rotation, trust.promote):
        refused("not_allowed", act, fleet.desk, less)
    refused("not_allowed", trust.drop, fleet.desk, less, fleet.keys.kid.hex())
    assert "keys:write" not in SCOPES_OF[COURIER]


def test_the_current_key_is_never_dropped_and_an_unknown_one_is_said(fleet: Fleet) -> None:
    refused("wrong_state", trust.drop, fleet.desk, OPERATOR, fleet.keys.kid.hex(), True)
    for text in ("00000000", "", "zzzzzzzz", fleet.keys.kid.hex().upper() + "0"):
        refused("unknown_key", trust.drop, fleet.desk, OPERATOR, text)
    refused("wrong_state", trust.promote, fleet.desk, OPERATOR)


def test_a_rotation_does_not_begin_while_the_key_before_is_trusted(fleet: Fleet) -> None:
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    trust.promote(fleet.desk, OPERATOR)
    why = refused("wrong_state", trust.begin_rotation, fleet.desk, OPERATOR)
    assert "let the old key go" in why.next_actions[0]


def test_what_a_key_has_signed_is_counted_before_it_is_dropped(fleet: Fleet) -> None:
    fleet.town.badge()
    trust.begin_rotation(fleet.desk, OPERATOR)
    fleet.rounds()
    fleet.town.now[0] += 60
    fleet.town.wake_alive()
    parcel = fleet.town.deposited("label-1", locker="gare-1")
    fleet.town.now[0] += 1
    trust.promote(fleet.desk, OPERATOR)
    fleet.town.now[0] += 60
    fleet.town.badge()
    current, old = trust.status(fleet.desk, OPERATOR).keys
    assert (old.badges, old.parcels) == (2, 1) and (current.badges, current.parcels) == (1, 1)
    fleet.town.fetch(parcel)
    fleet.town.now[0] += 31 * 86_400
    assert [(key.badges, key.parcels) for key in trust.status(fleet.desk, OPERATOR).keys] == [(0, 0), (0, 0)]


def test_keys_of_the_environment_are_changed_where_they_are_set(tmp_path: Path) -> None:
    environment = {"CONSIGNE_MASTER_KEY": "11" * 32, "CONSIGNE_SIGNING_KEY": "22" * 32}
    first = Keys.load(tmp_path / "keys", environment)
    town = open_town(tmp_path, keys=first)
    key_check.check(town.desk)
    fleet = Fleet(town)
    fleet.add("mairie-1")
    why = refused("keys_in_environment", trust.begin_rotation, fleet.desk, OPERATOR)
    assert "CONSIGNE_NEXT_SIGNING_KEY" in why.next_actions[0]

    both = Keys.load(tmp_path / "keys", environment | {"CONSIGNE_NEXT_SIGNING_KEY": "33" * 32})
    fleet.town.desk = Desk(town.store, both, town.desk.settings, town.desk.clock)
    key_check.check(fleet.desk)
    fleet.rounds()
    assert fleet.states() == {"current": 1, "next": 1}
    why = refused("keys_in_environment", trust.promote, fleet.desk, OPERATOR)
    assert "CONSIGNE_SIGNING_KEY" in why.next_actions[0]

    second = Keys.load(tmp_path / "keys", environment | {"CONSIGNE_SIGNING_KEY": "33" * 32})
    fleet.town.desk = Desk(town.store, second, town.desk.settings, town.desk.clock)
    key_check.check(fleet.desk)
    assert second.old_kid == first.kid and set(second.trusted) == set(both.trusted)
    trust.drop(fleet.desk, OPERATOR, first.kid.hex())
    fleet.rounds()
    assert fleet.states() == {"dropped": 0, "current": 1} and fleet.books_agree()
    assert not (tmp_path / "keys" / "signing-old.pub").exists()


def test_a_locker_that_no_key_can_tell_anything_is_named_and_alarmed(fleet: Fleet) -> None:
    fleet.away = {"poste-1"}
    for _ in range(2):
        trust.begin_rotation(fleet.desk, OPERATOR)
        fleet.rounds()
        old = fleet.keys.kid
        trust.promote(fleet.desk, OPERATOR, force=True)
        trust.drop(fleet.desk, OPERATOR, old.hex(), force=True)
        fleet.rounds()
        fleet.town.now[0] += TTL_STANDING_S + 100
        commands.expire_commands(fleet.desk)
    assert trust.status(fleet.desk, OPERATOR).cut_off == ("poste-1",)
    assert "provision_again" in fleet.town.alarms()
    fleet.provision("poste-1")
    assert trust.status(fleet.desk, OPERATOR).cut_off == () and "provision_again" not in fleet.town.alarms()


A, B, C = b"aaaa", b"bbbb", b"cccc"


@pytest.mark.parametrize(
    ("believed", "wanted", "step"),
    [
        ({A}, Wanted(A, None, None, frozenset()), None),
        ({A}, Wanted(A, B, None, frozenset()), (B, None)),
        ({A, B}, Wanted(A, B, None, frozenset()), None),
        ({A, B}, Wanted(B, None, A, frozenset()), None),
        ({A, B}, Wanted(B, None, A, frozenset({A})), (None, A)),
        ({A, B}, Wanted(B, C, A, frozenset({A})), (C, A)),
        ({A}, Wanted(B, None, A, frozenset()), (B, None)),
        ({A}, Wanted(B, None, A, frozenset({A})), (B, None)),
        ({A, C}, Wanted(B, None, A, frozenset({C})), None),
        ({A}, Wanted(B, C, None, frozenset()), None),
        (set(), Wanted(A, B, None, frozenset()), None),
    ],
)
def test_what_a_locker_is_told_next_follows_from_what_it_believes(
    believed: set[bytes], wanted: Wanted, step: tuple[bytes | None, bytes | None] | None
) -> None:
    found = next_step(believed, wanted)
    assert (None if found is None else (found.add, found.drop)) == step
    assert cut_off(believed, wanted) == (step is None and wanted.current not in believed)
