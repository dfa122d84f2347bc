"""Logging in without a network at the locker: its challenge is answered by its key, by a gateway, or by somebody who
is online and reads the answer out. Or a technician's badge is shown, which needs nobody."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from gateway.config import data_folder
from protocol import base45
from protocol.errors import ProtocolError
from protocol.keys import KEY_SIZE, console_answer
from protocol.limits import ACTOR_SIZE_MAX, CONSOLE_LINE_MAX, WRONG_CODE_PAUSE_MS
from tools.client import REFUSED, UNAUTHENTICATED, USAGE, Failed, connect_here
from tools.console.session import Session

PAUSE_S = WRONG_CODE_PAUSE_MS / 1000 + 0.2
ANSWER_TRIES_MAX = 5  # at a prompt, before anything is sent: a slip of the finger costs no challenge
LOGOUT_WAIT_S = 2.0
GATEWAY_WAIT_S = 6.0  # somebody stands at the locker; a person can be asked instead
_ANSWER = re.compile(r"[0-9a-f]{12}")
_CHALLENGE = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(rf"[!-~]{{1,{ACTOR_SIZE_MAX}}}")

# (locker id, challenge in hex) -> the answer in hex
Answerer = Callable[[str, str], str]
Ask = Callable[[str], str]


def log_in(session: Session, name: str, answerer: Answerer, locker: str = "") -> None:
    """Answer the console's challenge; `answerer` is given the locker's id and the challenge. Raises Failed."""
    check_name(name)
    locker = locker or str(cast(dict[str, Any], session.ask("status")).get("locker", ""))
    challenge = str(cast(dict[str, Any], session.ask(f"login {name}")).get("challenge", ""))
    if not _CHALLENGE.fullmatch(challenge):
        raise Failed("the challenge was damaged on its way", "check the cable, and log in again", REFUSED, "damaged")
    order = f"answer {answerer(locker, challenge)}"
    try:
        try:
            session.ask(order)
        except Failed as failed:
            if failed.code != "throttled":
                raise
            time.sleep(PAUSE_S)  # somebody has just typed a wrong code at the locker; the challenge still stands
            session.ask(order)
    except Failed as failed:
        if failed.exit_code == REFUSED:
            raise Failed(
                f"the locker refused the login: {failed.text}",
                "is this its current key? a badge is never throttled: --badge",
                UNAUTHENTICATED,
            )
        raise


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Failed(f"no technician's name: {name!r}", f"up to {ACTOR_SIZE_MAX} plain letters, no spaces", USAGE)


def show_badge(session: Session, token: str) -> None:
    """Log in by what a technician's QR code says. Raises Failed."""
    token = token.strip("\r\n")
    try:
        base45.decode(token)
    except ProtocolError:
        token = ""
    if not token or len(token) + len("badge ") > CONSOLE_LINE_MAX:
        raise Failed(
            "that is no badge's text",
            "scan it again; a scanner that types letters for digits is set to another keyboard's layout",
            USAGE,
        )
    try:
        session.ask(f"badge {token}")
    except Failed as failed:
        if failed.exit_code == REFUSED:
            raise Failed(f"the locker refused the badge: {failed.text}", BADGE_REMEDY, UNAUTHENTICATED)
        raise


BADGE_REMEDY = "a new one: consigne badge HOLDER --technician (it may be for another locker, or have ended)"


def leave(session: Session) -> None:
    """Whoever comes next at the cable is nobody."""
    if session.actor:
        session.wait_s = LOGOUT_WAIT_S
        with contextlib.suppress(Failed):
            session.order("logout")


def read_badge(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as problem:
        raise Failed(f"cannot read {path}: {type(problem).__name__}", "name the file with the QR code's text", USAGE)


# ------------------------------------------------------------------ who answers
def key_file_answerer(path: Path, name: str) -> Answerer:
    """Answers with the locker's own key: 32 raw bytes, or 64 hex digits."""
    try:
        held = path.read_bytes()
        key = held if len(held) == KEY_SIZE else bytes.fromhex(held.decode("ascii").strip())
        if len(key) != KEY_SIZE:
            raise ValueError
    except OSError as problem:
        raise Failed(f"cannot read {path}: {type(problem).__name__}", "name the locker's key file", USAGE)
    except ValueError:
        raise Failed(f"{path} holds no locker key", "a key is 32 raw bytes or 64 hex digits", USAGE)
    return lambda _locker, challenge: console_answer(key, bytes.fromhex(challenge), name)


def gateway_answerer(name: str, url: str = "") -> Answerer:
    """Asks the gateway that `url` or the environment names: a technician with signal types nothing."""

    def answer(locker: str, challenge: str) -> str:
        with connect_here({**os.environ, "CONSIGNE_URL": url} if url else os.environ) as gateway:
            gateway.http.timeout = GATEWAY_WAIT_S
            path = f"/v1/lockers/{quote(locker, safe='').replace('.', '%2E')}/console-answers"
            return str(gateway.post(path, {"challenge": challenge, "name": name})["answer"])

    return answer


def knows_gateway(environment: Mapping[str, str]) -> bool:
    """Whether anything names one, or one is on this machine."""
    named = any(environment.get(name) for name in ("CONSIGNE_URL", "CONSIGNE_KEY", "CONSIGNE_KEY_FILE"))
    return named or (data_folder(environment) / "operator.key").exists()


def person_answerer(name: str, ask: Ask, say: Callable[[str], None]) -> Answerer:
    """Shows the challenge to be read out, and asks for the answer."""

    def answer(locker: str, challenge: str) -> str:
        say(f"Locker     {locker}")
        say(f"Name       {name}")
        say(f"Challenge  {in_fours(challenge)}")
        say("Somebody who is online answers with")
        say(f"  consigne answer {locker} {name} {challenge}")
        for _ in range(ANSWER_TRIES_MAX):
            typed = "".join(ask("Answer (empty gives up): ").split()).lower()
            if not typed:
                break
            if _ANSWER.fullmatch(typed):
                return typed
            say("An answer is 12 digits and letters from a to f.")
        raise Failed("no answer was given", "login again when you have somebody online", UNAUTHENTICATED)

    return answer


def first_of(answerers: list[Answerer], say: Callable[[str], None]) -> Answerer:
    """The first that can; why another could not is said."""

    def answer(locker: str, challenge: str) -> str:
        for answerer in answerers[:-1]:
            try:
                return answerer(locker, challenge)
            except Failed as failed:
                say(f"No answer from the gateway: {failed.text}")
        return answerers[-1](locker, challenge)

    return answer


def in_fours(digits: str) -> str:
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))
