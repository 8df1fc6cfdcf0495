"""Trains every preset and writes its weights beside it: python -m presets.make [NAME ...]."""

from __future__ import annotations

import sys
import time

import torch

from playground.engine import presets
from playground.engine.library import write_weights
from playground.engine.training import Training

SNAPSHOTS = 12
"""How many moments of the training a preset keeps: enough to scrub, few enough to stay small."""
TINY, EVERY = 2000, 48
"""A model of fewer numbers than this keeps more of them: of a short fit, all."""
MORE = {"gan_collapsing": 24}
"""A preset that looks different at every moment keeps more of them."""


def main() -> None:
    """Makes the presets that are named, or all."""
    torch.set_num_threads(1)
    for name in sys.argv[1:] or presets.names():
        # By the processor's clock: what else runs here is not to be told as training time for ever.
        training = Training(presets.experiment(name), every=None, clock=time.thread_time)
        for _ in training:
            pass
        finished = training.run
        path = presets.FOLDER / f"{name}.safetensors"
        size = sum(values.numel() for values in finished.rounds[-1].last.weights.values())
        write_weights(finished, path, EVERY if size < TINY else MORE.get(name, SNAPSHOTS))
        print(f"{name}: {finished.rounds[-1].seconds:.1f} s, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
