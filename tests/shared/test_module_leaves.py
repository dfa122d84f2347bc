"""A module is led out: nothing is put in any more, customers fetch as ever, a technician takes out the rest."""

import os
from binascii import hexlify

from rig import KEY, Flash, Rig
from test_agent_power_cut import check, deposit, pick_up
from tokens_of_rig import COURIER_TOKEN

from device.agent import effects as do
from device.agent import events as on
from device.agent.books import LEAVING, QUARANTINED
from device.agent.described import layout
from device.desk.left import numbers_of
from protocol import messages
from protocol.keys import console_answer
from protocol.limits import CONSOLE_GONE_MS, CONSOLE_IDLE_MS, DOOR_PUSH_WAIT_MS, REOPEN_MS
from protocol.numbers import FREE, HELD, LEAVES, LEAVING_FLAG, REVOKED, STAYS

NUMBERS = [1, 2, 3, 4]
_NEVER = 1_000_000
MODULES = [
    {"name": "A", "id": "KR-1", "compartments": [{"number": 1}, {"number": 2}]},
    {"name": "C", "compartments": [{"number": 3, "size": "S"}, {"number": 4}]},
]


class Board:
    """What the desk asks of a board; its flash is a folder."""

    language = "en"
    screens = "/there are none"
    trial = None
    paused = False

    def __init__(self) -> None:
        self.root = (os.getenv("TMPDIR") or "/tmp") + "/module-" + str(hexlify(os.urandom(6)), "ascii")
        os.mkdir(self.root)
        self.modules = layout({"modules": MODULES, "retired": [9]})
        self.console = self

    def staged(self) -> str:
        try:
            with open(self.root + "/config.new") as file:
                text = file.read()
        except OSError:
            return ""
        os.remove(self.root + "/config.new")
        return text

    def close(self) -> None:
        self.staged()
        os.rmdir(self.root)


class Marked(Rig):
    """Notes which of its effects leave something behind: what is in between can be cut anywhere alike."""

    def __init__(self, numbers: "list[int]", flash: "Flash | None", watched: "set[int] | None") -> None:
        self.marks: "list[int]" = []
        Rig.__init__(self, numbers, flash, watched=watched)

    def _perform_one(self, effect: "object") -> None:
        if isinstance(effect, (do.Save, do.Pulse)):
            self.marks.append(_NEVER - 1 - self.cut_at)
        Rig._perform_one(self, effect)


class Visit:
    """A technician at a locker of two modules, with the rig's customers and couriers around."""

    def __init__(self, flash: "Flash | None" = None, watched: "set[int] | None" = None) -> None:
        self.rig = Marked(NUMBERS, flash, watched=watched)
        self.board = Board()

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_error: object) -> None:
        self.board.close()

    def answer(self) -> str:
        """The last one on the screen."""
        lines = [line for line in self.rig.written.split(b"\r\n") if line[:3] == b"OK " or line[:4] == b"ERR "]
        return str(lines[-1], "ascii") if lines else ""

    def types(self, line: str) -> str:
        rig = self.rig
        rig.agent.console.board = self.board
        rig.written = b""
        rig.do(on.Typed(line.encode() + b"\r"))
        while not rig.dead and rig.agent.deadline_ms(rig.now) <= rig.now:
            rig.do(on.Ticked())
        return self.answer()

    def logs_in(self) -> "Visit":
        challenge = self.types("login anna")[17:33]
        if challenge:
            self.types("answer " + console_answer(KEY, bytes.fromhex(challenge), "anna"))
        return self

    def takes_out(self, number: int, closing: bool = True) -> str:
        """Opens it, has what is inside in her hands, and pushes it shut."""
        rig = self.rig
        self.types(f"module retire C {number}")
        if not rig.closed[number]:
            rig.inside.discard(number)
            if closing:
                rig.push(number)
        for _lap in range(5):
            rig.wait(200)
        return self.answer()

    def holding(self, number: int) -> int:
        place = self.rig.agent.books.place(number)
        assert place is not None
        return self.rig.agent.books.holdings[place]

    def done(self) -> "list[messages.Message]":
        """What she has ordered."""
        events = self.rig.flash.events()
        return [event for event in events if isinstance(event, messages.CommandDone) and not event.issued]


def with_parcels(*numbers: int) -> Visit:
    visit = Visit()
    visit.rig.connect()
    for number in numbers:
        deposit(visit.rig, number, 100 + number)
        assert visit.holding(number) == HELD
    return visit


def asks(rig: Rig, number: int) -> int:
    """A courier asks, and the gateway, which has not heard yet, names that door. How often it opened."""
    before = len(rig.pulses)
    rig.do(on.Scanned(COURIER_TOKEN.encode()))
    rig.do(on.Scanned(b"PARCEL"))
    request = rig.gateway.heard(messages.DepositRequested)[-1].request
    rig.say(rig.gateway.say(messages.Assign(rig.agent.boot, request, number, 99)))
    rig.keys("**")
    return len(rig.pulses) - before


def test_a_module_of_a_layout_is_found_by_its_name():
    modules = list(MODULES)
    modules.append({"name": "CC", "compartments": [{"number": 70}, {"number": 200}]})
    told = layout({"modules": modules})
    assert [numbers_of(told, name) for name in ("A", "C", "CC", "B", "")] == [[1, 2], [3, 4], [70, 200], [], []]
    assert numbers_of(layout({"modules": MODULES, "retired": [9]}), "") in ([], [9])


def test_nothing_is_put_into_a_module_that_leaves_and_what_is_inside_is_fetched_with_its_code():
    with with_parcels(1, 3) as visit:
        visit.logs_in()
        said = visit.types("module retire C")
        assert said == 'OK {"leaving":"C","left":{"held":[3]},"next":"module retire C 3"}'
        assert asks(visit.rig, 4) == 0
        assert visit.rig.flash.events()[-1].code
        visit.rig.power_on()
        visit.rig.connect()
        assert asks(visit.rig, 4) == 0, "a restart changes nothing"
        assert [door & LEAVING_FLAG for door in visit.rig.gateway.births[-1].doors] == [0, 0, 64, 64]
        pick_up(visit.rig, 3, 1)
        assert visit.holding(3) == FREE and asks(visit.rig, 3) == 0
        assert asks(visit.rig, 2) == 1, "the other module works on"


def test_offline_too_and_when_it_is_empty_the_change_is_put_beside_as_ever():
    with Visit() as visit:
        visit.logs_in()
        said = visit.types("module retire C")
        assert said == 'OK {"next":"config try","staged":true}' and visit.board.staged() == "retire C\n"
        choices = [place for place in range(4) if visit.rig.agent.openings.is_free(place)]
        assert choices == [0, 1]
        assert visit.done() == [
            messages.CommandDone(bytes([0, 0, 0, 1, 0, 0, 0, seq]), 0, 0, 21, number, LEAVES)
            for number, seq in ((3, visit.rig.agent.books.seq - 1), (4, visit.rig.agent.books.seq))
        ]
        visit.types("module retire C")
        assert len(visit.done()) == 2, "said once"
        visit.types("module retire C")
        assert visit.types("module retire C cancel") == 'OK {"leaving":null,"staged":false}'
        assert not visit.board.staged(), "nothing is put beside any more"
        assert visit.done()[-1].value == STAYS
        assert all([visit.rig.agent.openings.is_free(place) for place in range(4)])


def test_a_technician_takes_a_parcel_out_and_its_code_ends_before_the_door_opens():
    with with_parcels(3, 4) as visit:
        visit.logs_in()
        visit.types("module retire C")
        rig = visit.rig
        visit.types("module retire C 3")
        assert rig.pulses[-1] == 3 and visit.holding(3) == REVOKED
        names = [type(event).__name__ for event in rig.flash.events()][-4:]
        assert names == ["ServiceActed", "CommandDone", "OpeningAuthorised", "DoorOpened"]
        pulses = len(rig.pulses)
        rig.keys(rig.code(3, 1))
        assert len(rig.pulses) == pulses, "its customer comes just then"
        rig.inside.discard(3)
        rig.push(3)
        rig.wait(400)
        assert visit.answer() == 'OK {"compartment":3,"next":"module retire C 3 taken|left|empty"}'
        said = visit.types("module retire C 3 taken")
        assert said == 'OK {"compartment":3,"left":{"held":[4]},"next":"module retire C 4"}'
        assert visit.done()[-1].value == 1 and visit.holding(3) == FREE
        assert not rig.agent.openings.is_free(rig.agent.books.place(3)), "and nothing is put in any more"
        assert rig.flash.events()[-2] == messages.ServiceActed("anna", "module retire C 3 taken")
        rig.wait(10_000)
        pick_up(rig, 4, 1)
        assert visit.types("module retire C") == 'OK {"next":"config try","staged":true}'
        heard = [messages.encode(up) for up in rig.gateway.up if up.seq]
        assert heard == rig.flash.records


def test_what_stays_inside_after_all_has_another_code():
    with with_parcels(3) as visit:
        visit.logs_in()
        visit.types("module retire C")
        visit.takes_out(3)
        visit.rig.inside.add(3)
        said = visit.types("module retire C 3 left")
        assert (
            said == 'OK {"compartment":3,"left":{"held":[3]},"next":"module retire C 3"}' and visit.holding(3) == HELD
        )
        pulses = len(visit.rig.pulses)
        visit.rig.keys(visit.rig.code(3, 1))
        assert len(visit.rig.pulses) == pulses
        assert "first: module retire C 3" in visit.types("module retire C 3 taken"), "not without a look"
        visit.rig.wait(10_000)
        pick_up(visit.rig, 3, 2)
        assert isinstance(visit.rig.flash.events()[-1], messages.Collected)


def test_nothing_is_believed_of_a_door_that_was_not_seen_to_open_and_close():
    with with_parcels(3) as visit:
        visit.logs_in()
        assert "first: module retire C" in visit.types("module retire C 3"), "the module first"
        visit.types("module retire C")
        for word in ("taken", "empty"):
            assert visit.types(f"module retire C 3 {word}") == "ERR wrong_state first: module retire C 3"
        assert "taken, left or empty" in visit.types("module retire C 3 gone")
        assert "nothing is in there" in visit.types("module retire C 4")
        for wrong in ("module retire C 1", "module retire C x", "module retire B"):
            assert visit.types(wrong)[:13] == "ERR bad_value", wrong
        visit.takes_out(3, closing=False)
        visit.rig.wait(DOOR_PUSH_WAIT_MS)
        assert visit.answer()[:14] == "ERR not_closed"
        assert visit.types("module retire C 3 taken")[:15] == "ERR wrong_state" and visit.holding(3) == REVOKED
        visit.rig.jammed.add(3)
        visit.rig.push(3)
        visit.types("module retire C 3")
        visit.rig.wait(7_000)
        assert visit.answer()[:10] == "ERR jammed"
        assert visit.types("module retire C 3 taken")[:2] == "OK", "its switch shows nothing: her word counts"


def test_what_was_seen_of_a_door_counts_no_more_once_the_module_has_stayed():
    """Whatever is behind that door later is another parcel."""
    with with_parcels(3) as visit:
        rig = visit.rig
        visit.logs_in()
        visit.types("module retire C")
        visit.takes_out(3)
        visit.types("module retire C cancel")
        rig.say(rig.gateway.say(messages.Release(3)))
        deposit(rig, 3, 203)
        visit.types("module retire C")
        assert visit.types("module retire C 3 taken") == "ERR wrong_state first: module retire C 3"
        rig.wait(10_000)
        pick_up(rig, 3, 2)
        assert isinstance(rig.flash.events()[-1], messages.Collected)


def test_what_the_books_do_not_know_is_for_the_operator():
    with with_parcels(3) as visit:
        visit.logs_in()
        visit.types("module retire C")
        visit.takes_out(3)
        visit.types("module retire C 3 empty")
        assert visit.rig.flash.events()[-1] == messages.ContentsDoubted(3, 1), "a parcel is missing"
        visit.rig.pull(4)
        visit.rig.push(4)
        assert (
            visit.types("module retire C")
            == 'OK {"leaving":"C","left":{"quarantined":[3,4]},"next":"module retire C 3"}'
        )
        visit.takes_out(4)
        visit.types("module retire C 4 taken")
        assert visit.rig.flash.events()[-1] == messages.ContentsDoubted(4, 0), "it was nobody's"
        visit.takes_out(4)
        assert (
            visit.types("module retire C 4 empty")
            == 'OK {"compartment":4,"left":{"quarantined":[3]},"next":"module retire C 3"}'
        )
        assert visit.done()[-1].value == 0


def test_an_occupancy_sensor_has_its_word_too():
    with Visit(watched={3}) as visit:
        rig = visit.rig
        rig.connect()
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
        rig.do(on.Scanned(b"PARCEL"))
        rig.say(rig.gateway.say(messages.Assign(1, 1, 3, 103)))
        rig.put(3, True)
        rig.push(3)
        rig.wait(2_000)
        visit.logs_in()
        visit.types("module retire C")
        visit.takes_out(3)
        rig.put(3, True)
        rig.wait(2_000)
        visit.types("module retire C 3 taken")
        rig.wait(2_000)
        assert (
            visit.types("module retire C")
            == 'OK {"leaving":"C","left":{"quarantined":[3]},"next":"module retire C 3"}'
        )
        assert rig.agent.books.has(2, QUARANTINED), "something is in there"


def test_whoever_stands_at_a_door_is_waited_for():
    with with_parcels(3) as visit:
        rig = visit.rig
        rig.do(on.Scanned(COURIER_TOKEN.encode()))
        rig.do(on.Scanned(b"PARCEL"))
        request = rig.gateway.heard(messages.DepositRequested)[-1].request
        rig.say(rig.gateway.say(messages.Assign(1, request, 4, 104)))
        rig.keys(rig.code(3, 1))
        assert rig.closed[3] or rig.closed[4], "one person at a time"
        visit.logs_in()
        assert visit.types("module retire C")[:55] == 'OK {"leaving":"C","left":{"busy":[4],"held":[3]},"next"'
        assert visit.types("module retire C 4") == "ERR wrong_state somebody is at door 4; wait"
        rig.inside.add(4)
        rig.push(4)
        assert visit.holding(4) == HELD, "what was begun is ended"
        assert visit.rig.agent.books.flags[3] == LEAVING
        rig.keys("*" + rig.code(4, 1))
        assert visit.types("module retire C 4") == "ERR wrong_state somebody is at door 4; wait"
        assert visit.types("module retire C 4 taken")[:15] == "ERR wrong_state"
        rig.push(4)
        assert visit.holding(4) == FREE


def test_that_a_module_leaves_is_listed_in_the_technicians_language():
    with Visit() as visit:
        path = visit.board.root + "/config.json"
        with open(path, "w") as file:
            file.write(
                '{"modules":[{"name":"A","compartments":[{"number":1}]},{"name":"C","compartments":[{"number":3}]}]}'
            )
        visit.logs_in()
        visit.types("module retire C")
        for language, row in (("fr", b"gpio, ok, sur le depart\r\n"), ("en", b"gpio, ok, leaving\r\n")):
            visit.types("language " + language)
            visit.types("module")
            assert row in visit.rig.written and visit.rig.written.count(b"gpio, ok\r\n") == 1
        os.remove(path)


def test_the_only_module_of_a_locker_stays():
    with Visit() as visit:
        visit.board.modules = layout({"modules": [{"name": "C", "compartments": [{"number": n} for n in NUMBERS]}]})
        visit.logs_in()
        assert visit.types("module retire C") == "ERR bad_value it is the only module: first module add"
        assert visit.done() == []


def day(visit: Visit) -> None:
    """From the first word to the last parcel; a dead locker just stands there."""
    rig = visit.rig
    visit.logs_in()
    visit.types("module retire C")
    pick_up(rig, 4, 1)
    visit.takes_out(3)
    visit.types("module retire C 3 taken")
    visit.types("module retire C")


def cut_at(cut: int, records: "list[bytes]") -> "list[int]":
    """What must hold afterwards is checked. Where else the power may go."""
    flash = Flash()
    flash.records[:] = records
    flash.boots = 1
    with Visit(flash) as visit:
        rig = visit.rig
        rig.inside.update((1, 3, 4))
        rig.marks = []
        rig.cut_at = cut
        day(visit)
        marks = rig.marks
        saved = list(rig.flash.records)
        visit.board.staged()
        rig.power_on()
        check(rig, saved)
        for number in NUMBERS:
            if not rig.closed[number]:
                rig.push(number)
        assert visit.holding(1) == HELD
        for number in (3, 4):
            if visit.holding(number) == HELD:
                place = rig.agent.books.place(number)
                assert number in rig.inside or rig.agent.books.has(place, QUARANTINED), "or somebody is to look"
        visit.logs_in()
        visit.types("module retire C")
        for number in (3, 4):
            place = rig.agent.books.place(number)
            assert not rig.agent.openings.is_free(place)
            if visit.holding(number) != FREE or rig.agent.books.has(place, QUARANTINED):
                was_free = visit.holding(number) == FREE
                visit.takes_out(number)
                visit.types(f"module retire C {number} " + ("empty" if was_free else "taken"))
        assert visit.types("module retire C") == 'OK {"next":"config try","staged":true}', cut
        rig.connect()
        rig.wait(60_000)
        assert [messages.encode(up) for up in rig.gateway.up if up.seq] == rig.flash.records
        rig.wait(REOPEN_MS)
        pulses = len(rig.pulses)
        for number in (3, 4):
            rig.keys(rig.code(number, 1))
            rig.wait(10_000)
        assert len(rig.pulses) == pulses, "a code of what was taken out opens nothing"
        pick_up(rig, 1, 1)
        assert visit.holding(1) == FREE
        return marks


def test_the_power_goes_at_every_effect_and_no_parcel_is_lost_from_the_books():
    with with_parcels(1, 3, 4) as visit:
        records = list(visit.rig.flash.records)
    marks = cut_at(_NEVER, records)
    assert len(marks) > 20
    for cut in marks:
        cut_at(cut, records)


def test_a_technician_who_walks_away_leaves_the_module_leaving():
    with with_parcels(3) as visit:
        visit.logs_in()
        visit.types("module retire C")
        visit.rig.wait(CONSOLE_IDLE_MS + CONSOLE_GONE_MS + 1_000)
        assert visit.rig.agent.console.desk is None and visit.types("module retire C")[:15] == "ERR not_allowed"
        assert asks(visit.rig, 4) == 0
