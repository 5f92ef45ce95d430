"""Every rate limit with its rules and the verbs that draw from it, as the code declares them, in docs/operations/limits.md.

With --write it is written down; without, it is compared, and the exit code is 1 where they differ, or where a limit holds
nobody back.
"""

import sys
from pathlib import Path

import muster.slices  # noqa: F401 - it declares every limit, and what draws from it
from muster.kit.commands.command import COMMANDS
from muster.kit.limits import GLOBAL, GLOBAL_ELSEWHERE, LIMITS, Limit
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.tallies import VIOLATIONS
from muster.kit.views.query import QUERIES

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "operations" / "limits.md"
HEAD = f"""# Rate limits

Written from the code by `make limits`. A limit holds over REST, GraphQL, sockets and event streams together, in any stretch
of its length. A caller is the signed-in person wherever they are, and an address otherwise; of IPv6 a /64 is one address.
Whoever is refused is told when to come back (`Retry-After`, `retryAfter`), every answer how many are left (`RateLimit`,
`RateLimit-Policy`). In production {VIOLATIONS} refusals within a window ban for the length of it.

- `MUSTER_LIMITS="read=600/60 chat.event.send=60/30,10/5"` sets other rules for the limits that it names: how many in how
  many seconds, with commas where several hold. What is not named stays as it is.
- `MUSTER_TRUSTED_PROXIES=10.0.0.0/8` names the networks whose `X-Forwarded-For` is believed. Without it all that comes
  through a proxy is one address.
- `REDIS_URL` names the Valkey or Redis in which several processes count together; one process needs none. A second process
  without it does not start: the first holds an advisory lock on a connection of its own (`DATABASE_DIRECT_URL` where there
  is a pooler), which ends with it. To replace a single process let the old one end first, or set `REDIS_URL`.
- While the store does not answer for a tenth of a second, or is gone, limits that are *open* are counted by each process for
  itself, and what draws from one that is *closed* is 503 with `Retry-After`. `rate_limit_without_store_total` counts both.
- The store holds addresses and ids of people in its keys for as long as their windows. The clock is the store's.
- `MUSTER_RATE_LIMITS=off` is for load tests, and refused in production.

| limit | at most | counts | without the store | for | drawn from by |
| --- | --- | --- | --- | --- | --- |
"""


def table() -> str:
    """The document. Raises SystemExit for a limit that nothing draws from."""
    return HEAD + "".join(line(each) for each in sorted(LIMITS.values(), key=lambda each: each.name))


def line(limit: Limit) -> str:
    """The row of one limit."""
    rules = " and ".join(f"{rule.most} in {rule.seconds} s" for rule in limit.rules)
    if limit is GLOBAL:
        (elsewhere,) = GLOBAL_ELSEWHERE
        rules += f"; outside production {elsewhere.most}"
    drawn = "everything" if limit is GLOBAL else verbs(limit)
    return f"| `{limit}` | {rules} | each {limit.by} | {limit.without_store} | {limit.meaning} | {drawn} |\n"


def verbs(limit: Limit) -> str:
    """What draws from a limit, by its name in GraphQL."""
    declared = [*COMMANDS.values(), *QUERIES.values(), *SUBSCRIPTIONS.values()]
    found = sorted(f"`{each.name}`" for each in declared if each.limit is limit)
    if not found:
        sys.exit(f"Nothing draws from the limit {limit}: bind it to a verb, or take it away.")
    return ", ".join(found)


def main() -> None:
    """Write the document down, or say that it is not as the code has it."""
    if "--write" in sys.argv:
        DOCUMENT.write_text(table())
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != table():
        sys.exit("docs/operations/limits.md is not what the code declares: run `make limits`.")
    else:
        print(f"limits: {len(LIMITS)} are explained as the code has them")


if __name__ == "__main__":
    main()
