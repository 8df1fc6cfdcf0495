"""How good a run's samples are: the figures that `run --json` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from playground.choice import InvalidExperiment, Problem
from playground.distributions.base import Distribution
from playground.dynamics.solvers import Euler, Heun, Sampler
from playground.engine import memorisation
from playground.engine.guidance import guidance_figures
from playground.engine.record import RunRecord
from playground.experiment import Experiment
from playground.metrics import (
    DISTANCES,
    Cost,
    bending,
    coverage,
    distances,
    excess,
    floor,
    nll,
    npe,
    optimal_cost,
    path_figures,
    sharpness_figures,
    sharpness_floor,
)
from playground.models.base import seeded
from playground.models.contracts import HasDensity, HasFacts, HasField, Trained

EVALUATIONS = (1, 2, 4, 8, 16, 32, 100)
FINE = Sampler(solver=Heun(), steps=100)
"""The solution on which straightness, path energy and transport cost are taken, whatever sampler is chosen."""
LIKELY_POINTS = 1000
"""Real points on which likelihoods are taken, at most: each is solved for with steps of its own."""
MIN_POINTS, MAX_POINTS = 10, 5_000


def measure(run: RunRecord, n: int = 2000, round: int = -1, every_w2: bool = False) -> dict[str, Any]:
    """Distances with Euler at 1 to 100 evaluations beside their floor, sharpness, path figures, coverage, likelihood.

    Sharpness is what `metrics.sharpness` finds, at each number of evaluations, and the spread of the modes; where model
    and target have a density, KL(target ‖ model) stands beside the likelihood, with its standard error. The exact W2 is
    slow, and so it is None but at the most evaluations, unless `every_w2` is wanted.

    A conditional model is measured under every condition, as often as the target has it, without guidance; its
    likelihood is that under the null condition. A model without a field has distances at its own number of evaluations
    alone, and no path figures. One whose condition are classes also has what guidance makes of them, as "guidance". n
    points of the source and of the target are drawn from a fixed seed. A figure that the model or the target does not
    have is None; what its family alone has stands under "facts". Raises ValueError where n is out of bounds.
    """
    if not MIN_POINTS <= n <= MAX_POINTS:
        raise InvalidExperiment([Problem(("n",), f"{n} is out of bounds; choose from {MIN_POINTS} to {MAX_POINTS:,}.")])
    trained, target = run.trained(round), run.experiment.aim
    model, x0, real, encoder = run.conditioned(trained, n), run.starts(n), run.real(n), run.experiment.encoder
    modes = target.separate_modes()
    fine = FINE if isinstance(model, HasField) else run.experiment.sampler
    covered = None
    if modes:
        wide = run.conditioned(trained, 2500, seed=1)
        covered = coverage(wide.trajectory(run.starts(2500, seed=1), fine, seed=1).end, modes)
    return {
        "by_nfe": _distances(list(_ends(run, model, x0)), real, every_w2),
        "floor": _floor(target, n),
        **_path_figures(run, model, x0),
        "modes_covered": covered.modes_covered if covered else None,
        "modes_total": covered.modes_total if covered else None,
        "modes_covered_strict": covered.modes_covered_strict if covered else None,
        "high_quality": covered.high_quality if covered else None,
        "spread": covered.spread if covered else None,
        **_memorised(run, model, fine, x0, real, round),
        **likelihood(None if encoder and not encoder.guidable else trained, target, real[:LIKELY_POINTS]),
        "entropy": target.entropy(),
        "facts": [vars(fact) for fact in trained.facts(real)] if isinstance(trained, HasFacts) else [],
        **({} if (guided := guidance_figures(run, n, round)) is None else {"guidance": guided}),
    }


def _distances(ends: list[tuple[int, Tensor]], real: Tensor, every_w2: bool) -> dict[str, dict[str, float | None]]:
    """The distances and the sharpness of samples, by their evaluations."""
    cheap, most = [name for name in DISTANCES if name != "w2"], max(nfe for nfe, _ in ends)
    found = {}
    for nfe, end in ends:
        known = distances(end, real, DISTANCES if every_w2 or nfe == most else cheap)
        found[str(nfe)] = dict.fromkeys(DISTANCES) | known | sharpness_figures(end, real)
    return found


@lru_cache(maxsize=64)
def _floor(target: Distribution, n: int) -> dict[str, float | None]:
    """What real points have against other real points; of the exact W2 the mean of fewer pairs."""
    cheap = [name for name in DISTANCES if name != "w2"]
    pairs = 4 if target.dim == 1 else 2  # in one dimension it is a sort
    found = floor(target, n, cheap, seeded(0, 13), pairs=4) | floor(target, n, ["w2"], seeded(0, 13), pairs)
    return {name: found[name] for name in DISTANCES} | sharpness_floor(target, n, seeded(0, 18))


def _ends(run: RunRecord, model: Trained, x0: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Samples by the evaluations that they cost: of a field by Euler steps, of any other model as it samples."""
    if not isinstance(model, HasField):
        whole = model.trajectory(x0, run.experiment.sampler)
        yield whole.nfe, whole.end
        return
    for nfe in EVALUATIONS:
        moved = model.trajectory(x0, Sampler(solver=Euler(), steps=nfe))
        yield len(moved.t) - 1, moved.end  # a discrete diffusion has no more steps than it was noised in


def _memorised(
    run: RunRecord, model: Trained, fine: Sampler, x0: Tensor, real: Tensor, round: int
) -> dict[str, float | None]:
    limited = run.experiment.training.points is not None
    return memorisation.figures(run, model.trajectory(x0, fine).end if limited else x0, real, round)


def likelihood(model: object, target: Distribution, real: Tensor) -> dict[str, float | None]:
    """What a model's density makes of target points (n, d); every figure is None where it has none.

    nll: the mean negative log-likelihood in nats of those inside its support; nll_outside: the share outside it;
    nll_unsolved: the share whose density could not be computed. kl and kl_error: see `metrics.Excess`; None where the
    target's density is not known as well, and where the model gives some real point none.
    """
    found = model.log_prob(real) if isinstance(model, HasDensity) else None
    if found is None:
        return dict.fromkeys(("nll", "nll_outside", "nll_unsolved", "kl", "kl_error"))
    measured, true = nll(found), target.log_prob(real.double())
    lacks = None if true is None else excess(true, found)
    return {
        "nll": measured.nll,
        "nll_outside": measured.outside,
        "nll_unsolved": measured.unsolved,
        "kl": None if lacks is None else lacks.value,
        "kl_error": None if lacks is None else lacks.error,
    }


def bending_of(run: RunRecord, round: int = -1, n: int = 1000) -> tuple[Tensor, Tensor] | None:
    """Times (T,) and the bending (T, n) of each particle of the fine solution; None for a model without a field."""
    model = run.conditioned(run.trained(round), n)
    if not isinstance(model, HasField) or not run.experiment.model.has_target:
        return None
    t, x, v = _fine(model, run.starts(n))
    return t, bending(t, x, v)


def _fine(model: HasField, x0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The times (T,), states (T, n, d) and velocities (T, n, d) of the fine solution."""
    fine = model.trajectory(x0, FINE)
    return fine.t, fine.x, torch.stack([model.velocity(x, float(t)) for t, x in zip(fine.t, fine.x, strict=True)])


def _path_figures(run: RunRecord, model: Trained, x0: Tensor) -> dict[str, float | None]:
    """Straightness, NPE and transport cost beside the optimal one, for a model that has a field."""
    transports = isinstance(model, HasField) and run.experiment.model.has_target
    figures = path_figures(*_fine(model, x0)) if isinstance(model, HasField) and transports else None
    if figures is None:
        return dict.fromkeys(("straightness", "npe", "transport_cost", "optimal_cost", "optimal_cost_error"))
    optimal = least_cost(run.experiment)
    return {
        "straightness": figures.straightness,
        "npe": npe(figures.energy, optimal.value),
        "transport_cost": figures.transport_cost,
        "optimal_cost": optimal.value,
        "optimal_cost_error": optimal.error,
    }


def least_cost(experiment: Experiment) -> Cost:
    """The optimal transport cost between the experiment's source and target, estimated once for each such pair."""
    return _least_cost(json.dumps({name: experiment.to_dict()[name] for name in ("source", "target")}))


@lru_cache(maxsize=256)
def _least_cost(between: str) -> Cost:
    run = RunRecord(Experiment.parse(json.loads(between)))
    source, target = run.experiment.source.at(run.dim), run.experiment.aim
    return optimal_cost(source, target, seeded(0, 17))
