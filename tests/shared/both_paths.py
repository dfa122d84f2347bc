"""Every way in which this interpreter can check a signature: what a test says of one, it says of all."""

from protocol import ed25519, paths

HERE = [paths.BEST] if paths.BEST.name == "bytecode" else [paths.bytecode(), paths.BEST]


def verify(table: bytes, message: bytes, signature: bytes) -> bool:
    """By each of them, and all must agree."""
    verdicts = [ed25519.verify(table, message, signature, path) for path in HERE]
    assert verdicts.count(verdicts[0]) == len(verdicts), [path.name for path in HERE]
    return verdicts[0]
