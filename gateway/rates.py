"""How often one key of the API may ask, and one address that shows no good key: token buckets, in memory.

A request is charged before its body is read. A key that was good before is charged to itself, whatever else comes from
its address; everything else to the address. No address is kept: what names its bucket is a MAC under a key that ends
with this process.
"""

import hashlib
import hmac
import ipaddress
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gateway import limits

Clock = Callable[[], float]
Headers = tuple[tuple[bytes, bytes], ...]
_NAME_SIZE = 16
_IPV6_SITE_BITS = 64  # whoever has one address of such a network has all of them


@dataclass(frozen=True)
class Limit:
    """`at_once`: what may be saved up while nothing comes; `per_s`: how fast it fills again."""

    name: str
    per_s: float
    at_once: int


@dataclass(frozen=True)
class Charge:
    """What became of one request. `wait_s` > 0: refused; good again after that many seconds."""

    limit: Limit
    left: float
    wait_s: float

    @property
    def retry_s(self) -> int:
        return max(1, math.ceil(self.wait_s)) if self.wait_s else 0

    def headers(self) -> Headers:
        """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10); Retry-After (RFC 9110, 10.2.3)."""
        name, quota = self.limit.name, self.limit.at_once
        full_s = math.ceil((quota - self.left) / self.limit.per_s)
        said = (
            (b"ratelimit-policy", f'"{name}";q={quota};w={math.ceil(quota / self.limit.per_s)}'.encode()),
            (b"ratelimit", f'"{name}";r={int(self.left)};t={full_s}'.encode()),
        )
        return (*said, (b"retry-after", str(self.retry_s).encode())) if self.wait_s else said


class Buckets:
    """One bucket for each name; whoever was not seen for longest is forgotten first, and begins anew. Any thread."""

    def __init__(self, limit: Limit, clock: Clock, names_max: int = limits.RATE_NAMES_MAX) -> None:
        self._limit = limit
        self._clock = clock
        self._names_max = names_max
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # name -> left, at

    def __contains__(self, name: bytes) -> bool:
        return name in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, name: bytes) -> Charge:
        """One token, if there is one."""
        with self._lock:
            left = self._left(name)
            taken = left >= 1
            left -= taken
            self._keep(name, left)
        return Charge(self._limit, left, 0.0 if taken else (1 - left) / self._limit.per_s)

    def give_back(self, name: bytes) -> None:
        with self._lock:
            self._keep(name, min(self._limit.at_once, self._left(name) + 1))

    def forget(self, name: bytes) -> None:
        with self._lock:
            self._kept.pop(name, None)

    def _left(self, name: bytes) -> float:
        now = self._clock()
        left, at = self._kept.get(name, (float(self._limit.at_once), now))
        return min(float(self._limit.at_once), left + max(0.0, now - at) * self._limit.per_s)

    def _keep(self, name: bytes, left: float) -> None:
        self._kept[name] = (left, self._clock())
        self._kept.move_to_end(name)
        if len(self._kept) > self._names_max:
            self._kept.popitem(last=False)


class Gate:
    """The buckets of one gateway, for the API and the pages alike. `per_s`: of one key."""

    def __init__(self, per_s: int = limits.KEY_REQUESTS_PER_S, clock: Clock = time.monotonic) -> None:
        self.keys = Buckets(Limit("key", per_s, per_s * limits.KEY_SAVED_S), clock)
        self.strangers = Buckets(
            Limit("address", limits.STRANGER_REQUESTS_PER_S, limits.STRANGER_REQUESTS_AT_ONCE), clock
        )
        self._secret = secrets.token_bytes(32)

    def admit(self, address: str, authorization: str) -> "Admission":
        """`authorization`: the header of that name, or ""."""
        _, _, secret = authorization.partition(" ")
        return Admission(self, self._name(secret.strip()), self.name_of(address))

    def name_of(self, address: str) -> bytes:
        """Of the bucket of an address (an IPv4 address, or the IPv6 network it is in)."""
        return self._name(_site(address))

    def _name(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256)[:_NAME_SIZE]


class Admission:
    """One request, charged. Whoever checks its key says `known` or `unknown`."""

    def __init__(self, gate: Gate, key: bytes, address: bytes) -> None:
        self._gate = gate
        self._key = key
        self._address = address
        self._own = key in gate.keys
        self.charge = gate.keys.take(key) if self._own else gate.strangers.take(address)

    def known(self) -> None:
        """From now on this key is charged to itself; so is this request."""
        if not self._own:
            self._own = True
            self._gate.strangers.give_back(self._address)
            self.charge = self._gate.keys.take(self._key)

    def unknown(self) -> None:
        """No good key, or no more: what comes with it is charged to where it comes from."""
        self._gate.keys.forget(self._key)


def _site(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address  # a socket without one, or a name that a proxy said
    if isinstance(known, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((known, _IPV6_SITE_BITS), strict=False))
    return str(known)
