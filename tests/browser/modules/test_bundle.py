"""Joined modules in the browser: they run, once each, and export what the modules themselves export."""

import json

import pytest

from playground.ui.bundle import joined
from tests.browser.modules.page import WEB

IMPORTED = """
    const load = async (text) => import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    const whole = await load(given);
"""
KEPT = "export const $all = Object.fromEntries(Object.keys($modules).map((name) => [name, $use(name)]));"


def test_order_renaming_circles_of_use_and_lazy_modules(page, tmp_path):
    modules = {
        "a": 'import { b as renamed, twice } from "./sub/b.js";\n'
        "export const order = globalThis.seen;\nexport const sum = () => twice(renamed);\n"
        'const LATER = { lazy: "./lazy.js" };\nexport const later = () => import(LATER.lazy);\n',
        "sub/b": 'import {\n  start,\n} from "../c.js";\nimport "../c.js";\n'
        'seen.push("b");\nexport const b = start + 1;\nexport function twice(x) {\n  return 2 * x;\n}\n',
        "c": 'globalThis.seen = ["c"];\nexport const start = 20;\n',
        "lazy": 'seen.push("lazy");\nexport class Lazy {}\nexport function* none() {}\n',
    }
    (tmp_path / "sub").mkdir()
    for name, text in modules.items():
        (tmp_path / f"{name}.js").write_text(text)
    found = page(
        IMPORTED
        + """
        const before = [...whole.order];
        const lazy = await whole.later();
        return [before, whole.sum(), whole.order, Object.keys(lazy).sort(), lazy === (await whole.later())];
    """,
        joined(tmp_path, "a.js"),
    )
    assert found == [["c", "b"], 42, ["c", "b", "lazy"], ["Lazy", "none"], True]


@pytest.mark.parametrize("entry", ["stage/panels.js", "compute/sampling/samplers.js", "stage/layers/index.js"])
def test_each_joined_module_exports_what_it_does_by_itself(page, entry):
    text = joined(WEB, entry)
    by_itself = """
        const names = Object.keys(whole.$all);
        const alone = await Promise.all(names.map((name) => import("/" + name)));
        const kinds = (one) => Object.fromEntries(Object.keys(one).sort().map((key) => [key, String(one[key])]));
        return names.map((name, k) => [name, kinds(whole.$all[name]), kinds(alone[k])]);
    """
    for name, found, expected in page(IMPORTED + by_itself, text + KEPT):
        assert json.dumps(found) == json.dumps(expected), name


def test_every_module_is_reached_from_the_page_or_a_worker():
    text = "".join(joined(WEB, entry) for entry in ("main.js", "workers/measuring-worker.js"))
    for path in WEB.rglob("*.js"):
        name = path.relative_to(WEB).as_posix()
        assert f'$modules["{name}"] = ' in text, f"{name} is imported by nothing"
