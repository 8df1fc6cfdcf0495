"""The README's Python does what it says, and the files that the guides name are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor

from playground.distributions import curves

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_distribution_that_is_added_can_be_sampled() -> None:
    (block,) = [one for one in BLOCKS if "class Cross" in one]
    names = vars(curves) | {"Literal": Literal, "Field": Field, "Tensor": Tensor, "torch": torch}
    exec(compile("from __future__ import annotations\n" + block, "README.md", "exec"), names)
    cross = names["Cross"]()
    x, bar = cross.draw(500, torch.Generator().manual_seed(0))
    assert x.shape == (500, 2) and set(bar.tolist()) == {0, 1}
    along, across = x[bar == 0].std(0)
    assert along > 5 * across > 0, "the first bar lies along x, with noise"


def test_what_is_done_from_python_runs(tmp_path, monkeypatch, capsys) -> None:
    (block,) = [one for one in BLOCKS if "import Experiment" in one]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "presets").symlink_to(ROOT / "presets")
    block = block.replace('presets/checkerboard.yaml")', 'presets/checkerboard.yaml", ["training.steps=60"])')
    exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "runs" / "checkerboard" / "experiment.yaml").exists()
    assert capsys.readouterr().out.splitlines()[-1].startswith("60 ")


@pytest.mark.parametrize("guide", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_the_files_that_a_guide_names_are_there(guide):
    text = (ROOT / guide).read_text()
    named = set(re.findall(r"`((?:playground|presets|tests|benchmarks|docs|tools)/[\w./-]*)`", text))
    named |= set(re.findall(r"\]\((docs/[\w./-]+)\)", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists() and "NAME" not in name] == []


def test_the_stations_of_the_architecture_are_in_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| `([^`]+)`: `([^`]+)`", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert [name for _, file, name in rows if not re.search(rf"(?<!\w){name}\b", (ROOT / file).read_text())] == []
    ways = "".join("|" * (number == "1") + "." for number, _, _ in rows).split("|")[1:]
    assert len(ways) == 3 and all(len(way) <= 10 for way in ways)
