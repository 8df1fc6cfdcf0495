"""What is said of couplings: against the assignment on all points, and against what classes demand."""

import pytest
import torch
from scipy.optimize import linear_sum_assignment

from playground import Experiment, Run
from playground.engine.pairing_figures import pairing

N = 256


def made(**chosen):
    return Experiment.parse({"source": "gaussian", "target": "ring"} | chosen)


def flow(coupling, **more):
    return {"model": {"kind": "flow_matching", "coupling": coupling} | more}


def test_the_pairs_of_optimal_transport_are_the_assignment_of_the_points_that_are_shown():
    experiment = made(**flow({"kind": "optimal_transport", "batch": N}))
    found, run = pairing(experiment, N), Run(experiment)
    x0, x1 = run.starts(N).double(), run.real(N).double()
    costs = torch.cdist(x0, x1).square()
    rows, columns = linear_sum_assignment(costs)
    assert found["partners"] == columns.tolist()
    chosen = next(row for row in found["couplings"] if row["chosen"])
    assert chosen["cost"] == pytest.approx(float(costs[rows, columns].mean()), rel=1e-6)
    independent = found["couplings"][0]
    assert independent["kind"] == "independent"
    assert independent["cost"] == pytest.approx(float((x1 - x0).square().sum(1).mean()), rel=1e-6)


def test_smaller_batches_pair_among_themselves_and_cost_more():
    whole, parts = (pairing(made(**flow({"kind": "optimal_transport", "batch": size})), N) for size in (256, 64))
    assert sorted(parts["partners"]) == list(range(N))
    assert all(j // 64 == i // 64 for i, j in enumerate(parts["partners"]))
    cost = [next(row["cost"] for row in found["couplings"] if row["chosen"]) for found in (whole, parts)]
    assert cost[0] < cost[1]


def test_optimal_transport_moves_what_a_class_starts_from_and_class_transport_does_not():
    rows = {row["kind"]: row for row in pairing(made(**flow("class_optimal_transport")), 2000, every=True)["couplings"]}
    assert rows["optimal_transport"]["class_shift"] > 0.5
    for kind in ("independent", "class_optimal_transport"):
        assert rows[kind]["class_shift"] < 3 * 8 / 2000 * 2, "nothing but chance, about classes / n · E|x0|²"
    assert rows["optimal_transport"]["variance"] < rows["class_optimal_transport"]["variance"]
    assert rows["class_optimal_transport"]["variance"] < rows["independent"]["variance"]


def test_without_classes_no_coupling_is_said_to_keep_to_them():
    found = pairing(made(target="gaussian"), N, every=True)
    assert [row["kind"] for row in found["couplings"]] == ["independent", "optimal_transport", "sinkhorn"]
    assert {row["class_shift"] for row in found["couplings"]} == {None}
    assert found["partners"] == list(range(N))
    assert [row["kind"] for row in pairing(made(target="gaussian"), N)["couplings"]] == ["independent"]


def test_a_model_without_a_coupling_gets_a_sentence():
    with pytest.raises(ValueError, match="pairs no points"):
        pairing(made(model="mixture"), N)
