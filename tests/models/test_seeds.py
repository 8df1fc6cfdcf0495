"""A run hangs on its own seed alone, whatever its family."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from playground import Experiment, run
from playground.models import AnyModel
from playground.models.normalizing.layers import AnyArchitecture


def every_kind() -> list[dict[str, object]]:
    """Every family, and of normalizing flows every kind of layer."""
    families = [{"kind": kind.model_fields["kind"].default} for kind in get_args(get_args(AnyModel)[0])]
    layers = [kind.model_fields["kind"].default for kind in get_args(get_args(AnyArchitecture)[0])]
    return families + [{"kind": "normalizing_flow", "architecture": kind} for kind in layers]


@pytest.mark.parametrize("model", every_kind(), ids=lambda model: "-".join(map(str, model.values())))
def test_no_chance_but_the_seeds_own_is_in_a_run(model):
    """Whatever else has drawn random numbers in this process, another visitor's training among it."""

    def trained(other: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(other)
        experiment = Experiment.parse({"target": "ring", "model": model, "training": {"steps": 3, "seed": 5}})
        return run(experiment).round().last.weights

    first, again = trained(0), trained(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
