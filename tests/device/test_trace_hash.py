"""The same agent runs in both interpreters: three seeds, five thousand random acts each, one hash."""

import pytest
from random_day import trace_hash

from tools import micropython
from tools.run_shared import ROOT, SHARED

ACTS = 5_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_five_thousand_random_acts_have_the_same_effects_in_both_interpreters(seed: int) -> None:
    interpreter = micropython.find()
    # Native code is compiled first, while the stack is shallow; a board has it compiled.
    script = f"import protocol.paths, random_day; print(random_day.trace_hash({seed}, {ACTS}))"
    folders = (ROOT, ROOT / "device" / "lib", SHARED)
    said = interpreter.run("-c", script, heap_kb=16_384, folders=folders, timeout_s=300)
    assert said.strip() == trace_hash(seed, ACTS)
