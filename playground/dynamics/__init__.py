"""The mathematics: paths, couplings, parameterization, exact fields, solvers."""
