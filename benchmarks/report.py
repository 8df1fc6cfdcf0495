"""What the benchmarks share: a stopwatch of two clocks, Markdown tables, and under which conditions they were made."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch

RESULTS = Path(__file__).parent / "results"


class Clock:
    """Processor seconds of this thread and wall seconds, both only while it is entered.

    With one torch thread the first is all the work of a training, whoever else uses the machine; the second is what
    a person waits.
    """

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    def __enter__(self) -> Self:
        self._since = time.thread_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu += time.thread_time() - self._since[0]
        self.wall += time.perf_counter() - self._since[1]


class Load:
    """The machine's load average from when it is made to when it is shown."""

    def __init__(self) -> None:
        self._before = os.getloadavg()[0]

    def __str__(self) -> str:
        return f"{self._before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end (1 minute)"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    lines = [header, [":--"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def conditions(module: str, load: Load) -> str:
    """The command, the versions and the machine behind a table, as Markdown."""
    command = shlex.join(["python", "-m", module, *(given for given in sys.argv[1:] if given != "--save")])
    return (
        f"`{command}`\n\n"
        f"torch {torch.__version__} on the CPU, {torch.get_num_threads()} thread; Python {platform.python_version()}; "
        f"{os.cpu_count()} cores ({_processor()}); load average {load}."
    )


def keep(name: str, text: str) -> None:
    """Writes a report to results/."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def publish(name: str, text: str, save: bool) -> None:
    """Prints a report, and keeps it where that is asked for."""
    print(text, flush=True)
    if save:
        keep(name, text)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
