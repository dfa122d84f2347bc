"""Many lockers in one process: they publish sealed events made beforehand and count the answers.

Closed loop: each locker sends its next event when its last was answered, so that the gateway decides the pace.
Open loop: events leave by the clock, whatever the answers do, and each is timed from when it was due.
"""

import gc
import selectors
import sys
import time
from collections import deque
from typing import Any

import cbor2

from tools.bench import town
from tools.bench.locker_line import LockerLine
from tools.bench.worker import Document, serve

STALL_S = 30  # nothing came for so long: something is lost
GATHER_S = 0.001  # closed loop: PUBACK and answer are then read in one piece


class StallError(Exception):
    """Answers that never came."""


class Crowd:
    def __init__(self, address: tuple[str, int], count: int) -> None:
        keys = town.keys()
        self._lines = [
            LockerLine(address, name, keys.locker_key(name, town.GENERATION), town.GENERATION)
            for name in town.names(count)
        ]
        self._packets = [deque[bytes]() for _ in self._lines]
        self._first_seq = 1
        self._selector = selectors.DefaultSelector()
        for place, line in enumerate(self._lines):
            self._selector.register(line.socket, selectors.EVENT_READ, place)

    def prepare(self, order: Document) -> Document:
        """Seal `each` events for every locker, from seq `first` on."""
        self._first_seq = int(order["first"])
        seqs = range(self._first_seq, self._first_seq + int(order["each"]))
        self._packets = [deque([line.packet(seq, town.event(seq)) for seq in seqs]) for line in self._lines]
        self._read_leftovers()
        gc.collect()
        gc.freeze()
        return {"prepared": len(self._lines) * len(seqs)}

    def _read_leftovers(self) -> None:
        """Broker's acknowledgements of the last run."""
        while ready := self._selector.select(0):
            for key, _ in ready:
                place: int = key.data
                self._lines[place].read()

    # -------------------------------------------------------------- closed loop
    def closed(self, _order: Document) -> Document:
        lines, packets = self._lines, self._packets
        left = sum(map(len, packets))
        total = left
        cpu, start = time.process_time(), time.perf_counter()
        for place, line in enumerate(lines):
            line.send(packets[place].popleft())
        while left:
            ready = self._selector.select(STALL_S)
            if not ready:
                raise StallError(f"{left} of {total} events were never answered")
            for key, _ in ready:
                place: int = key.data
                payloads, answers = lines[place].read()
                if not payloads:
                    continue
                left -= len(payloads)
                waiting = packets[place]
                lines[place].send(answers + waiting.popleft() if waiting else answers)
            time.sleep(GATHER_S)
        seconds = time.perf_counter() - start
        return {"events": total, "seconds": seconds, "cpu_s": time.process_time() - cpu}

    # -------------------------------------------------------------- open loop
    def open(self, order: Document) -> Document:
        return _OpenLoop(self._lines, self._packets, self._selector, self._first_seq).run(float(order["rate"]))


class _OpenLoop:
    """One run. Lockers take turns, each far from the next event before its last is answered."""

    def __init__(
        self,
        lines: list[LockerLine],
        packets: list[deque[bytes]],
        selector: selectors.BaseSelector,
        first_seq: int,
    ) -> None:
        self._lines = lines
        self._packets = packets
        self._selector = selector
        self._due = [deque[tuple[int, float]]() for _ in lines]  # of each locker: (seq, when it was due)
        self._next_seq = [first_seq] * len(lines)
        self._sent = 0
        self._delays_ms: list[float] = []
        self._late_ms: list[float] = []

    def run(self, rate: float) -> Document:
        total = sum(map(len, self._packets))
        cpu, start = time.process_time(), time.perf_counter()
        while len(self._delays_ms) < total:
            now = time.perf_counter()
            while self._sent < total and start + self._sent / rate <= now:
                self._send(start + self._sent / rate, now)
            wait_s = start + self._sent / rate - time.perf_counter() if self._sent < total else STALL_S
            ready = self._selector.select(max(0.0, wait_s))
            if not ready and self._sent == total:
                raise StallError(f"{total - len(self._delays_ms)} of {total} events were never answered")
            for key, _ in ready:
                self._read(key.data)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        times = {"delays_ms": self._delays_ms, "late_ms": self._late_ms}
        return {"events": total, "seconds": seconds, "cpu_s": cpu_s, **times}

    def _send(self, due: float, now: float) -> None:
        place = self._sent % len(self._lines)
        self._due[place].append((self._next_seq[place], due))
        self._next_seq[place] += 1
        self._lines[place].send(self._packets[place].popleft())
        self._late_ms.append((now - due) * 1000)
        self._sent += 1

    def _read(self, place: int) -> None:
        payloads, answers = self._lines[place].read()
        if not payloads:
            return
        now = time.perf_counter()
        waiting = self._due[place]
        for payload in payloads:
            acked = acked_by(payload)
            while waiting and waiting[0][0] <= acked:
                self._delays_ms.append((now - waiting.popleft()[1]) * 1000)
        self._lines[place].send(answers)


def acked_by(payload: bytes) -> int:
    """The seq of a sealed Ack; the gateway is ours, so nothing is verified here."""
    envelope: Any = cbor2.loads(payload)
    down: Any = cbor2.loads(envelope.value[2])
    return down[5][0] if down[4] == 1 else 0


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    crowd = Crowd((host, int(port)), int(sys.argv[2]))
    serve({"connected": int(sys.argv[2])}, {"prepare": crowd.prepare, "closed": crowd.closed, "open": crowd.open})


if __name__ == "__main__":
    main()
