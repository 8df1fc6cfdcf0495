from __future__ import annotations

import math

import pytest
import torch

from playground.distributions import Bimodal, Cantor, Comb


def test_two_peaks(generator):
    peaks = Bimodal(distance=4.0, share=0.2, std=0.5)
    modes = peaks.separate_modes()
    assert modes.centers.tolist() == [[-2], [2]]
    assert modes.weights.tolist() == pytest.approx([0.2, 0.8])
    x, labels = peaks.draw(20_000, generator)
    assert (labels == 0).float().mean().item() == pytest.approx(0.2, abs=0.015)
    assert x[labels == 0].mean().item() == pytest.approx(-2, abs=0.05)
    assert Bimodal(distance=0.0).separate_modes() is None


def test_an_even_comb_is_evenly_spaced():
    modes = Comb(teeth=5, spacing=0.5, std=0.1).separate_modes()
    assert modes.centers.flatten().tolist() == pytest.approx([-1, -0.5, 0, 0.5, 1])
    assert modes.std.tolist() == pytest.approx([0.1] * 5)
    assert modes.weights.tolist() == pytest.approx([0.2] * 5)


def test_a_tapered_comb_grows_finer_around_a_mean_of_zero():
    comb = Comb(teeth=4, taper=0.5, spacing=2.0, std=0.4)
    modes = comb.separate_modes()
    assert modes.centers.flatten().diff().tolist() == pytest.approx([2, 1, 0.5])
    assert modes.std.tolist() == pytest.approx([0.4, 0.2, 0.1, 0.05])
    assert modes.weights.tolist() == pytest.approx([8 / 15, 4 / 15, 2 / 15, 1 / 15])
    assert (modes.weights @ modes.centers).item() == pytest.approx(0, abs=1e-6)


def test_cantors_pieces():
    dust = Cantor(levels=2, half_width=4.5)  # pieces of length 1, from −4.5
    x = torch.tensor([[-4.4], [-3.6], [-3.4], [-2.4], [-1.6], [-1.4], [0.0], [1.6], [4.4], [4.6]])
    inside = dust.log_prob(x) > -math.inf
    assert inside.tolist() == [True, True, False, True, True, False, False, True, True, False]
    assert dust.log_prob(x)[0].item() == pytest.approx(-math.log(4))
    assert Cantor(levels=0).entropy() == pytest.approx(math.log(4))


@pytest.mark.parametrize("levels", range(7))
def test_no_point_falls_into_a_gap_by_rounding(levels, extreme_rand, generator):
    for half_width in (0.1, 0.7, 2.0, 49.9):
        dust = Cantor(levels=levels, half_width=half_width)
        x, labels = dust.draw(1000, generator)
        assert dust.log_prob(x).isfinite().all()
        assert len(x.unique()) == len(labels.unique())
