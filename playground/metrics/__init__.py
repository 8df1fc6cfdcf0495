"""What a run is measured by: distances beside their floors, mode coverage, straightness, likelihood.

Everything here is deterministic and computed on the CPU in float64, whatever the dtype and device of its input.
"""

from playground.metrics.classes import ClassFigures, class_figures
from playground.metrics.collapse import Alarm, alarm, alive, mode_kl
from playground.metrics.coverage import Coverage, coverage
from playground.metrics.distances import DISTANCES, distances, energy_distance, floor, mmd, sliced_w2, w2
from playground.metrics.likelihood import Likelihood, nll
from playground.metrics.memorisation import Memorisation, memorisation
from playground.metrics.optimal import Cost, optimal_cost
from playground.metrics.projections import directions
from playground.metrics.transport import PathFigures, bending, npe, path_figures

__all__ = [
    "DISTANCES",
    "Alarm",
    "ClassFigures",
    "Cost",
    "Coverage",
    "Likelihood",
    "Memorisation",
    "PathFigures",
    "alarm",
    "alive",
    "bending",
    "class_figures",
    "coverage",
    "directions",
    "distances",
    "energy_distance",
    "floor",
    "memorisation",
    "mmd",
    "mode_kl",
    "nll",
    "npe",
    "optimal_cost",
    "path_figures",
    "sliced_w2",
    "w2",
]
