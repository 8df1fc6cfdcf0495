"""What holds for every kind alike, new ones included: they are found in DISTRIBUTIONS."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Generator

from playground.choice import problems_of
from playground.distributions import (
    DISTRIBUTIONS,
    AnyDistribution,
    Banana,
    Bimodal,
    Cantor,
    Checkerboard,
    Circles,
    Comb,
    Drawing,
    Exponential,
    Funnel,
    Gaussian,
    GaussianMixture,
    Grid,
    Heart,
    Laplace,
    Pinwheel,
    Ring,
    RingsOfRings,
    SCurve,
    Smiley,
    Spirals,
    StudentT,
    SwissRoll,
    TwoMoons,
    TwoScale,
    Uniform,
)

ANY = TypeAdapter(AnyDistribution)

EVERY_KIND = pytest.mark.parametrize("cls", DISTRIBUTIONS, ids=lambda cls: cls.kind_name())


def default(cls):
    """A kind with its defaults, in 2-D where it is free."""
    return cls() if cls().dim else cls().at(2)


# Each with the half width of a box that holds all of it but 1e-6, and the cells along each axis to integrate on.
WITH_DENSITY = [
    (Gaussian(dimension=1), 6, 400),
    (Gaussian(dimension=2, std=(0.5,)), 4, 100),
    (Gaussian(mean=(1.0, -2.0), std=(0.5, 1.5), correlation=-0.9), 10, 400),
    (Gaussian(std=(0.5, 1.0, 2.0)), 12, 100),
    (Uniform(dimension=1, low=(-1.0,), high=(0.5,)), 2, 4000),
    (Uniform(low=(-1.0, 0.0), high=(1.0, 3.0)), 4, 400),
    (Uniform(dimension=3), 4, 40),
    (GaussianMixture(), 5, 200),
    (GaussianMixture(centers=((-1.5,), (1.5,)), weights=(1.0, 3.0), std=(0.1, 0.5)), 5, 400),
    (GaussianMixture(centers=((0.0, 1.0, 0.0), (1.0, 0.0, -1.0)), std=(0.6,)), 5, 60),
    (Ring(), 3, 200),
    (Ring(modes=3, radius=0.5, std=0.4), 3, 100),
    (Grid(), 2.5, 300),
    (Grid(side=2, spacing=3.0, std=0.7), 6, 100),
    (TwoMoons(), 2.5, 200),
    (TwoMoons(noise=0.3, scale=2.0), 8, 100),
    (Circles(), 3, 200),
    (Circles(factor=0.2, noise=0.1, scale=1.0), 1.8, 100),
    (Checkerboard(), 2.5, 400),
    (Checkerboard(cells=5, half_width=1.0), 1.2, 360),
    (Spirals(), 4, 150),
    (Spirals(arms=3, turns=0.5, noise=0.2, scale=1.0), 2.5, 100),
    (SwissRoll(noise=0.05), 5, 100),
    (SCurve(), 2.5, 160),
    (SCurve(noise=0.2, scale=2.0), 6.5, 100),
    (Pinwheel(), 5, 300),
    (Pinwheel(arms=3, twist=-0.5, length=0.2, width=0.3, scale=1.0), 3.5, 200),
    (TwoScale(), 5, 400),
    (TwoScale(pairs=1, wide=1.5, narrow=0.3), 10, 200),
    (RingsOfRings(rings=3, noise=0.05, scale=1.0), 1.8, 100),
    (Smiley(smile=-0.5, noise=0.06), 3.5, 100),
    (Heart(), 2.5, 1000),
    (Heart(width=2.0, height=3.0), 1.8, 1000),
    (Banana(), 15, 500),
    (Banana(curvature=-1.5, length=0.3, width=0.5), 4, 200),
    (Funnel(spread=0.5), 15, 600),
    (StudentT(freedom=9, dimension=1), 40, 4000),
    (StudentT(freedom=7, spread=0.2), 10, 400),
    (StudentT(freedom=30, dimension=3), 6, 80),
    (Laplace(dimension=1), 12, 4000),
    (Laplace(spread=0.3), 4, 1200),
    (Exponential(dimension=1), 15, 6000),
    (Exponential(spread=0.3), 3, 900),
    (Bimodal(), 4, 400),
    (Bimodal(distance=1.0, share=0.9, std=0.5), 4, 400),
    (Comb(), 4, 400),
    (Comb(teeth=4, taper=0.5, spacing=2.0, std=0.5), 5, 1000),
    (Drawing(), 3, 300),
    (Drawing(strokes=((0.0, 0.0), (-1.0, 0.5, 1.0, 0.5, 1.0, -0.5)), noise=0.15, scale=2.0), 4.5, 200),
    (Cantor(), 2, 5400),
    (Cantor(levels=0, half_width=1.0), 2, 400),
]
WITH_DENSITY = [(each if each.dim else each.at(2), half, cells) for each, half, cells in WITH_DENSITY]
DENSITIES = pytest.mark.parametrize(("distribution", "half", "cells"), WITH_DENSITY, ids=lambda value: str(value)[:60])


def cell_middles(dim, half, cells):
    """The middles of the cells of a regular partition of [−half, half]^dim: (cells^dim, dim)."""
    line = (torch.arange(cells, dtype=torch.float64) + 0.5) * (2 * half / cells) - half
    return torch.cartesian_prod(*[line] * dim).reshape(-1, dim)


def test_every_kind_with_a_density_is_integrated_below():
    assert {type(distribution) for distribution, _, _ in WITH_DENSITY} == set(DISTRIBUTIONS)


@DENSITIES
def test_density_integrates_to_one(distribution, half, cells):
    density = distribution.log_prob(cell_middles(distribution.dim, half, cells)).exp()
    assert density.sum().item() * (2 * half / cells) ** distribution.dim == pytest.approx(1, abs=1e-4)


@DENSITIES
def test_entropy_is_what_samples_say(distribution, half, cells, generator):
    surprise = -distribution.log_prob(distribution.sample(20_000, generator))
    error = surprise.std().item() / math.sqrt(len(surprise))
    assert surprise.mean().item() == pytest.approx(distribution.entropy(), abs=5 * error + 1e-5)


@DENSITIES
def test_samples_fill_cells_as_the_density_says(distribution, half, cells, generator):
    """Pearson's chi-square on a coarse partition of the box."""
    dim, n, coarse = distribution.dim, 50_000, {1: 20, 2: 10, 3: 5}[distribution.dim]
    assert cells % coarse == 0, "the fine cells must make up the coarse ones"
    volume = (2 * half / cells) ** dim
    fine = distribution.log_prob(cell_middles(dim, half, cells)).exp() * volume
    expected = fine.reshape([coarse, cells // coarse] * dim).sum(dim=tuple(range(1, 2 * dim, 2))) * n
    counts = torch.histogramdd(distribution.sample(n, generator), [coarse] * dim, range=[-half, half] * dim).hist
    enough = expected > 5
    chi_square = ((counts - expected)[enough].square() / expected[enough]).sum().item()
    freedom = enough.sum().item()
    assert chi_square < freedom + 5 * math.sqrt(2 * freedom)
    assert counts[expected < 1e-9].sum() == 0


@EVERY_KIND
def test_draw_gives_float32_points_and_labels_in_random_order(cls, generator):
    distribution = default(cls)
    x, labels = distribution.draw(4000, generator)
    assert x.shape == (4000, distribution.dim)
    assert x.dtype == torch.float32
    assert x.isfinite().all()
    assert labels.shape == (4000,)
    assert labels.dtype == torch.int64
    assert labels.unique().tolist() == list(range(distribution.classes))
    repeats = (labels[1:] == labels[:-1]).float().mean().item()
    by_chance = (labels.bincount() / len(labels)).square().sum().item()
    assert repeats == pytest.approx(by_chance, abs=0.05), "labels follow each other by chance"
    assert torch.equal(
        distribution.sample(10, Generator().manual_seed(1)), default(cls).sample(10, Generator().manual_seed(1))
    )
    assert not torch.equal(
        distribution.sample(10, Generator().manual_seed(1)), distribution.sample(10, Generator().manual_seed(2))
    )


@EVERY_KIND
def test_few_points_or_none_can_be_drawn(cls, generator):
    distribution = default(cls)
    for n in (0, 1):
        x, labels = distribution.draw(n, generator)
        assert x.shape == (n, distribution.dim)
        assert len(labels) == n


@EVERY_KIND
def test_at_its_own_dimension_it_stays_and_another_is_refused(cls):
    distribution = default(cls)
    assert distribution.at(distribution.dim) == distribution
    with pytest.raises(ValueError, match=f"{distribution.label()} is {distribution.dim}-dimensional here"):
        distribution.at(distribution.dim + 1)


@EVERY_KIND
def test_survives_json_and_goes_by_its_bare_name(cls):
    assert ANY.validate_json(ANY.dump_json(cls())) == cls()
    assert ANY.validate_python(cls.kind_name()) == cls()


@EVERY_KIND
def test_every_field_can_be_shown_in_a_form(cls):
    assert cls.summary().endswith(".")
    for name, field in cls.model_fields.items():
        if name != "kind":
            assert field.title, name
            assert field.description and field.description.endswith("."), name
            assert not field.is_required(), name


def refusals(schema, valid):
    """Values just outside each bound that a JSON schema declares, with the error that each must meet.

    valid: a value that the schema accepts, from which longer lists are made.
    """
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            if option["type"] != "null":
                yield from refusals(option, valid)
    elif schema["type"] in ("integer", "number") and "enum" not in schema:
        step = 1 if schema["type"] == "integer" else 1e-6
        yield schema["minimum"] - step, "greater_than_equal"
        yield schema["maximum"] + step, "less_than_equal"
        yield math.nan, "finite_number"
        yield math.inf, "finite_number"
        yield "many", "int_parsing" if schema["type"] == "integer" else "float_parsing"
    elif schema["type"] == "array":
        item = valid[0] if valid else 1.0
        for bad, error in refusals(schema["items"], item if isinstance(item, (list, tuple)) else None):
            yield [bad], error
        if "minItems" in schema:
            yield [], "too_short"
        if "maxItems" in schema:
            yield [item] * (schema["maxItems"] + 1), "too_long"
    elif "enum" in schema:
        yield max(schema["enum"]) + 1, "literal_error"


CASES = [
    pytest.param(cls, name, bad, error, id=f"{cls.kind_name()}.{name}={str(bad)[:20]}")
    for cls in DISTRIBUTIONS
    for name, schema in cls.model_json_schema()["properties"].items()
    if name != "kind"
    for bad, error in refusals(schema, getattr(cls(), name))
]


@pytest.mark.parametrize(("cls", "name", "bad", "error"), CASES)
def test_every_bound_of_every_field_refuses(cls, name, bad, error):
    given = {"kind": cls.kind_name(), name: bad}
    with pytest.raises(ValidationError) as caught:
        ANY.validate_python(given)
    assert error in [found["type"] for found in caught.value.errors() if name in found["loc"]]
    assert all(problem.path[0] == name for problem in problems_of(caught.value, given))


def test_the_refusals_reach_every_field():
    assert {(case.values[0], case.values[1]) for case in CASES} == {
        (cls, name) for cls in DISTRIBUTIONS for name in cls.model_fields if name != "kind"
    }


@EVERY_KIND
def test_unknown_fields_are_refused_and_objects_are_frozen(cls):
    with pytest.raises(ValidationError, match="Extra inputs"):
        ANY.validate_python({"kind": cls.kind_name(), "colour": "red"})
    with pytest.raises(ValidationError, match="frozen"):
        cls().kind = "other"


def test_at_least_twenty_kinds_and_some_on_a_line():
    assert len({cls.kind_name() for cls in DISTRIBUTIONS}) == len(DISTRIBUTIONS) >= 20
    assert len({cls.label() for cls in DISTRIBUTIONS}) == len(DISTRIBUTIONS)
    assert sum(cls().dim == 1 for cls in DISTRIBUTIONS) >= 3
    for cls in (Gaussian, Uniform, StudentT, Laplace, Exponential):
        assert cls().dim is None and cls().at(1).dim == 1


@EVERY_KIND
def test_what_all_shapes_share_comes_after_their_own_fields(cls):
    last = [name for name in cls.model_fields if name in ("noise", "scale")]
    own = [name for name in cls.model_fields if name not in ("kind", "offset", *last)]
    assert [name for name in cls.model_fields if name in (*own, *last)] == own + last


def test_kinds_are_those_that_the_outside_relies_on():
    assert [cls.kind_name() for cls in DISTRIBUTIONS][:9] == [
        "gaussian",
        "uniform",
        "gaussian_mixture",
        "ring",
        "grid",
        "two_moons",
        "circles",
        "checkerboard",
        "spirals",
    ]
    assert Ring() == Ring(modes=8, radius=2, std=0.1)
    assert Grid() == Grid(side=5, spacing=1, std=0.05)
    assert TwoMoons() == TwoMoons(noise=0.05, scale=1)
    assert Checkerboard() == Checkerboard(cells=4, half_width=2)
