"""A tab of a real browser, for tests that must go on serving it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.support.ui import WebDriverWait

from muster.testing.town import Town

PATIENCE = 30
"""Seconds."""
_GOING = (NoSuchElementException, StaleElementReferenceException)
"""What a look meets while one page makes way for another."""
T = TypeVar("T")


class Tab:
    """The browser from a test that must go on serving it: every step runs in a thread."""

    def __init__(self, driver: webdriver.Chrome, town: Town) -> None:
        self.driver, self.town = driver, town

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """What the browser has logged since it was asked last: `browser` for the console, `performance` for the rest."""
        read: Callable[[str], list[dict[str, Any]]] = self.driver.get_log
        return read(kind)

    async def open(self, path: str) -> None:
        """Open a page of ours as if for the first time."""
        await asyncio.to_thread(self._open, f"{self.town.service.address}{path}")

    def _open(self, address: str) -> None:
        self.driver.get("about:blank")
        forgotten = {"origin": self.town.service.address, "storageTypes": "all"}
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", forgotten)
        self.logged("browser"), self.logged("performance")
        self.driver.get(address)

    async def follow(self, path: str) -> None:
        """Open a page of ours as somebody who has been here before, such as to sign in."""
        await asyncio.to_thread(self.driver.get, f"{self.town.service.address}{path}")

    async def until(self, look: Callable[[webdriver.Chrome], T]) -> T:
        """What a look at the page gives, as soon as it is true. Fails the test when it stays false."""
        waiting = WebDriverWait(self.driver, PATIENCE, poll_frequency=0.1, ignored_exceptions=_GOING)
        return await asyncio.to_thread(waiting.until, look)

    async def run(self, script: str, *arguments: object) -> Any:
        """What a script in the page returns."""
        return await asyncio.to_thread(self.driver.execute_script, script, *arguments)

    async def assert_alone(self) -> None:
        """Nothing was asked of any other address, and the page found nothing to complain about."""
        events = [json.loads(each["message"])["message"] for each in self.logged("performance")]
        asked = {each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"}
        hosts = {urlsplit(each).netloc for each in asked if not each.startswith(("data:", "blob:"))}
        assert hosts == {urlsplit(self.town.service.address).netloc}
        assert [each["message"] for each in self.logged("browser") if each["level"] == "SEVERE"] == []
