"""What is said of a transport cost beside the optimal one."""

from __future__ import annotations

import pytest

from tests.browser.modules.page import ModulePage

OPTIMAL = {"value": 1.55, "error": 0.006}
FAR = {"quality": [{"nfe": 1, "sliced_w2": 0.2}, {"nfe": 100, "sliced_w2": 0.1}], "drift": {"spread": 0.97}}


@pytest.mark.parametrize(
    ("found", "optimal", "sentence"),
    [
        ({"cost": 1.6, "costError": 0.01, **FAR}, OPTIMAL, ""),
        (
            {"cost": 1.5, "costError": 0.01, **FAR},
            OPTIMAL,
            "Below the optimal 1.55: it does not reach all of the target "
            "(sliced W₂ 0.100, 2.0× the floor; 0.970× its spread).",
        ),
        ({"cost": 1.5, "costError": 0.01}, OPTIMAL, "Below the optimal 1.55: it does not reach all of the target."),
        (
            {"cost": 1.53, "costError": 0.03, **FAR},
            OPTIMAL,
            "As low as the optimal 1.55, within the error of both (±0.0306).",
        ),
        ({"cost": 1.5, "costError": 0.01, **FAR}, None, ""),
        ({}, OPTIMAL, ""),
    ],
)
def test_a_cost_below_the_optimal_one_is_explained(page: ModulePage, found, optimal, sentence) -> None:
    script = """
        const { belowOptimal } = await import('/scene/against.js');
        return belowOptimal(given.found, given.optimal ?? undefined, 0.05);
    """
    assert page(script, {"found": found, "optimal": optimal}) == sentence
