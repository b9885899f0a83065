"""Local boxes in hundreds of dimensions: the readable tree, asked through an oracle that knows the box as bounds."""

from __future__ import annotations

from polyregions.engine.tree import Cell, root
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.box import BoxOracle
from polyregions.polyhedra.oracle.forms import OpenPolyhedron
from polyregions.polyhedra.oracle.referee import Referee, Score


def is_box(problem: Problem) -> bool:
    """Whether the rows of the domain are its finite bounds and nothing else.

    They may be rational: a float strictly inside bounds that are rounded outwards is strictly inside the exact ones.
    """
    return problem.solid.input_bounds is not None and problem.solid.bounds.are_finite


def box_root(problem: Problem) -> Cell:
    """The whole box as a cell whose rows are those of neurons only.

    Complexity: a linear program has one row for each neuron that cut and none for the box.
    """
    return root(problem, OpenPolyhedron.of((), problem.solid.hull.dim))


def box_referee(problem: Problem, score: Score) -> Referee:
    """Who decides about cells of `box_root`."""
    return Referee(problem.solid.bounds, BoxOracle(), within=problem.root, score=score)
