"""What the pages of people who work here share: values in every template, ids and pages in addresses."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from gateway.domain.ids import NUMBER_MAX
from gateway.web.desk import desk_of
from gateway.web.drawing import SIGNS
from gateway.web.once import fresh
from gateway.web.pages import language_of, render, see
from gateway.words import LANGUAGES, Words, moments


def show(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """With `fresh` (the number of a form), `ago` and `span` (seconds in words), `now_s`, and `signs` (of states)."""
    language = language_of(request)
    now_s = desk_of(request).clock()

    def ago(when_s: int) -> str:
        return moments.ago(now_s - when_s, language)

    def span(seconds: int) -> str:
        return moments.span(seconds, language)

    return render(
        request, template, {"fresh": fresh, "ago": ago, "span": span, "now_s": now_s, "signs": SIGNS, **values}, status
    )


def instead(request: Request, path: str) -> Response:
    """For an address that only takes a form, when it is opened as a page: `path`, in the language asked for."""
    asked_for = request.query_params.get("lang", "")
    return see(f"{path}?lang={asked_for}" if asked_for in LANGUAGES else path)


def words_of(request: Request) -> Words:
    return language_of(request)


def before(request: Request) -> int | None:
    """Where a page of a list goes on; what is no number of ours is the first page."""
    said = request.query_params.get("before", "")
    number = int(said) if said.isascii() and said.isdecimal() and len(said) < 20 else 0
    return number if 0 < number <= NUMBER_MAX else None


def asked(request: Request, name: str) -> str:
    """A field of a search; empty if it was not given."""
    return request.query_params.get(name, "").strip()
