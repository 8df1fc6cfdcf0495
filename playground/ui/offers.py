"""The presets as the page offers them: in groups with names, each with what it looks like and what to look for."""

from __future__ import annotations

from typing import Any

from playground.engine import presets
from playground.experiment import Experiment
from playground.ui.thumbnails import thumbnail

START_HERE = ("checkerboard", "two_moons", "one_step", "ring", "moons_to_ring", "one_dimension")
"""Those by which the page is learnt, whatever their model."""
GROUPS: dict[str, frozenset[str]] = {
    "Flow matching": frozenset({"flow_matching", "exact"}),
    "Rectified flow": frozenset({"rectified_flow"}),
    "Diffusion": frozenset({"diffusion"}),
    "GAN and VAE": frozenset({"gan", "vae"}),
    "Likelihood": frozenset({"normalizing_flow", "neural_ode", "autoregressive", "mixture"}),
    "Energy": frozenset({"energy", "rbm"}),
    "Equations": frozenset({"equation"}),
}
"""The other groups in their order, each with the kinds of models that it holds."""


def listed_presets() -> list[dict[str, Any]]:
    """The presets in the order of their offer: key, name, about, family of models, group and the target's points."""
    listed = [(name, presets.experiment(name)) for name in presets.names()]
    order = ["Start here", *GROUPS]
    offered = [
        {
            "key": name,
            "name": preset.name,
            "about": preset.about,
            "family": preset.model.label(),
            "group": group_of(name, preset),
            "thumbnail": (thumbnail(preset.target if preset.model.has_target else preset.aim) or [])[:150],
        }
        for name, preset in listed
    ]
    return sorted(offered, key=lambda one: order.index(str(one["group"])))


def group_of(name: str, preset: Experiment) -> str:
    """The group that a preset is offered in. Raises StopIteration for a kind of model that no group holds."""
    if name in START_HERE:
        return "Start here"
    if name == "churn":  # a velocity that is sampled as a diffusion
        return "Diffusion"
    return next(group for group, kinds in GROUPS.items() if preset.model.kind in kinds)
