"""A real browser that reaches this machine only, so what works in it works offline."""

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_BROWSER, _DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_WINDOW = "1100,900"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium without a window. Names of other machines do not resolve in it."""
    if _BROWSER is None or _DRIVER is None:
        pytest.skip("there is no chromium with chromedriver here (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = _BROWSER
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument(f"--window-size={_WINDOW}")
    # Maps are drawn by a graphics processor, which machines that test have none of.
    options.add_argument("--enable-unsafe-swiftshader")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    try:
        yield driver
    finally:
        driver.quit()
