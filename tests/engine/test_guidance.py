"""What guidance does to a conditional run, in numbers."""

from __future__ import annotations

from playground import Experiment, run
from playground.engine.guidance import guidance_figures


def trained(**more):
    given = {
        "target": "ring",
        "model": {"kind": "flow_matching", "times": "uniform"},
        "network": {"width": 32, "activation": "relu", "features": 0},
        "training": {"steps": 700, "decay": "inverse_sqrt"},
    }
    return run(Experiment.parse(given | more))


def test_guidance_spends_diversity():
    result = trained(condition={"labels": True})
    found = guidance_figures(result, 1000)
    assert found is not None
    assert list(found) == ["0", "1", "2", "4"]
    assert [row["nfe"] for row in found.values()] == [50, 50, 100, 100]
    assert found["0"]["in_class"] < 0.3  # the field of all together knows no class
    assert found["1"]["in_class"] > 0.98
    assert abs(found["1"]["spread"] - 1) < 0.2
    assert found["1"]["coverage"] > 0.8
    assert found["1"]["coverage"] > found["2"]["coverage"] > found["4"]["coverage"]
    assert found["1"]["spread"] > found["2"]["spread"] > found["4"]["spread"]
    assert [row["label"] for row in found["1"]["classes"]] == list(range(8))
    assert result.metrics(500)["guidance"].keys() == found.keys()


def test_without_dropout_there_is_only_the_conditional_field():
    found = guidance_figures(trained(condition={"labels": True, "dropout": 0}, training={"steps": 20}), 200)
    assert found is not None
    assert list(found) == ["1"]


def test_without_classes_there_are_no_such_figures():
    assert guidance_figures(trained(training={"steps": 1}), 100) is None
    result = trained(training={"steps": 1}, condition={"angle": True})
    assert guidance_figures(result, 100) is None
    assert "guidance" not in result.metrics(100)
