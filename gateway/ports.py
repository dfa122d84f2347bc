"""A port that is still there for its owner after a restart.

What a system gives out by itself, to whoever asks for any port and to every connection that goes out, may be somebody
else's by then; it gives out none of these.
"""

import random
import socket

PORTS = range(20_000, 32_000)  # Linux gives out those from 32,768, most others from 49,152
PORT_TRIES = 200


def lasting_port(host: str) -> int:
    """One of them that nobody listens on. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _try in range(PORT_TRIES):
        port = random.choice(PORTS)
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port on {host} in {PORT_TRIES} tries")
