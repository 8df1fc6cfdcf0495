"""The benchmark of figures: what it damages, and that blur is seen by the headline and not by sliced W2."""

from __future__ import annotations

import torch

from benchmarks import metrics
from playground.models.base import seeded


def test_a_place_is_cut_out_and_nothing_else() -> None:
    g = seeded(0, 0)
    x, more = torch.rand(2000, 2, generator=g), torch.rand(2000, 2, generator=g)
    found = metrics.cut_out(x, more, g)
    kept = (found[:, None] == x[None]).all(2).any(1)
    assert found.shape == x.shape and 1900 <= int(kept.sum()) <= 1930
    gone = x[~(x[:, None] == found[None]).all(2).any(1)]
    assert (gone - gone.mean(0)).norm(dim=1).max() < 0.25, "they lie together"


def test_blur_is_seen_by_the_headline_and_not_by_sliced_w2(monkeypatch) -> None:
    monkeypatch.setattr(metrics, "SHORT", 20)
    monkeypatch.setattr(metrics, "N", 1000)
    case = metrics.Case({"kind": "grid"}, 0.05)
    target = metrics.Experiment.parse({"target": case.target}).target.at(2)
    damages = dict(metrics.damaged(case, target, 0))
    assert list(damages) == list(metrics.DAMAGES)
    real = [metrics.figures(*(target.sample(1000, seeded(at, i)) for i in (3, 4)), target) for at in range(6)]
    wrong = metrics.figures(damages["noise"], target.sample(1000, seeded(9, 3)), target)
    assert set(wrong) == set(metrics.FIGURES)
    largest = metrics.over(real, max)
    assert all(wrong[name] > largest[name] for name in ("sample_kl", "stray", "spread"))
    assert wrong["sliced W2"] < 1.5 * largest["sliced W2"]


def test_the_report_counts_the_targets_on_which_a_damage_is_seen() -> None:
    found = {
        name: {damage: {"stray": deviations, "sliced W2": 0.5} for damage in metrics.DAMAGES}
        for name, deviations in (("a", 2.0), ("b", 8.0), ("c", 3.0))
    }
    text = metrics.report(found)
    assert "3.0 (2 of 3)" in text and "0.5 (0 of 3)" in text and "| b | 0.5 |" in text
