"""What every page gets at: the desk with the use cases, and whom to tell that something was ordered."""

from fastapi import Request

from gateway.services.desk import Desk


def desk_of(request: Request) -> Desk:
    return request.app.state.desk


def acted(request: Request) -> None:
    """After the commit of an act: whoever sends orders on shall look."""
    request.app.state.wake()
