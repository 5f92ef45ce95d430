"""What isolation costs: the same read under row security, and for a role it does not bind with the tenant named."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil
import psycopg

from bench.floor import Floor, Sql, pgbench
from bench.statements import Statements

WORDS = "topic8 chess"
"""Found in 50 of 10,000 events."""
CIRCLE = (50.0, 15.0, 50.0)
"""Latitude, longitude and kilometres around: 46 of the events that anybody may see."""
_FINDER = re.compile(r"finders\.events_by_relevance\((\$\d+)(?:::\w+)?\)")
_DIRECT = (
    r"(select e.id, ts_rank(e.search, q.query)::double precision as rank "
    r"from websearch_to_tsquery('folded', \1) as q(query), public.events as e "
    r"where e.search @@ q.query and e.tenant_id = cast($1 as uuid))"
)


@dataclass
class Cost:
    """One read, isolated and bare. title: for people. isolated, bare: PostgreSQL's CPU of a statement in each round."""

    title: str
    served: Sql
    plain: Sql
    isolated: list[Floor] = field(default_factory=list)
    bare: list[Floor] = field(default_factory=list)

    @property
    def isolated_cpu(self) -> float:
        """Ms."""
        return median(each.cpu for each in self.isolated)

    @property
    def bare_cpu(self) -> float:
        """Ms."""
        return median(each.cpu for each in self.bare)

    @property
    def extra(self) -> float:
        """What isolation adds, as a fraction: the median over the rounds, each of which ran both."""
        pairs = zip(self.isolated, self.bare, strict=True)
        return median(one.cpu / other.cpu for one, other in pairs) - 1


def costs(statements: Statements) -> list[Cost]:
    """The reads whose isolation is priced."""
    listed, search, near = statements.of("list"), statements.search(WORDS), statements.near(*CIRCLE)
    return [
        Cost("list of 20 events", listed.isolated(), listed.bare()),
        Cost("text search, best 20 of 50", search.isolated(), _without_finder(search.bare())),
        Cost("distance, nearest 20 of 46", near.isolated(), near.bare()),
    ]


def _without_finder(sql: Sql) -> Sql:
    """The search as one would write it where nothing keeps its operator from the index."""
    text, found = _FINDER.subn(_DIRECT, sql.text)
    if not found:
        raise LookupError("the text filter does not go through finders.events_by_relevance any more")
    return Sql(text, sql.values)


def same_rows(cost: Cost, app: str, superuser: str) -> None:
    """Check that both ways find the same. Raises RuntimeError when they do not."""
    isolated, bare = _body(cost.served, app), _body(cost.plain, superuser)
    if isolated != bare or len(isolated) < 1000:
        raise RuntimeError(f"{cost.title}: isolated and bare answer differently: {isolated[:200]} and {bare[:200]}")


def _body(sql: Sql, url: str) -> str:
    numbered = re.sub(r"\$(\d+)", r"%(p\1)s", sql.text.replace("%", "%%"))
    values = {f"p{number}": value for number, value in enumerate(sql.values, start=1)}
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        row = connection.execute(numbered.encode(), values).fetchone()
    # The tag inside a cursor is made from the arguments, so even cursors are the same.
    return "" if row is None else str(row[2])


def price(
    cost: Cost, app: str, superuser: str, postmaster: psutil.Process, folder: Path, *, seconds: int
) -> Callable[[], None]:
    """A turn that runs both ways once; the way that goes first changes each time."""

    def turn() -> None:
        ways = [(cost.served, app, cost.isolated), (cost.plain, superuser, cost.bare)]
        for sql, url, measured in ways if len(cost.bare) % 2 else reversed(ways):
            measured.append(pgbench(sql, url, postmaster, folder, seconds=seconds))

    return turn
