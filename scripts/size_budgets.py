"""Count what a reader has to hold in mind: a function of 50 lines, a file of 400, three levels of nesting at most."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests", "bench", "scripts", "migrations")

FUNCTION_LINES = 50
FILE_LINES = 400
NESTING = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def over_budget(path: Path) -> Iterator[str]:
    """One line for everything in a Python file that is too large."""
    text = path.read_text()
    name = path.relative_to(ROOT)
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield f"{name}: {lines} lines, {FILE_LINES} allowed"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, Function):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{name}:{node.lineno}: {node.name} has {length} lines, {FUNCTION_LINES} allowed"
        depth = nesting(node)
        if depth > NESTING:
            yield f"{name}:{node.lineno}: {node.name} nests {depth} deep, {NESTING} allowed"


def nesting(node: ast.AST) -> int:
    """How deep blocks stand in each other. An `elif` is no deeper than its `if`; an inner function counts for itself."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting(child) + (isinstance(child, BLOCKS) and not is_elif))
    return deepest


def main() -> None:
    """Print what is over its budget; exit code 1 when anything is."""
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    findings = [line for path in files for line in over_budget(path)]
    for line in findings:
        print(line)
    print(f"size budgets: {len(files)} files, {len(findings)} over")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
