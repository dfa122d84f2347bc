"""A virtual locker's folder: hardware.json (the cabinet), flash.img (what provisioning leaves) and cable.json.

The locker's broker, as its flash knows it, is its own end of the cable: a local port of its own, kept in
cable.json beside the broker's real address, so that the cable can be cut.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.ports import lasting_port
from tools.locker.cabinets import Hardware
from tools.locker.flash import make_flash
from tools.locker.pins import check

PARTS = ("keypad", "scanner", "display", "buzzer", "lock_on", "door_closed", "lights", "sensors")
BOARD_FIELDS = (
    "id",
    "driver",
    "bus",
    "address",
    "channels",
    "closed_when",
    "feedback",
    "variant",
    "pulse_ms",
    "supply",
)
CHIP_FIELDS = ("i2c", "spi", "reset", "latch", "enable", "check")
BOX_FIELDS = ("number", "size", "lock", "door", "occupied", "light")
LOCAL = "127.0.0.1"
WIFI = {"ssid": "consigne", "password": "virtual"}
# If only the watchdog is left, no coil is on for longer (safety: 2 s).
WATCHDOG_MS = 2000


@dataclass(frozen=True)
class Bundle:
    """What the gateway hands out for one locker. `trusted`: key id in hex -> prepared Ed25519 table."""

    locker: str
    generation: int
    key: bytes
    broker: tuple[str, int]
    trusted: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    code_digits: int = 12
    authorities: tuple[bytes, ...] = ()  # CAs (DER) that may vouch for the broker; none: no TLS
    server_name: str = "localhost"  # what the broker's certificate is for; the locker dials its end of the cable


def provision(folder: Path, hardware: Hardware, bundle: Bundle) -> None:
    """Write (or write again) everything that `python -m tools.locker FOLDER` needs. Raises PinError."""
    check(hardware)
    folder.mkdir(parents=True, exist_ok=True)
    cable = _cable(folder / "cable.json", bundle.broker)
    make_flash(folder / "flash.img", flash_files(config(hardware, bundle, (LOCAL, cable["listen"]), WIFI), bundle))
    (folder / "cable.json").write_text(json.dumps(cable))
    (folder / "hardware.json").write_text(json.dumps(hardware | {"locker": bundle.locker}))


def flash_files(document: Mapping[str, Any], bundle: Bundle) -> dict[str, bytes]:
    """Path -> content of all that provisioning leaves. Without /config.json, the last, a board does nothing."""
    return {
        "/key": bundle.key,
        **{f"/trust/{name}": table + hashlib.sha256(table).digest() for name, table in bundle.trusted.items()},
        **{f"/tls/{hashlib.sha256(ca).hexdigest()[:8]}.der": ca for ca in bundle.authorities},
        "/config.json": json.dumps(document).encode(),
    }


def blank(folder: Path, hardware: Hardware, broker: tuple[str, int]) -> None:
    """The same cabinet as it leaves its maker: with nothing on its flash."""
    check(hardware)
    folder.mkdir(parents=True, exist_ok=True)
    make_flash(folder / "flash.img", {})
    (folder / "cable.json").write_text(json.dumps(_cable(folder / "cable.json", broker)))
    (folder / "hardware.json").write_text(json.dumps(hardware))


def config(
    hardware: Hardware, bundle: Bundle, address: tuple[str, int], network: Mapping[str, str] | None
) -> dict[str, Any]:
    """What /config.json says. `address`: of the broker, as the locker dials it; `network`: its Wi-Fi, None: a wire."""
    host, port = address
    tls: dict[str, Any] = {"tls": {"server_name": bundle.server_name}} if bundle.authorities else {}
    return {
        "version": 1,
        "locker": bundle.locker,
        "generation": bundle.generation,
        "broker": {"host": host, "port": port} | tls,
        **({"network": dict(network)} if network else {}),
        "buses": hardware.get("buses", []),
        "modules": [
            {
                **{name: module[name] for name in (*BOARD_FIELDS, *CHIP_FIELDS) if name in module},
                "name": module["name"],
                "compartments": [
                    {name: box[name] for name in BOX_FIELDS if name in box} for box in module["compartments"]
                ],
            }
            for module in bolted(hardware)
        ],
        **{name: hardware[name] for name in PARTS if name in hardware},
        "occupied_full": hardware.get("occupied_full", 0),
        "watchdog_ms": hardware.get("watchdog_ms", WATCHDOG_MS),
        "code_digits": bundle.code_digits,
        **{name: hardware[name] for name in ("trial_s", "retired") if name in hardware},
    }


def bolted(hardware: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The modules that a locker is told of; a `spare` one stands beside it, wired, until a technician adds it."""
    return [module for module in hardware["modules"] if not module.get("spare")]


def _cable(path: Path, broker: tuple[str, int]) -> dict[str, Any]:
    """The local end stays the same when a locker is provisioned again."""
    listen = json.loads(path.read_text())["listen"] if path.exists() else lasting_port(LOCAL)
    return {"listen": listen, "broker": list(broker)}
