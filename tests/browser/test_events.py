"""The pages of events in a real browser: with its map, without any script, on a phone; they ask no other machine for anything."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from muster.kit.brand import contrast
from muster.testing.browsing import Tab
from muster.testing.people import Standing
from muster.testing.town import Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

_PHONE = {"width": 375, "height": 720, "deviceScaleFactor": 2, "mobile": True}
_SIGN_IN = """
const [name, done] = arguments;
const headers = { "content-type": "application/json", "x-session": "cookie" };
fetch("/api/v1/auth/dev-login", { method: "POST", headers, body: JSON.stringify({ name }) }).then(({ status }) => done(status));
"""
_POINT = "const { x, y } = document.getElementById('map').map.project([21.0, 52.2]); return [x, y];"
_UNNAMED = """
const named = (each) => each.labels?.length || each.ariaLabel || each.textContent.trim() || each.title;
return [...document.querySelectorAll("a, button, input:not([type=hidden]), select")].filter((each) => !named(each))
  .map((each) => each.outerHTML);
"""
_LEVELS = "return [...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]));"
_COLOURS = """
const hex = (text) => "#" + text.match(/[0-9]+/g).slice(0, 3).map((each) => Number(each).toString(16).padStart(2, "0")).join("");
const paper = hex(getComputedStyle(document.body).backgroundColor);
const told = [...document.querySelectorAll("main p, main a, main dt, main .quiet")];
return told.map((each) => [hex(getComputedStyle(each).color), paper]);
"""


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@pytest.fixture
def tab(browser: webdriver.Chrome, town: Town) -> Iterator[Tab]:
    yield Tab(browser, town)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def _says(text: str) -> Callable[[webdriver.Chrome], bool]:
    return lambda driver: text in driver.find_element(By.TAG_NAME, "body").text


def _is_drawn(driver: webdriver.Chrome) -> Any:
    return driver.find_elements(By.CSS_SELECTOR, "#map[data-drawn]")


async def _click_event(tab: Tab) -> None:
    x, y = await tab.run(_POINT)
    canvas = tab.driver.find_element(By.CSS_SELECTOR, "#map canvas")
    middle = canvas.size["width"] / 2, canvas.size["height"] / 2
    chain = ActionChains(tab.driver).move_to_element_with_offset(canvas, int(x - middle[0]), int(y - middle[1]))
    await asyncio.to_thread(chain.click().perform)


async def test_the_map_draws_what_there_is_and_leads_to_it(tab: Tab) -> None:
    await tab.open("/explore")
    await tab.until(_is_drawn)
    assert "An evening in main" in await tab.run("return document.getElementById('seen').textContent")
    assert await tab.run("return document.querySelector('#map canvas').ariaLabel") == "Map of these events"
    await tab.assert_alone()
    await _click_event(tab)
    await tab.until(lambda driver: driver.current_url.endswith(f"/e/{tab.town.event_id}"))
    await tab.until(_says("Opening game"))
    await tab.assert_alone()


async def test_list_and_event_read_without_a_script(tab: Tab) -> None:
    tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    await tab.open("/explore")
    await tab.until(_says("An evening in main"))
    assert not tab.driver.find_element(By.ID, "map").is_displayed()
    await asyncio.to_thread(tab.driver.find_element(By.PARTIAL_LINK_TEXT, "An evening in main").click)
    await tab.until(_says("Market Square 1"))
    await tab.assert_alone()


async def test_somebody_joins_and_leaves_by_a_button(tab: Tab) -> None:
    event_id = await make_event(tab.town.client(Standing.OWNER))
    await tab.open("/explore")
    name = tab.town.people[Standing.OUTSIDER].name
    assert await asyncio.to_thread(tab.driver.execute_async_script, _SIGN_IN, name) == 200
    tab.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    await tab.follow(f"/e/{event_id}")
    for button, told in (("Join", "You have a place."), ("Leave", "1 of 3 taken")):
        await asyncio.to_thread(tab.driver.find_element(By.XPATH, f"//button[.='{button}']").click)
        await tab.until(_says(told))


@pytest.mark.parametrize("page", ["/explore", "/e/{event_id}"])
async def test_pages_fit_a_phone_and_are_read_aloud(tab: Tab, page: str) -> None:
    tab.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", _PHONE)
    await tab.open(page.format(event_id=tab.town.event_id))
    if page == "/explore":
        await tab.until(_is_drawn)
    wide, screen = await tab.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen == _PHONE["width"]
    assert await tab.run(_UNNAMED) == []
    levels = await tab.run(_LEVELS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    colours = await tab.run(_COLOURS)
    assert colours
    assert min(contrast(*each) for each in colours) >= 4.5
