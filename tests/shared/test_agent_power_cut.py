"""The power goes at every place in every effect list of a whole day, and comes back.

No door opens without a durable authorisation (the rig checks each pulse), nothing that was saved is lost, no
code opens a second time, and no compartment with a parcel inside is ever called free.
"""

from typing import TYPE_CHECKING

from rig import Rig
from tokens_of_rig import COURIER_TOKEN, DELEGATE_TOKEN

from device.agent import events as on
from device.agent.books import QUARANTINED
from protocol import messages, numbers
from protocol.limits import REOPEN_MS

if TYPE_CHECKING:
    from collections.abc import Callable


def deposit(rig: Rig, number: int, parcel: int) -> None:
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL"))
    requests = rig.gateway.heard(messages.DepositRequested)
    if requests and not rig.dead:
        rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, requests[-1].request, number, parcel)))
    if not rig.closed[number]:
        rig.inside.add(number)
    rig.push(number)
    rig.keys("*")


def pick_up(rig: Rig, number: int, number_of_deposit: int) -> None:
    rig.keys(rig.code(number, number_of_deposit))
    if not rig.closed[number]:
        rig.inside.discard(number)
    rig.push(number)


def day(rig: Rig) -> None:
    """Deposits, pickups, a jam, a commanded opening and a revocation. A dead locker just stands there."""
    rig.online = True
    rig.wait(5_000)
    deposit(rig, 1, 101)
    deposit(rig, 2, 102)
    pick_up(rig, 1, 1)
    rig.jammed.add(3)
    deposit(rig, 3, 103)
    rig.wait(7_000)
    rig.jammed.clear()
    deposit(rig, 1, 104)
    if not rig.dead:
        rig.say(rig.gateway.say(messages.Open(3, "look")))
    rig.push(3)
    if not rig.dead:
        rig.say(rig.gateway.say(messages.Revoke(2, 1), ttl_s=86_400))
    rig.wait(60_000)
    pick_up(rig, 1, 2)


def order(rig: Rig, command: messages.Message) -> None:
    if not rig.dead:
        rig.say(rig.gateway.say(command, ttl_s=86_400))


def day_of_codes(rig: Rig) -> None:
    """A code replaced, two parcels of one person, a neighbour, a wrong code, a badge taken back."""
    rig.online = True
    rig.wait(5_000)
    for number in (1, 2, 3):
        deposit(rig, number, 100 + number)
    order(rig, messages.Reissue(1, 1))
    for number, count in ((1, 2), (3, 1)):
        order(rig, messages.Join(number, count, 9))
    rig.keys(rig.code(1, 77))
    rig.wait(6_000)
    pick_up(rig, 1, 2)
    rig.keys("#")
    if not rig.closed[3]:
        rig.inside.discard(3)
        rig.push(3)
    rig.do(on.Scanned(DELEGATE_TOKEN.encode()))
    if not rig.closed[2]:
        rig.inside.discard(2)
        rig.push(2)
    order(rig, messages.RevokeToken(b"badge001", 4_000_000_000))


def effects_of_a_day(story: "Callable[[Rig], None]" = day) -> int:
    rig = Rig()
    rig.cut_at = 1_000_000
    story(rig)
    return 1_000_000 - rig.cut_at


def check(rig: Rig, saved: "list[bytes]") -> None:
    assert rig.flash.records[: len(saved)] == saved
    for number in rig.inside:
        place = rig.agent.books.place(number)
        free = rig.agent.books.holdings[place] == numbers.FREE and not rig.agent.books.has(place, QUARANTINED)
        assert not free, "a compartment with a parcel inside is called free"


def opens_again(rig: Rig) -> None:
    """What was collected stays collected once the time to re-open is over; what is held opens."""
    rig.wait(REOPEN_MS + 1)
    collected = {
        (event.compartment, event.deposit) for event in rig.flash.events() if type(event) is messages.Collected
    }
    for number, count in sorted(collected):
        pulses = len(rig.pulses)
        rig.keys(rig.code(number, count))
        assert number not in rig.pulses[pulses:], "a collected code opened again"
        for other in rig.pulses[pulses:]:  # the same person's next parcel
            assert rig.agent.books.group(rig.agent.books.place(other)) == 9
            rig.push(other)
        rig.wait(10_000)
    for place, holding in enumerate(bytes(rig.agent.books.holdings)):
        if holding == numbers.HELD:
            number = rig.agent.books.numbers[place]
            rig.keys(rig.code(number, rig.agent.books.deposit(place)))
            assert rig.pulses[-1] == number
            rig.push(number)
            assert type(rig.flash.events()[-1]) is messages.Collected


def cut_and_recover(cut: int, close_in_the_dark: bool) -> None:
    rig = Rig()
    rig.cut_at = cut
    day(rig)
    saved = list(rig.flash.records)
    for number in rig.closed:
        if close_in_the_dark:
            rig.closed[number] = True
    rig.jammed.clear()
    rig.power_on()
    check(rig, saved)
    for number in rig.closed:
        if not rig.closed[number]:
            rig.push(number)
    check(rig, saved)
    opens_again(rig)
    rig.connect()
    rig.wait(60_000)
    heard = [messages.encode(up) for up in rig.gateway.up if up.seq]
    assert heard == rig.flash.records, "the gateway's log is the locker's journal: in order, once, whole"


def test_the_power_goes_at_every_effect_and_nothing_is_lost():
    count = effects_of_a_day()
    assert count > 100
    for cut in range(count):
        cut_and_recover(cut, close_in_the_dark=False)


def said_and_kept(rig: Rig) -> "dict[str, object]":
    """What the books must still know, as the journal tells it."""
    events = rig.flash.events()
    done = {event.order: event for event in events if type(event) is messages.CommandDone and event.code == 0}
    return {
        "reissued": messages.Reissue.TYPE in done,
        "joined": [event.compartment for event in events if type(event) is messages.CommandDone and event.order == 24],
        "revoked": any([type(event) is messages.TokenRevoked for event in events]),
        "refused": any([type(event) is messages.CodeRefused for event in events]),
    }


def test_the_power_goes_at_every_effect_of_a_day_of_codes():
    """What was answered is still so after the restart, and nothing that was replaced, used or taken back opens."""
    for cut in range(effects_of_a_day(day_of_codes)):
        rig = Rig()
        rig.cut_at = cut
        day_of_codes(rig)
        kept = said_and_kept(rig)
        saved = list(rig.flash.records)
        rig.power_on()
        check(rig, saved)
        books = rig.agent.books
        assert books.token_is_revoked(b"badge001") == kept["revoked"], cut
        assert (books.bucket < 10) == kept["refused"], cut
        for number in (1, 2, 3):
            if not rig.closed[number]:
                rig.inside.discard(number)
                rig.push(number)
        if kept["reissued"]:
            rig.wait(10_000)
            pulses = len(rig.pulses)
            rig.keys(rig.code(1, 1))
            assert len(rig.pulses) == pulses, "a replaced code opened"
            rig.wait(10_000)
        for number in kept["joined"]:
            place = books.place(number)
            assert books.group(place) == 9, cut
        opens_again(rig)
        rig.connect()
        rig.wait(60_000)
        heard = [messages.encode(up) for up in rig.gateway.up if up.seq]
        assert heard == rig.flash.records


def test_the_power_goes_and_people_close_the_doors_in_the_dark():
    for cut in range(effects_of_a_day()):
        cut_and_recover(cut, close_in_the_dark=True)
