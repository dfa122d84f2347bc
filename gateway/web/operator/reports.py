"""/operator/reports: what recipients said is wrong: who sees to it, what the locker noted, and what was found."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.ids import parcel_id, report_number
from gateway.limits import PAGE_SIZE
from gateway.services import parcels, reports
from gateway.web import sentences
from gateway.web.forms import Posted
from gateway.web.once import once
from gateway.web.sessions import Operator
from gateway.web.showing import asked, before, desk_of, show, words_of

router = APIRouter()
PLACE = "/operator/reports"


def report_path(report: str) -> str:
    return f"{PLACE}/{report}"


@router.get(PLACE)
def reports_page(request: Request, who: Operator) -> Response:
    """`?all=1`: the closed ones too."""
    everything = bool(asked(request, "all"))
    found, following = reports.list_reports(desk_of(request), who, not everything, before(request), PAGE_SIZE)
    more = "all=1&" if everything else ""
    return show(
        request,
        "operator/reports.html",
        reports=found,
        everything=everything,
        onward=None if following is None else f"{PLACE}?{more}before={following}",
    )


@router.get(PLACE + "/{report}")
def report_page(request: Request, who: Operator, report: str) -> Response:
    desk, words = desk_of(request), words_of(request)
    found, events = reports.get_report(desk, who, report_number(report))
    return show(
        request,
        "operator/report.html",
        report=found,
        parcel=parcels.get_parcel(desk, who, found.parcel),
        parcel_id=parcel_id(found.parcel),
        events=[(event.taken_s, sentences.event(event, words)) for event in events],
        base=report_path(found.id),
        may_act=found.closed_s is None and "parcels:write" in who.scopes,
    )


@router.post(PLACE + "/{report}/owner")
def look_after(request: Request, who: Operator, form: Posted, report: str) -> Response:
    number = report_number(report)
    return once(request, who, form, lambda: report_path(reports.look_after(desk_of(request), who, number).id))


@router.post(PLACE + "/{report}/closing")
def close(request: Request, who: Operator, form: Posted, report: str) -> Response:
    """With `reason`: what was found."""
    number = report_number(report)
    return once(
        request,
        who,
        form,
        lambda: report_path(reports.close_report(desk_of(request), who, number, form["reason"]).id),
    )
