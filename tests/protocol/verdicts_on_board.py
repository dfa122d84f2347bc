"""Runs in MicroPython: judges signatures by each path that is here, and prints the path's name and a 0 or 1 for each.

On stdin, a line each: a trusted key's table, the message and the signature, in hex; without a table, the last one's.
"""

import sys
from binascii import unhexlify

from both_paths import HERE

from protocol import ed25519

verdicts = {path.name: bytearray() for path in HERE}
table = b""
while line := sys.stdin.readline().strip():
    table_hex, message, signature = line.split(",")
    table = unhexlify(table_hex) if table_hex else table
    for path in HERE:
        verdicts[path.name].append(48 + ed25519.verify(table, unhexlify(message), unhexlify(signature), path))
for name, found in verdicts.items():
    print(name, str(bytes(found), "ascii"))
