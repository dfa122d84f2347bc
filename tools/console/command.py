"""`consigne console`: its words, and which of its ways to speak to a locker they mean."""

import argparse
import getpass
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.client import USAGE, Failed
from tools.console import doors
from tools.console.dialogue import Dialogue
from tools.console.login import (
    Answerer,
    first_of,
    gateway_answerer,
    key_file_answerer,
    knows_gateway,
    leave,
    log_in,
    person_answerer,
    read_badge,
    show_badge,
)
from tools.console.ports import choose, open_port, usb_ports
from tools.console.script import Script
from tools.console.session import Session

EXAMPLES = """\
Speak to a locker's serial console (115200 baud, 8N1).

examples:
  consigne console                          the only USB serial port; Tab completes, exit leaves
  consigne console /dev/ttyUSB1 --login anne
  consigne console --badge                  asks for a technician's badge, and does not show it
  consigne console --doors                  the doors as they are, until Ctrl-C
  consigne console -c status -c doors --json
  consigne console --run round.txt --log visit.log
  echo status | consigne console            lines in, lines out
"""
EPILOG = """\
a script (--run) holds one order a line, and:
  # a remark
  ? TEXT                    the answer above begins with TEXT (OK, ERR), or holds it
  wait door 3 open 30       asks until door 3 is open, 30 s at most
  save FILE                 the locker's log as JSON lines

login:
  The gateway of --url or CONSIGNE_URL answers the locker's challenge for --login. Without a network the
  challenge is shown; somebody online types `consigne answer LOCKER NAME CHALLENGE` and reads you the answer.
  Whoever was logged in so is logged out at the end.

exit codes:
  0  done
  1  a locker's ERR that nobody expected; its line is named
  2  wrong usage
  3  the port or the locker is gone, busy, not allowed, or silent
  4  the login was refused
"""


def add_words(parser: ArgumentParser) -> None:
    parser.description, parser.epilog = EXAMPLES, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("port", metavar="PORT", nargs="?", help="/dev/ttyUSB0 for example; if only one is there, none")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("-c", dest="command", action="append", metavar="ORDER", help="send it and leave (repeatable)")
    how.add_argument("--run", metavar="FILE", help="send the orders of a file, one a line; - is stdin")
    how.add_argument("--doors", action="store_true", help="show the doors and their changes, until Ctrl-C")
    how.add_argument("--raw", action="store_true", help="every key to the locker, every byte to the screen")
    parser.add_argument("--json", action="store_true", help="one JSON document a line")
    parser.add_argument("--keep-going", action="store_true", help="after an ERR too; the exit code is still 1")
    parser.add_argument("--log", metavar="FILE", help="write down the dialogue, without tokens and answers")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--login", metavar="NAME", help="log in first, for orders that act")
    who.add_argument("--badge", action="store_true", help="log in by a technician's badge, asked for")
    who.add_argument("--badge-file", metavar="FILE", help="log in by the badge whose text is in a file")
    parser.add_argument("--key-file", metavar="FILE", help="answer with the locker's own key, without a gateway")
    parser.add_argument("--url", metavar="URL", default="", help="the gateway that answers, if not CONSIGNE_URL's")
    parser.add_argument("--locker", default="", metavar="ID", help="its id, if its console cannot say")
    parser.set_defaults(call=speak_console)


def speak_console(arguments: Namespace) -> int:
    """Raises Failed."""
    orders = _orders(arguments)
    name = arguments.port or choose(usb_ports())
    log = Dialogue(Path(arguments.log) if arguments.log else None)
    try:
        with open_port(name) as port:
            log.note(f"{name} is open")
            if arguments.raw:
                from tools.console.raw import interact  # noqa: PLC0415 — not on every system

                return interact(port, log)
            return _speak(arguments, Session(port, log=log), orders)
    except Failed as failed:
        log.note(failed.text)
        raise
    finally:
        log.close()


def _speak(arguments: Namespace, session: Session, orders: Iterable[str] | None) -> int:
    _enter(arguments, session)
    try:
        if arguments.doors:
            session.ask("status")  # so that its name is known
            return doors.watch(session, arguments.json)
        if orders is None:
            from tools.console.terminal import Terminal  # noqa: PLC0415 — readline is not on every system

            return Terminal(session, lambda name: _answerer(arguments, name), arguments.json).run()
        session.unasked = lambda heard: _remark("the locker has restarted") if heard.locker else None
        place = "order" if arguments.command else "line"
        return Script(session, _say, _remark, place, arguments.keep_going, arguments.json).run(orders)
    finally:
        if arguments.login or arguments.badge or arguments.badge_file:
            leave(session)


def _say(text: str) -> None:
    print(text, flush=True)


def _remark(text: str) -> None:
    print(f"consigne: {text}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------ who
def _enter(arguments: Namespace, session: Session) -> None:
    if arguments.login:
        log_in(session, arguments.login, _answerer(arguments, arguments.login), arguments.locker)
    elif arguments.badge_file:
        show_badge(session, read_badge(Path(arguments.badge_file)))
    elif arguments.badge:
        if not sys.stdin.isatty():
            raise Failed("nobody is there to show a badge", "--badge-file FILE reads its text from a file", USAGE)
        show_badge(session, getpass.getpass("Badge, scanned or pasted; nothing is shown: "))


def _answerer(arguments: Namespace, name: str) -> Answerer:
    if arguments.key_file:
        return key_file_answerer(Path(arguments.key_file), name)
    answerers = [gateway_answerer(name, arguments.url)]
    if sys.stdin.isatty() and sys.stdout.isatty():
        if not (arguments.url or knows_gateway(os.environ)):
            answerers = []
        answerers.append(person_answerer(name, input, print))
    return first_of(answerers, print)


# ------------------------------------------------------------------ what
def _orders(arguments: Namespace) -> Iterable[str] | None:
    """None: a person types. Without a terminal the orders are read from stdin."""
    if arguments.raw and not sys.stdin.isatty():
        raise Failed("--raw is for a terminal", "a pipe needs no flag: its lines are orders", USAGE)
    if arguments.doors or arguments.raw:
        return None
    if arguments.command:
        if any(order.lower().split()[:1] == ["badge"] for order in arguments.command):
            raise Failed("a badge on a command line is seen by everybody here", "use --badge or --badge-file", USAGE)
        return arguments.command
    if arguments.run and arguments.run != "-":
        try:
            return Path(arguments.run).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise Failed(f"cannot read {arguments.run}: {type(problem).__name__}", "name a text file", USAGE)
    piped = arguments.run == "-" or not (sys.stdin.isatty() and sys.stdout.isatty())
    return _typed_lines() if piped else None


def _typed_lines() -> Iterator[str]:
    try:
        yield from sys.stdin
    except UnicodeDecodeError:
        raise Failed("what comes in is no text", "orders are plain letters, one order a line", USAGE)
