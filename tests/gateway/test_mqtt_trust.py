"""A new signing key on the wire: the parts of its table, then Trust, in order, over a real broker; and again after
a birth."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from believing import Believer
from mqtt_town import TinyLocker, Town, running_town
from patience import wait_for

from gateway.domain.people import GATEWAY
from gateway.keys import Keys
from gateway.services import trust, trust_orders
from protocol import ed25519_tables
from protocol import trust as statements
from protocol.limits import MESSAGE_SIZE_MAX
from protocol.messages import Down, Reserved, Trust, TrustPart


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with running_town(tmp_path, Keys.load(tmp_path / "keys", {})) as made:
        yield made


def about_keys(locker: TinyLocker) -> list[Down]:
    return [down for down in list(locker.heard) if isinstance(down.command, Trust | TrustPart)]


def awake(town: Town, name: str) -> TinyLocker:
    locker = town.locker(name)
    locker.birth()
    wait_for(lambda: locker.orders(Reserved))  # the last of the answers
    return locker


def test_the_table_comes_in_parts_right_before_the_statement_and_fits_it(town: Town) -> None:
    locker = awake(town, "mairie-1")
    believer = Believer(town.desk.keys.trusted)
    trust.begin_rotation(town.desk, GATEWAY)
    town.pipeline.wake()
    wait_for(lambda: locker.orders(Trust))
    *parts, order = about_keys(locker)
    following = town.desk.keys.next_kid
    assert following is not None
    assert [part.command for part in parts] == [
        TrustPart(following, offset, piece) for offset, piece in statements.parts(town.desk.keys.trusted[following])
    ]
    assert len({down.id for down in (*parts, order)}) == 5, "each has an id of its own"
    assert {(down.issued_s, down.ttl_s) for down in parts} == {(order.issued_s, order.ttl_s)}
    assert all(len(payload) <= MESSAGE_SIZE_MAX for _, payload in locker.raw)
    answers = [believer.hears(down) for down in (*parts, order)]
    answer = answers.pop()
    assert answers == [None] * 4 and answer is not None and answer.code == 0
    assert believer.trusted == town.desk.keys.trusted
    assert believer.trusted[following] == ed25519_tables.prepare(believer.trusted[following][:32])


def test_an_unanswered_order_comes_again_with_its_parts_after_each_birth(town: Town) -> None:
    locker = awake(town, "mairie-1")
    trust.begin_rotation(town.desk, GATEWAY)
    town.pipeline.wake()
    wait_for(lambda: locker.orders(Trust))
    locker.birth(boot=2)
    wait_for(lambda: len(locker.orders(Trust)) == 2)
    kinds = [type(down.command) for down in about_keys(locker)]
    assert kinds == [TrustPart, TrustPart, TrustPart, TrustPart, Trust] * 2
    first, second = [down for down in about_keys(locker) if isinstance(down.command, Trust)]
    assert first == second, "the row is the order: the same id, the same words"
    with town.desk.store.reading() as tx:
        types = [row[0] for row in tx.sql.execute("SELECT type FROM commands")]
    assert set(types) == {Trust.TYPE}, "parts are no rows"


def test_two_lockers_answer_over_the_wire_and_the_next_key_is_promoted_and_the_old_one_dropped(town: Town) -> None:
    tiny = {name: awake(town, name) for name in ("mairie-1", "gare-1")}
    first = town.desk.keys.kid
    believers = {name: Believer(town.desk.keys.trusted) for name in tiny}
    seqs = dict.fromkeys(tiny, 0)
    listened = dict.fromkeys(tiny, 0)

    def all_answer() -> bool:
        """As lockers do: every message in turn, and the answer as the next event."""
        for name, locker in tiny.items():
            for down in about_keys(locker)[listened[name] :]:
                listened[name] += 1
                answer = believers[name].hears(down)
                if answer is not None:
                    seqs[name] += 1
                    locker.say(seqs[name], answer)
        status = trust.status(town.desk, GATEWAY)
        return not status.waiting

    trust.begin_rotation(town.desk, GATEWAY)
    town.pipeline.wake()
    wait_for(all_answer)
    trust.promote(town.desk, GATEWAY)
    assert town.desk.keys.kid != first
    trust.drop(town.desk, GATEWAY, first.hex())
    town.pipeline.wake()
    wait_for(all_answer)
    assert [one.trusted for one in believers.values()] == [town.desk.keys.trusted] * 2
    assert first not in town.desk.keys.trusted
    assert trust_orders.keep_up(town.desk) == 0
    drops = [down for down in about_keys(tiny["mairie-1"])][5:]
    assert [type(down.command) for down in drops] == [Trust], "who is only to forget needs no table"
