from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torch import Generator


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def generator() -> Generator:
    return Generator().manual_seed(7)


@pytest.fixture(params=[0.0, 1 - 2**-24], ids=["smallest", "largest"])
def extreme_rand(request, monkeypatch):
    """Makes torch.rand give nothing but the smallest or the largest number that it can."""
    monkeypatch.setattr(torch, "rand", lambda *shape, generator, device: torch.full(shape, request.param))


@pytest.fixture
def has_moments():
    """Asserts that a sample has a mean (d,) and a covariance (d, d), within five standard errors."""

    def check(x, mean, covariance):
        mean, covariance = torch.tensor(mean).float(), torch.tensor(covariance).float()
        root = len(x) ** 0.5
        assert ((x.mean(0) - mean).abs() < 5 * x.std(0) / root).all(), (x.mean(0), mean)
        centred = x - mean
        products = centred[:, :, None] * centred[:, None, :]
        assert ((products.mean(0) - covariance).abs() < 5 * products.std(0) / root).all(), (x.T.cov(), covariance)

    return check


@pytest.fixture
def same_law():
    """Whether two planar samples agree along eight directions, by the two-sample Kolmogorov–Smirnov test."""

    def check(ours, theirs):
        angles = np.linspace(0, np.pi, 8, endpoint=False)
        directions = np.stack([np.cos(angles), np.sin(angles)])
        a, b = ours.numpy() @ directions, theirs @ directions
        return min(ks_2samp(a[:, i], b[:, i], method="asymp").pvalue for i in range(8)) > 1e-4

    return check
