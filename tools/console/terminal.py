"""A person at the console: line editing, history and Tab on the laptop, whole lines to the locker.

While somebody types, the line is listened to: a restart, a login at the scanner and a cable that is pulled out are
said at once, and what was typed so far stays. Nothing of a visit is kept on the laptop but what --log writes.
"""

import contextlib
import getpass
import readline
import shutil
import signal
from collections import deque
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any, cast

from tools.client import OK, REFUSED, Failed
from tools.console import doors
from tools.console.dialogue import is_secret
from tools.console.login import Answerer, leave, log_in, show_badge
from tools.console.readable import readable
from tools.console.reader import Heard, Kind
from tools.console.saving import save_log
from tools.console.script import wait_for_door
from tools.console.session import GONE, Session
from tools.console.vocabulary import OURS, Vocabulary

LISTEN_EVERY_S = 0.2
HISTORY_MAX = 500
NOTICES_MAX = 50  # lines that came unasked, shown at once; of more, the last
_LEAVING = ("exit", "quit")
_KEYS = {
    False: ("tab: complete", r'"\C-]": "\C-a\C-kexit\C-m"'),
    True: ("bind ^I rl_complete",),  # libedit, on a Mac
}


class _Redraw(Exception):  # noqa: N818 — no error
    """Something was said meanwhile; `typed` stays."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self.typed = typed


class Terminal:
    """`answerer_for` a technician's name."""

    def __init__(self, session: Session, answerer_for: Callable[[str], Answerer], as_json: bool = False) -> None:
        self._session = session
        self._answerer_for = answerer_for
        self._as_json = as_json
        self._vocabulary = Vocabulary()
        self._notices: deque[str] = deque(maxlen=NOTICES_MAX)
        self._candidates: list[str] = []
        self._restarted = False
        self._typing = False
        session.unasked = self._noticed

    def run(self) -> int:
        """Until the person leaves. Raises Failed when the port is gone."""
        self._meet()
        _keys(self._candidate)
        typed = ""
        while True:
            try:
                line, typed = self._line(typed), ""
                if line.strip() in _LEAVING:
                    break
                self._obey(line)
            except _Redraw as meanwhile:
                typed = meanwhile.typed
                print("\r\x1b[K", end="")
            except EOFError:
                print()
                break
            except KeyboardInterrupt:
                typed = ""
                print()
        leave(self._session)
        return OK

    # -------------------------------------------------------------- meeting
    def _meet(self) -> None:
        """A locker in safe idle mode knows `reboot` alone; who else could type it?"""
        try:
            facts = self._session.ask("status")
            self._learn()
        except Failed as failed:
            if failed.exit_code != REFUSED:
                raise
            print(failed.text)
            return
        boxes, firmware = facts.get("compartments"), facts.get("firmware")
        print(f"{self._session.locker}, firmware {firmware}, {boxes} compartments.")
        if facts.get("faults") or facts.get("quarantined"):
            print(f"{facts.get('faults')} faults, {facts.get('quarantined')} quarantined: see doors.")
        print("help lists, Tab completes, exit leaves.")

    def _learn(self) -> None:
        self._session.ask("help")
        self._vocabulary.learn_orders(self._session.told)
        self._vocabulary.learn_doors(cast(dict[str, Any], self._session.ask("doors")))

    def _learn_late(self) -> None:
        """It has restarted, and was not met before."""
        if self._restarted and not self._vocabulary.orders:
            with contextlib.suppress(Failed):  # it will be said at the next order
                self._learn()
        self._restarted = False

    def _noticed(self, heard: Heard) -> None:
        if heard.kind is Kind.BANNER:
            self._restarted = True
            self._notices.append("The locker has restarted. Whoever was logged in is not any more.")
        elif heard.kind is Kind.TOO_LONG:
            self._notices.append("(noise without an end)")
        else:
            self._notices.append(heard.text)

    # -------------------------------------------------------------- a line
    def _line(self, typed: str) -> str:
        self._learn_late()
        for notice in self._taken_notices():
            print(notice)
        who = self._session.actor
        prompt = f"{self._session.locker or 'locker'}{f' {who}#' if who else '>'} "
        self._typing = False
        readline.set_startup_hook(lambda: self._begin(typed))
        try:
            with self._listening(who, typed):
                line = input(prompt)
        finally:
            readline.set_startup_hook(None)
        if line.strip() and not is_secret(line):
            readline.add_history(line)
        return line

    def _begin(self, typed: str) -> None:
        readline.insert_text(typed)
        self._typing = True  # until here its buffer holds the line before

    def _taken_notices(self) -> list[str]:
        taken = list(self._notices)
        self._notices.clear()
        return taken

    @contextlib.contextmanager
    def _listening(self, who: str, typed: str) -> Generator[None]:
        def listen(_number: int, _frame: FrameType | None) -> None:
            self._session.overhear()
            if self._notices or self._session.actor != who:
                raise _Redraw(readline.get_line_buffer() if self._typing else typed)

        before = signal.signal(signal.SIGALRM, listen)
        signal.setitimer(signal.ITIMER_REAL, LISTEN_EVERY_S, LISTEN_EVERY_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _candidate(self, _text: str, place: int) -> str | None:
        if not place:
            words = self._vocabulary.completions(readline.get_line_buffer()[: readline.get_endidx()])
            self._candidates = [f"{words[0]} "] if len(words) == 1 else words
        return self._candidates[place] if place < len(self._candidates) else None

    # -------------------------------------------------------------- what it means
    def _obey(self, line: str) -> None:
        words = line.split()
        if not words:
            return
        try:
            if words[-1] == "?":
                self._explain(words[0])
            else:
                _OURS.get(words[0].lower(), Terminal._order)(self, line.strip())
        except Failed as failed:
            if failed.code == GONE:
                raise
            print(failed.text)
            if failed.remedy:
                print(f"  {failed.remedy}")

    def _explain(self, name: str) -> None:
        usage = self._vocabulary.usage(name)
        if usage is not None:
            print(usage.text + ("  (login first)" if usage.needs_login else ""))
        else:
            self._help("help")

    def _order(self, line: str) -> None:
        """What it says on the way is shown as it comes: somebody may have to push a door shut."""
        self._session.overheard = lambda told: print(f"  {told}", flush=True)
        try:
            self._answered(self._session.order(line))
        finally:
            self._session.overheard = None

    def _answered(self, said: str) -> None:
        lines = [said] if self._as_json else readable(said, shutil.get_terminal_size((80, 24)).columns)
        print("\n".join(lines))

    def _help(self, line: str) -> None:
        self._order(line)
        print("  on this laptop:")
        for usage in OURS.values():
            print(f"    {usage.text}")

    def _log_in(self, line: str) -> None:
        name = "".join(line.split()[1:2]) or input("Name: ").strip()
        if name:
            log_in(self._session, name, self._answerer_for(name))
            self._welcome()

    def _show_badge(self, line: str) -> None:
        token = line[len("badge ") :] or getpass.getpass("Badge, scanned or pasted; nothing is shown: ")
        if token:
            show_badge(self._session, token)
            self._welcome()

    def _welcome(self) -> None:
        print(f"{self._session.actor} is logged in, until `logout` or ten minutes without an order.")

    def _watch(self, _line: str) -> None:
        doors.watch(self._session)

    def _save(self, line: str) -> None:
        self._answered(save_log(self._session, line))

    def _wait(self, line: str) -> None:
        self._answered(wait_for_door(self._session, line))


_OURS: dict[str, Callable[[Terminal, str], None]] = {
    "help": Terminal._help,
    "login": Terminal._log_in,
    "badge": Terminal._show_badge,
    "watch": Terminal._watch,
    "wait": Terminal._wait,
    "save": Terminal._save,
}


def _keys(candidate: Callable[[str, int], str | None]) -> None:
    readline.set_completer(candidate)
    readline.set_completer_delims(" ")
    readline.set_auto_history(False)
    readline.set_history_length(HISTORY_MAX)
    for binding in _KEYS["libedit" in (readline.__doc__ or "")]:
        readline.parse_and_bind(binding)
