"""Declaring pages: `@page("GET /verify")` above a function from a visit to an answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from muster.kit.brand import Brand
from muster.kit.caller import Origin
from muster.kit.commands.command import COMMANDS
from muster.kit.commands.context import Services
from muster.kit.commands.run import run_command
from muster.kit.endpoints.accept import preferred_language
from muster.kit.endpoints.cookies import Cookies, ForeignOrigin
from muster.kit.endpoints.pages.html import Policy, html
from muster.kit.errors import Invalid
from muster.kit.route import Route
from muster.kit.views.results import Payload
from muster.kit.words import FALLBACK, LANGUAGES, Section, language_of, section

_OF_ADDRESSES = "!#$%&'()*+,/:;=?@[]~"
# What stands in an address as it is (RFC 3986, section 2.2), and what is encoded already.


@dataclass(frozen=True)
class Visit:
    """One request for a page.

    fields: what came in the path and in the query string, or in the path and in the form that was sent. brand: how the
    page looks. cookies: of sessions.
    """

    services: Services
    origin: Origin
    request: Request
    fields: Mapping[str, str]
    brand: Brand
    cookies: Cookies

    async def of_tenant(self, tenant_id: UUID) -> "Visit":
        """The same visit, with the look of a tenant that what was sent, such as the link of a mail, gives a right to see."""
        async with self.services.database.transaction(tenant_id) as tx:
            return replace(self, brand=await self.services.brand_of(tx, tenant_id, to_anybody=False))

    def field(self, name: str) -> str:
        """One of the fields. Raises Invalid when it did not come."""
        if name not in self.fields:
            raise Invalid.field(name, "is required", "REQUIRED")
        return self.fields[name]

    async def run(self, name: str, /, **arguments: object) -> Any:
        """Run the command of this GraphQL name, as every other way in does; gives what it returned.

        arguments: as clients name them. Raises the AppError that the command refuses with, which becomes a page that
        tells it unless the caller has something better to show.
        """
        command = COMMANDS[name]
        await self.services.limiter.draw((command.limit,), self.origin)
        given = command.arguments.read({**arguments}, from_text=True)
        return (await run_command(self.services, command, self.origin, given)).result

    def refuse_foreign_form(self) -> None:
        """Refuse a form that another site's page sent: it would sign a person in as somebody else, unawares.

        Browsers say where a form stands (Fetch Metadata); what says nothing of it is no browser. Raises ForeignOrigin.
        """
        headers = self.request.headers
        said = headers.get("sec-fetch-site")
        if said is None and "origin" in headers:
            said = "same-origin" if headers["origin"] in self.cookies.origins else "cross-site"
        if said not in (None, "same-origin"):
            raise ForeignOrigin("This form was sent by another site's page; open ours, and try again.")

    def sign_in(self, session: Payload, to: str) -> Response:
        """The answer to who has signed in: a cookie with the session, and the way on. to: a path of ours."""
        answer = self.lead(to)
        answer.headers.update(self.cookies.given(session))
        return answer

    def lead(self, to: str) -> Response:
        """The answer that leads on to another page. to: a path of ours, or an address that a setting vouches for."""
        # What people type into an address may hold any letter, and a header holds few.
        there = quote(to, safe=_OF_ADDRESSES)
        return Response(status_code=303, headers={"location": there, "cache-control": "no-store"})

    @property
    def language(self) -> str:
        """The language that the browser asks for, of those that there are; else that of the community."""
        usual = language_of(self.brand.locale)
        return preferred_language(self.request.headers.get("accept-language"), (usual, *LANGUAGES))

    def words(self, name: str) -> Section:
        """The words of a page, such as `identity.page_verify`, in the browser's language. Raises WordsMissing."""
        return section(name, self.language)

    def show(
        self,
        template: str,
        *,
        words: Section | None = None,
        status: int = 200,
        policy: Policy | None = None,
        **values: object,
    ) -> Response:
        """The answer: a template with these values, and the words that it shows, where it does not hold its own. See `html`."""
        language = FALLBACK if words is None else words.language
        return html(
            template, {"words": words, **values}, brand=self.brand, language=language, status=status, policy=policy
        )


STEP_UP = "/step-up"
"""Where a personal page leads whose command asks for a proof of who is there; `identity` shows it."""

Show = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True)
class Page:
    """A declared page. personal: whether it is for whoever the session's cookie names. development: whether it is
    there only outside production.
    """

    route: Route
    function: Show
    personal: bool
    development: bool


PAGES: dict[tuple[str, str], Page] = {}
"""Every declared page by method and path."""


def page(route: str, *, personal: bool = False, development: bool = False) -> Callable[[Show], Show]:
    """Declare a page: `GET /verify` shows, `POST /verify` takes the form that it holds.

    A form acts for whoever its own fields name, such as a token from a mail: pages know no cookies, so nobody else's
    form can act for the person who sends it. personal: but this one does, and its form sends the session's CSRF token
    as `csrf`; where its command asks for a proof, people are led to give one, and back to the address of the form.
    development: there is no such page in production.
    Raises TypeError, at import, for a route that is none or is taken.
    """
    parsed = Route.parse(route)
    key = (parsed.method, parsed.path)
    if key in PAGES:
        raise TypeError(f"{route} is declared twice; give one of the two another address")

    def declare(function: Show) -> Show:
        PAGES[key] = Page(parsed, function, personal, development)
        return function

    return declare
