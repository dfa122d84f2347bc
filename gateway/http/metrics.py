"""GET /metrics: Prometheus' text format 0.0.4. Base units, and no parcel, person or tenant in a label.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import contextlib
import threading
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response

from gateway import limits
from gateway.asgi import Requests
from gateway.domain.people import Principal
from gateway.domain.readings import QUANTITIES, Reading
from gateway.http.acting import counter_of
from gateway.http.auth import desk_of, needs
from gateway.http.routing import READ
from gateway.services import metrics
from gateway.services.desk import Desk
from gateway.services.metrics import Measures

router = APIRouter(tags=["operations"])
Reader = Annotated[Principal, Depends(needs("lockers:read"))]
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass(frozen=True)
class Family:
    """All samples of one name."""

    name: str
    kind: str  # gauge or counter
    purpose: str
    samples: Samples

    def lines(self) -> Iterable[str]:
        yield f"# HELP {self.name} {self.purpose}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.samples:
            named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"{self.name}{{{named}}} {value}" if named else f"{self.name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _by(label: str, counts: Mapping[str, int]) -> Samples:
    return [({label: name}, count) for name, count in counts.items()]


def _one(value: float) -> Samples:
    return [({}, value)]


def _version() -> str:
    try:
        return metadata.version("consigne")
    except metadata.PackageNotFoundError:  # run from its folder
        with contextlib.suppress(OSError, tomllib.TOMLDecodeError, KeyError):
            return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])
    return "unknown"


VERSION = _version()


def families(found: Measures, requests: Requests, streams: int) -> list[Family]:
    boxes = [
        ({"locker": locker, "size": size, "state": state}, count)
        for (locker, size, state), count in found.compartments.items()
    ]
    served = [
        ({"method": method, "route": route, "status": str(status)}, count)
        for (method, route, status), count in requests.counts()
    ]
    return [
        Family("consigne_build_info", "gauge", "Always 1.", [({"version": VERSION}, 1)]),
        Family("consigne_lockers", "gauge", "Lockers that are registered.", _one(found.lockers)),
        Family("consigne_lockers_online", "gauge", "Lockers heard of lately.", _one(found.lockers_online)),
        Family("consigne_compartments", "gauge", "Compartments by availability.", boxes),
        Family("consigne_parcels", "gauge", "Parcels by state, all there ever were.", _by("state", found.parcels)),
        Family("consigne_deposits_total", "counter", "Parcels put in.", _one(found.deposits)),
        Family("consigne_pickups_total", "counter", "Parcels collected.", _one(found.pickups)),
        Family("consigne_alarms_open", "gauge", "What a person has to look at.", _by("kind", found.alarms)),
        Family("consigne_commands_waiting", "gauge", "Orders not handed over.", _one(found.commands_waiting)),
        Family(
            "consigne_event_lag_seconds",
            "gauge",
            "From when a locker saw it until it stood in the books: the longest of the latest 100 events.",
            _one(found.event_lag_s),
        ),
        *_of_sensors(found.readings),
        Family("consigne_webhooks", "gauge", "Webhooks by status.", _by("status", found.webhooks)),
        Family("consigne_webhook_deliveries_total", "counter", "Tries by result.", _by("result", found.deliveries)),
        Family("consigne_event_streams", "gauge", "Event streams that are open.", _one(streams)),
        Family("consigne_http_requests_total", "counter", "Answers since the start.", served),
    ]


def _of_sensors(readings: Sequence[Reading]) -> list[Family]:
    return [
        Family(
            f"consigne_locker_{quantity.name}",
            "gauge",
            quantity.purpose,
            [({"locker": one.locker}, one.in_base_units) for one in readings if one.name == name],
        )
        for name, quantity in QUANTITIES.items()
    ]


class Scrapes:
    """The last look into the books, kept for a moment: whoever scrapes too often costs no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Measures | None = None
        self._until = 0.0

    def measure(self, desk: Desk, who: Principal) -> Measures:
        """Raises Refusal("not_allowed")."""
        metrics.may_measure(who)
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                self._found = metrics.measure(desk, who)
                self._until = time.monotonic() + limits.METRICS_KEPT_S
            return self._found


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **READ},
)
def get_metrics(request: Request, who: Reader) -> Response:
    """For Prometheus (text format 0.0.4), with an operator's key as its bearer token. Scope lockers:read."""
    counter = counter_of(request)
    found = request.app.state.scrapes.measure(desk_of(request), who)
    lines = [line for family in families(found, counter.requests, counter.streams.count) for line in family.lines()]
    return Response("\n".join(lines) + "\n", media_type=MEDIA_TYPE)
