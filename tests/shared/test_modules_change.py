"""A locker whose modules change: what it tells of itself, what it keeps of what is gone, what may not be changed."""

from rig import Rig, config
from test_agent_pickup import locker_with_parcel

from device.agent import door
from device.agent.books import QUARANTINED, Books
from device.agent.config import ConfigError
from device.agent.described import layout
from device.desk.fits import check, owners
from device.desk.look import doors_facts, facts
from device.desk.modules import change
from protocol import messages

ALL = [1, 2, 3]


def boxes(*row, pins=False):
    made = [{"number": number, "size": size, "lock": place + 1} for place, (number, size) in enumerate(row)]
    for box in made if pins else ():
        box["door"] = 100 + box["number"]
    return made


def document():
    return {
        "version": 1,
        "locker": "test-1",
        "generation": 1,
        "buses": [{"uart": 1}],
        "modules": [
            {"name": "A", "id": "KR-1", "driver": "cu16", "pulse_ms": 300, "compartments": boxes((1, "S"), (2, "M"))},
            {"name": "B", "compartments": boxes((3, "L"), (4, None), pins=True)},
        ],
        "retired": [80],
    }


def started_with(rig: Rig, present: "list[int]") -> Rig:
    rig.config = config(present, dict(rig.flash.trusted))
    rig.power_on()
    rig.connect()
    return rig


def refused(function, *arguments) -> str:
    try:
        function(*arguments)
    except ConfigError as error:
        return str(error)
    return ""


# ------------------------------------------------------------------ what is gone
def test_a_parcel_in_a_compartment_that_is_gone_stays_in_the_books_and_its_code_is_good_when_it_is_back():
    rig = started_with(locker_with_parcel(2), [1, 3])
    pulses = len(rig.pulses)
    assert facts(rig.agent, 0)["compartments"] == 2 and facts(rig.agent, 0)["held"] == 1
    rig.keys(rig.code(2, 1))
    assert len(rig.pulses) == pulses and "door_out_of_service" in rig.screens
    assert [2, "out_of_service", "held", []] in list(doors_facts(rig.agent))
    started_with(rig, ALL)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    assert rig.flash.events()[-1] == messages.Collected(2, 1)


def test_a_snapshot_keeps_what_is_gone_and_no_deposit_number_comes_twice():
    rig = locker_with_parcel(2)
    rig.keys(rig.code(2, 1))
    rig.push(2)
    without = Books.replay([1, 3], Books.replay(ALL, None, rig.flash.records).snapshot(), [])
    again = Books.replay(ALL, without.snapshot(), [])
    assert without.present == 2 and again.present == 3 and again.numbers == ALL
    assert again.deposit(1) == 1 and again.was_collected(1, 1)


def test_a_door_that_was_forced_before_its_module_went_is_offered_to_nobody_when_it_is_back():
    rig = Rig()
    rig.connect()
    rig.pull(2)  # nothing was ever inside, as far as the books know
    rig.push(2)
    without = Books.replay([1, 3], Books.replay(ALL, None, rig.flash.records).snapshot(), [])
    again = Books.replay(ALL, without.snapshot(), [])
    assert again.has(1, QUARANTINED) and not again.has(0, QUARANTINED)


def test_a_birth_speaks_of_the_compartments_that_there_are():
    rig = started_with(locker_with_parcel(2), [1, 3])
    assert rig.gateway.births[-1].doors == bytes([door.CLOSED, door.CLOSED])


def test_how_it_is_built_is_told_before_each_birth():
    rig = Rig()
    rig.agent.link.modules = layout(document())
    rig.connect()
    assert [up.modules for up in rig.gateway.heard(messages.Layout)] == [layout(document())]


# ------------------------------------------------------------------ what it tells
def test_a_layout_is_a_byte_a_compartment_where_numbers_follow_each_other():
    assert layout(document()) == (
        b"\x01A\x04KR-1\x02\x01\x41" + b"\x01B\x00\x02\x81\xc1" + b"\x00\x00\x01" + b"\xc0\x00\x50"
    )


def test_modules_that_cannot_be_told_apart_are_refused():
    twice = document()
    twice["modules"][1]["name"] = "A"
    assert refused(layout, twice) == "modules.name: must be each once"
    long = document()
    long["modules"][0]["id"] = "0123456789abc"
    assert refused(layout, long) == "modules.id: must be at most 12 letters"
    used = document()
    used["retired"] = [3]
    assert refused(layout, used) == "retired: must be numbers that no compartment has"


# ------------------------------------------------------------------ what is changed
def test_another_board_leaves_a_modules_compartments_as_they_are():
    new = document()
    change(new, ["replace", "A", "driver=cu48", "address=1", "locks=5-6"], 4)
    module = new["modules"][0]
    assert owners(new) == owners(document()) and "pulse_ms" not in module
    assert (module["driver"], module["address"], [box["lock"] for box in module["compartments"]]) == (
        "cu48",
        1,
        [5, 6],
    )
    assert [box["size"] for box in module["compartments"]] == ["S", "M"]


def test_a_module_on_pins_moves_to_a_board_and_forgets_its_pins():
    new = document()
    change(new, ["replace", "B", "driver=board8a", "uart=2", "baud=9600"], 4)
    assert new["buses"][1] == {"uart": 2, "baud": 9600} and new["modules"][1]["bus"] == 1
    assert new["modules"][1]["compartments"] == [
        {"number": 3, "size": "L", "lock": 1},
        {"number": 4, "size": None, "lock": 2},
    ]


def test_new_compartments_follow_the_highest_number_that_ever_was():
    new = document()
    change(new, ["add", "C", "driver=cu48", "address=2", "sizes=ssl", "id=KR-9"], 80)
    assert [(box["number"], box["size"], box["lock"]) for box in new["modules"][2]["compartments"]] == [
        (81, "S", 1),
        (82, "S", 2),
        (83, "L", 3),
    ]
    check(new, owners(document()), [1, 2, 3, 4])


def test_a_retired_modules_numbers_are_never_used_again():
    new = document()
    change(new, ["retire", "B"], 80)
    assert new["retired"] == [3, 4, 80] and len(new["modules"]) == 1
    check(new, owners(document()), [1])
    again = document()
    again["retired"] = []
    again["modules"][1]["compartments"][0]["number"] = 80
    assert refused(check, again, owners(document()), []).startswith("retired: must name 3")


def test_nothing_is_taken_away_over_a_parcel():
    new = document()
    change(new, ["retire", "B"], 80)
    assert refused(check, new, owners(document()), [4]) == "modules: a parcel is in 4, of B"


def test_a_number_does_not_move_to_another_modules_door():
    new = document()
    mine, theirs = new["modules"][0]["compartments"], new["modules"][1]["compartments"]
    mine[0]["number"], theirs[0]["number"] = 3, 1
    assert refused(check, new, owners(document()), []) == "modules: 1 is of KR-1; take a new number"


def test_whatever_is_typed_wrongly_is_named():
    for words, said in (
        (["swap", "A"], "module: add, replace or retire, and a name"),
        (["replace", "Z", "driver=cu48"], "name: there is no module Z; see module"),
        (["replace", "A", "drivr=cu48"], "drivr: must be one of the fields, with ="),
        (["replace", "A", "address=x"], "address: must be a number"),
        (["replace", "A", "driver=cu48", "locks=1,1"], "locks: must be 2 numbers, each once"),
        (["replace", "A", "driver=gpio"], "locks, doors: must name the pins"),
        (["add", "A", "sizes=S"], "name: there is a module A"),
        (["add", "C", "sizes=SX"], "sizes: must be like SSML, a letter a door"),
        (["retire", "A", "now=1"], "now: must be one of the fields, with ="),
    ):
        assert refused(change, document(), words, 4) == said
    broken = document()
    del broken["modules"][1]["compartments"][0]["door"]
    assert refused(check, broken, owners(document()), []).startswith("modules: ")
