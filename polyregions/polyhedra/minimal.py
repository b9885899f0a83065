"""Which rows say the same: the rows of each facet, and the equations of a lower-dimensional polyhedron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polyregions._types import Bools, Ints
from polyregions.exact.affine import integer_matrix
from polyregions.polyhedra.facets import primitive
from polyregions.polyhedra.hull import SolidPolyhedron, pulled_back


@dataclass(frozen=True)
class CoincidingRows:
    """All rows of an H-representation, by what they say within the affine hull of the polyhedron.

    Attributes:
        groups: rows up to a positive factor (a tuple of integers without common factor) -> their numbers, ascending.
        vanishing: the rows that are zero on the whole hull.
    """

    groups: dict[tuple[int, ...], list[int]]
    vanishing: list[int]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], solid: SolidPolyhedron) -> CoincidingRows:
        """Sort integer rows (m, d+1) over the inputs."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, row in enumerate(pulled_back(rows, solid.hull.embedding)):
            groups.setdefault(tuple(primitive(row)), []).append(i)
        return cls(groups, groups.pop((0,) * (solid.hull.dim + 1), []))

    def like(self, row: Sequence[int]) -> list[int]:
        """The rows equal, up to a positive factor, to one given in the coordinates of the hull."""
        return self.groups[tuple(primitive(list(row)))]


@dataclass(frozen=True)
class SignedRows:
    """Some rows of an H-representation, as they are (sign 1) or reversed (-1), with new flags and labels."""

    rows: list[int]
    signs: list[int]
    strict: list[bool]
    labels: list[str]


def minimal_rows(
    rows: Sequence[Sequence[int]],
    solid: SolidPolyhedron,
    facet_rows: Mapping[int, Ints],
    strict: Bools,
    labels: Sequence[str],
) -> SignedRows:
    """One row for each facet, two for each equation of the hull, and an open row that excludes all if there is one.

    Args:
        rows: m integer rows over the inputs.
        solid: the polyhedron.
        facet_rows: the row that stands for each facet -> all rows that carry it.
        strict: (m,) which rows are open.
        labels: m names.
    """
    vanishing = CoincidingRows.of(rows, solid).vanishing
    equations = independent_rows(rows, vanishing, solid.hull.ambient_dim)
    nowhere = [i for i in vanishing if strict[i]][:1]
    f, e, n = len(facet_rows), len(equations), len(nowhere)
    names = [", ".join(labels[i] for i in group) for group in facet_rows.values()]
    names += [f"{labels[i]} ({side})" for side in ("equation <=", "equation >=") for i in equations]
    return SignedRows(
        [*facet_rows, *equations, *equations, *nowhere],
        [1] * (f + e) + [-1] * e + [1] * n,
        [bool(strict[group].any()) for group in facet_rows.values()] + [False] * 2 * e + [True] * n,
        names + [labels[i] for i in nowhere],
    )


def independent_rows(rows: Sequence[Sequence[int]], candidates: Sequence[int], dim: int) -> list[int]:
    """The first of the candidates whose normals form a basis of the span of all their normals."""
    if not candidates:
        return []
    columns = integer_matrix([[rows[i][j] for i in candidates] for j in range(dim)], len(candidates))
    reduced, _, rank = columns.rref()
    pivots = [next(j for j in range(len(candidates)) if reduced[i, j] != 0) for i in range(rank)]
    return [candidates[j] for j in pivots]
