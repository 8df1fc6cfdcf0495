"""Distances between clouds, and arrays on their way."""

from __future__ import annotations

import pytest
import torch

from playground import metrics
from playground.ui import messages as message
from playground.ui.messages import exact, quantised
from tests.browser.modules.page import ModulePage, packed, points, unpacked


@pytest.mark.parametrize(("n", "m", "dim"), [(2000, 2000, 2), (500, 2000, 2), (7, 5, 2), (900, 900, 1), (999, 400, 1)])
def test_sliced_w2_is_that_of_python(page: ModulePage, n: int, m: int, dim: int) -> None:
    a, b = points(n, dim, seed=1), 0.5 + 1.5 * points(m, dim, seed=2)
    script = """
        const [a, b] = [floats(given.a), floats(given.b)];
        pool.refer("cloud", b, given.dim);
        return [metrics.slicedW2(a, b, given.dim), await pool.distance({ run: "cloud", points: a }), a.length];
    """
    found, by_worker, length = page(script, {"a": packed(a), "b": packed(b), "dim": dim})
    assert found == by_worker == pytest.approx(metrics.sliced_w2(a, b), rel=1e-5)
    assert length == n * dim
    if dim == 1 and n == m:
        assert found == pytest.approx(float((a.sort(0)[0] - b.sort(0)[0]).square().mean().sqrt()), rel=1e-5)


def test_arrays_of_the_wire(page: ModulePage) -> None:
    x = points(300, 2) * torch.tensor([1.0, 50.0])
    script = """
        const [a, b] = given.map(codec.decodeArray);
        const again = codec.decodeArray(codec.encodeArray(a)), coarse = codec.decodeArray(codec.quantiseArray(a));
        return [a, b, again, coarse].map(({ shape, data }) => [shape, text(data)]);
    """
    found = page(script, [exact(x), quantised(x)])
    whole, rough, again, coarse = (unpacked(text, *shape) for shape, text in found)
    assert torch.equal(whole, x)
    assert torch.equal(again, x)
    step = (x.amax(0) - x.amin(0)) / 65535
    assert ((rough - x).abs() <= 0.51 * step).all()
    assert ((coarse - x).abs() <= 0.51 * step).all()
    script = "try { codec.decodeArray(given); } catch (error) { return error.message; }"
    assert "do not fill the shape" in page(script, {**exact(x), "shape": [2]})


def test_halves_are_read_exactly(page: ModulePage) -> None:
    """Normal and subnormal numbers, both zeros and the largest."""
    x = torch.cat([points(500, 1).flatten(), torch.tensor([0.0, -0.0, 2**-24, -(2**-15), 1e-5, 65504.0, -65504.0])])
    script = "return text(codec.decodeWeights(given).a);"
    found = unpacked(page(script, {"a": message.packed(x.clamp(-65503, 65503), False)}))
    assert torch.equal(found, x.clamp(-65503, 65503).half().float())
    assert torch.equal(unpacked(page(script, {"a": message.packed(x, True)})), x)
