"""Problems: the one shape of every refusal (RFC 9457), with a stable `code` and what to do next.

A detail never repeats what the caller sent: bodies hold names, secrets and codes.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Response
from pydantic import Field

from gateway.http.document import Document

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:consigne:problem:"

# code -> (status, what the caller can do). Codes that a use case raises and that are not here are conflicts (409).
KNOWN: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "malformed": (400, ("Send the body as one JSON object in UTF-8.",)),
    "idempotency_key_missing": (
        400,
        ("Send a new random Idempotency-Key header with every act, the same on a retry.",),
    ),
    "idempotency_key_bad": (400, ("Use 1 to 255 printable ASCII characters, a random UUID for example.",)),
    "unauthenticated": (
        401,
        ("Send the header 'Authorization: Bearer SECRET' with a secret that was issued to you.",),
    ),
    "not_allowed": (403, ("Ask the operator for a credential with the scope that is named.",)),
    "no_contract": (403, ("Ask the operator for a contract with this carrier.",)),
    "not_found": (404, ("Check the address; /openapi.json lists every one.",)),
    "unknown_locker": (404, ("List the lockers with GET /v1/lockers.",)),
    "unknown_compartment": (404, ("List them with GET /v1/lockers/{locker}/compartments.",)),
    "unknown_parcel": (404, ("List your parcels with GET /v1/parcels.",)),
    "unknown_operation": (404, ("Use the operation id that the 202 answer gave.",)),
    "unknown_badge": (404, ("Check the badge id.",)),
    "unknown_delegation": (404, ("List them with GET /v1/parcels/{parcel}/delegations.",)),
    "unknown_credential": (404, ("Check the credential id.",)),
    "unknown_key": (404, ("List the signing keys with GET /v1/keys.",)),
    "unknown_report": (404, ("List them with GET /v1/reports.",)),
    "unknown_erasure": (404, ("Ask for it with POST /v1/privacy/erasures.",)),
    "unknown_page": (404, ("Open the link from the message, whole.",)),
    "unknown_webhook": (404, ("List yours with GET /v1/webhooks.",)),
    "unknown_opening": (404, ("Ask for the door anew.",)),
    "unknown_alarm": (404, ("List the alarms.",)),
    "method_not_allowed": (405, ("Use one of the methods in the Allow header.",)),
    "timeout": (408, ("Send the request again, with its whole body at once.",)),
    "already_exists": (409, ("Read the one that exists, or choose another name.",)),
    "label_contested": (409, ("Let the carrier announce it: its word decides.",)),
    "busy": (409, ("The same request is being carried out: wait a second and send it again unchanged.",)),
    "no_room": (409, ("Try another locker, a smaller size, or again after the next pickup.",)),
    "locker_offline": (409, ("Try again once the locker is heard of.",)),
    "lockers_not_ready": (409, ("Bring the lockers that are named online, and ask again.",)),
    "keys_in_environment": (409, ("Set the variables that are named, and start the gateway again.",)),
    "no_scanner": (409, ("Let the recipient share the pickup code: it is typed at the locker.",)),
    "wrong_state": (409, ("Read it again and act on what it says now.",)),
    "same_person": (409, ("Let somebody with another key confirm it.",)),
    "too_late": (409, ("Ask for it anew.",)),
    "too_large": (413, ("Send less in one request.",)),
    "unsupported_media_type": (415, ("Send 'Content-Type: application/json'.",)),
    "bad_value": (422, ("Correct the fields that are named and send it again.",)),
    "bad_receipt": (422, ("Scan the QR code, or check the label, the size and the locker.",)),
    "idempotency_key_reused": (422, ("Use a new Idempotency-Key for another request.",)),
    "rate_limited": (429, ("Wait as Retry-After says and send it again.",)),
    "internal": (500, ("Send it again with the same Idempotency-Key; if it stays, give the operator the instance.",)),
    "too_many_streams": (
        503,
        ("Close a stream that you no longer read.", "Or ask GET /v1/events from resume_cursor every few seconds."),
    ),
    "unavailable": (503, ("Send it again in a few seconds with the same Idempotency-Key.",)),
}
FALLBACK_STATUS = 409
SOON = ("busy", "too_many_streams", "unavailable")  # the same request may be good a second later
# What the framework says with a status alone.
CODE_OF_STATUS = {400: "malformed", 401: "unauthenticated", 403: "not_allowed", 404: "not_found"} | {
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    422: "bad_value",
    429: "rate_limited",
    503: "unavailable",
}


class FieldError(Document):
    """One field that broke the schema."""

    field: str = Field(description="Where: body.modules.0.name, query.limit, path.number, header.…")
    problem: str = Field(description="What is wrong with it, without its value.")


class Problem(Document):
    """RFC 9457 problem details. `code` is stable; `detail` is for people."""

    type: str = Field(description="urn:consigne:problem:<code>")
    title: str
    status: int = Field(ge=400, le=599)
    code: str
    detail: str
    instance: str = Field(description="This very request, for the operator's log.")
    next_actions: list[str]
    errors: list[FieldError] = Field(default=[], description="The fields at fault, when the schema was broken.")


def status_of(code: str) -> int:
    return KNOWN[code][0] if code in KNOWN else FALLBACK_STATUS


def problem(
    request_id: str, code: str, detail: str, next_actions: Sequence[str] = (), errors: Sequence[FieldError] = ()
) -> Problem:
    status = status_of(code)
    return Problem(
        type=TYPE_PREFIX + code,
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        instance=f"urn:consigne:request:{request_id}",
        next_actions=list(next_actions or (KNOWN[code][1] if code in KNOWN else ())),
        errors=list(errors),
    )


def encode(said: Problem) -> bytes:
    fields = said.model_dump()
    if not said.errors:
        del fields["errors"]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def answer(said: Problem, headers: Mapping[str, str] | None = None) -> Response:
    sent = dict(headers or {})
    if said.code in SOON:
        sent["Retry-After"] = "1"
    if said.status == 401:
        sent["WWW-Authenticate"] = 'Bearer realm="consigne"'
    return Response(encode(said), status_code=said.status, media_type=MEDIA_TYPE, headers=sent)


WHEN: Mapping[str, Any] = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
    "RateLimit": {
        "description": "What is left, as in every answer to a key: `r` requests; `t` seconds until it is all there.",
        "schema": {"type": "string", "examples": ['"key";r=0;t=20']},
    },
    "RateLimit-Policy": {
        "description": "`q` requests in `w` seconds; of this `key`, or of the `address` while no good key is shown.",
        "schema": {"type": "string", "examples": ['"key";q=2000;w=20']},
    },
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem answers of a route, for the OpenAPI document."""
    shape: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    said: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: shape}} for status in statuses
    }
    if 429 in said:
        said[429]["headers"] = WHEN
    return said
