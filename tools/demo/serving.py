"""Serving the page until Ctrl-C, and opening it where there is a screen to open it on."""

import os
import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from tools.demo.feed import Feed


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, feed: Feed, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._feed = feed
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()  # or its streams would hold the server
        await super().shutdown(sockets)


@dataclass(frozen=True)
class Listeners:
    """The page's, and that of the gateway's pages beside it; open before there is an app, which needs the ports."""

    page: socket.socket
    beside: socket.socket

    @staticmethod
    def open(port: int) -> "Listeners":
        """`port` 0: a free one."""
        return Listeners(socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", 0)))

    @property
    def ports(self) -> tuple[int, int]:
        return int(self.page.getsockname()[1]), int(self.beside.getsockname()[1])


def serve(app: ASGIApp, feed: Feed, listeners: Listeners, ready: Callable[[str], None]) -> None:
    """`ready` is told the address once it answers. Ctrl-C and SIGTERM end it as KeyboardInterrupt."""
    url = f"http://127.0.0.1:{listeners.ports[0]}"
    config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1)
    _Server(config, feed, lambda: ready(url)).run([listeners.page, listeners.beside])


def show(url: str) -> bool:
    """Open a browser, if this machine has a display; whether it tried."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # some browsers hold the caller
    return True
