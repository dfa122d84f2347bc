"""What happens to the agent: the shell turns pins, bytes and time into these, one at a time."""

from protocol.record import Record


class Ticked(Record):
    """Nothing happened; a deadline may have passed."""


class KeyPressed(Record):
    """One of 0-9, A-D, * or #, after debouncing."""

    FIELDS = ("key",)
    key: str


class Scanned(Record):
    """One frame of the scanner, its ending cut off. Attacker-controlled."""

    FIELDS = ("data",)
    data: bytes


class DoorSensed(Record):
    """A door sensor settled on a new state (and once for every door after boot)."""

    FIELDS = ("compartment", "closed")
    compartment: int
    closed: bool


class ContentsSensed(Record):
    """An occupancy sensor settled on a new word; None: there is one, which has not settled yet (once after boot,
    before any DoorSensed)."""

    FIELDS = ("compartment", "occupied")
    compartment: int
    occupied: "bool | None"


class ModuleSensed(Record):
    """A module's lock board answers, or does not. `module`: its place in /config.json; `fault`: "" or a word (silent,
    garbled, busy, wrong_board); `numbers`: the compartments whose doors it tells of, and does right after it is back.
    Told once per change, and once after a start when it is known."""

    FIELDS = ("module", "fault", "numbers")
    module: int
    fault: str
    numbers: "list[int]"


class LinkOpened(Record):
    """The TCP (or TLS) connection to the broker stands."""


class LinkClosed(Record):
    """It does not, or never came to be. `reason`: a word for the console (refused, reset, dns, timeout…)."""

    FIELDS = ("reason",)
    reason: str


class Received(Record):
    """Bytes from the broker, as they came."""

    FIELDS = ("data",)
    data: bytes


class Typed(Record):
    """Bytes from the serial console, as they came."""

    FIELDS = ("data",)
    data: bytes


class JournalRead(Record):
    """The answer to ReadJournal: records (messages.Up as bytes) from `first` on, in order; empty: none left."""

    FIELDS = ("first", "records")
    first: int
    records: "list[bytes]"


class JournalMeasured(Record):
    """How many records still fit into the journal; sent at boot and whenever it changed."""

    FIELDS = ("free",)
    free: int


class Sensed(Record):
    """A measured value: temperature_dc (tenths of a degree C), chip_temperature_dc, supply_mv, energy_mwh; 1 or 0:
    tamper, supply_low; or how a part is (PART_ of protocol.numbers): scanner, display, meter, thermometer."""

    FIELDS = ("name", "value")
    name: str
    value: int
