"""All that numba compiles: the state of a walk, the simplex moves, and the questions asked of a cell."""
