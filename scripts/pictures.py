"""Compare the pictures in docs/architecture.md with what the code declares; --write draws them anew.

A picture stands between `<!-- picture: name -->` and `<!-- end -->`, and nothing there is written by hand.
"""

import ast
import difflib
import importlib
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects import postgresql

import muster.handlers
import muster.schedule
import muster.slices  # noqa: F401 - the tables of contents: what they import is declared
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.commands.facts import KINDS, Fact
from muster.kit.db.tables import GlobalTable, Table
from muster.kit.realtime.signals import SignalSubscription
from muster.kit.realtime.subscription import SUBSCRIPTIONS, FactSubscription, Subscription
from muster.kit.views.query import QUERIES, Query
from muster.kit.work.handlers import HANDLERS, Follower, followers

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "muster"
DOCUMENT = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"(<!-- picture: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

Declared = Command | Query | Subscription
KINDS_OF_WAYS: dict[type[Declared], str] = {
    Command: "does",
    Query: "reads",
    FactSubscription: "streams",
    SignalSubscription: "streams",
}


def stack() -> str:
    """The slices as they stand on each other, with an arrow wherever one imports another."""
    names = layers()
    boxes = [f'{name}["<b>{name}</b><br/>{about(name)}"]' for name in names]
    arrows = [f"{name} --> {below}" for name in names for below in names if below in imports_of(name)]
    # Links that nobody sees keep the order where nothing is imported.
    order = [f"{above} ~~~ {below}" for above, below in pairwise(names)]
    return mermaid("flowchart TB", [*boxes, *arrows, *order])


def layers() -> list[str]:
    """The slices by the contract that import-linter holds them to, highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    stacked = next(each["layers"] for each in contracts if each["name"].startswith("Stack:"))
    return [name for line in stacked for name in re.findall(r"muster\.(\w+)", line)]


def imports_of(name: str) -> set[str]:
    """The first parts of the modules of ours that a slice imports, its tests aside: other slices, `kit`, ..."""
    found = set()
    for path in (SOURCE / name).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and "tests" not in path.parts:
                found |= {f"{node.module}.{alias.name}".split(".")[1] for alias in node.names}
    return found - {name}


def about(name: str) -> str:
    """The first line of what a package says of itself, without its name."""
    said = (importlib.import_module(f"muster.{name}").__doc__ or "").strip().partition("\n")[0]
    words = said.partition(": ")[2] or said
    return words[:1].upper() + words[1:].rstrip(".")


def facts() -> str:
    """By the part that declares them: who records each fact, and what follows it."""
    charts = [(part, _flow(part)) for part in (*layers(), "kit")]
    return "\n".join(f"**{part}**\n\n{mermaid('flowchart LR', lines)}" for part, lines in charts if lines)


def _flow(part: str) -> list[str]:
    # What is only a base of others has subclasses; nobody records it.
    own = [fact for fact in KINDS.values() if part_of(fact) == part and not fact.__subclasses__()]
    boxes, arrows = [], []
    for fact in sorted(own, key=lambda fact: fact.kind):
        name = fact.__name__
        verbs = [each.name for each in COMMANDS.values() if fact in recorded(each.function)]
        causes = [each for each in followers().values() if fact in recorded(each.function)]
        effects = HANDLERS.get(fact, ())
        streams = [each.name for each in SUBSCRIPTIONS.values() if fact in each.facts]
        boxes += [f'{name}[["{fact.kind}"]]', *(f'{verb}("{verb}")' for verb in verbs)]
        boxes += [*map(_box, causes), *map(_box, effects), *(f'{stream}{{{{"{stream}"}}}}' for stream in streams)]
        arrows += [f"{cause} --> {name}" for cause in (*verbs, *map(_id, causes))]
        arrows += [*(f"{name} --> {_id(each)}" for each in effects), *(f"{name} -.-> {stream}" for stream in streams)]
    return [*dict.fromkeys(boxes), *arrows]


def _id(follower: Follower) -> str:
    return follower.name.replace(".", "_")


def _box(follower: Follower) -> str:
    kind = "<br/><i>outside the database</i>" if follower.outside else ""
    return f'{_id(follower)}["{follower.name}{kind}"]'


def recorded(function: Callable[..., object]) -> set[type[Fact]]:
    """The facts that a function and what it calls may record, read from the names in its code."""
    return {each for each in _reached(function) if each in KINDS.values()}


@cache
def _reached(function: Callable[..., object]) -> frozenset[Any]:
    found: set[Any] = set()
    waiting = [function]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        found.add(each)
        if isinstance(each, FunctionType) and each.__module__.startswith("muster."):
            waiting += _named_in(each.__code__, each.__globals__)
    return frozenset(found)


def _named_in(code: CodeType, known: dict[str, Any]) -> Iterator[Any]:
    """The functions and classes that code names, by itself or through a module."""
    named = [known[name] for name in code.co_names if name in known]
    modules = [each for each in named if isinstance(each, ModuleType)]
    named += [getattr(module, name) for module in modules for name in code.co_names if hasattr(module, name)]
    yield from (each for each in named if isinstance(each, FunctionType | type))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _named_in(constant, known)


def part_of(thing: Any) -> str:
    """The slice that something stands in, or `kit`."""
    module: str = thing.__module__
    return module.split(".")[1]


def slices() -> str:
    """Each slice, lowest first: its ways in and its tables."""
    return "\n".join(_chapter(name) for name in [*reversed(layers()), "kit"])


def _chapter(name: str) -> str:
    ways: list[Declared] = [*COMMANDS.values(), *QUERIES.values(), *SUBSCRIPTIONS.values()]
    own = [each for each in ways if each.documentation.slice == name]
    tables = sorted((each for each in _tables() if part_of(each) == name), key=lambda table: table.__tablename__)
    title = name if name == "kit" else f"[{name}](../src/muster/{name}/README.md)"
    said = [f"### {title}\n\n{about(name)}.\n"]
    if own:
        head = "| | REST | GraphQL | who may | |\n| --- | --- | --- | --- | --- |\n"
        said.append(head + "\n".join(map(_way, sorted(own, key=_place))) + "\n")
    if tables:
        said.append(mermaid("erDiagram", [line for table in tables for line in _table(table)]))
    return "\n".join(said)


def _place(declared: Declared) -> tuple[str, ...]:
    """What a reader looks for: verbs first, then reads, then streams; each by its address."""
    return (KINDS_OF_WAYS[type(declared)], *_address(declared), declared.name)


def _address(declared: Declared) -> tuple[str, str]:
    if isinstance(declared, Subscription):
        return "", ""
    return declared.route.template.removeprefix("/api/v1"), declared.route.method


def _way(declared: Declared) -> str:
    path, method = _address(declared)
    rest = f"`{method} {path}`" if path else ""
    allowed = declared.allow.replace("_", " ")
    who = allowed if declared.permission is None else f"{allowed} with `{declared.permission}`"
    return f"| {KINDS_OF_WAYS[type(declared)]} | {rest} | `{declared.name}` | {who} | {declared.summary} |"


def _tables() -> list[Any]:
    return [mapper.class_ for mapper in Table.registry.mappers]


def _table(table: Any) -> Iterator[str]:
    """A table with its columns, and a line to each table that its foreign keys lead to."""
    core = table.__table__
    scope = "global" if issubclass(table, GlobalTable) else "of a tenant"
    person = "" if table.person is None else f", person: {table.person}"
    yield f'{core.name}["{core.name} ({scope}{person})"] {{'
    for column in core.columns:
        kind = column.type.compile(POSTGRESQL).lower().replace("timestamp with time zone", "timestamptz").split()[0]
        yield f"  {kind} {column.name} {_marks(column)}".rstrip()
    yield "}"
    for key in sorted(core.foreign_key_constraints, key=lambda key: key.column_keys):
        own = [column for column in key.columns if column.name != "tenant_id"] or list(key.columns)
        many = "|o" if _unique(core, own) else "}o"
        one = "o|" if any(column.nullable for column in own) else "||"
        named = ", ".join(column.name for column in own)
        yield f'{core.name} {many}--{one} {key.referred_table.name} : "{named}"'


def _marks(column: "Column[Any]") -> str:
    keys = ["PK"] * column.primary_key + ["FK"] * bool(column.foreign_keys)
    personal = ['"personal"'] * bool(column.info.get("personal"))
    return " ".join([", ".join(keys), *personal]).strip()


def _unique(table: Any, columns: list["Column[Any]"]) -> bool:
    """Whether these columns, with the tenant, name one row at most."""
    wanted = {column.name for column in columns} | {"tenant_id"}
    keys = [table.primary_key, *(each for each in table.constraints if isinstance(each, UniqueConstraint))]
    return any({column.name for column in key.columns} | {"tenant_id"} == wanted for key in keys)


def mermaid(kind: str, lines: Iterable[str]) -> str:
    """A picture in Markdown."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"```mermaid\n{kind}\n{body}\n```\n"


PICTURES: dict[str, Callable[[], str]] = {"stack": stack, "facts": facts, "slices": slices}


def drawn(text: str) -> str:
    """The document with every picture drawn anew. Raises KeyError for a picture that there is not."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{PICTURES[block[2]]()}\n{block[3]}", text)


def main() -> None:
    """Compare, or write; exit code 1 when a picture is out of date."""
    said = DOCUMENT.read_text()
    now = drawn(said)
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(now)
    elif now != said:
        print(
            *difflib.unified_diff(said.splitlines(), now.splitlines(), "as committed", "as declared", lineterm="", n=0),
            sep="\n",
        )
        sys.exit("docs/architecture.md does not show what the code declares: run `make pictures` and read the change.")
    print(f"pictures: docs/architecture.md shows what the code declares, in {len(BLOCK.findall(now))} pictures")


if __name__ == "__main__":
    main()
