"""One thread for all tests, and one small training that those which only look at a run share."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, Run, run

torch.set_num_threads(1)

SMALL = {"width": 16, "depth": 2, "activation": "relu", "features": 0}
"""A network that trains in no time."""


@pytest.fixture(scope="session")
def small_experiment() -> Experiment:
    """Noise to a ring of five, three hundred steps of a small network."""
    return Experiment.parse(
        {
            "name": "A small run",
            "source": "gaussian",
            "target": {"kind": "ring", "modes": 5},
            "network": SMALL,
            "training": {"steps": 300, "batch": 128, "decay": "inverse_sqrt"},
            "sampler": {"solver": "heun", "steps": 12},
        }
    )


@pytest.fixture(scope="session")
def small_run(small_experiment: Experiment) -> Run:
    """What it has learnt; not to be changed by a test."""
    return run(small_experiment)
