"""The package: its wheel holds everything, installs where there is no clone, and is light to import."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import venv
from pathlib import Path

import pytest

import playground
from playground.engine import presets
from playground.ui.assets import WEB
from tests.browser.driver import ROOT, serve

IMPORTED = """
import json, sys, torch
before = set(sys.modules)
import playground
new = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(json.dumps(sorted(name for name in new if not name.startswith("_"))))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Where the commands of a fresh environment lie that has the wheel, and the libraries of this one."""
    folder = tmp_path_factory.mktemp("package")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    commands = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(commands / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True)
    found = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(found, check=True, capture_output=True, text=True).stdout.strip()
    (Path(site) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return commands


def test_the_command_lists_the_presets(installed, tmp_path):
    command = [installed / "playground", "list", "presets", "--json"]
    answer = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert [row["kind"] for row in json.loads(answer.stdout)] == presets.names()


def test_the_package_is_the_installed_one_and_says_its_version(installed, tmp_path):
    code = "import playground, importlib.metadata as m; print(playground.__file__); print(playground.__version__);"
    code += "print(m.version('generative-dynamics-playground'))"
    command = [installed / "python", "-c", code]
    out = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split("\n")
    assert Path(out[0]).is_relative_to(installed.parent)
    assert out[1] == out[2] == playground.__version__


def test_the_page_is_served_whole_from_another_folder(installed, tmp_path):
    with serve([str(installed / "playground"), "serve"], tmp_path) as server:

        def get(path: str) -> bytes:
            with urllib.request.urlopen(server.address + path, timeout=60) as answer:
                body = answer.read()
                return gzip.decompress(body) if answer.headers["content-encoding"] == "gzip" else body

        assert b"playground/joined/main.js" in get("")
        assert b"$modules" in get("playground/joined/main.js")
        for file in (path for path in WEB.rglob("*") if path.suffix in {".js", ".css"}):
            assert get(f"playground/{file.relative_to(WEB).as_posix()}") == file.read_bytes(), file
        assert b"thumbnail" in get("playground/form.json")
        assert json.loads(get("playground/presets/checkerboard.json"))["snapshots"]


def test_all_presets_and_their_weights_are_installed(installed):
    (folder,) = installed.parent.rglob("playground/presets")
    expected = {path.name for path in presets.FOLDER.iterdir() if path.suffix in {".yaml", ".safetensors"}}
    assert {path.name for path in folder.iterdir()} == expected
    assert all((folder / name).read_bytes() == (presets.FOLDER / name).read_bytes() for name in expected)


def test_importing_it_brings_little_besides_torch():
    out = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    light = {"annotated_types", "playground", "pydantic", "pydantic_core", "typing_inspection"}
    light |= {"numpy", "safetensors", "yaml", "zuko"}
    assert set(json.loads(out)) <= light | {"cython_runtime"}


def test_what_is_declared_is_what_a_space_installs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {name.partition(">=")[0] for name in project["dependencies"]}
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert declared == {line.partition("==")[0] for line in lines}
