"""Makes the README's screenshots: python -m tools.screenshots. It needs Chromium, as the tests do."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.driver import Visitor, serve, start_browser

FOLDER = Path(__file__).parents[1] / "docs" / "images"
STUDIO, COLLAPSE = FOLDER / "studio.png", FOLDER / "collapse.png"


def main() -> None:
    """The Studio after training the opening experiment, the clock stopped on the way; and the tab Mode collapse."""
    with serve() as server, sync_playwright() as playwright:
        browser = start_browser(playwright)
        visitor = Visitor(browser, server.address, viewport={"width": 1440, "height": 900})
        page = visitor.page
        page.wait_for_selector("#stage .pg-stage[data-state=ready]")
        page.click("#train")
        page.wait_for_selector("#stage .pg-stage[data-state=training]")
        page.wait_for_selector("#stage .pg-stage[data-state=ready]")
        time = page.locator('#stage [data-part="time"]')
        time.evaluate("input => { input.value = 0.8; input.dispatchEvent(new Event('input', { bubbles: true })); }")
        page.wait_for_timeout(3000)
        page.screenshot(path=STUDIO)
        visitor.close()

        visitor = Visitor(browser, server.address, "?tab=collapse", viewport={"width": 1440, "height": 1330})
        page = visitor.page
        page.wait_for_function("document.querySelectorAll('.pg-panel').length === 3")
        page.wait_for_timeout(8000)
        page.screenshot(path=COLLAPSE)
        visitor.close()


if __name__ == "__main__":
    main()
