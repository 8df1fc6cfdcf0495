"""Presets: experiments that open ready, with trained weights beside them where they are small."""

from __future__ import annotations

from pathlib import Path

from playground.choice import InvalidExperiment, Problem
from playground.engine import training
from playground.engine.library import read_weights
from playground.engine.run import Run
from playground.experiment import Experiment

_PACKAGE = Path(__file__).parents[1]
FOLDER = next(filter(Path.is_dir, (_PACKAGE / "presets", _PACKAGE.parent / "presets")))
"""Where they lie: an installed package has them inside, a clone beside it (pyproject.toml maps one to the other)."""
ORDER = (
    "checkerboard",
    "two_moons",
    "one_step",
    "rectified-flow-checkerboard",
    "moons_to_ring",
    "classes",
    "one_dimension",
    "ddpm",
    "churn",
    "memorised",
)
"""What is offered first, in this order; the others follow by name."""


def names() -> list[str]:
    """The presets that there are, in the order of their offer."""
    found = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def experiment(name: str) -> Experiment:
    """The experiment of a preset. Raises InvalidExperiment for a name that is not one of `names`."""
    if name not in names():
        raise InvalidExperiment([Problem((), f"there is no preset {name!r}; choose one of {', '.join(names())}.")])
    return Experiment.load(FOLDER / f"{name}.yaml")


def run(name: str) -> Run:
    """A preset with its trained weights, or without any round where it has none. Raises InvalidExperiment."""
    chosen = experiment(name)
    if not chosen.model.learns:
        return training.run(chosen)
    weights = FOLDER / f"{name}.safetensors"
    return read_weights(Run, chosen, weights) if weights.exists() else Run(chosen)
