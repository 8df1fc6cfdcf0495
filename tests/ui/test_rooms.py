"""The rooms of the browser's half: each module imports from its own room and from those that it may know."""

from __future__ import annotations

import posixpath
import re

import pytest

from playground.ui.assets import WEB

MAY_IMPORT = {
    "common": set(),
    "api": {"common"},
    "compute": {"common"},
    "workers": {"common", "api", "compute"},
    "scene": {"common", "api", "compute"},
    "stage": {"common", "api", "compute", "scene"},
    "figures": {"common", "api", "compute", "workers", "scene"},
    "form": {"common", "api"},
    "shell": {"common", "api"},
    "tabs": {"common", "api", "compute", "workers", "scene", "stage", "figures", "form"},
}
"""What each room may import besides itself; main.js, the door, may import from all."""

IMPORTED = re.compile(r'^(?:import |\} from |import \{[^}]*\} from )"([^"]+)";$', re.MULTILINE)
TYPES = re.compile(r"/\*\* @import .* \*/")
DOM = re.compile(r"\b(?:document|window)\.")
MODULES = sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_room_may_know(name):
    room, inside, _ = name.partition("/")
    source = TYPES.sub("", (WEB / name).read_text())
    imports = IMPORTED.findall(source)
    assert len(imports) == len(re.findall(r'(?:from|^import) "', source, re.MULTILINE))
    for path in imports:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        assert target in MODULES, f"{name} imports {target}, which is not there"
        other = target.partition("/")[0]
        assert not inside or other == room or other in MAY_IMPORT[room], f"{name} may not import from {other}"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("compute/")])
def test_what_computes_knows_no_page(name):
    assert not DOM.search((WEB / name).read_text())


def test_every_room_has_its_rule():
    assert {name.partition("/")[0] for name in MODULES if "/" in name} == set(MAY_IMPORT)
