"""Forms: what a browser posts, within limits, and only from pages of ours."""

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from gateway import limits
from gateway.asgi import RequestError

MEDIA_TYPE = "application/x-www-form-urlencoded"


def from_our_pages(request: Request) -> None:
    """A dependency of every act: no other site can make a signed-in browser post to us.

    Sec-Fetch-Site is the browser's own word (W3C Fetch Metadata); older browsers say at least Origin.
    Raises RequestError("not_allowed").
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        good = site in ("same-origin", "none")
    else:
        good = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not good:
        raise RequestError("not_allowed", "This form was sent from another site.")


class Form(dict[str, str]):
    """Fields by name; of a field sent twice, the last. A field that is not there reads as empty."""

    def __missing__(self, _name: str) -> str:
        return ""


async def _form(request: Request) -> Form:
    """Raises RequestError: malformed."""
    from_our_pages(request)
    try:
        text = (await request.body()).decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=limits.FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise RequestError("malformed", "The form cannot be read.")
    return Form((name, value.strip()) for name, value in pairs)


Posted = Annotated[Form, Depends(_form)]
