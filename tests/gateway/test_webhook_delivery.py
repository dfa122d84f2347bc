"""What is told arrives: signed, in the order of each parcel, as often as it takes, whoever else is slow or dead."""

import base64
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from books_town import BOOKSHOP, COLIBRI, Town
from hook_town import (
    Got,
    Receiver,
    delivering,
    hook,
    look,
    pass_time,
    patient,
    private_town,
    receiving,
    settle,
    wait_for,
    waiting,
)
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from gateway.domain import webhooks as domain
from gateway.domain.parcels import NewParcel
from gateway.limits import WEBHOOK_AT_ONCE_MAX, WEBHOOK_HOLD_S_MAX
from gateway.services import deliveries, parcels, webhooks
from gateway.services.desk import unix_s

HOUR_S, DAY_S = 3_600, 86_400


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    patient(monkeypatch)
    made = private_town(tmp_path)
    made.locker(*["S"] * 12)
    yield made
    made.store.close()


def always(status: int, **headers: str) -> Callable[[Got], tuple[int, dict[str, str]]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _got: (status, named)


# ------------------------------------------------------------------ signatures
def test_the_published_vector_of_standard_webhooks_is_signed_as_published() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    assert domain.secret_text(raw) == secret
    said = domain.signature([raw], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_arrives_is_verified_by_an_independent_library(town: Town) -> None:
    town.now[0] = unix_s()  # the library compares with its own clock
    with receiving() as receiver, delivering(town) as deliverer:
        made, secret = webhooks.make_webhook(town.desk, COLIBRI, receiver.url, (), "", ["127.0.0.1"])
        town.expect("a")
        deliverer.wake()
        wait_for(lambda: receiver.got)
        got = receiver.got[0]
        event = Verifier(secret).verify(got.body, dict(got.headers))
        assert event["type"] == "parcel.expected" and event["id"] == got.event
        assert got.headers["content-type"] == "application/json" and got.path == "/hooks?of=town"
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(got.body + b" ", dict(got.headers))
        assert len(secret) > 40 and made.number


def test_during_a_rotation_both_secrets_verify_and_after_it_the_new_one_alone(town: Town) -> None:
    with receiving() as receiver, delivering(town) as deliverer:
        made, old = webhooks.make_webhook(town.desk, COLIBRI, receiver.url, (), "", ["127.0.0.1"])
        _, new = webhooks.rotate_secret(town.desk, COLIBRI, made.number, 24)
        signed = []
        for label, hours in (("a", 0), ("b", 25)):
            town.later(hours * HOUR_S)
            town.expect(label)
            settle(town, deliverer)
            signed.append(receiver.got[-1].headers["webhook-signature"].split())
        assert old != new and [len(one) for one in signed] == [2, 1]
        got = receiver.got[-1]
        assert signed[1] == [_signed(new, got)]
        first = receiver.got[0]
        assert signed[0] == [_signed(new, first), _signed(old, first)]


def test_a_stolen_secret_ends_at_once(town: Town) -> None:
    with receiving() as receiver, delivering(town) as deliverer:
        made, _ = webhooks.make_webhook(town.desk, COLIBRI, receiver.url, (), "", ["127.0.0.1"])
        _, new = webhooks.rotate_secret(town.desk, COLIBRI, made.number, 0)
        town.expect("a")
        settle(town, deliverer)
        assert receiver.got[0].headers["webhook-signature"] == _signed(new, receiver.got[0])


def _signed(secret: str, got: Got) -> str:
    when = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    return Verifier(secret).sign(got.event, when, got.body.decode())


# ------------------------------------------------------------------ down, slow, dead
def test_a_receiver_that_is_down_for_three_days_loses_nothing_and_gets_each_parcel_in_order(town: Town) -> None:
    receiver = Receiver()
    with receiving(receiver):
        pass  # it has its port, and is away
    hook(town, receiver.url)
    labels = [f"p{number}" for number in range(10)]
    with delivering(town) as deliverer:
        for label in labels:
            town.expect(label)
        inside = [town.deposited(f"in-{number}") for number in range(5)]
        pass_time(town, deliverer, DAY_S, 2 * HOUR_S)
        for parcel in inside[:3]:
            town.fetch(parcel)
        pass_time(town, deliverer, 2 * DAY_S, 2 * HOUR_S)
        assert receiver.got == [] and len(waiting(town)) == 10 + 2 * 5 + 3
        with receiving(receiver):  # it is told within minutes, whenever the next tries would have been
            pass_time(town, deliverer, 2 * WEBHOOK_HOLD_S_MAX, 60)
    assert waiting(town) == []
    assert len(receiver.got) == len(set(receiver.events())) == 23
    for parcel in inside[:3]:
        mine = [event.rsplit("_", 1)[1] for event in receiver.events() if parcel.id[4:] in event]
        assert mine == ["expected", "deposited", "collected"]


def test_a_later_event_waits_for_the_earlier_one_of_its_parcel_and_for_no_other(town: Town) -> None:
    stubborn = town.expect("stubborn")
    with receiving() as receiver, delivering(town) as deliverer:
        hook(town, receiver.url)
        receiver.answer = lambda got: (500 if stubborn.id[4:] in got.event else 204, {})
        town.put_in("mairie-1", 1, 1, stubborn.number)
        town.fetch(town.parcel(stubborn.number))
        other = town.deposited("other")
        settle(town, deliverer)
        pass_time(town, deliverer, 60, 10)
        told = [event for event in receiver.events() if stubborn.id[4:] in event]
        assert set(told) == {domain.event_id(town.parcel(stubborn.number)).replace("collected", "deposited")}
        assert [event for event in receiver.events() if other.id[4:] in event] == [
            f"evt_{other.id[4:]}_expected",
            f"evt_{other.id[4:]}_deposited",
        ]
        receiver.answer = always(200)
        pass_time(town, deliverer, HOUR_S, 60)
        told = [event for event in receiver.events() if stubborn.id[4:] in event]
        assert told[-2:] == [f"evt_{stubborn.id[4:]}_deposited", f"evt_{stubborn.id[4:]}_collected"]
        assert waiting(town) == []


def test_a_receiver_that_does_not_answer_holds_up_no_other(town: Town) -> None:
    free = threading.Event()

    def hang(_got: Got) -> tuple[int, dict[str, str]]:
        free.wait()
        return 200, {}

    try:
        with receiving(Receiver(answer=hang)) as stuck, receiving() as quick, delivering(town) as deliverer:
            hook(town, stuck.url)
            hook(town, quick.url)
            made = {town.expect(f"p{number}").number for number in range(30)}
            deliverer.wake()
            wait_for(lambda: len(quick.got) == len(made))
            assert len(stuck.got) <= WEBHOOK_AT_ONCE_MAX
            free.set()
            settle(town, deliverer)
            assert len(stuck.got) == len(made)
    finally:
        free.set()


def test_a_dead_receiver_is_asked_seldom_however_much_waits_for_it(town: Town) -> None:
    with receiving(Receiver(answer=always(500))) as receiver, delivering(town) as deliverer:
        hook(town, receiver.url)
        for number in range(30):
            town.expect(f"p{number}")
        settle(town, deliverer)
        first = len(receiver.got)
        assert first <= WEBHOOK_AT_ONCE_MAX
        pass_time(town, deliverer, HOUR_S, 5)
        doubling = 7  # 5 s, 10 s, … until the longest pause
        assert len(receiver.got) <= first + doubling + HOUR_S // WEBHOOK_HOLD_S_MAX


def test_a_body_that_never_ends_is_not_read(town: Town) -> None:
    with receiving(Receiver(answer=always(200, Content_Length="99999999"))) as receiver, delivering(town) as deliverer:
        hook(town, receiver.url)
        town.expect("a")
        settle(town, deliverer)
        assert waiting(town) == [] and len(receiver.got) == 1


# ------------------------------------------------------------------ what counts as taken
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500, 503])
def test_only_2xx_counts_and_no_redirect_is_followed(town: Town, status: int) -> None:
    with receiving() as elsewhere, receiving(Receiver()) as receiver, delivering(town) as deliverer:
        receiver.answer = always(status, Location=elsewhere.url)
        made = hook(town, receiver.url)
        town.expect("a")
        settle(town, deliverer)
        assert len(receiver.got) == 1 and elsewhere.got == []
        assert [tries for _, tries, _ in waiting(town)] == [1]
        seen = look(town, made)
        assert (seen.status, seen.failure) == ("failing", f"status_{status}")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_a_yes(town: Town, status: int) -> None:
    with receiving(Receiver(answer=always(status))) as receiver, delivering(town) as deliverer:
        made = hook(town, receiver.url)
        town.expect("a")
        settle(town, deliverer)
        assert waiting(town) == [] and look(town, made).status == "active"


def test_410_disables_a_webhook_until_its_owner_wants_it_again(town: Town) -> None:
    with receiving(Receiver(answer=always(410))) as receiver, delivering(town) as deliverer:
        made = hook(town, receiver.url)
        town.expect("a")
        settle(town, deliverer)
        town.expect("not written down")
        pass_time(town, deliverer, DAY_S, HOUR_S)
        assert look(town, made).status == "disabled" and len(receiver.got) == 1
        receiver.answer = always(200)
        webhooks.deliver_again(town.desk, COLIBRI, made.number)
        town.expect("b")
        settle(town, deliverer)
        assert look(town, made).status == "active"
        assert [domain.TYPES[0]] * 2 == [f"parcel.{event.rsplit('_', 1)[1]}" for event in receiver.events()[1:]]


@pytest.mark.parametrize(
    ("status", "said", "held_s"),
    [
        *[(503, "120", 120), (429, "120", 120), (429, "9999999999", 6 * HOUR_S), (503, "soon", 5), (500, "120", 5)],
        (503, "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 5),  # such an answer kept its place for ever
    ],
)
def test_retry_after_of_429_and_503_is_honoured_within_limits(town: Town, status: int, said: str, held_s: int) -> None:
    with receiving(Receiver(answer=always(status, Retry_After=said))) as receiver, delivering(town) as deliverer:
        made = hook(town, receiver.url)
        town.expect("a")
        settle(town, deliverer)
        assert look(town, made).hold_until_s == town.now[0] + held_s
        assert look(town, made).failure == f"status_{status}", "its answer was read, and no fault of ours"
        town.later(held_s - 1)
        settle(town, deliverer)
        assert len(receiver.got) == 1
        town.later(2)  # the first retry comes a tenth later at the most
        settle(town, deliverer)
        assert len(receiver.got) == 2


# ------------------------------------------------------------------ how often, and the end
def test_ten_tries_in_three_days_then_it_is_given_up_seen_and_can_be_asked_for(town: Town) -> None:
    with receiving(Receiver(answer=always(500))) as receiver, delivering(town) as deliverer:
        made = hook(town, receiver.url)
        town.expect("a")
        pauses: list[int] = []
        settle(town, deliverer)
        while waiting(town):
            pauses.append(waiting(town)[0][2])
            town.later(max(pauses[-1], look(town, made).hold_until_s - town.now[0]))
            settle(town, deliverer)
        assert len(receiver.got) == 10 and len({one.event for one in receiver.got}) == 1
        for pause, step in zip(pauses, domain.SCHEDULE_S, strict=True):
            assert step <= pause <= step * 1.1
        assert sum(domain.SCHEDULE_S) == 75 * HOUR_S + 35 * 60 + 5
        seen = look(town, made)
        assert (seen.status, seen.given_up, seen.waiting) == ("failing", 1, 0)
        receiver.answer = always(200)
        town.expect("b")  # what comes later is not lost with it
        pass_time(town, deliverer, WEBHOOK_HOLD_S_MAX, WEBHOOK_HOLD_S_MAX)
        assert look(town, made).status == "failing"  # until somebody has looked at what was given up
        webhooks.deliver_again(town.desk, COLIBRI, made.number)
        settle(town, deliverer)
        assert look(town, made).status == "active" and len(receiver.got) == 12


def test_after_an_event_that_was_given_up_its_parcels_next_one_goes(town: Town) -> None:
    with receiving() as receiver, delivering(town) as deliverer:
        receiver.answer = lambda got: (422 if got.event.endswith("expected") else 200, {})
        made = hook(town, receiver.url)
        parcel = town.deposited("a")
        pass_time(town, deliverer, 3 * DAY_S, 6 * HOUR_S)
        assert {event.rsplit("_", 1)[1] for event in receiver.events()} == {"expected"}
        pass_time(town, deliverer, 3 * DAY_S, 6 * HOUR_S)
        assert receiver.events()[-1] == domain.event_id(parcel)
        assert waiting(town) == [] and look(town, made).given_up == 1


def test_what_is_asked_for_again_comes_in_the_order_of_its_parcel(town: Town) -> None:
    with receiving(Receiver(answer=always(410))) as receiver:
        made = hook(town, receiver.url)
        parcel = town.deposited("a")
        with delivering(town) as deliverer:
            settle(town, deliverer)
        assert look(town, made).given_up == 2
        receiver.answer = always(200)
        webhooks.deliver_again(town.desk, COLIBRI, made.number)
        assert [behind for _, _, behind in waiting(town)] == [0, -1]
        town.fetch(parcel)
        with delivering(town) as deliverer:
            settle(town, deliverer)
    kinds = [event.rsplit("_", 1)[1] for event in receiver.events()]
    assert kinds == ["expected", "expected", "deposited", "collected"] and waiting(town) == []


def test_what_waited_behind_others_too_long_is_given_up(town: Town) -> None:
    with receiving(Receiver(answer=always(500))) as receiver, delivering(town) as deliverer:
        made = hook(town, receiver.url)
        for number in range(20):
            town.expect(f"p{number}")
        pass_time(town, deliverer, 12 * DAY_S, 6 * HOUR_S)
        assert waiting(town) == [] and look(town, made).given_up == 20
        pass_time(town, deliverer, 31 * DAY_S, 31 * DAY_S)
        deliveries.forget_given_up(town.desk)
        assert look(town, made).given_up == 0


def test_a_restart_goes_on_where_the_books_are(tmp_path: Path, town: Town) -> None:
    with receiving(Receiver(answer=always(503))) as receiver:
        made = hook(town, receiver.url)
        town.deposited("a")
        with delivering(town) as deliverer:
            settle(town, deliverer)
        town.store.close()
        again = private_town(tmp_path)
        again.now[0] = town.now[0] + 10
        receiver.answer = always(200)
        with delivering(again) as deliverer:
            settle(again, deliverer)
        assert [event.rsplit("_", 1)[1] for event in receiver.events()] == ["expected", "expected", "deposited"]
        assert receiver.got[0].body == receiver.got[1].body
        assert look(again, made).status == "active"
        again.store.close()


def test_the_end_of_the_gateway_does_not_wait_for_a_receiver(town: Town) -> None:
    free = threading.Event()

    def hang(_got: Got) -> tuple[int, dict[str, str]]:
        free.wait()
        return 200, {}

    try:
        with receiving(Receiver(answer=hang)) as receiver:
            hook(town, receiver.url)
            town.expect("a")
            with delivering(town) as deliverer:
                deliverer.wake()
                wait_for(lambda: receiver.got)
            assert [tries for _, tries, _ in waiting(town)] == [0]  # told again after the next start
            free.set()
    finally:
        free.set()


def test_a_webhook_deleted_while_it_is_told_takes_nobody_elses_place(town: Town) -> None:
    free = threading.Event()

    def hang(_got: Got) -> tuple[int, dict[str, str]]:
        free.wait()
        return 500, {}

    try:
        with receiving(Receiver(answer=hang)) as receiver, delivering(town) as deliverer:
            made = hook(town, receiver.url)
            town.expect("a")
            deliverer.wake()
            wait_for(lambda: receiver.got)
            webhooks.delete_webhook(town.desk, COLIBRI, made.number)
            other = hook(town, "http://127.0.0.1:9009/", BOOKSHOP)
            parcels.expect_parcel(town.desk, BOOKSHOP, NewParcel("b", "mairie-1", "S", "colibri"))
            free.set()
            settle(town, deliverer)
            assert look(town, other).waiting == 1 and len(receiver.got) == 1
    finally:
        free.set()


def test_what_became_of_tries_is_counted(town: Town) -> None:
    with receiving(Receiver(answer=always(500))) as receiver, delivering(town) as deliverer:
        hook(town, receiver.url)
        town.expect("a")
        settle(town, deliverer)
        receiver.answer = always(200)
        pass_time(town, deliverer, 60, 6)
        receiver.answer = always(410)
        town.expect("b")
        settle(town, deliverer)
        with town.store.reading() as tx:
            counts = {name: count for name, count in tx.tallies().items() if name.startswith("deliveries_")}
        assert counts == {"deliveries_failed": 1, "deliveries_delivered": 1, "deliveries_given_up": 1}
