"""What a run is measured by: distances beside their floors, mode coverage, straightness, likelihood.

Everything here is deterministic and computed on the CPU in float64, whatever the dtype and device of its input.
"""

from playground.metrics.classes import ClassFigures, class_figures
from playground.metrics.collapse import Alarm, Course, alarm, alive, course, held, mode_kl
from playground.metrics.coverage import Coverage, coverage
from playground.metrics.distances import DISTANCES, distances, energy_distance, floor, mmd, sliced_w2, w2
from playground.metrics.likelihood import Excess, Likelihood, excess, nll
from playground.metrics.memorisation import Memorisation, memorisation
from playground.metrics.neighbours import SHARPNESS, Sharpness, sharpness, sharpness_figures, sharpness_floor
from playground.metrics.optimal import Cost, optimal_cost
from playground.metrics.projections import directions
from playground.metrics.transport import PathFigures, bending, npe, path_figures

__all__ = [
    "DISTANCES",
    "SHARPNESS",
    "Alarm",
    "ClassFigures",
    "Cost",
    "Course",
    "Coverage",
    "Excess",
    "Likelihood",
    "Memorisation",
    "PathFigures",
    "Sharpness",
    "alarm",
    "alive",
    "bending",
    "class_figures",
    "course",
    "coverage",
    "directions",
    "distances",
    "energy_distance",
    "excess",
    "floor",
    "held",
    "memorisation",
    "mmd",
    "mode_kl",
    "nll",
    "npe",
    "optimal_cost",
    "path_figures",
    "sharpness",
    "sharpness_figures",
    "sharpness_floor",
    "sliced_w2",
    "w2",
]
