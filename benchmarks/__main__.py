"""Every benchmark: `python -m benchmarks` in a few minutes, with --full over all seeds and full limits.

Each runs in a process of its own, so that none inherits another's threads, caches or allocations.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys

QUICK = {
    "time_to_quality": shlex.split(
        "--seeds 1 --limit 15 --growth 2 --reference-growth 4 --target 'two moons' --target checkerboard"
    ),
    "sharpness": shlex.split("--seeds 1 --target checkerboard --target 'grid, spacing 2'"),
    "step": ["--rounds", "15"],
    "browser": [],
    "stage": [],
    "gan_step": ["--rounds", "8"],
}
FULL: dict[str, list[str]] = {
    "time_to_quality": ["--reference-seeds", "5"],
    "sharpness": ["--seeds", "5", "--plain-seeds", "5"],
    "step": [],
    "browser": [],
    "stage": [],
    "gan_step": [],
    "conditional": [],
    "gan": [],
    "metrics": [],
}


def main() -> int:
    """Runs all, whatever becomes of one, and returns 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Prints what is claimed of speed.")
    parser.add_argument(
        "--full", action="store_true", help="all seeds and the references' full minute: hours, not minutes"
    )
    parser.add_argument("--save", action="store_true", help="keep the reports in benchmarks/results")
    given = parser.parse_args()
    failed = []
    for name, options in (FULL if given.full else QUICK).items():
        command = [sys.executable, "-m", f"benchmarks.{name}", *options, *(["--save"] if given.save else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
