"""What schemathesis cannot know about our API; loaded by its command line (`tests/gateway/api_fuzz.py`)."""

import itertools
import json
import os
from typing import Any

import schemathesis

OWN = frozenset(json.loads(os.environ["FUZZ_OWN_CREDENTIALS"]))  # revoked, they would make the rest a test of 401
KEY = "Idempotency-Key"
acts = itertools.count()


@schemathesis.hook
def before_call(_context: object, case: Any, _kwargs: dict[str, Any]) -> None:
    """Each act has a key of its own, unless the key is what is tried out."""
    said = (case.headers or {}).get(KEY)
    if isinstance(said, str) and 0 < len(said.strip()) <= 255 and said.isascii() and said.isprintable():
        case.headers[KEY] = f"fuzz-{next(acts)}"


@schemathesis.hook
def filter_case(_context: object, case: Any) -> bool:
    return (case.path_parameters or {}).get("credential") not in OWN
