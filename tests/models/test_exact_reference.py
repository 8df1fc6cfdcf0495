"""The exact field beside a trained one: whose it is, and when there is none."""

import pytest
import torch

from playground import Experiment
from playground.models.base import TARGET, seeded
from playground.models.exact_reference import no_reference, reference_field


def reference(**chosen):
    experiment = Experiment.parse({"source": "gaussian", "target": "ring"} | chosen)
    source, target = (one.at(experiment.dim) for one in (experiment.source, experiment.target))
    return reference_field(experiment.model, source, target, experiment.training, experiment.training.seed), experiment


def test_a_mixture_is_itself():
    (flow, words), experiment = reference(model={"kind": "flow_matching", "path": "cosine"})
    assert words == "the target's own density" and flow.path == experiment.model.path
    assert len(flow.field.target.centers) == 8


def test_few_training_points_are_what_is_learnt():
    (flow, words), experiment = reference(target="two_moons", training={"points": 16, "seed": 5})
    assert words == "16 training points"
    drawn = experiment.target.at(2).sample(2**17, seeded(5, TARGET))[:16]
    assert torch.equal(flow.field.target.centers.float(), drawn)
    assert flow.describe()["path"]["t_max"] < 1


@pytest.mark.parametrize("target", ["checkerboard", "heart"])
def test_what_is_no_mixture_is_stood_for_by_one_that_the_browser_can_hold(target):
    (flow, words), experiment = reference(target=target)
    assert "fitted" in words and len(flow.field.target.centers) <= 512 and flow.describe() is not None
    x = experiment.target.at(2).sample(500, seeded(0, 3))
    inside = flow.log_prob(x)
    if target == "checkerboard":
        assert abs(float(-inside.mean()) - experiment.target.entropy()) < 0.25


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"source": "two_moons"}, "Gaussian source"),
        ({"model": {"kind": "flow_matching", "coupling": "optimal_transport"}}, "independent pairs"),
        ({"model": "exact"}, "is the exact one"),
        ({"model": "gan"}, "no path"),
    ],
)
def test_where_there_is_none_a_sentence_says_why(chosen, words):
    experiment = Experiment.parse({"source": "gaussian", "target": "ring"} | chosen)
    source, target = (one.at(experiment.dim) for one in (experiment.source, experiment.target))
    assert words in no_reference(experiment.model, source)
    with pytest.raises(ValueError, match=words):
        reference_field(experiment.model, source, target, experiment.training, 0)
