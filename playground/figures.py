"""Arrays to Plotly figures, without a page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from kaleido.errors import ChromeNotFoundError

from playground.engine.evaluation import bending_of, measure
from playground.engine.record import RunRecord

SOURCE, MOVING, TARGET, ERROR = "#3b82f6", "#f17720", "#22c55e", "#dc2626"
QUALITIES = {
    "sliced_w2": ("sliced W2", MOVING, "y"),
    "w2": ("W2", SOURCE, "y"),
    "energy_distance": ("energy distance", TARGET, "y"),
    "sample_kl": ("KL", ERROR, "y2"),
}
"""What the quality is drawn from: the name of a figure, its label, colour and axis."""
FIGURES = ("trajectories", "loss", "quality", "straightness")


def figure(run: RunRecord, what: str, round: int = -1) -> go.Figure:
    """One of FIGURES for a round of a run. Raises ValueError for any other name."""
    match what:
        case "trajectories":
            return trajectories(run, round)
        case "loss":
            return loss(run, round)
        case "quality":
            return quality(measure(run, round=round, every_w2=True))
        case "straightness":
            return straightness(run)
    raise ValueError(f"there is no figure {what!r}; choose one of {', '.join(FIGURES)}.")


def trajectories(run: RunRecord, round: int = -1, n: int = 1000, paths: int = 150) -> go.Figure:
    """Source points, samples and some of the paths between them, with the target behind; 1-D as space × time."""
    moved, real = run.sample(n, round=round), run.real(n)
    x, t = moved.x.numpy(), moved.t.numpy()
    lines = x[:, :paths]
    if run.dim == 1:
        start, end = (np.zeros(n), x[0, :, 0]), (np.ones(n), x[-1, :, 0])
        behind = (np.full(n, 1.03), real.numpy()[:, 0])
        strands = _strands(np.broadcast_to(t[:, None], lines.shape[:2]), lines[:, :, 0])
        axes: dict[str, Any] = {"xaxis": {"title": "time t"}, "yaxis": {"title": "x"}}
    else:
        start, end, behind = (tuple(points[:, :2].T) for points in (x[0], x[-1], real.numpy()))
        strands = _strands(lines[:, :, 0], lines[:, :, 1])
        axes = {"xaxis": {"title": "x₁"}, "yaxis": {"title": "x₂", "scaleanchor": "x"}}
    dots = [
        ("target", behind, TARGET, 0.35),
        ("source, t = 0", start, SOURCE, 0.35),
        ("samples, t = 1", end, MOVING, 0.9),
    ]
    drawn = [
        go.Scattergl(x=xs, y=ys, mode="markers", name=name, marker={"color": color, "size": 4, "opacity": opacity})
        for name, (xs, ys), color, opacity in dots
    ]
    line = {"color": MOVING, "width": 0.7}
    drawn.insert(2, go.Scattergl(x=strands[0], y=strands[1], mode="lines", name="paths", opacity=0.35, line=line))
    title = f"{run.experiment.name or 'Trajectories'} · {len(t) - 1} steps, {moved.nfe} NFE"
    return _styled(go.Figure(drawn), title, axes | {"width": 760, "height": 640})


def loss(run: RunRecord, round: int = -1) -> go.Figure:
    """The training loss against gradient steps, as it was (faint) and smoothed."""
    points = np.array(run.round(round).losses.points).reshape(-1, 2)
    steps, values = points.T
    window = max(1, len(values) // 50)
    padded = np.pad(values, (window // 2, window - 1 - window // 2), mode="edge") if len(values) else values
    smooth = np.convolve(padded, np.full(window, 1 / window), mode="valid") if len(values) else values
    drawn = [
        go.Scatter(x=steps, y=values, name="loss", opacity=0.3, line={"color": MOVING, "width": 1}),
        go.Scatter(x=steps, y=smooth, name=f"mean of {window}", line={"color": MOVING, "width": 2.5}),
    ]
    axes = {"xaxis": {"title": "gradient step"}, "yaxis": {"title": "loss", "type": "log"}}
    return _styled(go.Figure(drawn), "Training loss", axes)


def quality(measured: dict[str, Any]) -> go.Figure:
    """Distances to the target and KL(target ‖ samples) against evaluations, each with its floor as a dashed line.

    The divergence has an axis of its own, in nats: it is near 0, or below it, where samples are as good as real.
    """
    drawn = go.Figure()
    nfe = [int(key) for key in measured["by_nfe"]]
    for name, (label, color, axis) in QUALITIES.items():
        values, floor = [row[name] for row in measured["by_nfe"].values()], measured["floor"][name]
        drawn.add_scatter(x=nfe, y=values, name=label, mode="lines+markers", line={"color": color}, yaxis=axis)
        dashed, again = {"color": color, "dash": "dash"}, f"{label}, real against real"
        drawn.add_scatter(x=nfe, y=[floor] * len(nfe), name=again, mode="lines", line=dashed, yaxis=axis)
    axes = {
        "xaxis": {"title": "network evaluations (NFE), Euler", "type": "log", "tickvals": nfe},
        "yaxis": {"title": "distance to the target", "type": "log"},
        "yaxis2": {"title": "KL, nats", "overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False},
    }
    beside = {"x": 1.1}  # the second axis
    return _styled(drawn, "Quality against evaluations", axes).update_layout(legend=beside)


def straightness(run: RunRecord, n: int = 1000) -> go.Figure:
    """Where in time each round's flow loses straightness: S(t) = E|(Z1 − Z0) − v(Z_t, t)|², whose integral is S.

    Raises ValueError for a run without a flow.
    """
    drawn = go.Figure()
    for index, record in enumerate(run.rounds):
        found = bending_of(run, index, n)
        if found is None:
            continue
        t, rate = found
        of_time = rate.mean(1)
        label = f"{record.name}, S = {float(torch.trapezoid(of_time, t)):.3g}"
        drawn.add_scatter(x=t.tolist(), y=of_time.tolist(), name=label, mode="lines")
    if not drawn.data:
        raise ValueError("this run follows no velocity field, so that it has no straightness.")
    axes = {"xaxis": {"title": "time t"}, "yaxis": {"title": "S(t), squared units of the data", "rangemode": "tozero"}}
    return _styled(drawn, "Where straightness is lost", axes)


def write(drawn: go.Figure, path: Path) -> None:
    """Writes a figure as .svg, .png, .pdf, .html or .json.

    Raises ValueError for another ending, and where a picture is asked for and there is no Chrome to draw it.
    """
    ending = path.suffix.lower()
    if ending not in (".svg", ".png", ".pdf", ".html", ".json"):
        raise ValueError(f"cannot write {path.name!r}: end its name in .svg, .png, .pdf, .html or .json.")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}.")
    if ending == ".html":
        drawn.write_html(path, include_plotlyjs=True)
    elif ending == ".json":
        drawn.write_json(path)
    else:
        os.environ.setdefault("BROWSER_PATH", shutil.which("chromium") or shutil.which("google-chrome") or "")
        try:
            drawn.write_image(path)
        except ChromeNotFoundError:
            raise ValueError(f"writing {ending} needs Chrome or Chromium; install one, or write .html.") from None


def _strands(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of x, y (T, n) as one polyline with gaps between the columns."""
    gap = np.full((1, x.shape[1]), np.nan)
    return tuple(np.concatenate([part, gap]).T.ravel() for part in (x, y))  # type: ignore[return-value]


def _styled(drawn: go.Figure, title: str, axes: dict[str, Any]) -> go.Figure:
    font = {"family": "system-ui, sans-serif"}
    return drawn.update_layout(
        title=title, template="plotly_white", font=font, legend={"itemsizing": "constant"}, **axes
    )
