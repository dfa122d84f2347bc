"""Guided tours tick what happened, whoever did it and in whichever order, and nothing that did not."""

import random
from typing import Any

import pytest

from tools.demo.feed import Feed
from tools.demo.tour import TOURS, Tours, opened


@pytest.fixture
def feed() -> Feed:
    return Feed()


def cable(feed: Feed, cut: str) -> None:
    feed.tell("mairie-1", "state", cable=cut, compartments=[])


def books(feed: Feed, *states: str) -> None:
    places: list[dict[str, Any]] = [{"number": place, "state": state} for place, state in enumerate(states, 1)]
    feed.tell("mairie-1", "books", compartments=places)


@pytest.mark.parametrize("role", TOURS)
def test_the_steps_may_come_in_any_order_and_more_than_once(feed: Feed, role: str) -> None:
    tours = Tours(feed)
    steps = list(TOURS[role])
    random.Random(role).shuffle(steps)
    assert tours.standing(role) == []
    for step in [*steps, *steps]:
        tours.note(step.signs[0])
        assert step.name in tours.standing(role)
    assert tours.standing(role) == [step.name for step in TOURS[role]], "told in the order of the tour"


def test_what_makes_a_step_needless_ticks_it(feed: Feed) -> None:
    tours = Tours(feed)
    assert tours.begin("courier") == []
    feed.tell("mairie-1", "event", type="Deposited")
    assert tours.standing("courier") == ["keep", "label", "put_in"], "by hand, without a door kept before"


def test_what_happened_before_a_tour_began_is_no_step_of_it(feed: Feed) -> None:
    tours = Tours(feed)
    feed.tell("mairie-1", "event", type="Deposited")
    assert tours.standing("courier") == []
    feed.tell("mairie-1", "event", type="Deposited")
    assert tours.begin("courier") == [], "and a tour begins anew"


def test_a_cable_is_mended_only_where_it_was_cut_and_a_door_where_it_was_broken(feed: Feed) -> None:
    tours = Tours(feed)
    tours.begin("technician")
    tours.begin("operator")
    cable(feed, "none")
    books(feed, "free", "free")
    assert tours.standing("technician") == tours.standing("operator") == []
    cable(feed, "hole")
    books(feed, "fault", "free")
    assert tours.standing("technician") == ["cut"] and tours.standing("operator") == []
    cable(feed, "none")
    books(feed, "free", "free")
    assert tours.standing("technician") == ["cut", "mend"] and tours.standing("operator") == ["release"]


def test_the_console_has_answered_when_it_said_which_locker_it_is_in_however_many_pieces(feed: Feed) -> None:
    tours = Tours(feed)
    tours.begin("technician")
    feed.tell("mairie-1", "console", text='OK {"challenge":"5f"}\r\n')
    assert tours.standing("technician") == [], "a login is no status"
    for piece in ('OK {"lock', 'er":"mair', 'ie-1","alarms":0}'):
        feed.tell("mairie-1", "console", text=piece)
    assert tours.standing("technician") == ["status"]


def test_every_page_that_is_told_of_a_tour_hears_how_far_it_is(feed: Feed) -> None:
    tours = Tours(feed)
    heard: list[Any] = []
    feed.listen(lambda _locker, event, fields: heard.append(fields["done"]) if event == "tour" else None)
    tours.begin("recipient")
    for path in ("/mailbox-is-ours", "/operator"):
        tours.note(opened(path))
    tours.note("opened:letter")
    assert heard == [[], ["letter", "page"]]
    assert tours.news() == [{"locker": "", "event": "tour", "role": "recipient", "done": ["letter", "page"]}]
