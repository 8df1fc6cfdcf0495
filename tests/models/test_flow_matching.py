"""Flow matching learns the fields that are known in closed form, and says how another runtime computes them."""

from __future__ import annotations

import base64
import json
import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from playground.distributions import Gaussian, Ring, TwoMoons, Uniform
from playground.dynamics.paths import CosinePath, LinearPath
from playground.dynamics.solvers import Heun, Sampler
from playground.dynamics.times import UniformTimes
from playground.models import FlowMatching, flow_matching
from playground.models.base import Optimisation, Task
from playground.models.contracts import HasField
from playground.models.flow_matching import averaged
from playground.networks import ACTIVATIONS, Network

PATHS = [LinearPath(), CosinePath()]
"""Those that begin exactly at the source and whose table is read linearly."""
EVERY_PATH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)

MEAN, STD = (1.0, -0.5), 2.0
TARGET = Gaussian(mean=MEAN, std=(STD, STD))


def task(source=Gaussian(dimension=2), target=TARGET, seed=0, network=None, **optimisation) -> Task:  # noqa: B008
    return Task(
        source=source,
        target=target,
        dim=2,
        network=Network(**{"width": 32, "depth": 2, "features": 0} | (network or {})),
        optimisation=Optimisation(**{"rate": 1e-2} | optimisation),
        seed=seed,
        device=torch.device("cpu"),
    )


def learner_of(given: Task, model: FlowMatching | None = None):
    (learner,) = (model or FlowMatching()).rounds(given)
    return learner


def cosine_decay(step: int, steps: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def exact_velocity(path, x: Tensor, t: float) -> Tensor:
    """What carries N(0, I) to TARGET: α'm + (½ (α² s² + σ²)' / (α² s² + σ²)) (x − αm)."""
    c = path.coefficients(torch.tensor(t))
    growth = (c.d_alpha * c.alpha * STD**2 + c.d_sigma * c.sigma) / (c.alpha**2 * STD**2 + c.sigma**2)
    mean = torch.tensor(MEAN)
    return c.d_alpha * mean + growth * (x - c.alpha * mean)


def error_of(flow, path) -> float:
    """Root mean square of what a field misses of the exact one, over the particles of the exact flow."""
    noise = torch.randn(500, 2, generator=Generator().manual_seed(9))
    squared = []
    for t in np.linspace(0.05, 0.95, 10):
        c = path.coefficients(torch.tensor(float(t)))
        x = c.alpha * torch.tensor(MEAN) + (c.alpha**2 * STD**2 + c.sigma**2).sqrt() * noise
        squared.append((flow.velocity(x, float(t)) - exact_velocity(path, x, float(t))).square().mean())
    return float(torch.stack(squared).mean().sqrt())


# --- learning --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaling", ["none", "standard"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_learns_the_exact_field_between_gaussians(activation, scaling):
    steps, network = 600, {"activation": activation, "input_scaling": scaling, "frequencies": 1}
    given = task(network=network)
    model = FlowMatching(times=UniformTimes())  # as the error counts them
    learner = learner_of(given, model)
    before = error_of(model.trained(learner.weights(), given.network, 2), LinearPath())
    for step in range(steps):
        learner.step(cosine_decay(step, steps))
    after = error_of(model.trained(learner.weights(), given.network, 2), LinearPath())
    assert before > 1
    assert after < 0.25


@EVERY_PATH
@pytest.mark.parametrize("average", [True, False])
def test_on_every_path_and_with_every_regression_target(path, average):
    model, steps = FlowMatching(path=path, average_targets=average, times=UniformTimes()), 600
    given = task(network={"input_scaling": "standard"})
    learner = learner_of(given, model)
    for step in range(steps):
        learner.step(cosine_decay(step, steps))
    assert error_of(model.trained(learner.weights(), given.network, 2), path) < 0.25


@EVERY_PATH
def test_residual_scaling_starts_near_the_exact_field_between_gaussians(path):
    """The network's first guess is small, and all that the field lacks."""
    model, given = FlowMatching(path=path), task(network={"input_scaling": "residual"})
    weights = learner_of(given, model).weights()
    weights["velocity"].zero_()
    assert error_of(model.trained(weights, given.network, 2), path) < 0.02


@pytest.mark.parametrize("source", [Gaussian(dimension=2), Uniform(dimension=2), TwoMoons(), Ring(modes=3)])
@pytest.mark.parametrize("batch", [1, 7, 256])
def test_steps_report_a_finite_loss(source, batch):
    learner = learner_of(task(source=source, target=Ring(), batch=batch))
    for _ in range(3):
        loss = learner.step(1.0)
        assert loss.shape == ()
        assert not loss.requires_grad
        assert loss.isfinite()


def test_a_batch_larger_than_the_pool_of_prepared_examples(monkeypatch):
    monkeypatch.setattr(flow_matching, "PREPARED", 1000)
    learner = learner_of(task(source=Uniform(dimension=2), batch=2048))
    assert all(learner.step(1.0).isfinite() for _ in range(2))


def test_the_loss_falls():
    learner = learner_of(task(target=Ring(), network={"input_scaling": "none"}))
    losses = [float(learner.step(1.0)) for _ in range(200)]
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])


def test_the_average_lowers_the_loss_and_not_the_field():
    """The same field, less noise: for a target of far modes most of the loss was the noise of the pairing."""
    last = {}
    for average in (True, False):
        learner = learner_of(task(target=Ring()), FlowMatching(average_targets=average))
        last[average] = np.mean([float(learner.step(1.0)) for _ in range(150)][-50:])
    assert last[True] < 0.6 * last[False]


# --- chance ----------------------------------------------------------------------------------------------------------


def test_the_seed_decides_everything():
    def learnt(seed: int) -> Tensor:
        learner = learner_of(task(seed=seed))
        for _ in range(40):
            learner.step(1.0)
        return learner.weights()["velocity"]

    assert torch.equal(learnt(3), learnt(3))
    assert not torch.equal(learnt(3), learnt(4))


def test_global_chance_is_neither_used_nor_touched():
    torch.manual_seed(1)
    first = learner_of(task())
    first.step(1.0)
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    second = learner_of(task())
    second.step(1.0)
    assert torch.equal(first.weights()["velocity"], second.weights()["velocity"])
    torch.manual_seed(1)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_looking_does_not_change_what_is_learnt():
    watched, alone = learner_of(task()), learner_of(task())
    for _ in range(20):
        watched.step(1.0)
        watched.weights()
        alone.step(1.0)
    assert torch.equal(watched.weights()["velocity"], alone.weights()["velocity"])


# --- weights ---------------------------------------------------------------------------------------------------------


def test_weights_are_copies():
    learner = learner_of(task())
    shown = learner.weights()
    kept = {name: values.clone() for name, values in shown.items()}
    learner.step(1.0)
    assert all(torch.equal(shown[name], kept[name]) for name in kept)
    assert not torch.equal(learner.weights()["velocity"], kept["velocity"])
    for values in shown.values():
        assert values.device.type == "cpu"
        assert values.dtype == torch.float32
        assert not values.requires_grad


def test_the_initial_weights_are_those_of_the_network():
    given = task(seed=5)
    weights = learner_of(given).weights()["velocity"]
    assert torch.equal(weights, given.network.build(2, 2).initial(given.generator(0)))


def test_without_a_rate_nothing_moves():
    learner = learner_of(task(ema=0.0))
    before = learner.weights()["velocity"]
    learner.step(0.0)
    assert torch.equal(learner.weights()["velocity"], before)


def test_the_average_lags_behind_the_raw_weights():
    raw, averaged_, start = learner_of(task(ema=0.0)), learner_of(task(ema=0.999)), learner_of(task())
    for _ in range(30):
        raw.step(1.0)
        averaged_.step(1.0)
    origin = start.weights()["velocity"]
    far, near = (learner.weights()["velocity"] - origin for learner in (raw, averaged_))
    assert 0 < near.norm() < far.norm()


# --- the averaged regression target ----------------------------------------------------------------------------------


@EVERY_PATH
@pytest.mark.parametrize(
    "source",
    [Gaussian(dimension=2), Gaussian(mean=(1, -2), std=(0.5, 2), correlation=0.7), Gaussian(mean=(3,), dimension=2)],
)
def test_averaged_velocities_are_the_expectation_over_the_batch(path, source):
    """Against the posterior written out: weights p0((x_t − α x1) / σ) over the targets of the same batch."""
    generator, batch, n = Generator().manual_seed(0), 8, 24
    x0, x1 = source.sample(n, generator), Ring(modes=3, std=0.5).sample(n, generator)
    x0, x1 = x0.double(), x1.double()
    t = torch.rand(n, 1, generator=generator, dtype=torch.float64) * 0.9
    xt, velocity = path.point(x0, x1, t)
    found = averaged(velocity, source, path, xt, x1, t, batch)
    c = path.coefficients(t)
    for i in range(n):
        targets = x1[i // batch * batch : (i // batch + 1) * batch]
        sources = (xt[i] - c.alpha[i] * targets) / c.sigma[i]
        weights = torch.softmax(source.log_prob(sources), 0)
        expected = weights @ (c.d_alpha[i] * targets + c.d_sigma[i] * sources)
        torch.testing.assert_close(found[i], expected)


@EVERY_PATH
def test_one_point_in_a_batch_keeps_its_own_velocity(path):
    x0, x1 = torch.randn(9, 2, generator=Generator().manual_seed(0)), torch.ones(9, 2)
    t = torch.linspace(0, 0.99, 9)[:, None]
    xt, velocity = path.point(x0, x1, t)
    torch.testing.assert_close(averaged(velocity, Gaussian(dimension=2), path, xt, x1, t, 1), velocity)


@EVERY_PATH
def test_averaged_velocities_are_finite_up_to_the_last_time_before_the_end(path):
    generator = Generator().manual_seed(0)
    x0, x1 = torch.randn(64, 2, generator=generator), Ring().sample(64, generator)
    for last in (1 - 2**-24, 1 - 1e-6, 0.999):
        t = torch.full((64, 1), last)
        xt, velocity = path.point(x0, x1, t)
        assert averaged(velocity, Gaussian(dimension=2), path, xt, x1, t, 64).isfinite().all()


def test_no_draw_of_the_time_reaches_the_end(monkeypatch):
    """(batch − 1 + u) / batch rounds to 1 for the largest u, about once in a hundred trainings of 2,000 steps."""
    monkeypatch.setattr(torch, "rand", lambda *size, **_: torch.full(size, 1 - 2**-24))
    learner = learner_of(task(target=Ring()))
    assert learner.step(1.0).isfinite()


# --- the trained field -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flow():
    given = task(target=Ring(), network={"frequencies": 2, "activation": "silu"})
    learner = learner_of(given, FlowMatching(path=CosinePath()))
    for _ in range(20):
        learner.step(1.0)
    weights = learner.weights()
    return FlowMatching(path=CosinePath()).trained(weights, given.network, 2), weights


def test_a_trained_flow_has_a_field_and_trajectories(flow):
    field, _ = flow
    assert isinstance(field, HasField)
    x0 = torch.randn(10, 2, generator=Generator().manual_seed(0))
    trajectory = field.trajectory(x0, Sampler(solver=Heun(), steps=5))
    assert trajectory.x.shape == (6, 10, 2)
    assert trajectory.nfe == 10
    assert torch.equal(trajectory.start, x0)
    assert (float(trajectory.t[0]), float(trajectory.t[-1])) == (0.0, 1.0)
    assert not trajectory.x.requires_grad


def test_the_first_step_follows_the_field(flow):
    field, _ = flow
    x0 = torch.randn(10, 2, generator=Generator().manual_seed(0))
    end = field.trajectory(x0, Sampler(solver="euler", steps=1)).end
    torch.testing.assert_close(end, x0 + field.velocity(x0, 0.0))


@pytest.mark.parametrize("scaling", ["none", "standard", "residual"])
@pytest.mark.parametrize("features", [0, 5])
@EVERY_PATH
def test_the_description_is_enough_to_compute_the_field(path, scaling, features):
    """As the browser does: from the JSON text and the flat weights alone, with numpy."""
    network = {"frequencies": 2, "input_scaling": scaling, "activation": "tanh", "features": features}
    given, model = task(target=Ring(modes=3, radius=5), network=network), FlowMatching(path=path)
    weights = learner_of(given, model).weights()
    field = model.trained(weights, given.network, 2)
    told = json.loads(json.dumps(field.describe(), allow_nan=False))
    flat = np.frombuffer(base64.b64decode(base64.b64encode(weights["velocity"].numpy().tobytes())), np.float32)
    assert told["networks"]["velocity"]["size"] == len(flat)
    assert (told["prediction"], told["dim"], told["frequencies"]) == ("velocity", 2, 2)

    def velocity(x: np.ndarray, t: float) -> np.ndarray:
        table, moments = told["path"]["table"], told["scaling"]
        a, s, da, ds = (np.interp(t, table["t"], table[name]) for name in ("alpha", "sigma", "d_alpha", "d_sigma"))
        mean0, mean1 = np.array(moments["mean0"]), np.array(moments["mean1"])
        var0, var1 = moments["std0"] ** 2, moments["std1"] ** 2
        variance = a**2 * var1 + s**2 * var0
        center, drift = a * mean1 + s * mean0, da * mean1 + ds * mean0
        inside, skip, out = {
            "none": lambda: (1, 0, 1),
            "standard": lambda: (variance**-0.5, 0, (da**2 * var1 + ds**2 * var0) ** 0.5),
            "residual": lambda: (
                variance**-0.5,
                (da * a * var1 + ds * s * var0) / variance,
                abs(da * s - ds * a) * (var0 * var1 / variance) ** 0.5,
            ),
        }[moments["kind"]]()
        if moments["kind"] == "none":
            center = drift = np.zeros(2)
        elif moments["kind"] == "standard":
            drift = np.zeros(2)
        turns = 2 * np.pi * t * np.arange(1, told["frequencies"] + 1)
        clock = np.concatenate([[2 * t - 1], np.sin(turns), np.cos(turns)])
        place = inside * (x - center)
        omega = np.array(told["networks"]["velocity"].get("waves", [])).reshape(features, 2)
        left = np.exp(-0.5 * (omega**2).sum(1) * (inside * s) ** 2 * var0)
        waves = [left * np.sin(place @ omega.T), left * np.cos(place @ omega.T)]
        h = np.concatenate([place, *waves, np.tile(clock, (len(x), 1))], axis=1)
        at = 0
        for op in told["networks"]["velocity"]["ops"]:
            if op["op"] == "linear":
                size = op["in"] * op["out"]
                h = h @ flat[at : at + size].reshape(op["out"], op["in"]).T + flat[at + size : at + size + op["out"]]
                at += size + op["out"]
            else:
                h = np.tanh(h)
        return skip * (x - center) + drift + out * h

    x = torch.randn(20, 2, generator=Generator().manual_seed(0)) * 3
    for t in (0.0, 0.31, 0.5, 1.0):
        np.testing.assert_allclose(velocity(x.numpy(), t), field.velocity(x, t).numpy(), atol=2e-3, rtol=1e-3)


def test_it_works_in_one_and_three_dimensions():
    for dim in (1, 3):
        given = Task(
            source=Gaussian(dimension=dim),
            target=Uniform(dimension=dim),
            dim=dim,
            network=Network(width=8, depth=1),
            optimisation=Optimisation(batch=32),
            seed=0,
            device=torch.device("cpu"),
        )
        learner = learner_of(given)
        assert learner.step(1.0).isfinite()
        field = FlowMatching().trained(learner.weights(), given.network, dim)
        assert field.trajectory(torch.zeros(4, dim), Sampler(steps=2)).end.shape == (4, dim)
