"""/operator/use: how full, when, how long, what failed: numbers of no person and no single parcel."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.compartments import AVAILABILITIES, SIZES
from gateway.limits import USE_DAYS
from gateway.services import fleet, lockers
from gateway.web.charts import busy_hours, heat, parts
from gateway.web.sessions import Operator
from gateway.web.showing import asked, desk_of, show

router = APIRouter()


@router.get("/operator/use")
def use_page(request: Request, who: Operator) -> Response:
    desk, locker = desk_of(request), asked(request, "locker")
    found = fleet.use(desk, who, locker or None)
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
    )
