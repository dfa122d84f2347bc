"""A port that is still there for its owner after a restart.

What a system gives out by itself, to whoever asks for any port and to every connection that goes out, may be somebody
else's by then; it gives out none of these. Nor does another process of ours, while the one lives that got it first,
though nobody listens there yet, or just for the moment not: a name that Linux keeps in no file says so (unix(7)).
"""

import random
import socket
import sys

PORTS = range(20_000, 32_000)  # Linux gives out those from 32,768, most others from 49,152
PORT_TRIES = 200
_kept: list[socket.socket] = []  # each has a port's name, to the end of this process


def lasting_port(host: str) -> int:
    """One of them that nobody listens on, nor means to. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _try in range(PORT_TRIES):
        port = random.choice(PORTS)
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        if _is_ours(port):
            return port
    raise OSError(f"no free port on {host} in {PORT_TRIES} tries")


def _is_ours(port: int) -> bool:
    """From now on, if it is nobody's. Elsewhere than on Linux two that ask at once may get the same."""
    if sys.platform != "linux":
        return True
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0consigne-port-{port}")
    except OSError:
        mark.close()
        return False
    _kept.append(mark)
    return True
