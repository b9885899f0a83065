"""Chain complexes of cells with integer incidences, and their homology: first by pairs that cancel, then in integers.

A cell and a facet of it, alone in its boundary or alone below it, cancel without changing anything else (coreductions
and reductions); what is left is small, and pairs with incidence 1 or -1 are cancelled there by elimination.
Source: Mrozek and Batko, Coreduction homology algorithm (2009); Kaczynski, Mischaikow and Mrozek, Computational
homology (2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from flint import fmpz_mat

from polyregions._types import Ints

Column: TypeAlias = dict[int, int]
"""Cells and what they are multiplied by."""


@dataclass(frozen=True, eq=False)
class Chains:
    """Cells and their boundaries.

    Attributes:
        dim: (F,) the dimension of each cell.
        offsets: (F+1,), facets (M,), signs (M,): its boundary.
    """

    dim: Ints
    offsets: Ints
    facets: Ints
    signs: Ints


@dataclass(frozen=True)
class Homology:
    """Homology groups with integer coefficients.

    Attributes:
        betti: (d+1,) the rank of each.
        torsion: (d+1,) the orders of its finite cyclic parts, ascending, each dividing the next.
    """

    betti: tuple[int, ...]
    torsion: tuple[tuple[int, ...], ...]

    def over_two(self) -> tuple[int, ...]:
        """The Betti numbers over the field of two elements (universal coefficients)."""
        even = [sum(order % 2 == 0 for order in orders) for orders in self.torsion]
        return tuple(b + t + below for b, t, below in zip(self.betti, even, [0, *even[:-1]], strict=True))


def homology_of(chains: Chains, top: int) -> Homology:
    """The homology of a chain complex in dimensions 0 to `top`; exact.

    Complexity: linear in the incidences, up to what cancellation leaves.
    """
    betti = np.zeros(top + 1, dtype=np.int64)
    left, free = cancel(chains)
    np.add.at(betti, chains.dim[free], 1)
    core = Core(chains, left)
    core.eliminate()
    ranks, torsion = [0], []
    for dim in range(1, top + 2):
        orders = core.invariant_factors(dim)
        ranks.append(len(orders))
        torsion.append(tuple(order for order in orders if order > 1))
    for dim in range(top + 1):
        betti[dim] += core.count(dim) - ranks[dim] - ranks[dim + 1]
    return Homology(tuple(betti.tolist()), tuple(torsion))


def cancel(chains: Chains) -> tuple[Ints, Ints]:
    """What is left after cells were cancelled in pairs, and vertices that stand for a class of their own each."""
    from polyregions.analysis.topology.reduction import cancel_pairs  # numba takes half a second to import

    order = np.argsort(chains.facets, kind="stable")
    owner = np.repeat(np.arange(len(chains.dim)), np.diff(chains.offsets))[order]
    above = np.searchsorted(chains.facets[order], np.arange(len(chains.dim) + 1))
    state = np.zeros(len(chains.dim), dtype=np.int64)
    cancel_pairs(chains.dim, chains.offsets, chains.facets, above, owner, state)
    return np.flatnonzero(state == 0), np.flatnonzero(state == 2)


class Core:
    """A few cells with their boundaries, which change as pairs of them are cancelled.

    Args:
        chains: where they come from.
        left: which ones.
    """

    def __init__(self, chains: Chains, left: Ints) -> None:
        kept = set(left.tolist())
        self._dim = {cell: int(chains.dim[cell]) for cell in kept}
        self._below: dict[int, Column] = {}
        self._above: dict[int, set[int]] = {cell: set() for cell in kept}
        for cell in left.tolist():
            span = slice(chains.offsets[cell], chains.offsets[cell + 1])
            pairs = zip(chains.facets[span].tolist(), chains.signs[span].tolist(), strict=True)
            self._below[cell] = {facet: sign for facet, sign in pairs if facet in kept}
            for facet in self._below[cell]:
                self._above[facet].add(cell)

    def count(self, dim: int) -> int:
        """How many cells of a dimension are left."""
        return sum(d == dim for d in self._dim.values())

    def eliminate(self) -> None:
        """Cancel pairs with incidence 1 or -1 until there is none."""
        waiting = sorted(self._below, key=lambda cell: len(self._below[cell]))
        while waiting:
            again: list[int] = []
            for cell in waiting:
                if cell not in self._below:
                    continue
                units = [facet for facet, sign in self._below[cell].items() if abs(sign) == 1]
                if units:
                    self._cancel(cell, min(units, key=lambda facet: len(self._above[facet])))
                    again.append(cell)
            waiting = [cell for cell in self._below if self._has_unit(cell)] if again else []

    def _has_unit(self, cell: int) -> bool:
        return any(abs(sign) == 1 for sign in self._below[cell].values())

    def _cancel(self, cell: int, facet: int) -> None:
        """Take a cell and one of its facets out: whatever else had the facet gets the rest of the cell's boundary."""
        boundary = self._below[cell]
        sign = boundary[facet]
        for other in list(self._above[facet]):
            if other != cell:
                self._add(other, boundary, -sign * self._below[other][facet])
        for gone in (cell, facet):
            for below in self._below.pop(gone):
                self._above[below].discard(gone)
            for above in self._above.pop(gone):
                self._below.get(above, {}).pop(gone, None)
            del self._dim[gone]

    def _add(self, cell: int, boundary: Column, times: int) -> None:
        own = self._below[cell]
        for facet, sign in boundary.items():
            own[facet] = own.get(facet, 0) + times * sign
            if own[facet]:
                self._above[facet].add(cell)
            else:
                del own[facet]
                self._above[facet].discard(cell)

    def invariant_factors(self, dim: int) -> list[int]:
        """Those of the boundary operator of a dimension that are not 0, ascending."""
        cells = [cell for cell, d in self._dim.items() if d == dim and self._below[cell]]
        facets = sorted({facet for cell in cells for facet in self._below[cell]})
        if not cells:
            return []
        place = {facet: i for i, facet in enumerate(facets)}
        matrix = fmpz_mat(len(cells), len(facets))
        for i, cell in enumerate(cells):
            for facet, sign in self._below[cell].items():
                matrix[i, place[facet]] = sign
        normal = matrix.snf()
        diagonal = (abs(int(normal[i, i])) for i in range(min(len(cells), len(facets))))
        return [entry for entry in diagonal if entry]
