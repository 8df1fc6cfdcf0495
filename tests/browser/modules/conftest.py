"""One server and one page for all tests of the modules."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from tests.browser.modules.page import WEB, Handler, ModulePage


@pytest.fixture(scope="package")
def module_page(browser: Browser) -> Iterator[ModulePage]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(WEB))) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        page = ModulePage(browser, f"http://127.0.0.1:{serving.server_port}/")
        yield page
        page.close()
        serving.shutdown()


@pytest.fixture
def page(module_page: ModulePage) -> Iterator[ModulePage]:
    """The module's page; afterwards nothing may have gone wrong that the test does not know of."""
    yield module_page
    errors = list(module_page.errors)
    module_page.errors.clear()
    assert errors == []
