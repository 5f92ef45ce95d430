"""The start page, the reference and GraphiQL in a real browser: they work, and ask no other machine for anything."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from muster.testing.browsing import Tab
from muster.testing.people import Standing
from muster.testing.serving import serving
from muster.testing.town import Town, make_event
from muster.testing.work import working

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@pytest.fixture
def tab(browser: webdriver.Chrome, town: Town) -> Tab:
    return Tab(browser, town)


def _says(text: str) -> Callable[[webdriver.Chrome], bool]:
    return lambda driver: text in driver.find_element(By.TAG_NAME, "body").text


async def test_the_start_page_leads_on(tab: Tab) -> None:
    await tab.open("/")
    await tab.until(_says("Muster runs"))
    links = await tab.run("return [...document.links].map(each => each.pathname)")
    assert {"/docs", "/graphql", "/openapi.json"} <= set(links)
    for path in links:
        assert (await tab.town.service.http.get(path, headers={"accept": "text/html"})).status_code != 404
    await tab.assert_alone()


_OPERATIONS_IN_SIGHT = """
const found = [...document.querySelectorAll(".opblock")].map((each) => each.id);
const end = window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 1;
window.scrollTo(0, end ? 0 : window.scrollY + window.innerHeight / 2);
return found;
"""


async def test_the_reference_shows_every_operation(tab: Tab) -> None:
    document = (await tab.town.service.http.get("/openapi.json")).json()
    count = sum(len(methods) for methods in document["paths"].values())
    await tab.open("/docs")
    # The page draws what is in sight, so one has to read on to see all of it.
    seen: set[str] = set()

    def reads_on(driver: webdriver.Chrome) -> bool:
        seen.update(driver.execute_script(_OPERATIONS_IN_SIGHT))
        return len(seen) == count

    await tab.until(reads_on)
    await tab.assert_alone()


async def test_the_reference_fits_a_phone_and_can_be_tried(tab: Tab) -> None:
    await asyncio.to_thread(tab.driver.set_window_size, 500, 900)
    try:
        await tab.open("/docs#/events/events")
        await tab.until(_says("Try it out"))
        wide, screen = await tab.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= screen
        await tab.run("document.querySelector('#operations-events-events .try-out__btn').click()")
        await tab.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "#operations-events-events .execute"))
        await tab.run("document.querySelector('#operations-events-events .execute').click()")
        await tab.until(_says("An evening in main"))
        await tab.assert_alone()
    finally:
        await asyncio.to_thread(tab.driver.set_window_size, 1100, 900)


# The first of the two editors below the query is for variables, the second for headers.
FILL = """
    const [query, headers] = arguments;
    document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(query);
    document.querySelectorAll(".graphiql-editor-tool .CodeMirror")[1].CodeMirror.setValue(headers);
"""


async def _ask(tab: Tab, query: str) -> None:
    """Put a query and the moderator's token into GraphiQL, and press its button."""
    token = tab.town.client(Standing.MODERATOR).token
    await tab.until(lambda driver: len(driver.find_elements(By.CSS_SELECTOR, ".CodeMirror")) > 2)
    await tab.run(FILL, query, json.dumps({"Authorization": f"Bearer {token}"}))
    # As long as it holds several operations, the button is one that lets one choose among them.
    await tab.until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, ".graphiql-execute-button:not([aria-haspopup])")
    )
    await tab.run("document.querySelector('.graphiql-execute-button').click()")


async def test_graphiql_knows_the_schema(tab: Tab) -> None:
    await tab.open("/graphql")
    await tab.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "[aria-label='Show Documentation Explorer']"))
    await tab.run("document.querySelector('[aria-label=\"Show Documentation Explorer\"]').click()")
    await tab.until(_says("Root Types"))
    await tab.assert_alone()


async def test_graphiql_queries_and_mutates(tab: Tab) -> None:
    await tab.open("/graphql")
    await _ask(tab, "{ me { email } }")
    await tab.until(_says("main.moderator@dev.invalid"))
    await _ask(tab, f'mutation {{ leaveEvent(eventId: "{tab.town.event_id}") {{ status }} }}')
    await tab.until(_says('"status": "LEFT"'))
    await tab.assert_alone()


async def test_graphiql_subscribes(tab: Tab) -> None:
    event_id = await make_event(tab.town.client(Standing.MODERATOR))
    await tab.open("/graphql")
    await _ask(tab, f'subscription {{ eventMessageAdded(eventId: "{event_id}") {{ message {{ content }} }} }}')
    async with working(tab.town.service.urls):
        talking = asyncio.create_task(_talk(tab.town, event_id))
        try:
            await tab.until(_says("Can anybody hear me?"))
        finally:
            talking.cancel()
    await tab.assert_alone()


async def _talk(town: Town, event_id: UUID) -> None:
    """Say something again and again, since nobody tells when the browser has begun to listen."""
    while True:
        sent = await town.client(Standing.MODERATOR).call(
            "sendEventMessage", eventId=event_id, content="Can anybody hear me?"
        )
        sent.ok()
        await asyncio.sleep(0.5)


async def test_other_clients_get_json(town: Town) -> None:
    plain = await town.service.http.get("/")
    assert plain.json()["docs"] == "/docs"
    asked = await town.service.http.get("/graphql", params={"query": "{ __typename }"})
    assert asked.json() == {"data": {"__typename": "Query"}}


async def test_production_shows_the_reference_and_no_graphiql(tab: Tab, town: Town) -> None:
    async with serving(town.service.urls, MUSTER_ENV="production") as service:
        shown = Tab(tab.driver, replace(town, service=service))
        await shown.open("/docs")
        await shown.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".opblock"))
        await shown.assert_alone()
        graphql = await service.http.get("/graphql", headers={"accept": "text/html"})
        assert graphql.status_code >= 400
        start = await service.http.get("/", headers={"accept": "text/html"})
        assert start.headers["content-type"] == "application/json"


LISTEN = """
const done = arguments[arguments.length - 1];
const [eventId, name] = arguments;
const headers = { "content-type": "application/json", "x-session": "cookie" };
const signedIn = await fetch("/api/v1/auth/dev-login", { method: "POST", headers, body: JSON.stringify({ name }) });
const csrf = signedIn.headers.get("x-csrf-token");
const said = [];
const source = new EventSource(`/api/v1/stream?eventMessageAdded=${eventId}`);
source.addEventListener("eventMessageAdded", ({ data, lastEventId }) => {
  said.push(JSON.parse(data).content);
  if (said.length === 2) { source.close(); done({ said, lastEventId }); }
});
source.onopen = async () => {
  for (const content of ["one", "two"])
    await fetch(`/api/v1/events/${eventId}/messages`, {
      method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf },
      body: JSON.stringify({ content }),
    });
};
"""


async def test_a_page_follows_a_room_by_its_cookie(tab: Tab) -> None:
    """With nothing but the browser's own `EventSource`."""
    await tab.open("/docs")
    name = tab.town.people[Standing.MEMBER].name
    async with working(tab.town.service.urls) as work:
        await work.quiet()
        script = f"(async function() {{ {LISTEN} }}).apply(null, arguments)"
        told = await asyncio.to_thread(tab.driver.execute_async_script, script, str(tab.town.event_id), name)
    assert told["said"] == ["one", "two"]
    assert told["lastEventId"]
