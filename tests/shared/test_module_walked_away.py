"""A technician opens a door and never says what became of the parcel: nobody else comes in; there is a way back."""

import gc

from rig import Flash, Rig
from test_agent_power_cut import pick_up
from test_module_leaves import Visit, with_parcels
from tokens_of_rig import TECHNICIAN_TOKEN

from device.agent import events as on
from device.agent.books import LEAVING
from protocol import messages
from protocol.errors import number_of
from protocol.limits import CONSOLE_IDLE_MS
from protocol.numbers import FREE, HELD, REVOKED

_NEVER = 1_000_000
LOOK_FIRST = "ERR wrong_state first: module retire C 3"


def opened() -> Visit:
    """The module leaves; door 3 was opened for her and pushed shut again, and she has said nothing yet."""
    visit = with_parcels(3)
    visit.logs_in()
    visit.types("module retire C")
    visit.takes_out(3)
    assert visit.holding(3) == REVOKED
    return visit


def asks(visit: Visit, number: int) -> int:
    """The locker's answer to the gateway's order of another code, which names that deposit."""
    visit.rig.say(visit.rig.gateway.say(messages.Reissue(3, number)))
    ordered = [event for event in visit.rig.flash.events() if isinstance(event, messages.CommandDone) and event.issued]
    assert ordered[-1].order == messages.Reissue.TYPE
    return ordered[-1].code


def opens(visit: Visit, number: int) -> int:
    """How often that deposit's code opens its door."""
    before = len(visit.rig.pulses)
    visit.rig.keys("*" + visit.rig.code(3, number))
    visit.rig.wait(10_000)
    return len(visit.rig.pulses) - before


def test_while_she_is_there_the_operator_can_give_no_other_code_and_once_she_is_gone_they_can():
    with opened() as visit:
        for deposit in (1, 2, 3):
            assert asks(visit, deposit), "she may have it in her hands"
        assert visit.types("logout") == 'OK {"unsettled":3}'
        visit.rig.inside.add(3)  # she had left it inside
        assert opens(visit, 1) == 0
        assert asks(visit, 1) == number_of("spent"), "asked before the door was opened"
        assert asks(visit, 3) == number_of("spent")
        assert asks(visit, 2) == 0 and visit.holding(3) == HELD
        pick_up(visit.rig, 3, 2)
        assert isinstance(visit.rig.flash.events()[-1], messages.Collected)
        assert asks(visit, 3) == number_of("spent"), "nothing lies there"


def idles(rig: Rig) -> None:
    rig.wait(CONSOLE_IDLE_MS + 1_000)


def test_so_it_is_when_the_session_ends_by_itself_and_after_a_power_cut():
    for ends in (idles, Rig.power_on):
        with opened() as visit:
            ends(visit.rig)
            visit.rig.connect()
            assert visit.holding(3) == REVOKED and opens(visit, 1) == 0
            assert asks(visit, 2) == 0 and visit.holding(3) == HELD


def test_what_she_saw_of_a_door_ends_with_her_session():
    with opened() as visit:
        visit.types("logout")
        visit.logs_in()
        assert visit.types("module retire C 3 taken") == LOOK_FIRST
        visit.takes_out(3)
        assert visit.types("badge " + TECHNICIAN_TOKEN)[:3] == "OK ", "somebody else, at once"
        assert visit.types("module retire C 3 empty") == LOOK_FIRST
        visit.takes_out(3)
        visit.rig.do(on.Scanned(TECHNICIAN_TOKEN.encode()))
        assert visit.types("module retire C 3 taken") == LOOK_FIRST
        visit.takes_out(3)
        assert visit.types("module retire C 3 taken")[:3] == "OK " and visit.holding(3) == FREE
        assert visit.types("logout") == "OK {}"


def test_whoever_comes_back_says_it_even_though_the_module_has_stayed():
    with opened() as visit:
        visit.rig.inside.add(3)
        said = visit.types("module retire C cancel")
        assert said == 'OK {"leaving":null,"left":{"revoked":[3]},"next":"module retire C 3"}'
        visit.rig.power_on()
        visit.rig.connect()
        visit.logs_in()
        assert visit.types("module retire C 4") == "ERR wrong_state first: module retire C"
        assert visit.types("module retire C 3 left") == 'OK {"compartment":3,"left":{}}'
        assert visit.holding(3) == HELD and not visit.rig.agent.books.has(2, LEAVING)
        assert visit.types("module retire C 3 left") == "ERR wrong_state first: module retire C"
        pick_up(visit.rig, 3, 2)
        assert visit.rig.agent.openings.is_free(2)


def test_a_door_that_is_still_open_when_she_breaks_off_says_what_comes_next():
    with with_parcels(3) as visit:
        visit.logs_in()
        visit.types("module retire C")
        visit.types("module retire C 3")
        visit.rig.do(on.Typed(b"\x03"))
        assert visit.answer() == "ERR stopped push it shut, then module retire C 3"
        assert asks(visit, 2) == number_of("wrong_state")
        visit.types("logout")
        assert asks(visit, 2) == number_of("wrong_state"), "whoever stands at the open door is waited for"
        visit.rig.push(3)
        assert asks(visit, 2) == 0


def test_a_module_that_stays_is_taken_from_the_changes_put_beside_and_the_others_are_not():
    with Visit() as visit:
        path = visit.board.root + "/config.new"
        for before, after, said in (
            ("retire C\n", "", ',"staged":false'),
            ("replace A driver=cu16\nretire C\nretire CC\n", "replace A driver=cu16\nretire CC\n", ',"staged":true'),
            ("retire A\n", "retire A\n", ""),
            ('{"modules": []}', '{"modules": []}', ""),
        ):
            visit.logs_in()
            visit.types("module retire C")
            with open(path, "w") as file:
                file.write(before)
            assert visit.types("module retire C cancel") == 'OK {"leaving":null' + said + "}"
            assert visit.board.staged() == after


def cut_at(cut: int, records: "list[bytes]") -> "list[int]":
    """The power goes and she with it; the parcel has not been touched. Where else it may go."""
    flash = Flash()
    flash.records[:] = records
    flash.boots = 1
    with Visit(flash) as visit:
        rig = visit.rig
        rig.inside.add(3)
        rig.marks = []
        rig.cut_at = cut
        visit.logs_in()
        visit.types("module retire C")
        visit.types("module retire C 3")
        rig.push(3)
        rig.wait(400)
        marks = rig.marks
        rig.power_on()
        rig.connect()
        if not rig.closed[3]:
            rig.push(3)
        deposit = 1
        if visit.holding(3) == REVOKED:
            assert opens(visit, 1) == 0 and asks(visit, 2) == 0, cut
            deposit = 2
        pick_up(rig, 3, deposit)
        assert visit.holding(3) == FREE and 3 not in rig.inside, cut
        return marks


def test_wherever_the_power_goes_the_parcel_can_be_had_by_its_code_or_by_another():
    with with_parcels(3) as visit:
        records = list(visit.rig.flash.records)
    if hasattr(gc, "freeze"):  # CPython's collector would look through all that pytest has loaded, at each order
        gc.freeze()
    marks = cut_at(_NEVER, records)
    assert len(marks) > 5
    for cut in marks:
        cut_at(cut, records)
    if hasattr(gc, "unfreeze"):
        gc.unfreeze()
