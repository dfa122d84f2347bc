"""Classes of nothing but values, in half their room of the heap.

On a board what the body of a class leaves is a table with room for more names. A class without methods is made by
type() instead, in one expression, which saves 1.2 kB of messages, events and effects. Only what is compiled for a
board changes; lines stay where they are.
"""

import ast

from tools.locker.shared_names import tree


def with_bare_classes(text: str) -> str:
    lines = text.splitlines(keepends=True)
    for node in tree(text).body:
        values = _values(node) if isinstance(node, ast.ClassDef) else None
        if isinstance(node, ast.ClassDef) and values is not None:
            rows = range(node.lineno - 1, node.end_lineno or node.lineno)
            bases = "".join(f"{ast.unparse(base)}, " for base in node.bases)
            fields = ", ".join(f'"{name}": {ast.unparse(value)}' for name, value in values.items())
            for row in rows:
                lines[row] = "\n"
            lines[rows[0]] = f'{node.name} = type("{node.name}", ({bases}), {{{fields}}})\n'
    return "".join(lines)


def _values(node: ast.ClassDef) -> "dict[str, ast.expr] | None":
    """What its body gives names to; None: it does something else too, or one of them needs another."""
    if node.decorator_list or node.keywords or not node.bases:
        return None
    found: dict[str, ast.expr] = {}
    for one in node.body:
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
            continue  # its docstring
        if isinstance(one, ast.AnnAssign) and one.value is None:
            continue
        if not isinstance(one, ast.Assign) or len(one.targets) != 1 or not isinstance(one.targets[0], ast.Name):
            return None
        if any(isinstance(said, ast.Name) and said.id in found for said in ast.walk(one.value)):
            return None
        found[one.targets[0].id] = one.value
    return found
