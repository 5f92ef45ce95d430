"""What is deprecated, over all ways in, and who still uses it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from muster.kit.caller import Origin
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.deprecation import Deprecation
from muster.kit.metrics import DEPRECATED_USES, count_deprecated
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.view import VIEWS


@dataclass(frozen=True)
class Deprecated:
    """One thing that clients should leave. names: in GraphQL, and as a route of REST where it is one."""

    names: tuple[str, ...]
    said: Deprecation


def deprecated() -> Iterator[Deprecated]:
    """Everything that is declared so by now."""
    roots = (("Query", QUERIES), ("Mutation", COMMANDS), ("Subscription", SUBSCRIPTIONS))
    for kind, declarations in roots:
        for name, each in declarations.items():
            if each.deprecated is not None:
                route = (route_name(each),) if isinstance(each, Command | Query) else ()
                yield Deprecated((f"{kind}.{name}", *route), each.deprecated)
    for view in VIEWS.values():
        for name, said in view.deprecated.items():
            yield Deprecated((f"{view.type_name()}.{name}",), said)


def route_name(declared: Command | Query) -> str:
    """A route as its uses are counted under: `GET /api/v1/me`."""
    return f"{declared.route.method} {declared.route.template}"


def client_name(origin: Origin) -> str | None:
    """What a client calls itself: its name, or else the product that its User-Agent begins with."""
    return origin.client or (origin.agent or "").partition("/")[0].partition(" ")[0] or None


Told = Callable[[Response, Origin], Response]


def telling(declared: Command | Query) -> Told | None:
    """What adds to the answers of a deprecated route, and counts them; None for any other route."""
    if declared.deprecated is None:
        return None
    headers, names = declared.deprecated.headers, (route_name(declared),)

    def tell(response: Response, origin: Origin) -> Response:
        count_deprecated(names, "rest", client_name(origin))
        response.headers.update(headers)
        return response

    return tell


async def report() -> dict[str, Any]:
    """Who still uses what, as this process has seen it since it started; the metric has it of all."""
    (family,) = DEPRECATED_USES.collect()
    seen = [(each.labels, int(each.value)) for each in family.samples if each.name.endswith("_total")]
    return {
        "deprecated": [
            {
                "names": each.names,
                "instead": each.said.instead,
                "since": each.said.since,
                "sunset": each.said.sunset,
                "uses": [
                    {"operation": labels["operation"], "client": labels["client"], "count": count}
                    for labels, count in seen
                    if labels["what"] in each.names
                ],
            }
            for each in deprecated()
        ]
    }
