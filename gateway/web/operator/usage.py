"""/operator/use: how full, when, how long, what failed: numbers of no person and no single parcel."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.compartments import AVAILABILITIES, SIZES
from gateway.domain.overview import Days
from gateway.limits import USE_DAYS
from gateway.services import fleet, lockers
from gateway.web.charts import Plot, busy_hours, heat, parts, plot
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show, words_of
from gateway.words import moments

router = APIRouter()
_HOUR_S = 3_600


@router.get("/operator/use")
def use_page(request: Request, who: Operator) -> Response:
    desk, locker = desk_of(request), asked(request, "locker")
    found = fleet.use(desk, who, locker or None)
    daily = fleet.days(desk, who, locker or None)
    hours = busy_hours(found.deposits)
    return show(
        request,
        "operator/use.html",
        use=found,
        lockers=lockers.list_lockers(desk, who),
        locker=locker,
        days=USE_DAYS,
        hours=hours,
        heat=heat(found.deposits, hours),
        sizes=[size for size in SIZES if size in found.occupancy],
        states=AVAILABILITIES,
        parts=parts,
        daily=daily,
        plots=_plots(daily),
        dates=[moments.date(day.day, words_of(request)) for day in daily.days],
    )


def _plots(daily: Days) -> dict[str, Plot]:
    """Parcels inside against the doors there are; hours that half of them waited; alarms."""
    return {
        "inside": plot(daily.inside, daily.doors),
        "waited": plot([(day.waited_s or 0) / _HOUR_S for day in daily.days]),
        "failed": plot([day.failures for day in daily.days]),
    }
