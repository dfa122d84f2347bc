"""Who sits at the console: bytes in, echo and orders out. One line in, one line out: `OK {json}` or `ERR code text`,
the same for people and for scripts; lines for people stand before it and begin with two spaces.

Reading is free; acting needs a login and goes into the journal with the technician's name.
"""

from typing import TYPE_CHECKING

from device.agent.books import OUT, QUARANTINED
from device.agent.console import load, unload
from device.agent.effects import Write
from device.agent.ledger import NoRoomError
from device.desk.editor import BREAK, COMPLETE, EXPLAIN, LINE, Editor
from protocol.limits import CONSOLE_GONE_MS, CONSOLE_IDLE_MS, CONSOLE_LINE_MAX
from protocol.numbers import DOOR_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from device.agent.core import Agent
    from device.agent.effects import Effect

STAYS = ("seat", "editor")
_LINES_A_LAP = 2  # they wait in the heap until the lap ends
_SAID_A_LAP = 512  # bytes after which what was typed waits: an echo may be 600 times as long as what was typed
_EFFECTS_A_LAP = 16  # after which it waits too: each takes some hundred bytes of the heap until the lap ends
_PIECE = 128  # bytes written at once: a heap in use for weeks has no long run of free ones
_RUN = 1_024  # bytes in one run that an order finds: those of a heap that is nearly full are scattered
_LATER_MAX = 4 * CONSOLE_LINE_MAX  # bytes that wait; more are lost
_TABLE = "device.desk.orders"  # not needed any more once an order is found
_LOOKS = ("look", "guide")  # modules that change nothing: without room for them, nothing is half done
_FOR_PEOPLE = "--h"
_ORDINARY = [DOOR_STATES.index(word) for word in ("unknown", "closed", "opening", "open")]
_SECRETS = ("answer", "badge")  # no history holds what stands behind them


class Desk:
    """`now`, `effects`: of the event under way. `task`: an order that has not answered yet; it has step(desk),
    called at every event until it has answered, stop(desk), and `call_at`, when it wants to be called at the latest.
    `people`: the order under way asked for a table. `serving`: who has put the locker into service mode, or "".
    `emptied`: whose door was opened last to take out what is inside, and shut again (device.desk.handing); each login
    begins without."""

    def __init__(self, agent: "Agent") -> None:
        self.agent = agent
        self.now = 0
        self.effects: list[Effect] = []
        self.task: Any = None
        self.call_at: int | None = None
        self.people = False
        self.serving = ""
        self.language = ""
        self.emptied = 0
        self.editor = Editor()
        self._later: list[bytes] = []  # typed while an order is under way, or too much was being said
        self._said = 0  # bytes, in this lap
        self._kept: bytearray | None = bytearray(_RUN)  # free while an order is under way
        self._gone_at = 0

    # -------------------------------------------------------------- what happens
    def typed(self, now: int, data: bytes, effects: "list[Effect]") -> None:
        """Echo the bytes and carry out the lines that ended, one at a time, so that each answer stands under its own
        line, and a login holds from the next line on."""
        self._begin(now, effects)
        self._gone_at = now + CONSOLE_GONE_MS
        if self.task is not None and 0x03 in data:
            self._interrupt(data[data.rfind(b"\x03") + 1 :])
        elif self.task is not None or self._later:
            self._wait(data)
        else:
            self._feed(data)

    def _wait(self, data: bytes) -> None:
        """In pieces, as what is written."""
        data = data[: _LATER_MAX - sum([len(piece) for piece in self._later])]
        if self._later and len(self._later[-1]) + len(data) <= _PIECE:
            self._later[-1] += data
        elif data:
            self._later.append(data)

    def _feed(self, data: bytes) -> None:
        echo = bytearray()
        place = 0
        while place < len(data):
            if self.task is not None or self._is_enough(len(echo)):
                self._later.insert(0, data[place:])
                break
            what, place = self.editor.feed(data, place, echo)
            if what or len(echo) >= _PIECE:
                self.write(echo)
                echo = bytearray()
            if what:
                self._take(what)
        self.write(echo)

    def _is_enough(self, echoed: int) -> bool:
        """For one lap."""
        return self._said + echoed > _SAID_A_LAP or len(self.effects) > _EFFECTS_A_LAP

    def step(self, now: int, effects: "list[Effect]") -> None:
        """After each event: an order that is under way goes on, and what is over ends."""
        self._begin(now, effects)
        if self.task is not None:
            self._guarded(self.task.step, self)
        while self.task is None and self._later and not self._is_enough(0):
            self._feed(self._later.pop(0))
        if self.serving and not self.agent.console.actor:  # logged out, by whatever
            self._guarded(load("service").end, self)
        self._plan()

    def came(self, now: int, effects: "list[Effect]") -> None:
        """Somebody logged in by the scanner: a new prompt, and what was typed so far behind it."""
        self._begin(now, effects)
        self.emptied = 0  # whoever comes has seen nothing
        self._prompt_again()
        self._plan()

    def _begin(self, now: int, effects: "list[Effect]") -> None:
        self.now = now
        self.effects = effects
        self._said = 0
        console = self.agent.console
        if now >= console.idle_at and self.task is None:
            actor = console.actor
            console.log_out()  # a challenge that nobody answered is over too
            if actor:
                self._prompt_again()

    def _plan(self) -> None:
        """When to be called again; nobody there any more: let the next one find a new desk."""
        console = self.agent.console
        if self.task is None and self._kept is None:
            try:
                self._kept = bytearray(_RUN)
            except MemoryError:
                self._kept = None  # the next order has what there is
        if console.board is not None:  # what waits at the port is not lost; but a Ctrl-C must come through
            console.board.console.paused = self.task is None and self._later != []
        if self.task is not None or self._later:
            self.call_at = self.now if self.task is None else self.task.call_at
        elif console.actor:
            self.call_at = console.idle_at
        elif self.now >= self._gone_at:
            console.desk = None
            unload()
        else:
            self.call_at = self._gone_at

    def _interrupt(self, rest: bytes) -> None:
        """Ctrl-C ends what is under way, and whatever was typed before it."""
        self._later = []
        self.write(b"^C\r\n")
        self._guarded(self.task.stop, self)
        self._feed(rest)

    # -------------------------------------------------------------- a line
    def _take(self, what: int) -> None:
        if what == LINE:
            self._obey()
        elif what == BREAK:
            self.write(self._prompt())
        elif what in (COMPLETE, EXPLAIN):
            try:
                module = load("guide")
                (module.complete if what == COMPLETE else module.explain)(self)
            except MemoryError:  # it only looks: nothing is half done
                self._no_memory()
            unload(STAYS)

    def _obey(self) -> None:
        line = str(self.editor.line, "ascii")
        words = line.split()
        too_long = self.editor.too_long
        name = words[0].lower() if words else ""
        self.editor.finish(not too_long and name not in _SECRETS)
        self.people = False
        if too_long:
            self.err("too_large", f"at most {CONSOLE_LINE_MAX} letters a line")
        elif not words:
            self.write(self._prompt())
        else:
            self.agent.console.idle_at = self.now + CONSOLE_IDLE_MS
            unload(STAYS)  # what the last one needed until it answered
            self._guarded(self._carry_out, name, words[1:], line[line.find(words[0]) + len(name) + 1 :])
            unload(STAYS)

    def _guarded(self, act: "Any", *arguments: "Any") -> None:
        """A full journal refuses what it cannot hold; what was ordered before stands."""
        try:
            act(*arguments)
        except NoRoomError:
            self.err("journal_full", "records wait for the gateway: check the network")

    def _carry_out(self, name: str, words: "list[str]", rest: str) -> None:
        try:
            orders = load("orders")
            row = orders.find(name)
        except MemoryError:
            self._no_memory()
            return
        if row is None:
            self.err("unknown_type", "no such order; try help")
            return
        module, flags, usage = row
        if "~" in flags:
            words = [rest] if rest else []
        elif _FOR_PEOPLE in words:
            self.people = True
            words = [word for word in words if word != _FOR_PEOPLE]
        fewest, most = orders.counts(flags, usage)
        if not fewest <= len(words) <= most:
            self.misused(name)
        elif "*" not in flags or self.may_act():
            carried_out = orders = None
            unload(names=(_TABLE,))
            try:
                carried_out = self._loaded(module).ORDERS[name]
                self._kept = None  # not sooner: what is loaded would scatter it
                lines = carried_out(self, words)
            except MemoryError:
                if carried_out is not None and module not in _LOOKS:
                    raise  # it may have acted: what it did, a new agent learns from the journal
                self._no_memory()
                return
            if lines is not None:
                self.task = _Lines(lines)
                self.task.step(self)

    def _loaded(self, module: str) -> "Any":
        try:
            return load(module)
        except MemoryError:
            self._kept = None
            return load(module)

    # -------------------------------------------------------------- for the orders
    def may_act(self) -> bool:
        """Whether somebody is logged in; if not, that was answered."""
        if not self.agent.console.actor:
            self.err("not_allowed", "login first")
        return self.agent.console.actor != ""

    def _no_memory(self) -> None:
        self.err("no_memory", "reboot, then once more")

    def misused(self, name: str) -> None:
        row = load("orders").find(name)
        self.err("bad_value", "usage: " + (name + " " + row[2]).rstrip())

    def note(self, action: str) -> None:
        """Journal what a technician did. Raises NoRoomError."""
        self.agent.note_service(self.now, self.agent.console.actor, action, self.effects)

    def hands(self) -> "Any":
        """What can be asked of the board itself: device.desk.hands. None where there is no board."""
        board = self.agent.console.board
        return None if board is None else load("hands").Hands(board)

    def say(self, text: str) -> None:
        """A line for people before the answer; it never starts with OK or ERR."""
        self.write(b"  " + text.encode() + b"\r\n")

    def ok(self, document: "dict[str, Any]") -> None:
        if self.people:
            load("people").tell(self, document)
            document = {}
        effects = self.effects
        count = len(effects)
        last = effects[-1] if effects else None
        line = bytearray(b"OK ")
        try:
            for piece in json_pieces(document):
                line.extend(piece)
                if len(line) >= _PIECE:
                    self.write(line)
                    line = bytearray()
            self._answer(line)
        except MemoryError:  # half an answer is none
            effects[max(count - 1, 0) :] = [] if last is None else [last]
            raise

    def err(self, code: str, text: str) -> None:
        self._answer(("ERR " + code + " " + text).encode())

    def _answer(self, line: "bytes | bytearray") -> None:
        self.task = None
        self._gone_at = self.now + CONSOLE_GONE_MS
        if self.agent.console.actor:
            self.agent.console.idle_at = self.now + CONSOLE_IDLE_MS
        self.write(line + b"\r\n" + self._prompt())

    # -------------------------------------------------------------- the screen
    def _prompt(self) -> bytes:
        """Where, how many alarms, service mode, who."""
        agent = self.agent
        alarms = len(agent.lost) + agent.sensed.get("tamper", 0) + agent.sensed.get("supply_low", 0)
        for place in range(len(agent.books.numbers)):
            odd = agent.doors.states[place] not in _ORDINARY or agent.books.flags[place] & (QUARANTINED | OUT)
            alarms += 1 if odd else 0
        text = agent.config.locker + (f"!{alarms}" if alarms else "") + ("/service" if self.serving else "")
        actor = agent.console.actor
        return (text + (f" {actor}# " if actor else "> ")).encode()

    def _prompt_again(self) -> None:
        self.write(b"\r\n" + self._prompt())
        self.redraw()

    def redraw(self) -> None:
        """What was typed so far, behind a new prompt."""
        editor = self.editor
        self.write(editor.line + b"\b" * (len(editor.line) - editor.cursor))

    def prompt_and_line(self) -> None:
        self.write(self._prompt())
        self.redraw()

    def write(self, data: "bytes | bytearray") -> None:
        """Joined to what was said just before: a hundred empty lines would be two hundred effects, and 13 kB."""
        self._said += len(data)
        effects = self.effects
        while data:
            last = effects[-1] if effects else None
            said = last.data if isinstance(last, Write) and len(last.data) < _PIECE else b""
            piece = Write(said + bytes(data[: _PIECE - len(said)]))
            data = data[_PIECE - len(said) :]
            if said:
                effects[-1] = piece
            else:
                effects.append(piece)


class _Lines:
    """An order that says many lines: a few a lap, since a board can neither hold nor send all at once."""

    call_at = 0

    def __init__(self, lines: "Iterator[str]") -> None:
        self._lines = lines

    def step(self, desk: Desk) -> None:
        for _line in range(_LINES_A_LAP):
            try:
                text = next(self._lines, None)
            except MemoryError:  # it only looks: nothing is half done
                desk.err("no_memory", "reboot, then once more")
                break
            if text is None:
                break
            if text:  # else a step without a line
                desk.say(text)

    def stop(self, desk: Desk) -> None:
        desk.err("stopped", "Ctrl-C")


# ------------------------------------------------------------------ JSON, the same bytes on both interpreters
def json_pieces(value: "Any") -> "Iterator[bytes]":
    """Compact, ASCII, keys sorted. What is no plain value and no dictionary is a list, whatever it comes from: a
    hundred numbers need not be in the heap at once, nor the text of them."""
    if value is None:
        yield b"null"
    elif isinstance(value, bool):
        yield b"true" if value else b"false"
    elif isinstance(value, int):
        yield str(value).encode()
    elif isinstance(value, str):
        yield b'"' + _quoted(value.encode()) + b'"'
    elif isinstance(value, dict):
        begin = b"{"
        names: list[str] = sorted(value)  # pyright: ignore[reportUnknownArgumentType]
        for name in names:
            yield begin + b'"' + _quoted(name.encode()) + b'":'
            yield from json_pieces(value[name])
            begin = b","
        yield b"}" if names else b"{}"
    else:
        begin = b"["
        for item in value:
            yield begin
            yield from json_pieces(item)
            begin = b","
        yield b"[]" if begin == b"[" else b"]"


def _quoted(data: bytes) -> bytes:
    """What stands between quotes, from UTF-8; a letter taken out of a text would stay in a board's heap for ever."""
    out = bytearray()
    point = more = 0  # of a letter of several bytes: what is known of its number, and how many are still to come
    for byte in data:
        if byte & 0xC0 == 0x80:
            point = point << 6 | byte & 0x3F
            more -= 1
        else:
            more = (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
            point = byte & 0x3F >> more if more else byte
        if more:
            continue
        if point in (0x22, 0x5C):
            out.extend(b"\\")
        if 0x20 <= point <= 0x7E:
            out.append(point)
        else:
            out.extend(f"\\u{point:04x}".encode() if point <= 0xFFFF else b"?")
    return bytes(out)
