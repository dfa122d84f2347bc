"""Serving the page until Ctrl-C, and opening it where there is a screen to open it on."""

import os
import socket
import threading
import webbrowser
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

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


def serve(app: FastAPI, feed: Feed, port: int, ready: Callable[[str], None]) -> None:
    """`ready` is told the address once it answers. Ctrl-C and SIGTERM end it as KeyboardInterrupt."""
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1)
    _Server(config, feed, lambda: ready(url)).run([listener])


def show(url: str) -> bool:
    """Open a browser, if this machine has a display; whether it tried."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # some browsers hold the caller
    return True
