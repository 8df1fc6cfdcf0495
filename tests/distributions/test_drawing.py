"""A drawing: points lie along its strokes, as many as they are long; what cannot be drawn is refused."""

import pytest
import torch

from playground import Experiment
from playground.choice import InvalidExperiment
from playground.distributions import Drawing
from playground.distributions.drawing import DOT, MOST_LENGTH, MOST_POINTS, MOST_STROKES


def drawn(n=40_000, **fields):
    drawing = Drawing(**fields)
    return *drawing.draw(n, torch.Generator().manual_seed(1)), drawing


def test_points_are_spread_evenly_along_a_bent_stroke():
    x, _, _ = drawn(strokes=((0, 0, 3, 0, 3, 1),), noise=0.02)
    along = torch.where(x[:, 1].abs() < 0.1, x[:, 0], 3 + x[:, 1]).clamp(0, 4)
    shares = torch.histc(along, 8, 0, 4) / len(x)
    assert shares == pytest.approx(torch.full((8,), 1 / 8), abs=0.02)
    off = x[(x[:, 0] > 0.5) & (x[:, 0] < 2.5), 1]
    assert float(off.std()) == pytest.approx(0.02, rel=0.05), "the pen's deviation"


def test_strokes_share_the_points_by_length_and_a_dot_counts_as_a_short_one():
    x, labels, drawing = drawn(strokes=((0, 0, 2, 0), (-3, -3), (0, 2, 0, 3)), noise=0.05, scale=2.0)
    expected = torch.tensor([2, DOT * 0.05, 1])
    expected /= expected.sum()
    assert drawing.shares() == pytest.approx(expected.tolist()) and drawing.classes == 3
    assert torch.bincount(labels) / len(x) == pytest.approx(expected, abs=0.01)
    dot = x[labels == 1]
    assert dot.mean(0) == pytest.approx(torch.tensor([-6.0, -6.0]), abs=0.01), "scaled with the drawing"
    assert dot.std(0) == pytest.approx(torch.tensor([0.1, 0.1]), rel=0.06)


@pytest.mark.parametrize(
    ("strokes", "words"),
    [
        ([], "the drawing is empty; draw a stroke"),
        ([[]], "a stroke has 0 numbers"),
        ([[1, 2, 3]], "a stroke has 3 numbers; give an x and a y"),
        ([[1, 99]], "99 is too large; choose at most 8"),
        ([[0, float("nan")]], "not a finite number"),
        ([["a", 0]], "'a' is not a number"),
        ([[0.01 * k, 0] for k in range(MOST_STROKES + 1)], f"give at most {MOST_STROKES} values"),
        ([[0.0, 0.0] * (MOST_POINTS + 1)], f"draw at most {MOST_POINTS}"),
        ([[-8, -8, 8, 8] * 6], f"draw at most {MOST_LENGTH:.0f}"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(strokes, words):
    with pytest.raises(InvalidExperiment, match=words):
        Experiment.parse({"target": {"kind": "drawing", "strokes": strokes}})


def test_as_source_and_target_by_yaml_and_link():
    most = [[round(3 * (k % 7) / 7 - 1.23, 2), round(2.9 * (k % 5) / 5, 2)] * 8 for k in range(50)]
    drawing = {"kind": "drawing", "strokes": most}
    experiment = Experiment.parse({"source": drawing, "target": drawing | {"scale": 2}})
    assert Experiment.from_yaml(experiment.to_yaml()) == experiment
    assert Experiment.from_link(experiment.to_link()) == experiment
