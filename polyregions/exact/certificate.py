"""What proves "these regions, all of them, and no others", as plain data.

`certify` makes one, `polyregions.exact.checker.check` checks it, `io.certificate_files` stores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from polyregions._types import Bytes, Floats, Ints

VERSION: Final = 1


@dataclass(frozen=True, eq=False)
class InputSet:
    """An input set: all v in R^e with ``lower <= v <= upper`` and ``row . [v, 1] >= 0`` for every row.

    The inputs x of the network are v itself, or ``origin + v @ directions`` if there are directions.
    A box has no rows; a polytope has no finite bounds; the whole space has neither.

    Attributes:
        lower: (e,) float64, -inf where there is no bound.
        upper: (e,) float64, inf where there is no bound.
        rows: rows of e+1 integers, the constant last.
        origin: (d,) float64; None unless the set is a slice.
        directions: (e, d) float64; None unless the set is a slice.
    """

    lower: Floats
    upper: Floats
    rows: tuple[tuple[int, ...], ...] = ()
    origin: Floats | None = None
    directions: Floats | None = None


@dataclass(frozen=True, eq=False)
class HullMap:
    """The affine hull of an input set, with coordinates u in R^k of its own.

    The rows of the input set are numbered: for each coordinate its finite bounds, the lower one first; then
    the other rows.

    Attributes:
        embedding: e rows of k+1 integers, the map u -> v times `denominator`, the constant last.
        denominator: a positive integer.
        equations: row -> y > 0 for each row of the input set that vanishes on it. The sum of y times these rows is
            zero, which proves that all of them vanish wherever all of them are >= 0.
    """

    embedding: tuple[tuple[int, ...], ...]
    denominator: int
    equations: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Certificate:
    """The list of all regions of a network on an input set, with its proof.

    Leaves: the patterns, and a point strictly inside each region. Refusals: in the tree that the sorted patterns
    imply, why a neuron on which all leaves below a cell agree has nothing on its other side there. A refusal is the
    list of the cell's rows on which the proof rests; together with the neuron's own row these determine multipliers
    y > 0 for which the sum of y times the rows is a constant <= 0, while it would be positive at a point inside.

    The rows of a cell are numbered: the rows of the input set that are not constant over u, from 0 on, m of them;
    then m + n for a neuron n (counted through the pattern) that splits an ancestor of the cell.

    The refusals stand in the order in which `polyregions.exact.checker.Walk` comes to them: for each cell, depth
    first, off before on, that begins a layer or is one side of a split, all neurons of the layer from the next one
    on that are not refused yet, not constant, and on which all leaves agree. An empty list puts a neuron
    off until a smaller cell.

    Attributes:
        version: of this format.
        network: fingerprint of the network (`Network.fingerprint`).
        input_set: the input set.
        hull: its affine hull.
        packed: (R, ceil(N / 8)) uint8, the patterns in lexicographic order, see `polyregions.patterns`.
        points: (R, k) float64, a point inside each region over u.
        rational_points: region -> its point, for regions that hold no float64 point.
        supports: (T,) int64, the rows of all refusals one after the other.
        offsets: (Q+1,) int64, where each refusal begins and ends in `supports`.
    """

    version: int
    network: str
    input_set: InputSet
    hull: HullMap
    packed: Bytes
    points: Floats
    rational_points: Mapping[int, tuple[Fraction, ...]]
    supports: Ints
    offsets: Ints

    def __repr__(self) -> str:
        return f"<Certificate: {len(self.packed)} regions, {len(self.offsets) - 1} refusals>"
