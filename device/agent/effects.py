"""What the agent orders. The shell performs them one at a time, in order.

The order is a contract: a Save is durable (written, flushed, checksummed) before anything after it happens.
If a Save fails, nothing after it in the list is performed and the agent is made anew from the journal.
"""

from typing import TYPE_CHECKING

from protocol.record import Record


class Save(Record):
    """Append to the journal: one messages.Up, encoded, with a seq."""

    FIELDS = ("seq", "record")
    seq: int
    record: bytes


class Pulse(Record):
    """Energise one lock coil for so long; 0: no longer, if it still waits for its turn."""

    FIELDS = ("compartment", "ms")
    compartment: int
    ms: int


class Show(Record):
    """Put a screen up: a name in the locker's text table, and what to fill in. Texts live with the display."""

    FIELDS = ("screen", "arguments")
    screen: str
    arguments: "tuple[str, ...]"


class Beep(Record):
    """`tune`: ok, error, attention or key."""

    FIELDS = ("tune",)
    tune: str


class Dial(Record):
    """Connect to the broker; LinkOpened or LinkClosed follows. `wall_s`, Unix time, is what its certificate is judged
    by; not `known`: it is at least so late (0: nothing is known)."""

    FIELDS = ("wall_s", "known")
    wall_s: int
    known: bool


class HangUp(Record):
    """Drop the connection; no LinkClosed follows."""


class Send(Record):
    """Bytes to the broker."""

    FIELDS = ("data",)
    data: bytes


class ReadJournal(Record):
    """JournalRead follows, with at most `count` records from seq `first` on."""

    FIELDS = ("first", "count")
    first: int
    count: int


class Forget(Record):
    """The gateway has committed everything up to `seq`: the journal may drop it after its keeping time."""

    FIELDS = ("seq",)
    seq: int


class KeepTrust(Record):
    """Put the table of a signing key on flash, to be trusted from the next start on as it is from now."""

    FIELDS = ("kid", "table")
    kid: bytes
    table: bytes


class DropTrust(Record):
    """Take a signing key's table off the flash."""

    FIELDS = ("kid",)
    kid: bytes


class Write(Record):
    """Bytes to the serial console."""

    FIELDS = ("data",)
    data: bytes


class Restart(Record):
    """Reset the board."""

    FIELDS = ("reason",)
    reason: str


if TYPE_CHECKING:
    Effect = (
        Save
        | Pulse
        | Show
        | Beep
        | Dial
        | HangUp
        | Send
        | ReadJournal
        | Forget
        | KeepTrust
        | DropTrust
        | Write
        | Restart
    )
