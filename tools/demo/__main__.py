"""The demonstration: `python -m tools.demo` serves the page until Ctrl-C, `--once` plays one journey and ends."""

import argparse
import json
import signal
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Never

from tools.client import Failed
from tools.demo.beside import Beside, by_port
from tools.demo.child import ChildError
from tools.demo.feed import Feed
from tools.demo.follower import Follower
from tools.demo.game import Game
from tools.demo.guide import Guide
from tools.demo.journey import JourneyError, play
from tools.demo.mailbox import Letter, Mailbox
from tools.demo.page import Page, create_page
from tools.demo.parcel_watch import ParcelWatch
from tools.demo.serving import Listeners, serve, show
from tools.demo.stack import Stack
from tools.demo.tour import Tours
from tools.demo.watcher import Watcher
from tools.demo.ways_in import WaysIn
from tools.locker.cabinets import DEMO

START = time.monotonic()


def say(line: str) -> None:
    print(f"{time.monotonic() - START:6.1f} s  {line}", flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play one journey without a browser, then end")
    parser.add_argument("--port", type=int, default=0, help="of the page, on 127.0.0.1 (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")
    flags = parser.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory(prefix="consigne-demo-") as folder:
        try:
            return _once(Path(folder)) if flags.once else _page(Path(folder), flags.port, flags.no_browser)
        except KeyboardInterrupt:
            say("ended")
            return 130 if flags.once else 0


def _end(_number: int, _frame: object) -> Never:
    raise KeyboardInterrupt


def _once(folder: Path) -> int:
    step = "start the gateway and a locker"
    try:
        with Stack(folder, say) as stack:
            stack.add_locker(DEMO["mairie-1"]("mairie-1"))
            stack.wait_online()
            journey = play(stack, "mairie-1", say)
    except JourneyError as failed:
        step, why = failed.step, failed.why
    except (ChildError, Failed, TimeoutError, OSError) as problem:
        why = str(problem)
    else:
        times = {"deposit_ms": journey.deposit_ms, "pickup_ms": journey.pickup_ms}
        print(json.dumps({"journey": "ok", **times}), flush=True)
        return 0
    say(f"failed at: {step}: {why}")
    print(json.dumps({"journey": "failed", "step": step}), flush=True)
    return 1


def _page(folder: Path, port: int, no_browser: bool) -> int:
    try:
        with closing(Mailbox()) as mailbox, Stack(folder, say, mailbox.settings) as stack:
            for name, hardware in DEMO.items():
                stack.add_locker(hardware(name))
            stack.wait_online()
            _serve(stack, mailbox, port, no_browser)
            say("ending everything")
    except (ChildError, Failed, TimeoutError, OSError) as problem:
        say(f"the demonstration cannot run: {problem}")
        return 1
    say("ended")
    return 0


def _serve(stack: Stack, mailbox: Mailbox, port: int, no_browser: bool) -> None:
    feed = Feed()
    game, tours = Game(stack.api), Tours(feed)
    mailbox.heard = partial(_letter, feed, tours)
    watchers = {name: Watcher(locker, stack.api, feed) for name, locker in stack.lockers.items()}

    follower = Follower(stack.api, feed)
    parcels = ParcelWatch(stack.api, feed, game, tours)
    listeners = Listeners.open(port)
    page_port, beside_port = listeners.ports
    guide = Guide(stack, game, tours, mailbox, WaysIn(stack.api, stack.operator_key), beside_port)
    page = create_page(Page(stack.api, watchers, feed, guide))
    pages = Beside(guide.ways_in.port, beside_port, page_port)

    def ready(url: str) -> None:
        say(f"the page to begin on: {url}")
        say(f"  the gateway's own pages: {stack.url}/sign-in, the operator's key: {stack.operator_key_file}")
        say("Ctrl-C ends it all")
        if not no_browser:
            show(url)

    try:
        serve(by_port(beside_port, pages, page), feed, listeners, ready)
    except KeyboardInterrupt:
        pass
    finally:
        feed.close()
        follower.close()
        parcels.close()
        for watcher in watchers.values():
            watcher.close()


def _letter(feed: Feed, tours: Tours, letter: Letter) -> None:
    tours.note(f"letter:{letter.kind}")
    feed.tell("", "letter", number=letter.number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
