"""Run: a trained thing and what can be asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from playground.engine import evaluation, library
from playground.engine.record import RunRecord

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class Run(RunRecord):
    """A run that can be sampled, measured, drawn and kept."""

    def metrics(self, n: int = 2000, round: int = -1, every_w2: bool = False) -> dict[str, Any]:
        """How good the samples are, on n points: see engine.evaluation.measure."""
        return evaluation.measure(self, n, round, every_w2)

    def figure(self, what: str = "trajectories", round: int = -1) -> Figure:
        """A Plotly figure of "trajectories", "loss" or "quality"; shows itself in a notebook."""
        from playground import figures  # Plotly takes as long to import as all else

        return figures.figure(self, what, round)

    def save(self, folder: str | Path) -> None:
        """Writes experiment.yaml and run.safetensors into a folder; see engine.library."""
        library.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads what `save` wrote. Raises InvalidExperiment with a sentence where it cannot."""
        return library.load(cls, Path(folder))
