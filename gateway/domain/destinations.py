"""Where a webhook may lead: https to the public internet. Whoever may make webhooks must not reach what only this
machine can reach (server-side request forgery): a database, a router, a cloud's metadata.

The address is judged, never the name, and what is connected to is the address that was judged.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.domain.errors import Refusal
from gateway.limits import WEBHOOK_URL_SIZE_MAX

PORTS = {"https": 443, "http": 80}
_PORT_MIN = 1_024  # below it others than web servers listen
# RFC 3986, without what parsers disagree on (user information, backslashes, anything not ASCII).
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
# Addresses with an IPv4 address inside that somebody on the way may unwrap, and those of networks long given up.
_WRAPPED = ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "fec0::/10")
# Where clouds tell a machine its own credentials, beside the link-local 169.254.169.254.
_METADATA = ("fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")
_NEVER = tuple(ipaddress.ip_network(text) for text in (*_WRAPPED, *_METADATA))
UNREACHABLE = "url: its host has no address on the public internet"


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL taken apart. `host`: a name, or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: str) -> str:
        """The URL of the same thing at this very address."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def destination_of(url: str, allow_private: bool) -> Destination:
    """Raises Refusal("bad_value")."""
    if (
        not 0 < len(url) <= WEBHOOK_URL_SIZE_MAX
        or not url.isascii()
        or not url.isprintable()
        or set(url) & set(" \\#")
    ):
        raise Refusal("bad_value", f"url: {WEBHOOK_URL_SIZE_MAX} ASCII characters at most, without a fragment")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refusal("bad_value", "url: not one")
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes:
        raise Refusal("bad_value", "url: it begins with https://")
    if "@" in parts.netloc:
        raise Refusal("bad_value", "url: without a user or a password; we sign what we send")
    port = PORTS[parts.scheme] if port is None else port
    host = parts.netloc.removesuffix(f":{parts.port}")
    if not _HOST.fullmatch(host) or not (port == PORTS[parts.scheme] or port >= _PORT_MIN):
        raise Refusal("bad_value", f"url: https://NAME/PATH, and a port of {_PORT_MIN} or more if it is another one")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _PATH.fullmatch(path):
        raise Refusal("bad_value", "url: other characters of the path as %XX")
    return Destination(parts.scheme, host.strip("[]").lower(), port, path)


def may_reach(address: str, allow_private: bool) -> bool:
    """Whether a webhook may go to this address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if allow_private and found.is_loopback:
        return True
    if any(found in network for network in _NEVER if network.version == found.version):
        return False
    if found.is_multicast or found.is_unspecified or found.is_link_local or found.is_reserved:
        return False
    return found.is_global or allow_private


def reachable(addresses: Iterable[str], allow_private: bool) -> list[str]:
    """Those of a name's addresses to connect to, and no other one."""
    return [address for address in dict.fromkeys(addresses) if may_reach(address, allow_private)]
