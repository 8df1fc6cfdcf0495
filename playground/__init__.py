"""A playground for generative dynamics in one and two dimensions: train, watch and measure.

>>> from playground import Experiment, run
>>> result = run(Experiment(target="two_moons"))
>>> result.sample(n=2000, steps=8, solver="heun").end.shape
torch.Size([2000, 2])
"""

from playground.choice import InvalidExperiment
from playground.engine.run import Run
from playground.engine.training import Training, run, train
from playground.experiment import Experiment
from playground.trajectory import Trajectory

__version__ = "0.1.0"
__all__ = ["Experiment", "InvalidExperiment", "Run", "Training", "Trajectory", "run", "train"]
