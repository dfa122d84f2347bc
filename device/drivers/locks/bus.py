"""Lock boards on one half-duplex RS-485 bus: one request at a time, its answer or its deadline, then the next.

Sans-IO: `port` has `send(bytes)` and `take()`; time comes in. Frames are found by length and checksum. A pulse goes
ahead of the polls and is sent once only: whether it did anything is for the polls to say, and whether to try again
for the agent.
"""

from array import array
from typing import TYPE_CHECKING

from device.drivers.locks.heard import Heard

if TYPE_CHECKING:
    from typing import Any

ANSWER_MS = 60  # a board's own time to answer
PAUSE_MS = 20  # of silence in an answer: the rest of it will not come
GAP_MS = 5  # of silence between frames: 3.5 characters at 9600 baud and a bit
SEND_MS_MAX = 1_200  # a pulse that cannot be sent by then is not sent
SET_TRIES = 3
BUFFER_MAX = 256


class Station:
    """One board: its doors, and the coil that may be on. `place`: its module's in /config.json; `boxes`: (compartment,
    channel, input) rows; `items`: (compartment, input) pairs with a sensor of what lies inside; `own_ms`: the time of
    a pulse that cannot be set."""

    def __init__(  # noqa: PLR0917 - what /config.json says of a board
        self,
        place: int,
        codec: "Any",
        boxes: "list[tuple[int, int, int]]",
        items: "list[tuple[int, int]]",
        polarity: int,
        own_ms: int,
    ) -> None:
        self.codec = codec
        self.own_ms = own_ms
        self._rows = array("H", [value for box in boxes for value in box])  # number, channel, input of each
        self.heard = Heard(place, boxes, items, polarity)
        self.due_ms = 0
        self.set_ms = 0  # what the board's own time was set to; -1: it cannot be
        self.set_tries = 0
        self.until = 0
        self.on_ms = 0
        self.pending: Any = None  # (channel, ms, to be sent before)

    # -------------------------------------------------------------- as the guard sees it
    def holds(self, compartment: int) -> bool:
        return self._find(0, compartment) >= 0

    def _find(self, column: int, value: int) -> int:
        """Where the row begins that has this value there; -1: none has."""
        for at in range(column, len(self._rows), 3):
            if self._rows[at] == value:
                return at - column
        return -1

    def takes_ms(self, ms: int) -> int:
        if hasattr(self.codec, "setting") and self.set_ms >= 0:
            return (ms + 9) // 10 * 10
        if getattr(self.codec, "times", False):
            return (ms + 99) // 100 * 100
        return self.own_ms

    def begin(self, now_ms: int, compartment: int, ms: int) -> None:
        at = self._find(0, compartment)
        if at >= 0:
            self.on_ms = 0
            self.until = now_ms + SEND_MS_MAX + self.takes_ms(ms)
            self.pending = (self._rows[at + 1], ms, now_ms + SEND_MS_MAX)
            self.heard.doors.pulsed(self._rows[at + 2])

    def sent(self, out_ms: int, channel: int, ms: int) -> None:
        """Its last byte is out then: the board may have heard it."""
        self.on_ms = self.takes_ms(ms)
        self.until = out_ms + self.on_ms
        self.pending = None
        self.heard.doors.pulsed(self._rows[self._find(1, channel) + 2])

    def drop(self, now_ms: int) -> None:
        self.pending = None
        self.until = now_ms

    def stop(self, now_ms: int) -> int:
        """A board times its pulse itself, and nothing ends it sooner; one that is not sent yet never is."""
        if self.pending is not None:
            self.drop(now_ms)
        return self.on_ms

    def disarm(self) -> None:
        pass

    def anew(self) -> None:
        self.set_ms = self.set_tries = 0  # it may come back with its factory's

    def forget(self) -> None:
        self.heard.forget()
        self.anew()


class Bus:
    """`byte_us`: a byte's time on the wire. `echo`: we hear what we send."""

    def __init__(self, port: "Any", baud: int, echo: bool, stations: "list[Station]") -> None:
        self._port = port
        self.baud = baud
        self._byte_us = 10_000_000 // baud
        self._echo = echo
        self.stations = stations
        self._turn = 0
        self._next: Any = None  # to be asked before anybody else: its lock was just opened
        self._asked: Any = None
        self._wanted = ""
        self._until = self._limit = self._due = 0
        self._quiet_until = 0
        self._skip = 0  # bytes of our own that are still to come back
        self._heard = b""
        self._noise = ""
        self._now = -1

    def forget(self) -> None:
        for station in self.stations:
            station.forget()

    def gather(self, now_ms: int, events: "list[Any]") -> None:
        if self._now < 0:
            for station in self.stations:
                station.heard.heard_ms = now_ms
        self._now = now_ms
        said = self._port.take()
        if said:
            self._hear(now_ms, said, events)
        if (
            self._asked is not None and now_ms >= self._until
        ):  # its time is over, or it broke off: ask again the sooner
            while self._asked is not None and self._heard:
                self._heard = self._heard[1:]  # what began there does not end
                self._parse(now_ms, events)
            if self._asked is not None:
                self._end(now_ms, self._noise or "silent")
        if self._asked is None and now_ms >= self._quiet_until:
            self._ask(now_ms)
        for station in self.stations:
            if station.heard.look(now_ms, events):
                station.anew()

    # -------------------------------------------------------------- asking
    def _ask(self, now_ms: int) -> None:
        if self._next is not None:
            self._poll(now_ms, self._next)
            self._next = None
            return
        for station in self.stations:
            if station.pending is not None:
                channel, ms, before = station.pending
                if now_ms > before:
                    station.drop(now_ms)
                elif not self._set(now_ms, station, ms):
                    self._open(now_ms, station, channel, ms)
                    return
                else:
                    return
        for _station in self.stations:
            self._turn = (self._turn + 1) % len(self.stations)
            station = self.stations[self._turn]
            if now_ms >= station.due_ms:
                self._poll(now_ms, station)
                return

    def _poll(self, now_ms: int, station: Station) -> None:
        station.due_ms = now_ms + station.heard.pause_ms()
        self._send(now_ms, station, "status", station.codec.poll, station.codec.answer_size, ANSWER_MS)

    def _set(self, now_ms: int, station: Station, ms: int) -> bool:
        """Whether the board is told the time of its pulses first."""
        if not hasattr(station.codec, "setting") or station.set_ms in (-1, (ms + 9) // 10 * 10):
            return False
        if station.set_tries >= SET_TRIES:
            station.set_ms = -1  # it does not know that: its own time counts
            return False
        station.set_tries += 1
        self._send(now_ms, station, "set", station.codec.setting(ms), 7, ANSWER_MS)
        return True

    def _open(self, now_ms: int, station: Station, channel: int, ms: int) -> None:
        codec = station.codec
        request = codec.opening(channel, ms)
        self._send(now_ms, station, "opened", request, 10, codec.open_wait_ms)
        station.sent(self._quiet_until, channel, ms)
        self._next = station  # also because a CU16 may stick until it is asked something
        if not codec.open_wait_ms:
            self._asked = None

    def _send(  # noqa: PLR0917 - a request and what answers it
        self, now_ms: int, station: Station, wanted: str, request: bytes, size: int, wait_ms: int
    ) -> None:
        self._heard = b""  # whatever came before is no answer to this
        self._noise = ""
        self._skip = len(request) if self._echo else 0
        self._asked = station
        self._wanted = wanted
        out_ms = now_ms + len(request) * self._byte_us // 1000 + 1
        self._quiet_until = out_ms + GAP_MS
        self._due = out_ms + size * self._byte_us // 1000  # an answer that began at once is whole
        self._until = self._limit = self._due + wait_ms
        self._port.send(request)

    # -------------------------------------------------------------- hearing
    def _hear(self, now_ms: int, said: bytes, events: "list[Any]") -> None:
        own = min(self._skip, len(said))
        self._skip -= own
        self._heard = (self._heard + said[own:])[-BUFFER_MAX:]
        if self._heard and self._wanted != "opened":  # that comes when the lock has moved, whatever comes before
            self._until = min(self._limit, max(now_ms, self._due) + PAUSE_MS)
        self._quiet_until = max(self._quiet_until, now_ms + GAP_MS)
        self._parse(now_ms, events)

    def _parse(self, now_ms: int, events: "list[Any]") -> None:
        """By the framing of whoever was asked; nobody was: of each kind of board that is here."""
        if self._asked is not None:
            self._heard = self._frames(now_ms, self._asked, self._heard, events)
            return
        rest = b""
        kinds: list[Any] = []
        for station in self.stations:
            if type(station.codec) not in kinds:
                kinds.append(type(station.codec))
                left = self._frames(now_ms, station, self._heard, events)
                rest = left if len(left) > len(rest) else rest
        self._heard = rest

    def _frames(self, now_ms: int, like: Station, heard: bytes, events: "list[Any]") -> bytes:
        codec = like.codec
        while heard:
            if self._asked is not None:
                self._noise = self._noise or "garbled"
            size = codec.size(heard)
            if size < 0 or size > len(heard):
                break
            if size and codec.sound(heard[:size]):
                self._take(now_ms, heard[:size], type(codec), events)
                heard = heard[size:]
            else:
                heard = heard[1:]
        return heard

    def _take(self, now_ms: int, frame: bytes, kind: "Any", events: "list[Any]") -> None:
        ours = False
        for station in self.stations:
            if type(station.codec) is not kind:
                continue
            said = station.codec.read(frame)
            if said == "push":
                station.heard.see(station.codec, False, events)
                station.due_ms = now_ms
            elif said and station is self._asked:
                if said == self._wanted:
                    self._end(now_ms, "")
                    if said == "status":
                        station.heard.answered(now_ms, station.codec, events)
                    elif said == "set":
                        station.set_ms = station.codec.set_ms
                elif said == "busy":
                    self._end(now_ms, "busy")
            ours = ours or bool(said)
        if not ours and self._asked is not None:
            self._noise = "wrong_board"

    def _end(self, now_ms: int, missed: str) -> None:
        """The answer is there (`missed` is empty), or is not."""
        station = self._asked
        self._asked = None
        self._quiet_until = max(self._quiet_until, now_ms + GAP_MS)
        if missed and self._wanted == "status":
            station.heard.failed(missed)
