"""Local boxes in hundreds of dimensions: the readable tree, asked through an oracle that knows the box as bounds."""

from __future__ import annotations

from collections.abc import Iterator

from polyregions.domain import Box
from polyregions.engine.tree import Cell, leaves_below, root
from polyregions.oracle.box import BoxOracle
from polyregions.oracle.polyhedron import OpenPolyhedron
from polyregions.oracle.referee import Referee, Score
from polyregions.problem import Problem


def is_box(problem: Problem) -> bool:
    """Whether the rows of the domain are its finite bounds and nothing else."""
    return isinstance(problem.domain, Box) and problem.solid.bounds.are_finite


def leaves_in_box(problem: Problem, score: Score) -> Iterator[Cell]:
    """Every region of a problem on a box, in lexicographic order; the cells hold the rows of neurons only.

    Complexity: as in `tree.leaves`, but a linear program has one row for each neuron that cut and none for the box.
    """
    no_rows = OpenPolyhedron.of((), problem.solid.hull.dim)
    referee = Referee(problem.solid.bounds, BoxOracle(), within=problem.root, score=score)
    return leaves_below(root(problem, no_rows), problem.network.n_neurons, referee)
