"""What is drawn of use and of places: the numbers are right, also at their edges, and all of it stays in its frame."""

from collections.abc import Iterator
from itertools import combinations
from math import hypot
from pathlib import Path

import pytest
from http_town import Town, open_locker, town
from pages_town import browser
from parcel_page import deposited, later

from gateway.domain.overview import inside_at
from gateway.domain.people import GATEWAY
from gateway.limits import OCCUPANCY_STEP_S, USE_DAYS
from gateway.services import fleet
from gateway.web.charts import HIGH, WIDE, plot
from gateway.web.mapping import HEIGHT, NEAR, WIDTH, place

DAY_S = 86_400


def test_a_parcel_counts_from_the_step_it_came_in_to_the_one_before_it_left() -> None:
    stays = [(-3, 1, 2), (0, None, 1), (1, 1, 5), (2, 3, 4), (3, None, 1), (9, None, 1)]
    assert inside_at(stays, 4) == [3, 1, 5, 2]
    assert inside_at([], 2) == [0, 0]


@pytest.mark.parametrize("numbers", [[], [0, 0], [1], [0.4, 7, 3], [48, 12_345]])
def test_a_drawing_stays_in_its_frame_and_its_scale_is_of_whole_numbers(numbers: list[float]) -> None:
    drawn = plot(numbers, most=4)
    assert len(drawn.bars) == len(numbers)
    for bar in drawn.bars:
        assert bar.x >= 0 and bar.x + bar.width <= WIDE and bar.y >= 0 and bar.y + bar.height <= HIGH + 0.1
    ticks = [number for number, _ in drawn.ticks]
    assert ticks[0] == 0 and ticks[-1] >= max([4, *numbers]) and 2 <= len(ticks) <= 7
    assert [y for _, y in drawn.ticks] == sorted((y for _, y in drawn.ticks), reverse=True)


@pytest.mark.parametrize(
    "points",
    [
        [(49.56, 3.62)],
        [(49.56, 3.62), (49.57, 3.64), (49.50, 3.60)],
        [(49.56, 3.62)] * 5,
        [(-60.0, -179.0), (70.0, 179.0)],
        [(90.0, 0.0), (89.0, 10.0)],
    ],
)
def test_a_map_is_to_scale_and_no_mark_hides_another(points: list[tuple[float, float]]) -> None:
    drawn = place(points)
    assert drawn is not None and len(drawn.marks) == len(points)
    for mark in drawn.marks:
        assert 0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT
    for here, there in combinations(drawn.marks, 2):
        assert hypot(here.x - there.x, here.y - there.y) >= NEAR - 0.01
    assert 0 < drawn.scale <= WIDTH / 2


def test_north_is_up_east_is_right_and_a_kilometre_is_one() -> None:
    drawn = place([(49.0, 3.0), (49.0 + 2_000 / 111_320, 3.0), (49.0, 3.05)])
    assert drawn is not None
    south, north, east = (mark.at for mark in drawn.marks)
    assert north[1] < south[1] and abs(north[0] - south[0]) < 0.01
    assert east[0] > south[0] and abs(east[1] - south[1]) < 0.01
    assert abs((south[1] - north[1]) / 2_000 - drawn.scale / drawn.scale_m) < 1e-6
    assert place([]) is None


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        open_locker(made)
        yield made


def test_the_days_of_a_locker_are_told_as_they_were(here: Town) -> None:
    deposited(here, "one")
    deposited(here, "two")
    later(here, 2 * DAY_S)
    here.collect("mairie-1", 1, 1)
    daily = fleet.days(here.desk, GATEWAY, "mairie-1")
    assert len(daily.days) == USE_DAYS and daily.doors == 3
    assert len(daily.inside) == (here.now[0] - daily.since_s) // OCCUPANCY_STEP_S + 1
    assert [day.most for day in daily.days[-4:]] == [0, 2, 2, 2]
    assert daily.days[-1].least == 1 and daily.inside[-1] == 1
    (day,) = [day for day in daily.days if day.collected]
    assert (day.day, day.waited_s) == (daily.days[-3].day, 2 * DAY_S), "told at the day of the deposit"
    nowhere = fleet.days(here.desk, GATEWAY)
    assert nowhere.inside == daily.inside
    page = browser(here).get("/operator/use?lang=en").text
    assert "Parcels in the lockers" in page and "2 d" in page
