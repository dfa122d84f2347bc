"""One click signs in to the gateway's pages as a role of the demonstration. No key ever reaches a browser.

We sign in with the role's key ourselves, and hand on the cookie that the gateway gives: cookies are a host's, not a
port's (RFC 6265, 8.5), and both listen on this machine's loopback only.
"""

import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from gateway.domain.people import SCOPES_OF
from tools.client import Failed, Gateway
from tools.demo.tour import CARRIER, SHOP

WAIT_S = 10.0
TENANTS = {"courier": CARRIER, "merchant": SHOP}


@dataclass(frozen=True)
class WayIn:
    """Where to look next, and the cookie that lets one in."""

    path: str
    cookie: str


class WaysIn:
    def __init__(self, api: Gateway, operator_key: str) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._keys = {"operator": operator_key}

    @property
    def port(self) -> int:
        return urlsplit(str(self._api.http.base_url)).port or 80

    def sign_in(self, role: str, onward: str) -> WayIn:
        """Raises Failed, and KeyError for a role that has no pages."""
        said = {"key": self._key(role), "next": onward}
        try:
            answer = httpx.post(f"{self._api.http.base_url}/sign-in", data=said, trust_env=False, timeout=WAIT_S)
        except httpx.HTTPError as problem:
            raise Failed(f"the gateway's pages do not answer: {type(problem).__name__}")
        if answer.status_code != 303:
            raise Failed(f"the gateway's pages answered {answer.status_code}")
        return WayIn(answer.headers["location"], answer.headers["set-cookie"])

    def _key(self, role: str) -> str:
        with self._lock:
            if role not in self._keys:
                tenant = TENANTS[role]
                wanted = {"role": role, "tenant": tenant, "scopes": sorted(SCOPES_OF[role]), "name": f"demo-{tenant}"}
                if role == "merchant":  # it brings its parcels by itself, or lets the tour's carrier bring them
                    wanted |= {"carriers": [tenant, CARRIER]}
                self._keys[role] = str(self._api.post("/v1/credentials", wanted)["secret"])
            return self._keys[role]
