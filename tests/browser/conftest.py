"""One browser for all tests here, one server for those that need the app, and a new visitor for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.driver import Server, Visitor, serve, start_browser
from tests.browser.studio import Studio

Visit = Callable[..., Visitor]


@pytest.fixture(scope="package")  # and not longer: Playwright leaves its event loop running in this thread
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield start_browser(playwright)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serve() as served:
        yield served
        assert "Traceback" not in served.log.read_text()


@pytest.fixture
def visit_at(browser: Browser) -> Iterator[Visit]:
    """Opens a page at an address for a new visitor; at the end nothing may have gone wrong on any of them."""
    visitors: list[Visitor] = []

    def open_page(*args: object, **options: object) -> Visitor:
        visitors.append(Visitor(browser, *args, **options))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []


@pytest.fixture
def visit(visit_at: Visit, server: Server) -> Iterator[Visit]:
    """Opens the app for a new visitor; at the end the server may not have written a traceback either."""
    written = len(server.log.read_text())
    yield lambda path="", **options: visit_at(server.address, path, **options)
    assert "Traceback" not in server.log.read_text()[written:]


@pytest.fixture
def studio(visit: Visit) -> Callable[..., Studio]:
    """Opens the app for another visitor and waits until it has something to show."""
    return lambda path="", trained=True, **options: Studio(visit(path, **options), trained)
