"""The post: takes due letters and hands them to their senders. One thread a channel, so that none waits for another.

Woken after commits, and by time. A letter goes at least once: where its row could not be marked after it went (a
crash, a full disk) it goes once more, under the same id. Nothing is held in memory that a restart would lose.
"""

import threading
from collections.abc import Mapping

from gateway import limits, log
from gateway.domain.letters import Letter, NotYetError, OutdatedError, pause_s
from gateway.notify.senders import NeverError, Sender, TryLater
from gateway.services import letters
from gateway.services.desk import Desk


class Round:
    """One channel's way of working; call it from one thread."""

    def __init__(self, desk: Desk, channel: str, sender: Sender, stopping: threading.Event | None = None) -> None:
        self._desk = desk
        self._channel = channel
        self._sender = sender
        self._stopping = stopping or threading.Event()
        self._failures = 0  # of the channel, in a row
        self._closed_until_s = 0  # by the desk's clock

    def run(self) -> int:
        """How many letters went."""
        while letters.write_owed(self._desk) and not self._stopping.is_set():
            pass
        went = 0
        try:
            while self._open and (due := letters.due(self._desk, self._channel)):
                for letter in due:
                    if not self._open:
                        break
                    went += self._deliver(letter)
        finally:
            self._sender.close()
        return went

    @property
    def _open(self) -> bool:
        return not self._stopping.is_set() and self._desk.clock() >= self._closed_until_s

    def _deliver(self, letter: Letter) -> bool:
        try:
            contents = letters.open_letter(self._desk, letter)
        except OutdatedError:
            letters.drop(self._desk, letter)
            return False
        except NotYetError as later:
            letters.put_off(self._desk, letter, later.due_s)
            return False
        try:
            provider_id = self._sender.send(contents)
        except NeverError as never:
            letters.give_up(self._desk, letter, never.reason)
            self._tell_given_up(letter, never.reason)
            return False
        except TryLater as later:
            self._failed(letter, later)
            return False
        except Exception as error:  # a bug of ours that one letter meets must not hold up the others for ever
            log.event("letter_failed", letter=letter.id, parcel=letter.parcel_id, error=type(error).__name__)
            self._failed(letter, TryLater("failed"))
            return False
        self._failures = 0
        letters.note_sent(self._desk, letter, provider_id)
        return True

    def _failed(self, letter: Letter, later: TryLater) -> None:
        if later.of_the_channel:
            self._failures += 1
            chance = self._desk.randomness(1)[0]
            wait_s = pause_s(self._failures, limits.LETTER_CHANNEL_AGAIN_S_MAX, chance, later.after_s)
            self._closed_until_s = self._desk.clock() + wait_s
            log.event("letters_held_up", channel=self._channel, reason=later.reason, seconds=wait_s)
        kept = letters.try_later(self._desk, letter, later.reason, later.after_s, later.of_the_channel)
        if not kept:
            self._tell_given_up(letter, later.reason)

    def _tell_given_up(self, letter: Letter, reason: str) -> None:
        log.event(
            "letter_given_up",
            letter=letter.id,
            parcel=letter.parcel_id,
            kind=letter.kind,
            channel=self._channel,
            reason=reason,
        )


class Post:
    def __init__(self, desk: Desk, senders: Mapping[str, Sender]) -> None:
        self._stopping = threading.Event()
        self._workers = [
            _Worker(channel, Round(desk, channel, sender, self._stopping), self._stopping)
            for channel, sender in senders.items()
        ]

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def wake(self) -> None:
        """After every commit: somebody may have to be told something."""
        for worker in self._workers:
            worker.woken.set()

    def stop(self) -> None:
        """A letter under way is waited for, but not for long."""
        self._stopping.set()
        self.wake()
        for worker in self._workers:
            worker.join(limits.LETTERS_STOP_S_MAX)


class _Worker:
    def __init__(self, channel: str, work: Round, stopping: threading.Event) -> None:
        self.woken = threading.Event()
        self._work = work
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name=f"letters-{channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, wait_s: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(wait_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._work.run()
            except Exception as error:  # the outermost loop: whatever it is, the next round may do better
                if not self._stopping.is_set():  # else the books were closed under a letter that took too long
                    log.event("letters_failed", error=type(error).__name__)
            self._stopping.wait(limits.LETTERS_PAUSE_S)
            self.woken.wait(limits.LETTERS_LOOK_S)
            self.woken.clear()
