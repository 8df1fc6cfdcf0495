"""What is claimed of speed, measured: `python -m benchmarks` prints it, `results/` keeps what was printed."""
