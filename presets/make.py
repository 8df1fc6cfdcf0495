"""Trains every preset and writes its weights beside it: python -m presets.make [NAME ...]."""

from __future__ import annotations

import sys
import time

import torch

from playground.engine import presets
from playground.engine.library import write_weights
from playground.engine.run import Run
from playground.engine.training import Training

MOST_BYTES = 285_000
"""A preset's weights: with what else the file holds, below 300 kB."""
SNAPSHOTS = 12
"""How many moments of the training a preset keeps where they fit: enough to scrub."""
LOSSES = 256
"""Points of the loss curve that it keeps."""
TINY, EVERY = 2000, 48
"""A model of fewer numbers than this keeps more of them: of a short fit, all."""


def snapshots_of(run: Run) -> int:
    """How many moments of each round fit: the last one takes 4 bytes a weight, the others 2."""
    weights = sum(values.numel() for record in run.rounds for values in record.last.weights.values())
    fitting = 1 + max(1, (MOST_BYTES - 4 * weights) // (2 * weights))
    return min(fitting, EVERY if weights < TINY else SNAPSHOTS)


def main() -> None:
    """Makes the presets that are named, or all that are trained."""
    torch.set_num_threads(1)
    trained = (name for name in presets.names() if presets.experiment(name).model.learns)
    for name in sys.argv[1:] or trained:
        # By the processor's clock: what else runs here is not to be told as training time for ever.
        training = Training(presets.experiment(name), every=None, clock=time.thread_time)
        for _ in training:
            pass
        finished = training.run
        path = presets.FOLDER / f"{name}.safetensors"
        write_weights(finished, path, snapshots_of(finished), LOSSES)
        print(f"{name}: {finished.rounds[-1].seconds:.1f} s, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
