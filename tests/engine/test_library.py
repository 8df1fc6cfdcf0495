"""Runs on disk: what was saved is what is loaded, and nothing else is."""

from __future__ import annotations

import itertools
import pickle
import re
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from playground import Experiment, InvalidExperiment, Run, run, train
from playground.engine import library
from playground.engine.library import EXPERIMENT_FILE, RUN_FILE, read_weights, write_weights


@pytest.fixture
def folder(small_run, tmp_path):
    """A folder with the small run in it."""
    small_run.save(tmp_path / "run")
    return tmp_path / "run"


def why_not(folder) -> str:
    with pytest.raises(InvalidExperiment) as caught:
        Run.load(folder)
    return str(caught.value)


# --- round trip ------------------------------------------------------------------------------------------------------


def test_a_run_survives(small_run, folder):
    again = Run.load(folder)
    assert again.experiment == small_run.experiment
    assert (again.device, again.failure) == (small_run.device, None)
    (one,), (two,) = small_run.rounds, again.rounds
    assert (two.name, two.steps) == (one.name, one.steps)
    assert two.seconds == pytest.approx(one.seconds, abs=1e-4)
    assert [(s.id, s.round, s.phase, s.step) for s in two.history] == [
        (s.id, s.round, s.phase, s.step) for s in one.history
    ]


def test_the_newest_snapshot_is_the_same_bit_by_bit(small_run, folder):
    ours, theirs = small_run.rounds[0].last, Run.load(folder).rounds[0].last
    assert ours.weights.keys() == theirs.weights.keys()
    for name, values in ours.weights.items():
        assert torch.equal(values, theirs.weights[name])
    assert torch.equal(small_run.sample(100, seed=3).x, Run.load(folder).sample(100, seed=3).x)


def test_earlier_snapshots_are_kept_in_half_precision(small_run, folder):
    for ours, theirs in zip(small_run.rounds[0].history, Run.load(folder).rounds[0].history, strict=True):
        torch.testing.assert_close(theirs.weights["velocity"], ours.weights["velocity"], rtol=1e-3, atol=1e-4)
        assert torch.equal(theirs.weights["moments"], ours.weights["moments"])
        assert theirs.weights["velocity"].dtype == torch.float32


def test_the_loss_curve_is_kept(small_run, folder):
    ours, theirs = small_run.rounds[0].losses, Run.load(folder).rounds[0].losses
    assert len(theirs.points) == len(ours.points) == 300
    for (step, loss), (other_step, other_loss) in zip(ours.points, theirs.points, strict=True):
        assert step == pytest.approx(other_step, abs=0.06)
        assert loss == pytest.approx(other_loss, rel=1e-4)
    assert theirs.recent() == pytest.approx(ours.recent(), rel=1e-4)


def test_saved_twice_is_saved_the_same(small_run, folder, tmp_path):
    Run.load(folder).save(tmp_path / "again")
    (one,), (two,) = Run.load(folder).rounds, Run.load(tmp_path / "again").rounds
    for a, b in zip(one.history, two.history, strict=True):
        assert torch.equal(a.weights["velocity"], b.weights["velocity"])


def test_what_was_found_out_on_the_way_is_kept(tmp_path):
    timed = run(Experiment.parse({"network": {"width": 4, "depth": 1}, "training": {"seconds": 0.05}}))
    timed.save(tmp_path)
    again = Run.load(tmp_path)
    assert again.experiment.training.seconds is None
    assert again.experiment.training.steps == again.rounds[0].steps


def test_a_run_that_failed_stays_one(small_run, tmp_path):
    failed = Run(small_run.experiment, rounds=small_run.rounds, failure="It broke.")
    failed.save(tmp_path)
    assert Run.load(tmp_path).failure == "It broke."


def test_a_run_that_was_stopped_can_be_kept(tmp_path):
    with train(Experiment.parse({"network": {"width": 4, "depth": 1}}), every=0) as stream:
        for snapshot in itertools.islice(stream, 4):
            last = snapshot
    stream.run.save(tmp_path)
    assert torch.equal(Run.load(tmp_path).rounds[0].last.weights["velocity"], last.weights["velocity"])


def test_a_run_that_never_began_can_be_kept(tmp_path):
    Run(Experiment()).save(tmp_path)
    assert Run.load(tmp_path).rounds == []


def test_later_phases_are_kept(tmp_path):
    stream = train(Experiment.parse({"network": {"width": 4, "depth": 1}, "training": {"steps": 60}}), every=None)
    list(stream)
    stream.extend(20)
    list(stream)
    stream.run.save(tmp_path)
    assert [s.phase for s in Run.load(tmp_path).rounds[0].history] == [s.phase for s in stream.run.rounds[0].history]


@pytest.mark.parametrize("most", [2, 5, 12])
def test_fewer_snapshots_may_be_kept(small_run, tmp_path, most):
    write_weights(small_run, tmp_path / "few.safetensors", most)
    history = read_weights(Run, small_run.experiment, tmp_path / "few.safetensors").rounds[0].history
    assert len(history) == most
    assert (history[0].id, history[-1].id) == (0, small_run.rounds[0].last.id)


def test_files_are_those_that_are_promised(folder):
    assert sorted(path.name for path in folder.iterdir()) == [EXPERIMENT_FILE, RUN_FILE]
    with safe_open(folder / RUN_FILE, framework="pt") as file:
        assert all(re.fullmatch(r"0/\d+/(velocity|moments)", key) for key in file.keys())  # noqa: SIM118
    assert (folder / RUN_FILE).stat().st_size < 60_000


def test_a_default_run_with_its_whole_history_is_small(tmp_path):
    """3.5 MB is what a finished run may cost on the wire; on disk half of that."""
    run(Experiment.parse({"training": {"steps": 100}})).save(tmp_path)
    assert (tmp_path / RUN_FILE).stat().st_size < 1_750_000


def test_folders_are_made(small_run, tmp_path):
    small_run.save(str(tmp_path / "a" / "b"))
    assert Run.load(str(tmp_path / "a" / "b")).rounds


# --- all or nothing --------------------------------------------------------------------------------------------------


def test_a_failing_write_leaves_the_old_file(small_run, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def half(tensors, path, metadata):
        path.write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(library, "save_file", half)
    with pytest.raises(OSError, match="no space left"):
        run(Experiment.parse({"training": {"steps": 1}})).save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert torch.equal(Run.load(folder).sample(5).x, small_run.sample(5).x)


def test_whoever_reads_the_old_file_reads_it_to_its_end(small_run, folder):
    """A new file takes its place; none is written over."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    opened = {path.name: path.open("rb") for path in folder.iterdir()}
    Run(small_run.experiment.model_copy(update={"name": "Other"}), failure="It broke.").save(folder)
    for name, file in opened.items():
        with file:
            assert file.read() == before[name] != (folder / name).read_bytes()


def test_a_later_save_replaces_the_earlier(small_run, folder):
    other = run(Experiment.parse({"name": "Other", "network": {"width": 4, "depth": 1}, "training": {"steps": 2}}))
    other.save(folder)
    assert Run.load(folder).experiment.name == "Other"
    assert sorted(path.name for path in folder.iterdir()) == [EXPERIMENT_FILE, RUN_FILE]


# --- files that are no runs ------------------------------------------------------------------------------------------

NO_WEIGHTS = "run.safetensors does not hold weights for this experiment."


def test_a_missing_folder(tmp_path):
    assert re.fullmatch(r"there is no file .*experiment\.yaml\.", why_not(tmp_path / "none"))


def test_missing_weights(folder):
    (folder / RUN_FILE).unlink()
    assert why_not(folder) == "there is no file run.safetensors beside the experiment."


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 100, 2000, -1])
def test_a_truncated_file(folder, keep):
    whole = (folder / RUN_FILE).read_bytes()
    (folder / RUN_FILE).write_bytes(whole[:keep])
    assert why_not(folder) == NO_WEIGHTS


class Trap:
    """What a pickle could do."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_a_pickle_is_never_opened(folder, small_run):
    for write in (
        lambda path: path.write_bytes(pickle.dumps(Trap())),
        lambda path: torch.save({"trap": Trap()}, path),
        lambda path: torch.save(small_run.rounds[0].last.weights, path),
    ):
        write(folder / RUN_FILE)
        assert why_not(folder) == NO_WEIGHTS


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 100,
        b"not a run at all" * 50,
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 8) + b"[[[[[[[[",
    ],
    ids=["zeros", "text", "a header of exabytes", "empty", "brackets"],
)
def test_foreign_bytes(folder, content):
    (folder / RUN_FILE).write_bytes(content)
    assert why_not(folder) == NO_WEIGHTS


def notes_of(folder) -> tuple[dict[str, torch.Tensor], str]:
    with safe_open(folder / RUN_FILE, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata()["run"]  # noqa: SIM118


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, notes: (tensors, None),
        lambda tensors, notes: (tensors, {"other": notes}),
        lambda tensors, notes: (tensors, {"run": "{}"}),
        lambda tensors, notes: (tensors, {"run": "nonsense"}),
        lambda tensors, notes: (tensors, {"run": notes.replace('"flow"', "5")}),
        lambda tensors, notes: (tensors, {"run": notes.replace('"device"', '"divice"')}),
        lambda tensors, notes: ({"0/0/other": torch.zeros(3)}, {"run": notes}),
        lambda tensors, notes: ({key: value[:-1] for key, value in tensors.items()}, {"run": notes}),
        lambda tensors, notes: ({key: value for key, value in tensors.items() if "moments" not in key}, {"run": notes}),
    ],
    ids=["no notes", "other notes", "empty", "nonsense", "wrong type", "wrong name", "foreign", "short", "no moments"],
)
def test_other_peoples_safetensors(folder, change):
    tensors, metadata = change(*notes_of(folder))
    save_file(tensors, folder / RUN_FILE, metadata)
    assert why_not(folder) == NO_WEIGHTS


@pytest.mark.parametrize(
    "override",
    [
        "network.width=32",
        "network.width=8",
        "network.depth=3",
        "network.depth=1",
        "network.frequencies=2",
        "target={kind: gaussian_mixture, centers: [[0], [1]]}",
        "target={kind: gaussian, dimension: 3}",
    ],
)
def test_weights_of_another_network(folder, override):
    """An experiment that was edited after training."""
    (folder / EXPERIMENT_FILE).write_text(Experiment.load(folder / EXPERIMENT_FILE, [override]).to_yaml())
    assert why_not(folder) == NO_WEIGHTS


def test_a_file_that_is_too_large_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(library, "MAX_RUN_BYTES", 1000)
    assert "run.safetensors is larger than" in why_not(folder)


def test_an_experiment_that_is_not_valid(folder):
    (folder / EXPERIMENT_FILE).write_text("training: {steps: -1}")
    assert why_not(folder) == "training.steps: -1 is too small; choose at least 1."
