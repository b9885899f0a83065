"""Decision cells of few inputs: the comparisons of classes as one more layer, whose units cut the regions' cells.

A unit compares two classes of which the lower one wins a tie. The engine cuts by those of classes that may still win
alone, so what it makes of a region are convex parts of its decision cells; parts of one cell follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.engine.choose import choose_engine
from polyregions.engine.reduction import reduce
from polyregions.networks.activations import RELU, uniform_slopes
from polyregions.networks.network import Layer, Network
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of decision cells, as the engine came upon them.

    Attributes:
        region: (p,) the region of each.
        label: (p,) its class.
        may_tie: (p,) whether other classes may score the same all over it.
        points: (p, k) a point inside.
        rational: part -> exact point, where no float64 one is known.
    """

    region: Ints
    label: Ints
    may_tie: Bools
    points: Floats
    rational: dict[int, tuple[Fraction, ...]]


def parts_by_vertices(regions: RegionSet, rule: str, n_classes: int) -> Iterator[Parts]:
    """What the engine of cells finds in the regions of a set; nothing where it is not the one to ask.

    Regions that it knows and the set does not are left out.

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
            region = recognition.numbers(found.bits[is_next])[np.cumsum(is_next) - 1]
            yield _known(Parts(region, found.label, found.may_tie, found.points, found.exact))


def _known(parts: Parts) -> Parts:
    """Those in regions that the set holds."""
    at = np.flatnonzero(parts.region >= 0)
    if len(at) == len(parts.region):
        return parts
    rational = {i: parts.rational[part] for i, part in enumerate(at.tolist()) if part in parts.rational}
    return Parts(parts.region[at], parts.label[at], parts.may_tie[at], parts.points[at], rational)


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
