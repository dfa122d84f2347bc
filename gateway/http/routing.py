"""What the routes share: their documented problems, the parameters of lists, and opaque cursors."""

import re
from typing import Annotated, Any

from fastapi import Path, Query

from gateway import limits
from gateway.asgi import RequestError
from gateway.domain.ids import NUMBER_MAX
from gateway.http import problems
from gateway.http.schemas import Number

READ = problems.responses(401, 403, 404, 422, 429, 500, 503)
ACT = problems.responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503)
PUBLIC: dict[str, Any] = {"security": []}

LockerPath = Annotated[str, Path(max_length=64, description="The locker's id.", examples=["mairie-1"])]
ParcelPath = Annotated[str, Path(max_length=64, description="par_…")]
OperationPath = Annotated[str, Path(max_length=64, description="op_…")]
CredentialPath = Annotated[str, Path(max_length=64, description="cred_…")]
BadgePath = Annotated[str, Path(max_length=64, description="16 hex digits.")]
KeyPath = Annotated[str, Path(max_length=64, description="8 hex digits.", examples=["1a2b3c4d"])]
DelegationPath = Annotated[str, Path(max_length=64, description="16 hex digits.")]
WebhookPath = Annotated[str, Path(max_length=64, description="wh_…")]
NumberPath = Annotated[Number, Path(description="The number on the door.")]
Limit = Annotated[int, Query(ge=1, le=limits.PAGE_SIZE_MAX, description="Rows at most.")]
CURSOR = r"^c[0-9a-f]{1,16}$"
Cursor = Annotated[
    str | None,
    Query(
        max_length=limits.CURSOR_SIZE_MAX,
        description="`next_cursor` of the page before; opaque.",
        json_schema_extra={"pattern": CURSOR},
    ),
]


def cursor_text(position: int | None) -> str | None:
    return None if position is None else f"c{position:x}"


def cursor_position(cursor: str | None) -> int:
    """Raises RequestError("bad_value")."""
    if cursor is None:
        return 0
    if re.fullmatch(CURSOR, cursor) is None:
        raise RequestError("bad_value", "query.cursor: not a cursor of ours.")
    return min(int(cursor[1:], 16), NUMBER_MAX)
