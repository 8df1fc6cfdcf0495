"""Makes the README's screenshot: python -m tests.browser.screenshot. It needs Chromium, as the tests do."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.driver import Visitor, serve, start_browser

PICTURE = Path(__file__).with_suffix(".png")


def main() -> None:
    """Opens the page, trains the opening experiment and stops the clock on the way."""
    with serve() as server, sync_playwright() as playwright:
        visitor = Visitor(start_browser(playwright), server.address, viewport={"width": 1440, "height": 900})
        page = visitor.page
        page.wait_for_selector(".pg-stage[data-state=ready]")
        page.click("#train")
        page.wait_for_selector(".pg-stage[data-state=training]")
        page.wait_for_selector(".pg-stage[data-state=ready]")
        time = page.get_by_label("Time t")
        time.evaluate("input => { input.value = 0.8; input.dispatchEvent(new Event('input', { bubbles: true })); }")
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURE)
        visitor.close()


if __name__ == "__main__":
    main()
