"""Adaptive solvers against torchdiffeq, known solutions and their own books."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torchdiffeq
from torch import Generator, Tensor

from playground.choice import kinds
from playground.dynamics.adaptive import MAX_EVALUATIONS, Adaptive, BogackiShampine, Dopri5, Unsolved
from playground.dynamics.grids import grid
from playground.dynamics.paths import LinearPath
from playground.dynamics.solvers import AnySolver, Sampler, Tableau, runge_kutta
from playground.networks import Mlp
from playground.trajectory import Trajectory

ORACLES = {"dopri5": "dopri5", "bogacki_shampine": "bosh3"}
SOLVERS = [cls for cls in kinds(AnySolver) if issubclass(cls, Adaptive)]
EVERY_SOLVER = pytest.mark.parametrize("cls", SOLVERS, ids=lambda cls: cls.kind_name())


def points(n: int = 6, d: int = 2) -> Tensor:
    return torch.linspace(0.2, 1.8, n * d, dtype=torch.float64).view(n, d)


def logistic(x: Tensor, t: float) -> Tensor:
    """dx/dt = x (1 − x) (1 + sin 3t)."""
    return x * (1 - x) * (1 + math.sin(3 * t))


def logistic_solution(x0: Tensor, t: float) -> Tensor:
    clock = t + (1 - math.cos(3 * t)) / 3
    return x0 / (x0 + (1 - x0) * math.exp(-clock))


def turning(x: Tensor, t: float) -> Tensor:
    """A rotation that is sudden at t = 0.6, so that steps are rejected."""
    speed = 1 + 40 * math.exp(-(((t - 0.6) / 0.03) ** 2))
    return speed * torch.stack([-x[:, 1], x[:, 0]], dim=1)


def solved(cls: type[Adaptive], field: Any, x0: Tensor, tolerance: float = 1e-5, *interval: float) -> Trajectory:
    return Sampler(solver=cls(rtol=tolerance, atol=tolerance), steps=1).integrate(field, x0, *interval)


def test_every_adaptive_solver_is_measured() -> None:
    assert {cls.kind_name() for cls in SOLVERS} == set(ORACLES)


@EVERY_SOLVER
@pytest.mark.parametrize("field", [logistic, turning])
def test_the_end_is_that_of_torchdiffeq(cls: type[Adaptive], field: Any) -> None:
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    method = ORACLES[cls.kind_name()]
    tight = {"rtol": 1e-9, "atol": 1e-9, "options": {"step_t": ends[1:]}}  # else it steps over the end and interpolates
    oracle = torchdiffeq.odeint(lambda t, x: field(x, float(t)), points(), ends, method=method, **tight)[-1]
    torch.testing.assert_close(solved(cls, field, points(), 1e-7).end, oracle, rtol=0, atol=2e-6)
    if field is logistic:
        torch.testing.assert_close(oracle, logistic_solution(points(), 1.0), rtol=0, atol=1e-8)


@EVERY_SOLVER
def test_both_methods_of_a_pair_have_their_order(cls: type[Adaptive]) -> None:
    one = cls.tableau
    assert sum(one.error) == pytest.approx(0, abs=1e-15)
    assert one.a[-1] == one.b[:-1], "the last stage begins the next step"
    weaker = Tableau(one.a, tuple(b - e for b, e in zip(one.b, one.error, strict=True)), one.c)
    for tableau, order in ((one, cls.order), (weaker, cls.order - 1)):
        steps, errors = [16, 32, 64], []
        for count in steps:
            *_, last = runge_kutta(tableau, logistic, points(), grid("uniform", 0.0, 1.0, count))
            errors.append(float((last.x - logistic_solution(points(), 1.0)).abs().max()))
        assert -np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(order, abs=0.45)


@EVERY_SOLVER
def test_a_tighter_tolerance_errs_less_and_costs_more(cls: type[Adaptive]) -> None:
    runs = [solved(cls, logistic, points(), tolerance) for tolerance in (1e-3, 1e-5, 1e-7)]
    errors = [float((run.end - logistic_solution(points(), 1.0)).abs().max()) for run in runs]
    assert errors[0] > errors[1] > errors[2]
    assert runs[0].nfe < runs[1].nfe < runs[2].nfe
    for error, tolerance in zip(errors, (1e-3, 1e-5, 1e-7), strict=True):
        assert error < 15 * tolerance


@EVERY_SOLVER
def test_every_evaluation_is_counted_those_of_rejected_steps_too(cls: type[Adaptive]) -> None:
    calls: list[float] = []

    def counted(x: Tensor, t: float) -> Tensor:
        calls.append(t)
        return turning(x, t)

    run = solved(cls, counted, points())
    accepted, rejected = len(run.t) - 1, len(run.rejected)
    assert rejected > 0
    assert run.nfe == len(calls) == 2 + (len(cls.tableau.b) - 1) * (accepted + rejected)
    assert 0 <= min(calls) <= max(calls) <= 1


@EVERY_SOLVER
def test_rejected_steps_began_at_a_state_and_reached_too_far(cls: type[Adaptive]) -> None:
    run = solved(cls, turning, points())
    following = dict(pairwise(run.t.tolist()))
    assert [begin for begin, _ in run.rejected] == sorted(begin for begin, _ in run.rejected)
    for begin, end in run.rejected:
        assert following[begin] < end <= 1
    assert all(end > 0.3 for _, end in run.rejected), "the field is smooth before the sudden turn"


@EVERY_SOLVER
def test_the_accepted_steps_can_be_replayed(cls: type[Adaptive]) -> None:
    """What rides the grid of others, such as a probe, passes through the same states."""
    run = solved(cls, turning, points())
    replayed = runge_kutta(cls.tableau, turning, points(), run.t.tolist())
    assert torch.equal(torch.stack([state.x for state in replayed]), run.x)


@EVERY_SOLVER
def test_the_ends_of_the_interval_are_exact_and_the_starting_points_kept(cls: type[Adaptive]) -> None:
    x0 = points()
    run = solved(cls, logistic, x0, 1e-6, 0.25, 0.9)
    assert (float(run.t[0]), float(run.t[-1])) == (0.25, 0.9)
    assert (run.t.diff() > 0).all()
    assert torch.equal(run.start, points())
    assert torch.equal(x0, points())


@EVERY_SOLVER
def test_the_number_of_particles_changes_little_and_their_order_nothing_to_speak_of(cls: type[Adaptive]) -> None:
    """One step size for all, from a mean over them: twice the same cloud takes the same steps."""
    once, twice = solved(cls, turning, points()), solved(cls, turning, torch.cat([points(), points()]))
    torch.testing.assert_close(once.t, twice.t)
    torch.testing.assert_close(once.end, twice.end[: len(points())])


@EVERY_SOLVER
def test_a_field_that_is_zero_or_constant_takes_few_steps(cls: type[Adaptive]) -> None:
    for velocity in (0.0, 3.0):
        run = solved(cls, lambda x, t, v=velocity: torch.full_like(x, v), torch.zeros(3, 2, dtype=torch.float64))
        torch.testing.assert_close(run.end, torch.full((3, 2), velocity, dtype=torch.float64))
        assert len(run.t) < 12
        assert not run.rejected


@EVERY_SOLVER
@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_kinked_networks_in_single_precision_are_followed(cls: type[Adaptive], activation: Any) -> None:
    generator = Generator().manual_seed(0)
    mlp = Mlp(2, 2, (64,) * 3, activation, 0)
    weights = 3 * mlp.initial(generator)

    def field(x: Tensor, t: float) -> Tensor:
        return mlp(weights, x, torch.tensor([[t]]))

    x0 = torch.randn(200, 2, generator=generator)
    fine = Sampler(solver="rk4", steps=400).integrate(field, x0, LinearPath().t_min, LinearPath().t_max)
    run = solved(cls, field, x0, 1e-6)
    assert run.x.dtype == torch.float32
    assert float((run.end - fine.end).square().mean().sqrt()) < 1e-3


def jump(x: Tensor, t: float) -> Tensor:
    """Another direction from t = 0.5 on, a thousand times as fast."""
    return torch.full_like(x, 1.0 if t < 0.5 else -1e3)


def endless(x: Tensor, t: float) -> Tensor:
    return torch.full_like(x, math.cos(1e4 * t))


def exploding(x: Tensor, t: float) -> Tensor:
    """dx/dt = x², which is infinite at t = 1 / x0."""
    return x.square()


@EVERY_SOLVER
@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (jump, r"stops at t = 0\.5, where even a step of \S+e-0\d misses the tolerance: the field is too stiff or kin"),
        (endless, rf"where {MAX_EVALUATIONS:,} evaluations do not suffice: the field is too stiff or kinked"),
        (exploding, r"stops at t = 0\.\d+, where .* Raise the tolerances, train with a smooth activation"),
        (lambda x, t: x / 0, r"cannot begin: the field is not finite at t = 0\."),
    ],
    ids=["jump", "endless", "exploding", "not finite"],
)
def test_what_cannot_be_solved_is_said(cls: type[Adaptive], field: Any, sentence: str) -> None:
    with pytest.raises(Unsolved, match=rf"^{cls.label()[:4]}.*{sentence}"):
        solved(cls, field, 2 + points(), 1e-7)


def test_tolerances_are_bounded() -> None:
    for name in ("rtol", "atol"):
        for value in (0, 1e-8, 0.2, float("nan")):
            with pytest.raises(ValueError, match=name):
                Dopri5(**{name: value})
    assert BogackiShampine(rtol=0.1, atol=1e-7).rtol == 0.1


@pytest.mark.parametrize("solver", [Dopri5(), BogackiShampine()], ids=lambda solver: solver.kind)
def test_it_goes_backwards_as_well(solver):
    x = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    moved = Sampler(solver=solver).integrate(lambda x, t: x * math.cos(5 * t), x, 1.0, 0.25)
    assert float(moved.t[0]) == 1.0
    assert float(moved.t[-1]) == 0.25
    assert bool((moved.t.diff() < 0).all())
    expected = x * math.exp((math.sin(1.25) - math.sin(5)) / 5)
    torch.testing.assert_close(moved.end, expected, rtol=0, atol=1e-3)
