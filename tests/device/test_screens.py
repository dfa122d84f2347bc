"""Every screen that the agent can name has its words, in each language."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

DEVICE = Path(__file__).parents[2] / "device"
# How the agent names screens: the calls whose n-th argument is one.
CALLS = {"Show": 0, "_tell": 1, "_tell_courier": 1}


def named_screens() -> Iterator[str]:
    for path in [*sorted((DEVICE / "agent").glob("*.py")), DEVICE / "shell.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = CALLS.get(name, -1)
                if 0 <= place < len(node.args):
                    yield from words(node.args[place])
            elif isinstance(node, ast.Assign) and "screen" in ast.unparse(node.targets[0]).lower():
                yield from words(node.value)


def words(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from words(value)
    elif isinstance(node, ast.Tuple | ast.List):
        for value in node.elts:
            yield from words(value)


def test_every_screen_that_the_agent_names_has_words_in_each_language():
    names = set(named_screens()) - {"language"}  # an order to the display, not a screen
    assert len(names) > 15, "the agent's ways to name a screen have changed: tell CALLS"
    for language in ("fr", "en"):
        table = json.loads((DEVICE / "screens" / f"{language}.json").read_text("utf-8"))
        assert names - set(table) == set(), language
