"""How long a training is said to take, after its first second, against how long it took.

    python -m benchmarks.estimates [--model KIND ...] [--save]

Every family is trained by its defaults on two moons, by this thread's processor clock, so that others' work costs
nothing. After the first second the page's estimate (engine/progress.py) of what is left is added to what was spent; the
form's own, before anything has been timed, is that of the costs of a step that families declare (ui/costs.py) on a
processor of 2024. A training that is over by then needs no estimate.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch

from benchmarks.report import Load, conditions, publish, table
from playground.choice import kinds
from playground.engine.progress import Progress
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.models import AnyModel
from playground.ui.costs import cost

FIRST = 1.0
"""Seconds of training after which the estimate is taken."""
A_PRODUCT = 6.7e-5
"""Microseconds for a weight and a point, up and down, as in the form."""


def before(experiment: Experiment) -> float | None:
    """Seconds that the form says before Train."""
    told = cost(experiment.to_dict())
    if told is None or told["step"] is None:
        return None
    step, training = told["step"], experiment.training
    each: float = step["overhead"] + A_PRODUCT * step["passes"] * told["weights"] * training.batch
    return each * training.steps * told["rounds"] / 1e6


def measured(model: str) -> dict[str, Any]:
    """Seconds: as the form says, as the page says after the first one, and as it was."""
    experiment = Experiment.parse({"target": "two_moons", "model": model, "training": {"device": "cpu"}})
    training, progress, said = Training(experiment, every=0.1, clock=time.thread_time), Progress(), None
    begun = time.thread_time()
    for taken in training:
        spent = time.thread_time() - begun
        progress.hear(spent, taken)
        left = progress.left(training.run)
        if said is None and spent >= FIRST and left:
            said = spent + left
    return {"form": before(experiment), "said": said, "took": time.thread_time() - begun}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    families = [family.kind_name() for family in kinds(AnyModel)]
    parser.add_argument("--model", nargs="+", choices=families, default=families)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load, rows = Load(), []
    for model in given.model:
        found = measured(model)
        form, said, took = found["form"], found["said"], found["took"]
        rows.append(
            [
                model,
                "–" if form is None else f"{form:.1f}",
                "–" if said is None else f"{said:.1f}",
                f"{took:.1f}",
                "–" if said is None else f"{said / took:.2f}",
            ]
        )
        print(rows[-1], flush=True)
    head = ["family", "form, s", "after 1 s, s", "took, s", "said ÷ took"]
    about = (
        "Seconds of this thread's processor, two moons, defaults: as the form says before Train, as the page says "
        "after the first second, and as it was."
    )
    title = "# How long a training takes, as it is said and as it is"
    text = [title, conditions("benchmarks.estimates", load), about, table(head, rows)]
    publish("estimates", "\n\n".join(text), given.save)


if __name__ == "__main__":
    main()
