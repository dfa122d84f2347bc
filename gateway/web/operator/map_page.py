"""/operator/map: where lockers stand and how they are, drawn from their coordinates; and the same as a list."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.overview import Glance
from gateway.domain.sites import Site
from gateway.limits import FLEET_ROWS_MAX
from gateway.services import fleet
from gateway.web.charts import parts
from gateway.web.mapping import place
from gateway.web.sessions import Operator
from gateway.web.showing import desk_of, show

router = APIRouter()


@router.get("/operator/map")
def map_page(request: Request, who: Operator) -> Response:
    found = fleet.mapped(desk_of(request), who)[:FLEET_ROWS_MAX]
    here = [(glance, site) for glance, site in found if site.latitude is not None]
    drawn = place([(site.latitude or 0.0, site.longitude or 0.0) for _, site in here])
    return show(
        request,
        "operator/map.html",
        map=drawn,
        marks=list(zip(drawn.marks if drawn else (), here, strict=True)),
        nowhere=[glance for glance, site in found if site.latitude is None],
        look=_look,
        parts=parts,
    )


def _look(glance: Glance, _site: Site | None = None) -> str:
    """A class of the style sheet, and a key of words."""
    if not glance.alive:
        return "silent"
    return "alarmed" if glance.alarms else "well"
