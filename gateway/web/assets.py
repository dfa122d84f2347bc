"""Styles, scripts and drawings, served by the gateway itself: read once, and kept by browsers until they change."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal

FOLDER = Path(__file__).with_name("assets")
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
FOR_A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    content: bytes
    kind: str

    @property
    def version(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:12]


ASSETS = {path.name: Asset(path.read_bytes(), KINDS[path.suffix]) for path in sorted(FOLDER.iterdir())}

router = APIRouter()


def address(name: str) -> str:
    """With the version in it: a page never meets a style sheet of another release. KeyError: there is none."""
    return f"/assets/{name}?v={ASSETS[name].version}"


@router.get("/assets/{name}")
def asset(request: Request, name: str) -> Response:
    found = ASSETS.get(name)
    if found is None:
        raise Refusal("unknown_page", "there is no such file")
    current = request.query_params.get("v") == found.version
    headers = {"Cache-Control": FOR_A_YEAR if current else "no-cache", "ETag": f'"{found.version}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.kind, headers=headers)
