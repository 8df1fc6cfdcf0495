"""Joining modules: what is understood is joined in order, what is not is refused with a sentence, changes are seen."""

import gzip

import pytest

from playground.ui.assets import WEB
from playground.ui.bundle import Bundle, NotJoined, joined


def folder(path, **modules):
    for name, text in modules.items():
        (path / f"{name}.js").write_text(text)
    return path


def test_a_circle_of_imports_is_refused_with_its_members(tmp_path):
    folder(tmp_path, a='import { b } from "./b.js";\n', b='import { a } from "./a.js";\n')
    with pytest.raises(NotJoined, match=r"a\.js → b\.js → a\.js"):
        joined(tmp_path, "a.js")


def test_a_missing_module_is_refused_with_the_one_that_wants_it(tmp_path):
    with pytest.raises(NotJoined, match=r"a\.js imports b\.js, which does not exist"):
        joined(folder(tmp_path, a='import "./b.js";\n'), "a.js")


@pytest.mark.parametrize("form", ["export default 3;", 'import all from "./b.js";', 'export * from "./b.js";'])
def test_forms_that_are_not_understood_are_refused(tmp_path, form):
    with pytest.raises(NotJoined, match="a form that is not understood"):
        joined(folder(tmp_path, a=f"{form}\n", b=""), "a.js")


def test_a_module_that_two_others_import_is_there_once(tmp_path):
    one = 'import { c } from "./c.js";\n'
    text = joined(folder(tmp_path, a=one + 'import "./b.js";\n', b=one, c="export const c = 12345;\n"), "a.js")
    assert text.count("12345") == 1


def test_a_file_is_joined_anew_when_a_module_has_changed(tmp_path):
    bundle = Bundle(folder(tmp_path, a="export const a = 1;\n"))
    first = bundle.file("a.js")
    assert bundle.file("a.js") is first
    (tmp_path / "b.js").write_text("export const b = 2;\n")
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = b;\n')
    second = bundle.file("a.js")
    assert second.etag != first.etag and "b = 2" in gzip.decompress(second.body).decode()


def test_styles_begin_with_the_tokens_and_leave_none_out():
    text = gzip.decompress(Bundle(WEB).file("main.css").body).decode()
    assert text.startswith("/* tokens.css */")
    assert all(path.read_text() in text for path in WEB.rglob("*.css"))
