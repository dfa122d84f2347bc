"""A day at a locker, scene by scene: each can be played by people who do not know what happened in the one before."""

from locker_on_chip import LockerOnChip
from tokens_of_rig import COURIER_TOKEN, DELEGATE_TOKEN

from device.agent import events as on
from device.agent.panel import COURIER_READY
from protocol import messages
from protocol.limits import WRONG_CODE_REFILL_MS
from protocol.numbers import HELD

_DAY_S = 86_400


def close_all(locker: LockerOnChip) -> None:
    for number in locker.config.numbers:
        if not locker.closed[number]:
            locker.push(number)


def order(locker: LockerOnChip, command: messages.Message) -> None:
    if not locker.dead and locker.agent.link.online:
        locker.say(locker.gateway.say(command, ttl_s=60 if isinstance(command, messages.Open) else _DAY_S))


def online(locker: LockerOnChip) -> None:
    locker.online = True
    for _ in range(60):
        if locker.dead or locker.agent.link.online:
            break
        locker.wait(10_000)
    locker.wait(3_000)


def offline(locker: LockerOnChip) -> None:
    locker.online = False
    locker.do(on.LinkClosed("reset"))


def deposit(locker: LockerOnChip, number: int, parcel: int) -> None:
    if locker.dead or locker.agent.books.holdings[number - 1]:
        return
    if locker.agent.panel.mode < COURIER_READY:
        locker.do(on.Scanned(COURIER_TOKEN.encode()))
    asked = len(locker.gateway.up)
    locker.do(on.Scanned(b"LABEL-1"))
    requests = [up.event for up in locker.gateway.up[asked:] if isinstance(up.event, messages.DepositRequested)]
    if requests and not locker.dead:
        locker.say(locker.gateway.say(messages.Assign(locker.agent.boot, requests[-1].request, number, parcel)))
    close_all(locker)


def deposits(locker: LockerOnChip) -> None:
    for number in (1, 2, 3):
        deposit(locker, number, 100 + number)
    locker.keys("*")


def pick_up(locker: LockerOnChip, number: int) -> None:
    if locker.agent.books.holdings[number - 1] == HELD:
        locker.wait(6_000)  # after somebody's mistake
        locker.keys("*" + locker.code(number, locker.agent.books.deposit(number - 1)))
        close_all(locker)


def collects_and_looks_again(locker: LockerOnChip) -> None:
    pick_up(locker, 1)
    locker.keys(locker.code(1, locker.agent.books.deposit(0)))
    close_all(locker)


def guesses(locker: LockerOnChip) -> None:
    for deposit_number in (900, 901):
        locker.wait(6_000)
        locker.keys("*" + locker.code(4, deposit_number))
    locker.wait(6_000)


def another_code(locker: LockerOnChip) -> None:
    before = locker.agent.books.deposit(1)
    order(locker, messages.Join(2, before, 9))
    order(locker, messages.Reissue(2, before))
    pick_up(locker, 2)


def taken_back(locker: LockerOnChip) -> None:
    order(locker, messages.Revoke(3, locker.agent.books.deposit(2)))
    order(locker, messages.Open(3, "taken back"))
    close_all(locker)
    order(locker, messages.Release(3))
    order(locker, messages.RevokeToken(locker.gateway.now_ms.to_bytes(8, "big"), 4_000_000_000))


def a_night_without_network(locker: LockerOnChip) -> None:
    offline(locker)
    locker.pull(4)
    locker.push(4)
    locker.jump(WRONG_CODE_REFILL_MS)
    pick_up(locker, 1)
    locker.jump(WRONG_CODE_REFILL_MS)


def in_the_morning(locker: LockerOnChip) -> None:
    online(locker)
    order(locker, messages.Release(4))
    order(locker, messages.OutOfService(4, True))
    order(locker, messages.OutOfService(4, False))
    order(locker, messages.Identify())


def a_door_jams(locker: LockerOnChip) -> None:
    locker.jammed.add(1)
    deposit(locker, 1, 111)
    locker.wait(7_000)
    locker.jammed.clear()
    locker.keys("*")
    order(locker, messages.Release(1))


def a_neighbour(locker: LockerOnChip) -> None:
    locker.do(on.Scanned(DELEGATE_TOKEN.encode()))
    close_all(locker)


def restart(locker: LockerOnChip) -> None:
    """As planned as a watchdog's."""
    if not locker.dead:
        locker.power_off()
        locker.power_on()
        online(locker)


_MORNING = [deposits, collects_and_looks_again, guesses, another_code, taken_back]
_NIGHT = [a_night_without_network, in_the_morning, a_door_jams, restart]
DAY = []
for _part in ([online, deposits, a_neighbour], _MORNING[1:], _NIGHT, _MORNING, [restart], _NIGHT, _MORNING):
    DAY.extend(_part)


def play(locker: LockerOnChip, first: int, last: int) -> None:
    """Scenes `first` to `last`, one day after the other."""
    for scene in range(first, last + 1):
        if locker.dead:
            return
        locker.scene = scene
        DAY[scene % len(DAY)](locker)


def end_of_day(scene: int) -> int:
    """The last scene of the day that this one belongs to."""
    return scene // len(DAY) * len(DAY) + len(DAY) - 1
