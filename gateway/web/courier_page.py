"""What all of a courier's pages share: times of the day beside the words, and what a phone may keep of them.

A page with the header KEEP may be kept by the courier's service worker and shown again without a network, marked with
when it was made. Nothing else is kept: no proof, no running order, and no page of another role.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from gateway.web import pages
from gateway.web.desk import desk_of
from gateway.words.moments import here, time

KEEP = "Consigne-Keep"


def show(
    request: Request, template: str, values: Mapping[str, Any], status: int = 200, *, keep: bool = False
) -> Response:
    language = pages.language_of(request)

    def clock(seconds: int) -> str:
        return time(here(seconds), language)

    beside = {"clock": clock, "made_s": desk_of(request).clock()}
    answer = pages.render(request, template, {**beside, **values}, status)
    if keep and status == 200:
        answer.headers[KEEP] = "yes"
    return answer
