"""A lasting port is its owner's, also while nobody listens on it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAKE = """
import sys
from gateway import ports
ports.PORTS = range(20_000, 20_100)
print(*[ports.lasting_port("127.0.0.1") for _ in range(30)], flush=True)
sys.stdin.read()
"""


def test_two_processes_that_look_for_ports_at_once_get_none_twice():
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        taken = [taker.stdout.readline().split() for taker in takers if taker.stdout]
    finally:
        for taker in takers:
            taker.communicate()
    assert [len(ports) for ports in taken] == [30, 30]
    assert len({*taken[0], *taken[1]}) == 60
