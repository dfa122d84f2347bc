"""Lockers: how one is described when it is registered, and what the books know of it."""

from dataclasses import dataclass

from gateway.domain.compartments import SIZES
from gateway.domain.errors import Refusal
from gateway.domain.guarantees import Guarantee, check_guarantees
from gateway.limits import COMPARTMENTS_PER_MODULE_MAX, MM_MAX, MODULES_MAX, NAME_SIZE_MAX, PICKUP_DAYS_MAX
from protocol.limits import COMPARTMENTS_MAX
from protocol.topics import is_locker_id

CODE_DIGITS = (12, 16)  # 16 for a locker without a scanner: no bucket protects its codes


@dataclass(frozen=True, slots=True)
class NewCompartment:
    number: int
    size: str
    width_mm: int
    height_mm: int
    depth_mm: int
    x_mm: int
    bottom_mm: int
    accessible: bool = False


@dataclass(frozen=True, slots=True)
class NewModule:
    name: str
    compartments: tuple[NewCompartment, ...]


@dataclass(frozen=True, slots=True)
class NewLocker:
    id: str
    name: str
    modules: tuple[NewModule, ...]
    code_digits: int = 12


@dataclass(slots=True)
class Locker:
    """Changed in place while a batch of events is taken up. `generation` 0: not yet provisioned. `online`: its will
    has not been read. `seen_s`: when it last said anything."""

    id: str
    name: str
    code_digits: int
    generation: int
    boot: int
    last_seq: int
    online: bool
    seen_s: int | None
    firmware: str
    made_s: int
    # The doors of its last Birth, until the events up to that Birth (birth_seq) are in the books.
    birth_seq: int | None = None
    birth_doors: bytes | None = None
    pickup_days: int | None = None  # how long a parcel waits here; None: as everywhere
    layout: bytes | None = None  # as it last told (messages.Layout)

    def alive_at(self, now_s: int, alive_s: int) -> bool:
        return self.online and self.seen_s is not None and now_s - self.seen_s <= alive_s


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where lockers and the gateway meet. `authorities`: CAs (DER) that vouch for the broker, where it is ours."""

    host: str
    port: int
    tls: bool = False
    authorities: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the gateway itself keeps of a locker and its operator may change. `pickup_days` None: as everywhere."""

    name: str
    pickup_days: int | None
    shares: tuple[Guarantee, ...]


@dataclass(frozen=True, slots=True)
class Provisioning:
    """What goes onto a locker over the serial console, once. Never logged, never stored."""

    locker: str
    generation: int
    key: bytes
    mqtt_password: str
    trusted: dict[str, bytes]  # key id in hex -> prepared Ed25519 table
    meeting: Meeting | None = None  # None: this gateway does not know it


def check_name(name: str) -> None:
    """Of a locker, as people are told it. Raises Refusal("bad_value")."""
    if not 0 < len(name) <= NAME_SIZE_MAX or not name.isprintable():
        raise Refusal("bad_value", f"name: 1 to {NAME_SIZE_MAX} printable characters")


def check_configuration(wanted: Configuration) -> None:
    """Raises Refusal("bad_value"), with the field's name first."""
    check_name(wanted.name)
    if wanted.pickup_days is not None and not 1 <= wanted.pickup_days <= PICKUP_DAYS_MAX:
        raise Refusal("bad_value", f"days: 1 to {PICKUP_DAYS_MAX}")
    check_guarantees(wanted.shares)


def check_locker(new: NewLocker) -> None:
    """Raises Refusal("bad_value") with the first thing that cannot be."""
    if not is_locker_id(new.id):
        raise Refusal("bad_value", "id: 1 to 32 of a-z, 0-9 and '-', not starting with '-'")
    check_name(new.name)
    if new.code_digits not in CODE_DIGITS:
        raise Refusal("bad_value", "code_digits: 12, or 16 for a locker without a scanner")
    if not 0 < len(new.modules) <= MODULES_MAX:
        raise Refusal("bad_value", f"modules: 1 to {MODULES_MAX}")
    names = [module.name for module in new.modules]
    if len(set(names)) != len(names) or not all(0 < len(name) <= 8 for name in names):
        raise Refusal("bad_value", "modules: names of 1 to 8 characters, each once")
    for module in new.modules:
        _check_module(module)
    numbers = sorted(compartment.number for module in new.modules for compartment in module.compartments)
    if len(set(numbers)) != len(numbers) or not 1 <= numbers[0] <= numbers[-1] <= COMPARTMENTS_MAX:
        raise Refusal("bad_value", f"compartments: numbered 1 to {COMPARTMENTS_MAX}, each number once in the locker")


def _check_module(module: NewModule) -> None:
    if not 0 < len(module.compartments) <= COMPARTMENTS_PER_MODULE_MAX:
        raise Refusal("bad_value", f"module {module.name}: 1 to {COMPARTMENTS_PER_MODULE_MAX} compartments")
    for box in module.compartments:
        if box.size not in SIZES:
            raise Refusal("bad_value", f"compartment {box.number}: size is one of {', '.join(SIZES)}")
        if not all(0 < length <= MM_MAX for length in (box.width_mm, box.height_mm, box.depth_mm)):
            raise Refusal("bad_value", f"compartment {box.number}: width, height and depth are 1 to {MM_MAX} mm")
        if not (0 <= box.bottom_mm <= MM_MAX and 0 <= box.x_mm <= MODULES_MAX * MM_MAX):
            raise Refusal("bad_value", f"compartment {box.number}: it stands where no hand can reach it")
