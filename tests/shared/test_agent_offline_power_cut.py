"""The power goes at every effect of deposits without a gateway, and comes back: no parcel is lost or put in twice."""

from rig import Rig
from tokens_of_rig import COURIER_TOKEN
from without_gateway import alone, begin, saved

from device.agent import events as on
from device.agent.books import QUARANTINED, Books
from protocol import messages, numbers

S, M = 0, 1


def day(rig: Rig) -> None:
    """Two parcels in, one of them by a detour, one out, and one more; nobody hears of it."""
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    for label, keys, number, after in (("A", "1", 1, ""), ("B", "1B", 3, ""), ("C", "1", 2, "*")):
        rig.do(on.Scanned(label.encode()))
        rig.keys(keys)
        if not rig.closed[number]:
            rig.inside.add(number)
        for open_one in sorted(rig.closed):
            if not rig.closed[open_one]:
                rig.push(open_one)
        rig.keys(after)
    rig.keys(rig.code(1, 1))
    if not rig.closed[1]:
        rig.inside.discard(1)
        rig.push(1)
    rig.wait(10_000)


def new_day() -> Rig:
    return Rig(sizes=bytes([S, S, M]))


def check(rig: Rig, records: "list[bytes]") -> None:
    assert rig.flash.records[: len(records)] == records
    books = rig.agent.books
    for number in rig.inside:
        place = books.place(number)
        free = books.holdings[place] == numbers.FREE and not books.has(place, QUARANTINED)
        assert not free, "a compartment with a parcel inside is called free"


def test_the_power_goes_at_every_effect_of_offline_deposits_and_no_parcel_is_lost():
    rig = new_day()
    rig.cut_at = 1_000_000
    day(rig)
    assert rig.pulses == [1, 2, 3, 2, 1], "a day as it was meant"
    count = 1_000_000 - rig.cut_at
    for cut in range(count):
        for close_in_the_dark in (False, True):
            rig = new_day()
            rig.cut_at = cut
            day(rig)
            records = list(rig.flash.records)
            if close_in_the_dark:
                for number in rig.closed:
                    rig.closed[number] = True
            rig.power_on()
            check(rig, records)
            for number in sorted(rig.closed):
                if not rig.closed[number]:
                    rig.push(number)
            check(rig, records)
            again = Books.replay([1, 2, 3], None, rig.flash.records)
            again.begin(rig.agent.boot, 0)
            assert again.snapshot() == rig.agent.books.snapshot()
            held = [number for number in (1, 2, 3) if rig.agent.books.holdings[number - 1] == numbers.HELD]
            for number in held:
                deposit = rig.agent.books.deposit(number - 1)
                last = [event for event in saved(rig, messages.Deposited) if event.compartment == number][-1]
                assert last == messages.Deposited(number, deposit, 0)
                rig.keys(rig.code(number, deposit))
                assert rig.pulses[-1] == number, "what is held can be fetched"
                rig.push(number)
            rig.connect()
            rig.wait(60_000)
            assert [messages.encode(up) for up in rig.gateway.up if up.seq] == rig.flash.records


def test_after_a_power_cut_the_same_badge_and_label_go_on_where_it_was():
    for cut in range(12):
        rig = alone()
        rig.do(on.Scanned(b"PARCEL-1"))
        rig.cut_at = cut
        rig.keys("1")
        rig.push(1)
        if not rig.dead:
            continue
        rig.power_on()
        authorised = len(saved(rig, messages.OfflineDepositAuthorised))
        quarantined = rig.agent.books.has(0, QUARANTINED)
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
        rig.do(on.Scanned(b"PARCEL-1"))
        if not authorised or quarantined:  # not begun, or nobody knows whether it is inside: another door
            assert rig.screen[0] == "size", cut
            continue
        assert rig.screen[0] in ("receipt_again", "deposit_open"), cut
        rig.push(1)
        assert rig.screen[0].startswith("receipt") and rig.screen[1][0] == "1"
        assert len(saved(rig, messages.OfflineDepositAuthorised)) == 1


def test_a_snapshot_keeps_the_last_offline_deposit():
    rig = alone()
    begin(rig)
    rig.push(1)
    books = rig.agent.books
    again = Books.replay([1, 2, 3], books.snapshot(), [])
    assert again.alone == books.alone and again.alone_in(0) is not None
    assert Books.replay([2, 3], books.snapshot(), []).alone_in(0) is None, "its compartment was taken away"
