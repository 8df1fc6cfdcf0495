"""Which texts on a page are too faint to be read (WCAG 2.2, AA)."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

LOOK = Path(__file__).with_suffix(".js").read_text().rstrip().removesuffix(";")


def faint(page: Page) -> dict[str, float]:
    """Each text that can be seen now and has too little contrast with what lies behind it, and its ratio."""
    looked, found = page.evaluate(f"() => {{ const look = {LOOK}; return look(); }}")
    assert looked > 40
    return dict(found)


def faint_hints(page: Page) -> dict[str, float]:
    """The same of the bubbles of every "?" of the form, each opened in turn; an empty one has the ratio 0."""
    script = f"""() => {{
      const look = {LOOK};
      const found = {{}};
      const marks = [...document.querySelectorAll(".pg-form .pg-help")];
      for (const mark of marks) {{
        mark.dispatchEvent(new PointerEvent("pointerenter", {{ pointerType: "mouse" }}));
        const bubble = document.querySelector(".pg-tip.pg-open");
        if (!bubble?.innerText) found[mark.getAttribute("aria-label")] = 0;
        Object.assign(found, look()[1]);
        mark.dispatchEvent(new PointerEvent("pointerleave", {{ pointerType: "mouse" }}));
      }}
      return [marks.length, found];
    }}"""
    marks, found = page.evaluate(script)
    assert marks > 10
    return dict(found)
