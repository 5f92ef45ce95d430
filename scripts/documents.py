"""Compare documents with what they speak of: what they quote from the code, and where their links lead.

Between `<!-- quote: path name -->` and `<!-- end -->` the fenced lines are, together, the whole of that Python function
or class, and nothing else. Without a name each fenced block stands in the file as it is. Blank lines do not count.
"""

import ast
import difflib
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bench", "docs", "src", "tests")

QUOTE = re.compile(r"<!-- quote: (\S+) ?(\w*) -->\n(.*?)<!-- end -->", re.DOTALL)
FENCED = re.compile(r"```\w+\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def wrong_quotes(text: str) -> Iterator[str]:
    """A paragraph for every quotation that is not what the code says."""
    for path, name, between in QUOTE.findall(text):
        source = (ROOT / path).read_text()
        blocks = [lines_of(block) for block in FENCED.findall(between)]
        if not any(blocks):
            yield f"{path} {name}: nothing is quoted"
        elif name:
            said, stands = list(chain.from_iterable(blocks)), whole(source, name)
            differences = list(difflib.unified_diff(said, stands, "quoted", f"{path} {name}", lineterm="", n=1))
            yield from ["\n".join(differences)] if differences else []
        else:
            yield from (f"{path} has nowhere:\n" + "\n".join(each) for each in blocks if not within(each, source))


def whole(source: str, name: str) -> list[str]:
    """The lines of a function or class, its decorators included. Empty when there is none of that name."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return lines_of("\n".join(source.splitlines()[first - 1 : node.end_lineno]))
    return []


def within(said: list[str], source: str) -> bool:
    """Whether the lines stand in a file, one after the other."""
    stands = lines_of(source)
    return any(stands[start : start + len(said)] == said for start in range(len(stands)))


def lines_of(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def dead_links(path: Path, text: str) -> Iterator[str]:
    """A sentence for every link to a file or heading of ours that there is not."""
    for target, anchor in LINK.findall(FENCED.sub("", text)):
        found = path.parent / target if target else path
        if not found.exists():
            yield f"there is no {target}"
        elif anchor and anchor not in anchors(found.read_text()):
            yield f"{target or 'it'} has no heading #{anchor}"


def anchors(text: str) -> set[str]:
    """The names under which headings can be linked to."""
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in HEADING.findall(text)}


def main() -> None:
    """Print what is wrong; exit code 1 when anything is."""
    paths = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
    texts = {path: path.read_text() for path in paths}
    found = [
        f"{path.relative_to(ROOT)}: {fault}"
        for path, text in texts.items()
        for fault in (*wrong_quotes(text), *dead_links(path, text))
    ]
    print(*found, sep="\n", end="\n" if found else "")
    if found:
        sys.exit(
            "Documents speak of what has changed: quote it anew, explain what is new, lead links where they belong."
        )
    quotes = sum(len(QUOTE.findall(text)) for text in texts.values())
    print(f"documents: {len(texts)} read, {quotes} quotations are as the code has them")


if __name__ == "__main__":
    main()
