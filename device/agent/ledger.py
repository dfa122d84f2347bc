"""The one way to make something durable: number it, save it, fold it into the books, hand it to the link."""

from typing import TYPE_CHECKING

from device.agent.effects import Save
from protocol.limits import JOURNAL_RESERVE_RECORDS
from protocol.messages import Up, encode

if TYPE_CHECKING:
    from device.agent.books import Books
    from device.agent.effects import Effect
    from device.agent.link import Link
    from protocol.messages import Message


class Ledger:
    def __init__(self, books: "Books", link: "Link", boot: int) -> None:
        self.books = books
        self.link = link
        self.boot = boot
        self.journal_free = JOURNAL_RESERVE_RECORDS  # records that still fit, as the shell last measured

    @property
    def has_room(self) -> bool:
        """Whether there is room beside the reserve, which is for pickups and doors alone."""
        return self.journal_free >= JOURNAL_RESERVE_RECORDS

    def save(self, now: int, event: "Message", effects: "list[Effect]") -> None:
        """Journal a custody event. Whatever is appended to `effects` after this happens only once it is durable."""
        seq = self.books.seq + 1
        up = Up(self.boot, seq, now, self.link.wall_s(now), event)
        record = encode(up)
        self.books.apply(up)
        effects.append(Save(seq, record))
        self.link.saved(now, seq, record, effects)
