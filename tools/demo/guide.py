"""The guided tours' part of the page's server: the start page, how far a tour is, the way in, the mailbox."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from tools.client import Failed
from tools.demo.game import Game
from tools.demo.journey import JourneyError, Play
from tools.demo.mailbox import Mailbox
from tools.demo.stack import Stack, quiet
from tools.demo.tour import CARRIER, TOURS, Tours, opened
from tools.demo.ways_in import WaysIn

Role = Literal["courier", "recipient", "merchant", "operator", "technician"]
FORM = "application/x-www-form-urlencoded"
NEXT_SIZE_MAX = 200
assert set(get_args(Role)) == set(TOURS)


@dataclass(frozen=True)
class Guide:
    """What the tours' routes share."""

    stack: Stack
    game: Game
    tours: Tours
    mailbox: Mailbox
    ways_in: WaysIn
    pages_port: int  # where the gateway's pages are shown beside the front

    def bring(self, locker: str) -> None:
        """A courier comes by and puts a parcel in, by the locker's own keys and scanner. Raises JourneyError."""
        label = self.game.new_parcel(locker, "M", CARRIER, False)
        part = Play(self.stack, locker, quiet)
        part.label, part.parcel = label["text"], label["parcel"]
        steps = (part.show_badge, part.scan_label, part.close_door, part.deposited, part.courier_leaves)
        try:
            for step in steps:
                step()
        except (Failed, TimeoutError, OSError) as problem:
            raise JourneyError("a courier brings a parcel", str(problem))
        finally:
            part.close()


def routes(guide: Guide, static: Path) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def start() -> FileResponse:
        return FileResponse(static / "start.html")

    @router.get("/play")
    @router.get("/tour/{role}")
    def play(role: Role | None = None) -> FileResponse:  # noqa: ARG001 - the page reads its own address
        return FileResponse(static / "index.html")

    @router.get("/api/tours")
    def lengths() -> dict[str, int]:
        return {role: len(steps) for role, steps in TOURS.items()}

    @router.get("/api/tours/{role}")
    def standing(role: Role) -> dict[str, Any]:
        return {"steps": [step.name for step in TOURS[role]], "done": guide.tours.standing(role)}

    @router.post("/api/tours/{role}")
    def begin(role: Role) -> dict[str, Any]:
        return {"steps": [step.name for step in TOURS[role]], "done": guide.tours.begin(role)}

    @router.post("/api/lockers/{locker}/delivery")
    def delivery(locker: str) -> dict[str, Any]:
        if locker not in guide.stack.lockers:
            raise HTTPException(404, "no such locker")
        try:
            guide.bring(locker)
        except JourneyError as problem:
            raise HTTPException(409, str(problem))
        return {}

    _ways_in(router, guide)
    _mail(router, guide, static)
    return router


def _ways_in(router: APIRouter, guide: Guide) -> None:
    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """With `role`, and `next`, a path of the gateway's pages."""
        fields = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=4))
        onward = fields.get("next", "/")
        if len(onward) > NEXT_SIZE_MAX or not onward.startswith("/"):
            raise HTTPException(422, "no such page")
        try:
            way = guide.ways_in.sign_in(fields.get("role", ""), onward)
        except KeyError:
            raise HTTPException(422, "no such role")
        except Failed as failed:
            raise HTTPException(409, failed.text)
        guide.tours.note(opened(onward))
        headers = {"Location": _beside(request, guide, way.path), "Set-Cookie": way.cookie}
        return Response(status_code=303, headers=headers)


def _mail(router: APIRouter, guide: Guide, static: Path) -> None:
    @router.get("/mailbox")
    def mailbox() -> FileResponse:
        if guide.mailbox.letters():
            guide.tours.note("opened:mailbox")
        return FileResponse(static / "mailbox.html")

    @router.get("/api/letters")
    def letters() -> dict[str, Any]:
        return {"letters": [asdict(letter) | {"link": bool(letter.link)} for letter in guide.mailbox.letters()]}

    @router.get("/letters/{number}/page")
    def follow(request: Request, number: int) -> Response:
        """The letter's own link, noted on the way."""
        letter = guide.mailbox.letter(number)
        if letter is None or not letter.link:
            raise HTTPException(404, "no such letter")
        guide.tours.note("opened:letter")
        return RedirectResponse(_beside(request, guide, urlsplit(letter.link).path), 303)


def _beside(request: Request, guide: Guide, path: str) -> str:
    host = request.headers.get("host", "").rpartition(":")[0]
    return f"http://{host}:{guide.pages_port}{path}"
