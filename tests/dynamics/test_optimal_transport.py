"""Couplings that pair points with one another: against the assignment optimum, the entropic plan, and in figures."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Generator

from playground import run
from playground.choice import InvalidExperiment
from playground.distributions import Gaussian, Ring
from playground.dynamics.coupling_figures import coupling_figures, disagreement
from playground.dynamics.couplings import (
    DEFAULT_EPSILON,
    ClassOptimalTransportCoupling,
    IndependentCoupling,
    OptimalTransportCoupling,
    SinkhornCoupling,
)
from playground.dynamics.paths import BridgePath, InterpolantPath, LinearPath
from playground.dynamics.transport_plan import LEAST_EPSILON, assignment, sinkhorn, squared_distances
from playground.experiment import Experiment
from playground.models import FlowMatching

CHANCE = Generator().manual_seed(0)


def clouds(n: int = 200, d: int = 2, seed: int = 0):
    generator = Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator), 1 + 2 * torch.randn(n, d, generator=generator)


def cost(x0, x1) -> float:
    return float((x0 - x1).double().square().sum(1).mean())


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("n", [2, 3, 64, 300])
def test_its_cost_is_the_optimum_of_the_assignment(n, d):
    x0, x1 = clouds(n, d)
    costs = squared_distances(x0, x1).numpy()
    best = costs[linear_sum_assignment(costs)].mean()
    assert cost(*OptimalTransportCoupling().pair(x0, x1, CHANCE)) == pytest.approx(best, rel=1e-6)
    assert sorted(assignment(x0, x1).tolist()) == list(range(n))


def test_it_is_the_best_of_all_permutations():
    x0, x1 = clouds(6)
    best = min(cost(x0, x1[list(order)]) for order in itertools.permutations(range(6)))
    assert cost(x0, x1[assignment(x0, x1)]) == pytest.approx(best)


def test_it_is_what_the_network_simplex_finds():
    ot = pytest.importorskip("ot")
    x0, x1 = clouds(150)
    optimum = ot.emd2([], [], squared_distances(x0, x1).numpy())
    assert cost(x0, x1[assignment(x0, x1)]) == pytest.approx(optimum, rel=1e-9)


def test_equal_points_are_no_trouble():
    x0 = torch.zeros(20, 2)
    assert sorted(assignment(x0, torch.ones(20, 2)).tolist()) == list(range(20))
    assert sorted(assignment(x0[:, :1], torch.ones(20, 1)).tolist()) == list(range(20))


# --- entropic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.2, 0.5, 3.0, 100.0])
def test_the_plan_is_the_fixed_point_of_sinkhorn(epsilon):
    """Against the textbook iterations in logarithms, run to the end."""
    costs = squared_distances(*clouds(80))
    f, g = torch.zeros(80, dtype=torch.float64), torch.zeros(80, dtype=torch.float64)
    for _ in range(1000):
        f = -epsilon * torch.logsumexp((g - costs) / epsilon - math.log(80), 1)
        g = -epsilon * torch.logsumexp((f[:, None] - costs) / epsilon - math.log(80), 0)
    expected = torch.exp((f[:, None] + g - costs) / epsilon) / 80**2
    found = sinkhorn(costs, epsilon)
    torch.testing.assert_close(found.sum(1), torch.full((80,), 1 / 80, dtype=torch.float64))
    assert float((found - expected).abs().sum()) < 0.1
    assert float((found.sum(0) * 80 - 1).abs().mean()) < 0.01


def test_the_plan_may_be_between_batches_of_different_sizes():
    plan = sinkhorn(squared_distances(clouds(50)[0], clouds(70)[1]), 0.5)
    assert plan.shape == (50, 70)
    assert float((plan.sum(0) * 70 - 1).abs().mean()) < 0.01


def test_epsilon_leads_from_the_optimal_to_the_independent_coupling():
    x0, x1 = clouds(256)
    optimum, independent = cost(x0, x1[assignment(x0, x1)]), float(squared_distances(x0, x1).mean())
    costs = [cost(*SinkhornCoupling(epsilon=eps).pair(x0, x1, CHANCE)) for eps in (0.2, 1.0, 10.0, 1000.0)]
    assert costs == sorted(costs)
    assert costs[0] < optimum + 0.3
    assert costs[-1] == pytest.approx(independent, rel=0.15)


def test_partners_are_drawn_from_the_plan():
    x0, x1 = clouds(6)
    coupling = SinkhornCoupling(epsilon=1.5)
    counts = np.zeros((6, 6))
    for _ in range(500):
        counts[np.arange(6), coupling.partners(x0, x1, CHANCE).numpy()] += 1
    plan = 6 * sinkhorn(squared_distances(x0, x1), 1.5).numpy()
    np.testing.assert_allclose(counts / 500, plan, atol=5 * 0.5 / math.sqrt(500))


def test_the_entropic_plan_between_gaussians_has_the_known_correlation():
    """N(0, 1) to itself: correlation √(1 + (ε/4)²) − ε/4 (Janati et al. 2020, for the cost |x − y|²)."""
    x0, x1 = torch.randn(2, 1500, 1, generator=Generator().manual_seed(1))
    epsilon = 1.0
    plan = sinkhorn(squared_distances(x0, x1), epsilon)
    found = 1500 * 1500 * (plan * (x0 - x0.mean()) * (x1 - x1.mean()).T).mean() / (x0.std() * x1.std())
    assert float(found) == pytest.approx(math.sqrt(1 + (epsilon / 4) ** 2) - epsilon / 4, abs=0.03)


def test_an_epsilon_that_is_too_small_is_clamped_and_said():
    x0, x1 = clouds(128)
    least = LEAST_EPSILON * float(squared_distances(x0, x1).mean())
    small = SinkhornCoupling(epsilon=1e-4).partners(x0, x1, Generator().manual_seed(3))
    assert torch.equal(small, SinkhornCoupling(epsilon=least + 1e-9).partners(x0, x1, Generator().manual_seed(3)))
    source, target = Gaussian(dimension=2), Ring()
    (remark,) = FlowMatching(coupling=SinkhornCoupling(epsilon=1e-3)).remarks(source, target)
    assert remark == (
        "ε = 0.001 is too small for Sinkhorn's iterations to settle; 0.061 is used instead. "
        "Choose at least that, or the coupling optimal_transport, which is the limit of ε = 0."
    )
    assert FlowMatching(coupling=SinkhornCoupling(epsilon=0.5)).remarks(source, target) == []


def test_training_warns_of_it_once():
    sinkhorn_ = {"kind": "sinkhorn", "epsilon": 1e-3, "batch": 32}
    given = {"model": {"kind": "flow_matching", "coupling": sinkhorn_}, "training": {"steps": 3}}
    with pytest.warns(UserWarning, match=r"ε = 0\.001 is too small") as caught:
        run(Experiment.parse(given))
    assert len([warning for warning in caught if "ε" in str(warning.message)]) == 1


def test_epsilon_follows_from_a_brownian_bridge():
    free = SinkhornCoupling()
    assert free.settled(BridgePath(sigma=0.6)).epsilon == pytest.approx(2 * 0.36)
    assert free.settled(InterpolantPath(gamma="root", amount=0.5)).epsilon == pytest.approx(0.5)
    assert free.settled(LinearPath()).epsilon == DEFAULT_EPSILON
    assert SinkhornCoupling(epsilon=0.2).settled(BridgePath()).epsilon == 0.2
    assert OptimalTransportCoupling().settled(BridgePath()) == OptimalTransportCoupling()


# --- classes ----------------------------------------------------------------------------------------------------------


def test_within_classes_each_class_has_the_optimum_of_its_own():
    x0, x1 = clouds(120)
    labels = torch.randint(5, (120,), generator=Generator().manual_seed(1))
    partner = ClassOptimalTransportCoupling().partners(x0, x1, CHANCE, labels)
    assert torch.equal(labels[partner], labels)
    assert sorted(partner.tolist()) == list(range(120))
    for label in range(5):
        rows = labels == label
        best = cost(x0[rows], x1[rows][assignment(x0[rows], x1[rows])])
        assert cost(x0[rows], x1[partner][rows]) == pytest.approx(best)


def test_without_labels_it_is_plain_optimal_transport():
    x0, x1 = clouds(60)
    assert torch.equal(ClassOptimalTransportCoupling().partners(x0, x1, CHANCE), assignment(x0, x1))


def test_plain_optimal_transport_moves_the_sources_of_a_class_and_the_other_does_not():
    """The train–test gap of C²OT, in numbers: at test time every class starts from the whole source."""
    generator = Generator().manual_seed(2)
    x0 = Gaussian(dimension=2).sample(1024, generator)
    x1, labels = Ring().draw(1024, generator)
    shifts = {}
    for coupling in (IndependentCoupling(), OptimalTransportCoupling(), ClassOptimalTransportCoupling()):
        partner = coupling.partners(x0, x1, generator, labels)
        figures = coupling_figures(x0, x1[partner], labels[partner])
        shifts[coupling.kind] = (figures.class_shift, figures.cost)
    noise = 8 / 1024 * 2
    assert shifts["independent"][0] < 3 * noise
    assert shifts["class_optimal_transport"][0] < 3 * noise
    assert shifts["optimal_transport"][0] > 1
    assert shifts["optimal_transport"][1] < shifts["class_optimal_transport"][1] < shifts["independent"][1]


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_conditional_variance_of_independent_gaussians_is_the_known_one():
    """∫ s² / (t² s² + (1 − t)²) dt = s π/2 on each axis, for N(0, I) and N(0, s² I)."""
    x0, x1 = torch.randn(2, 4000, 2, generator=Generator().manual_seed(0))
    figures = coupling_figures(x0, 1.7 * x1)
    assert figures.variance == pytest.approx(2 * 1.7 * math.pi / 2, rel=0.04)
    assert figures.cost == pytest.approx(2 * (1 + 1.7**2), rel=0.04)
    assert figures.class_shift is None


def test_paths_that_never_cross_have_no_conditional_variance():
    x0 = torch.randn(2000, 2, generator=Generator().manual_seed(0))
    assert coupling_figures(x0, x0 + torch.tensor([3.0, 1.0])).variance == pytest.approx(0, abs=1e-9)
    assert coupling_figures(x0, 2 * x0).variance < 0.01


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_conditional_variance_at_a_time(t):
    """Given X_t, each axis of X1 − X0 varies by s² / (t² s² + (1 − t)²), wherever X_t is."""
    x0, x1 = torch.randn(2, 6000, 2, generator=Generator().manual_seed(0))
    found = disagreement(x0, 1.7 * x1, t)
    known = 2 * 1.7**2 / (t**2 * 1.7**2 + (1 - t) ** 2)
    near = (t * 1.7 * x1 + (1 - t) * x0).square().sum(1) < 1
    assert float(found.mean()) == pytest.approx(known, rel=0.06)
    assert float(found[near].mean()) == pytest.approx(known, rel=0.12)
    assert float(disagreement(x0, 2 * x0, t).mean()) < 0.01


def test_figures_need_two_pairs():
    with pytest.raises(ValueError, match="are not two or more"):
        coupling_figures(torch.zeros(1, 2), torch.zeros(1, 2))


# --- bad input --------------------------------------------------------------------------------------------------------


def refused(**data) -> str:
    with pytest.raises(InvalidExperiment) as caught:
        Experiment.parse(data)
    return str(caught.value)


def test_a_batch_of_one_has_nothing_to_pair():
    for kind in ("optimal_transport", "sinkhorn", "class_optimal_transport"):
        model = {"kind": "flow_matching", "coupling": {"kind": kind, "batch": 1}}
        assert refused(model=model) == "model.coupling.batch: 1 is too small; choose at least 2."
        model["coupling"] = kind
        assert refused(model=model, training={"batch": 1}) == (
            f"the coupling {kind} has nothing to choose from in a batch of 1; "
            "choose a training batch of at least 2, or the coupling independent."
        )
    assert Experiment.parse({"training": {"batch": 1}}).training.batch == 1
