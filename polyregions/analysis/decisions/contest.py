"""Decision cells of few inputs: the comparisons of classes as one more layer, whose units cut the regions' cells.

A unit compares two classes of which the lower one wins a tie. The engine cuts by those of classes that may still win
alone, so what it makes of a region are convex parts of its decision cells; parts of one cell follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from polyregions._types import Ints
from polyregions.engine.choose import choose_engine
from polyregions.engine.reduction import reduce
from polyregions.networks.activations import RELU, uniform_slopes
from polyregions.networks.network import Layer, Network
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.region_set import RegionSet

if TYPE_CHECKING:
    from polyregions.engine.cells.driver import Contested


def parts_by_vertices(regions: RegionSet, rule: str, n_classes: int) -> Iterator[tuple[Ints, Contested]]:
    """What the engine of cells finds in the regions of a set, and the region (p,) of each part, -1 for none of the set.

    Nothing where the engine is not the one to ask.

    Complexity: that of the enumeration, and of one more layer with a unit for each pair of classes.
    """
    if not (len(regions) and regions.complete and regions.problem.is_tame and n_classes > 1):
        return
    from polyregions.engine.cells.contest import MOST_CLASSES, pairs_of  # numba takes half a second to import
    from polyregions.engine.cells.driver import CellsRun
    from polyregions.regions.recognition import Recognition

    if n_classes > MOST_CLASSES:
        return
    reduction, pairs = reduce(regions.problem), pairs_of(n_classes)
    problem = with_comparisons(reduction.problem, rule, pairs)
    if choose_engine(problem, "auto") != "cells":
        return
    run, recognition = CellsRun(problem, contest=pairs), Recognition(regions, reduction)
    for start in run.starts():
        for found in run.part(start, Referee(problem.solid.bounds)).contested():
            is_next = np.ones(len(found.bits), dtype=np.bool_)
            is_next[1:] = np.any(found.bits[1:] != found.bits[:-1], axis=1)
            yield recognition.numbers(found.bits[is_next])[np.cumsum(is_next) - 1], found


def with_comparisons(problem: Problem, rule: str, pairs: Ints) -> Problem:
    """The problem whose network has one more layer: a unit for each pair (P, 2), on where the higher class wins."""
    inner = problem.inner
    weight = np.zeros((len(pairs), inner.n_outputs))
    if rule == "sign":
        weight[0, 0] = 1.0
    else:
        rows, sign = np.arange(len(pairs)), -1.0 if rule == "argmin" else 1.0
        weight[rows, pairs[:, 1]], weight[rows, pairs[:, 0]] = sign, -sign
    comparing = Layer(weight, np.zeros(len(pairs)), uniform_slopes(len(pairs), RELU))
    extended = Network.from_units([*inner.layers, comparing], inner.name)
    return replace(problem, network=extended, inner=extended)
