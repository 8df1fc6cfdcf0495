"""The messages to the stage: what was packed is what is read."""

import base64
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.engine import presets
from playground.trajectory import Trajectory
from playground.ui import messages


def test_exact_arrays_are_bitwise():
    values = torch.randn(7, 3)
    packed = messages.exact(values)
    read = np.frombuffer(base64.b64decode(packed["f32"]), "<f4").reshape(packed["shape"])
    assert (read == values.numpy()).all()


def test_quantised_arrays_are_within_half_a_step_of_each_axis():
    values = torch.randn(500, 2) * torch.tensor([1.0, 30.0])
    packed = messages.quantised(values)
    steps = np.frombuffer(base64.b64decode(packed["u16"]), "<u2").reshape(packed["shape"])
    low, high = np.array(packed["low"]), np.array(packed["high"])
    read = low + steps / 65535 * (high - low)
    assert (np.abs(read - values.numpy()) <= 0.51 * (high - low) / 65535).all()


def test_a_constant_axis_survives():
    packed = messages.quantised(torch.ones(4, 1))
    assert packed["low"] == packed["high"] == [1.0]


def test_the_default_network_streams_less_than_70_kB_an_update(small_run):
    from playground import Experiment
    from playground.engine.training import Training

    with Training(Experiment(), every=0) as training:
        next(training)
        taken = next(training)
        size = len(messages.snapshot("run 1", training.run, taken, rate=1000.0))
    assert size <= 70_000


def test_a_scene_says_how_to_read_the_network_and_holds_its_start_points(small_run):
    scene = json.loads(messages.scene("run 1", small_run))
    x0 = np.frombuffer(base64.b64decode(scene["x0"]["f32"]), "<f4").reshape(2000, 2)
    assert (x0 == small_run.starts(2000).numpy()).all()
    network = scene["network"]["networks"]["velocity"]
    assert network["size"] == len(small_run.rounds[0].last.weights["velocity"])
    assert 0 < scene["floor"]["sliced_w2"] < 0.5


def test_a_scene_says_what_its_figures_are_read_against(small_run):
    scene = json.loads(messages.scene("run 1", small_run))
    modes = small_run.experiment.target.separate_modes()
    assert scene["modes"] == {name: values.tolist() for name, values in vars(modes).items()}
    chosen = small_run.experiment.to_dict()
    assert scene["between"] == {"source": chosen["source"], "target": chosen["target"]}


def test_a_target_without_separate_modes_has_none_in_its_scene():
    from playground import Experiment, Run

    scene = json.loads(messages.scene("run 1", Run(Experiment.parse({"target": "checkerboard"}))))
    assert scene["modes"] is None


def test_a_snapshot_says_its_phase(small_run):
    record = small_run.rounds[0]
    assert json.loads(messages.snapshot("run 1", small_run, record.last))["phase"] == 0


def test_the_view_holds_the_clouds_and_not_their_outliers():
    cloud = torch.cat([torch.rand(10_000, 2), torch.tensor([[1000.0, 0.0]])])
    view = messages.View.of(cloud)
    assert view.half < 1 and abs(view.center[0] - 0.5) < 0.05


def test_an_opening_holds_every_snapshot_that_is_kept(small_run):
    opening = json.loads(messages.opening("x", small_run))
    history = small_run.rounds[0].history
    assert [shot["id"] for shot in opening["snapshots"]] == [snapshot.id for snapshot in history]
    assert [shot["done"] for shot in opening["snapshots"]] == [False] * (len(history) - 1) + [True]


def remote_run(steps: int = 40):
    from playground import Experiment, run

    given = {
        "target": "ring",
        "model": {"kind": "exact", "points": 600},
        "sampler": {"solver": "euler", "steps": steps},
    }
    return run(Experiment.parse(given))


def read(packed: dict) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(packed["u16"]), "<u2").reshape(packed["shape"])
    low, high = np.array(packed["low"]), np.array(packed["high"])
    return low + steps / 65535 * (high - low)


def test_a_model_that_the_browser_cannot_evaluate_is_sent_as_trajectories():
    run = remote_run()
    assert json.loads(messages.scene("run 1", run))["network"] == {"remote": True, "sampled": True}
    taken = run.rounds[0].last
    live = json.loads(messages.snapshot("run 1", run, taken))
    whole = json.loads(messages.snapshot("run 1", run, taken, done=True))
    assert "weights" not in live
    assert (
        len(live["trajectory"]["t"]) == messages.STATES_LIVE and len(whole["trajectory"]["t"]) == messages.STATES_WHOLE
    )
    found = run.trained().trajectory(run.starts(messages.PARTICLES), run.experiment.sampler)
    ends = read(whole["trajectory"]["x"])[[0, -1]]
    assert np.abs(ends - found.x[[0, -1]].numpy()).max() < 1e-3
    assert whole["trajectory"]["nfe"] == 40 and whole["trajectory"]["t"][0] == 0 and whole["trajectory"]["t"][-1] == 1


def test_only_the_newest_of_a_kept_run_is_sampled_ahead():
    opening = json.loads(messages.opening("x", remote_run(4)))
    assert ["trajectory" in shot for shot in opening["snapshots"]] == [True]


def test_a_trajectory_says_what_its_axis_counts_and_ends_where_it_broke():
    x = torch.randn(5, 10, 2)
    x[3, 4, 1] = torch.inf
    packed = messages.trajectory(Trajectory(t=torch.arange(5.0) * 10, x=x, nfe=7, axis="Langevin step"))
    assert packed["t"] == [0.0, 0.5, 1.0] and packed["ends"] == (0.0, 20.0)
    assert packed["axis"] == "Langevin step" and packed["broken"] and packed["nfe"] == 7
    assert packed["x"]["shape"] == [3, 10, 2]


def test_a_latent_is_seen_by_its_first_coordinates():
    z = torch.randn(4, 3)
    assert torch.equal(messages.seen(z, 2), z[:, :2])
    assert messages.seen(z[:, :1], 2).tolist() == [[float(v), 0.0] for v in z[:, 0]]


@pytest.mark.parametrize("points", [None, 2**12])
def test_a_finished_default_run_with_its_whole_history_is_at_most_3_500_kB(points):
    from playground import Experiment
    from playground.engine.training import Training

    experiment = Experiment.parse({"training": {"steps": 46, "points": points}})
    with Training(experiment, every=0) as training:  # one snapshot a step: the history is as full as it gets
        for _ in training:
            pass
    assert len(training.run.round().history) > 40
    assert len(messages.opening("run 1", training.run)) <= 3_500_000


def test_a_round_that_prepares_itself_says_how_far_it_is(small_run):
    taken = small_run.rounds[0].history[0]
    told = json.loads(messages.snapshot("run 1", small_run, replace(taken, prepared=0.25)))
    assert told["prepared"] == 0.25
    assert "prepared" not in json.loads(messages.snapshot("run 1", small_run, taken))


@pytest.mark.parametrize("name", presets.names())
def test_an_experiment_in_a_few_words_names_what_was_chosen(name):
    experiment = presets.experiment(name)
    words = messages.summary(experiment)
    assert words["model"].startswith(experiment.model.label()) and len(words["model"]) < 90
    assert words["between"].endswith(f"→ {experiment.aim.label()}")
    fields = {name: getattr(experiment.model, name) for name in type(experiment.model).model_fields}
    assert "path" not in fields or f"{fields['path'].label()} path" in words["model"]
    assert ("pairs" in words["model"]) == ("coupling" in fields and fields["coupling"].kind != "independent")
    assert ("told the" in words["model"]) == experiment.condition.given


def test_weights_on_the_way_travel_in_half_precision_and_the_last_ones_whole(small_run):
    taken = small_run.rounds[0].last
    live, done = (json.loads(messages.snapshot("run 1", small_run, taken, done=done)) for done in (False, True))
    weights = taken.weights["velocity"].numpy()
    halves = np.frombuffer(base64.b64decode(live["weights"]["velocity"]["f16"]), "<f2")
    assert np.abs(halves - weights).max() <= 2**-11 * np.abs(weights).max()
    assert np.array_equal(np.frombuffer(base64.b64decode(done["weights"]["velocity"]), "<f4"), weights)
    for far in (1e5, math.inf):  # out of a half's reach
        assert isinstance(messages.packed(torch.tensor([1.0, far] * 50), False), str)
    assert isinstance(live["weights"]["moments"], str)
