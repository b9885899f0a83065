"""Checks a certificate: are these the regions of this network on this input set, all of them, and no others?

Everything is decided in integers. Nothing of the engines, their kernels or linear programs is used: this file
and the plain data it reads are all there is to believe. The argument:

1. *The input set.* Its affine hull is the image of an injective map u -> x; over u it is given by rows that are
   not constant, and a point strictly inside all of them exists (any of the points below).
2. *Every leaf is a region.* The network is run at the leaf's point, exactly: the point is strictly inside the input
   set, the signs there are the pattern, and no neuron that splits an ancestor is zero. So the point is in the
   interior of the leaf's cell, and by 3 all of that interior has the leaf's pattern. The patterns ascend, so no
   region is listed twice.
3. *No other region exists.* A region has an interior. Follow its pattern down the tree that the listed
   patterns form: where they disagree on a neuron, take the side that the region's bit names. Where they agree, the
   other side is empty: the pre-activation is constant and its sign is the bit, or multipliers y > 0 make the sum of
   y times some rows of the cell and the row of the other side a constant <= 0, which is positive at a point that
   is inside all these rows. So the region has the bit they agree on, too, and ends at a listed leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import lcm
from typing import Any, TypeAlias

import numpy as np
from flint import fmpq, fmpz_mat

from polyregions._types import Bools
from polyregions.certificates.certificate import VERSION, Certificate, HullMap, InputSet, malformed
from polyregions.networks.network import Layer, Network

Row: TypeAlias = list[Any]
"""An affine form as integers, up to a positive factor, the constant last."""


@dataclass(frozen=True)
class Verdict:
    """What the checker says; true if the certificate proves its claim.

    Attributes:
        ok: whether the regions listed are proved to be all regions, and no others.
        regions: how many regions that are; 0 if nothing is proved.
        reason: what was proved, or the first thing that is wrong.
        input_set: on which input set it is proved, in full; empty if nothing is.
    """

    ok: bool
    regions: int
    reason: str
    input_set: str = ""

    def __bool__(self) -> bool:
        return self.ok


class CheckFailure(Exception):
    """Raised inside this module where a certificate fails; becomes the reason of a verdict."""


def check(certificate: Certificate, network: Network) -> Verdict:
    """Whether a certificate proves that it lists all regions of a network on its input set, and no others.

    Complexity: one product of integer matrices for each cell and layer, one small system for each refusal.
    """
    try:
        _check_identity(certificate, network)
        tree = Tree.of(certificate, network)
        zeros = [_check_leaf(tree, certificate, i) for i in range(len(tree.patterns))]
        refusals = _Refusals(certificate, tree)
        for cell in walk(tree, refusals.settles):
            _check_split_signs(cell, zeros[cell.first])
        refusals.check_end()
    except CheckFailure as failure:
        return Verdict(False, 0, str(failure))
    count, refused = len(tree.patterns), len(certificate.offsets) - 1
    proof = f"{count} points and {refused} refusals hold"
    where = str(certificate.input_set)
    return Verdict(True, count, f"all {count} regions and no others, {where}: {proof}", where)


def _check_identity(certificate: Certificate, network: Network) -> None:
    """Version, network, and whether all arrays fit each other."""
    _require(certificate.version == VERSION, f"version {certificate.version}, expected {VERSION}")
    found, stored = network.fingerprint(), certificate.network
    _require(stored == found, f"network: its fingerprint is {found}, the certificate is for {stored}")
    wrong = malformed(certificate, network.n_inputs, network.n_neurons)
    _require(wrong is None, wrong or "")


# ---------------------------------------------------------------- exact maps


@dataclass(frozen=True, eq=False)
class Affine:
    """``x -> matrix @ [x, 1] / denominator`` in integers, the denominator positive."""

    matrix: fmpz_mat
    denominator: Any

    def after(self, inner: Affine, factors: Sequence[int] | None = None, scale: int = 1) -> Affine:
        """This map after ``diag(factors / scale) @ inner``."""
        rows = inner.matrix.tolist()
        if factors is not None:
            rows = [[f * entry for entry in row] for f, row in zip(factors, rows, strict=True)]
        width, denominator = inner.matrix.ncols(), inner.denominator * scale
        rows.append([0] * (width - 1) + [denominator])
        return Affine(self.matrix * _matrix(rows, width), self.denominator * denominator)


def over_one_denominator(values: Iterable[Any]) -> tuple[list[int], int]:
    """Floats or fractions as integers over their least common denominator."""
    ratios = [value.as_integer_ratio() for value in values]
    common = lcm(1, *(q for _, q in ratios))
    return [p * (common // q) for p, q in ratios], common


def affine_of(matrix: Any, constant: Any) -> Affine:
    """The exact map of a float64 matrix (n, k) and a float64 constant (n,)."""
    n, k = matrix.shape
    entries, denominator = over_one_denominator(np.column_stack([matrix, constant]).ravel().tolist())
    return Affine(fmpz_mat(n, k + 1, entries), denominator)


@dataclass(frozen=True, eq=False)
class _Stage:
    """One layer: its affine map, the integer slopes (off, on) of its units over `scale`, and its span of neurons."""

    affine: Affine
    slopes: list[tuple[int, int]]
    scale: int
    kinked: list[int]
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.kinked)

    def factors(self, bits: Sequence[bool]) -> list[int]:
        """The slope of each unit where the kinked units have the given bits."""
        chosen = [on for _, on in self.slopes]
        for unit, bit in zip(self.kinked, bits, strict=True):
            chosen[unit] = self.slopes[unit][bit]
        return chosen


def _stages(network: Network) -> list[_Stage]:
    """The layers up to the last one with neurons, and at least the first."""
    stages: list[_Stage] = []
    for layer in network.layers:
        flat, scale = over_one_denominator(layer.slopes.ravel().tolist())
        slopes = list(zip(flat[::2], flat[1::2], strict=True))
        kinked = [unit for unit, (off, on) in enumerate(slopes) if off != on]
        stages.append(_Stage(_layer_map(layer), slopes, scale, kinked, stages[-1].end if stages else 0))
    while len(stages) > 1 and not stages[-1].kinked:
        stages.pop()
    return stages


def _layer_map(layer: Layer) -> Affine:
    if layer.exact is None:
        return affine_of(layer.weight, layer.bias)
    entries = [int(entry) for entry in layer.exact.numerators.flat]
    return Affine(fmpz_mat(layer.n_units, layer.n_inputs + 1, entries), int(layer.exact.denominator))


# ---------------------------------------------------------------- the input set


def input_rows(given: InputSet) -> list[Row]:
    """All rows of an input set, numbered as in `HullMap`."""
    e, rows = len(given.lower), []
    for i in range(e):
        for sign, bound in ((1, float(given.lower[i])), (-1, float(given.upper[i]))):
            if np.isfinite(bound):
                p, q = bound.as_integer_ratio()
                rows.append([sign * q if j == i else 0 for j in range(e)] + [-sign * p])
    return rows + [list(row) for row in given.rows]


def hull_affine(hull: HullMap) -> Affine:
    """The map u -> v."""
    return Affine(_matrix(hull.embedding, len(hull.embedding[0]) if hull.embedding else 1), hull.denominator)


def pulled_back(rows: Sequence[Sequence[int]], inner: Affine) -> list[Row]:
    """Rows over v as rows over u, where v is an affine map of u."""
    outer = Affine(_matrix(rows, inner.matrix.nrows() + 1), 1)
    pulled: list[Row] = outer.after(inner).matrix.tolist()
    return pulled


def _check_hull(given: InputSet, hull: HullMap) -> tuple[Affine, list[Row]]:
    """The map u -> x and the rows over u that are not constant, once they are proved to describe the input set."""
    rows, inner, sums = input_rows(given), hull_affine(hull), hull.equations
    e, k = inner.matrix.nrows(), inner.matrix.ncols() - 1
    _require(all(0 <= i < len(rows) for i in sums), f"hull: an equation beyond the {len(rows)} rows")
    _require(all(y > 0 for y in sums.values()), "hull: a multiplier is not positive")
    total = [sum(y * rows[i][j] for i, y in sums.items()) for j in range(e + 1)]
    _require(not any(total), "hull: the multipliers do not prove that the equations hold on the input set")
    _require(_rank([rows[i] for i in sums], e) == e - k, f"hull: the equations do not have rank {e - k}")
    _require(_rank(inner.matrix.tolist(), k) == k, f"hull: the embedding does not have rank {k}")
    pulled = pulled_back(rows, inner)
    for i, row in enumerate(pulled):
        _require(i not in sums or not any(row), f"hull: row {i} of the input set does not vanish on it")
        _require(any(row[:-1]) or row[-1] >= 0, f"input set: empty, row {i} is negative everywhere")
    return _into_inputs(given, inner), [row for row in pulled if any(row[:-1])]


def _into_inputs(given: InputSet, inner: Affine) -> Affine:
    """The map u -> x, which must be injective."""
    if given.origin is None or given.directions is None:
        return inner
    outer, e = affine_of(given.directions.T, given.origin), len(given.lower)
    _require(_rank(outer.matrix.tolist(), e) == e, "input set: the directions are dependent")
    return outer.after(inner)


def _rank(rows: Sequence[Row], width: int) -> int:
    """The rank of the first columns."""
    return int(_matrix([row[:width] for row in rows], width).rank())


def _matrix(rows: Sequence[Sequence[Any]], width: int) -> fmpz_mat:
    return fmpz_mat(len(rows), width, [entry for row in rows for entry in row])


# ---------------------------------------------------------------- the tree


@dataclass(frozen=True, eq=False)
class Tree:
    """What the walk goes over.

    Attributes:
        stages: the layers, the first one over u.
        rows: the rows of the input set over u that are not constant.
        row_matrix: the same as a matrix.
        patterns: (R, N) the sorted patterns.
    """

    stages: list[_Stage]
    rows: list[Row]
    row_matrix: fmpz_mat
    patterns: Bools

    @classmethod
    def of(cls, certificate: Certificate, network: Network) -> Tree:
        """The tree of a certificate, once its input set and the order of its patterns are checked."""
        into_inputs, rows = _check_hull(certificate.input_set, certificate.hull)
        first, *later = _stages(network)
        first = replace(first, affine=first.affine.after(into_inputs))
        keys = [row.tobytes() for row in certificate.packed]
        for i, (before, after) in enumerate(zip(keys, keys[1:], strict=False)):
            relation = "the same as" if before == after else "before"
            _require(before < after, f"region {i + 1}: its pattern is {relation} that of region {i}")
        patterns = np.unpackbits(certificate.packed, axis=1, count=network.n_neurons).astype(np.bool_)
        padded = np.array_equal(np.packbits(patterns, axis=1), certificate.packed)
        _require(padded, f"patterns: bits are set beyond the {network.n_neurons} neurons")
        return cls([first, *later], rows, _matrix(rows, len(certificate.points[0]) + 1), patterns)


@dataclass(frozen=True, eq=False)
class Cell:
    """A part of the input set on which all neurons before `at` have one sign.

    Attributes:
        first: its leaves are the regions first, ..., end - 1.
        end: see `first`.
        layer: which layer comes next.
        at: the next neuron, counted through the pattern.
        values: the pre-activations of that layer over u, on this cell.
        forms: the same as rows, for those of the layer's units that are neurons.
        cuts: neuron -> row, positive inside, for the neurons that split the ancestors.
        settled: the neurons of the layer that are constant on this cell, or refused.
    """

    first: int
    end: int
    layer: int
    at: int
    values: Affine
    forms: list[Row]
    cuts: dict[int, Row]
    settled: frozenset[int]


Settles: TypeAlias = Callable[[Cell, int, Row], bool]
"""Whether a neuron is refused on a cell, given the row of the side that is to be empty; raises if not proved."""


def walk(tree: Tree, settles: Settles) -> Iterator[Cell]:
    """Go down the tree of the patterns, depth first, off before on; yields the leaves.

    Args:
        tree: the tree.
        settles: called for each neuron on which all leaves of a cell agree.

    Raises:
        CheckFailure: a neuron on which all leaves of a cell agree is not refused in time.
    """
    top = tree.stages[0].affine
    stack = [_entry(tree, 0, top, Cell(0, len(tree.patterns), 0, 0, top, [], {}, frozenset()))]
    while stack:
        cell = _settled(tree, stack.pop(), settles)
        stage = tree.stages[cell.layer]
        neuron = next((n for n in range(cell.at, stage.end) if n not in cell.settled), None)
        if neuron is not None:
            stack += _sides(tree, cell, neuron)
        elif cell.layer + 1 < len(tree.stages):
            factors = stage.factors(tree.patterns[cell.first, stage.start : stage.end].tolist())
            following = tree.stages[cell.layer + 1].affine.after(cell.values, factors, stage.scale)
            stack.append(_entry(tree, cell.layer + 1, following, cell))
        else:
            yield cell


def _entry(tree: Tree, layer: int, values: Affine, cell: Cell) -> Cell:
    """The same cell at the beginning of a layer."""
    rows, stage = values.matrix.tolist(), tree.stages[layer]
    forms = [rows[unit] for unit in stage.kinked]
    return replace(cell, layer=layer, at=stage.start, values=values, forms=forms, settled=frozenset())


def _settled(tree: Tree, cell: Cell, settles: Settles) -> Cell:
    """The same cell, with the neurons settled on which all its leaves agree and whose other side is empty."""
    stage, settled = tree.stages[cell.layer], set(cell.settled)
    bits = tree.patterns[cell.first : cell.end, cell.at : stage.end]
    agreed = bits.all(axis=0) | ~bits.any(axis=0)
    for n in (cell.at + np.flatnonzero(agreed)).tolist():
        if n in settled:
            continue
        form, bit = cell.forms[n - stage.start], bool(tree.patterns[cell.first, n])
        if not any(form[:-1]):
            if (form[-1] > 0) != bit:
                raise CheckFailure(f"{place(tree, cell, n)}: is constant there, with the other sign")
            settled.add(n)
        elif settles(cell, n, [-entry for entry in form] if bit else form):
            settled.add(n)
    return replace(cell, settled=frozenset(settled))


def _sides(tree: Tree, cell: Cell, neuron: int) -> list[Cell]:
    """The on side and the off side of a neuron on which the leaves disagree."""
    bits = tree.patterns[cell.first : cell.end, neuron]
    middle = cell.first + int(np.count_nonzero(~bits))
    if not cell.first < middle < cell.end:
        raise CheckFailure(
            f"{place(tree, cell, neuron)}: the leaves agree, but its other side is not refused"
        )
    form = cell.forms[neuron - tree.stages[cell.layer].start]
    if not any(form[:-1]):
        raise CheckFailure(f"{place(tree, cell, neuron)}: is constant there, but the leaves disagree on it")
    on, off = {**cell.cuts, neuron: form}, {**cell.cuts, neuron: [-entry for entry in form]}
    return [
        replace(cell, first=middle, at=neuron + 1, cuts=on),
        replace(cell, end=middle, at=neuron + 1, cuts=off),
    ]


def place(tree: Tree, cell: Cell, neuron: int) -> str:
    """The name of a neuron on a cell."""
    prefix = "".join("01"[bit] for bit in tree.patterns[cell.first, : cell.at].tolist())
    where = f"cell {prefix}..." if prefix else "the whole input set"
    return f"{where} (regions {cell.first} to {cell.end - 1}), layer {cell.layer + 1}, neuron {neuron}"


# ---------------------------------------------------------------- refusals and leaves


class _Refusals:
    """The refusals of a certificate, read one after the other."""

    def __init__(self, certificate: Certificate, tree: Tree) -> None:
        self._supports, self._offsets = certificate.supports.tolist(), certificate.offsets.tolist()
        self._tree = tree
        self._next = 0

    def settles(self, cell: Cell, neuron: int, side: Row) -> bool:
        """Read and check the next refusal; False if it puts the neuron off."""
        try:
            support = self._read()
            if support:
                rows = [self._row(cell, number) for number in support]
                _require(proves_empty([*rows, side]), f"rows {support} do not prove it empty")
        except CheckFailure as failure:
            bit = "off" if self._tree.patterns[cell.first, neuron] else "on"
            where = f"refusal {self._next - 1}, {place(self._tree, cell, neuron)}, {bit} side"
            raise CheckFailure(f"{where}: {failure}") from None
        return bool(support)

    def _read(self) -> list[int]:
        self._next += 1
        _require(self._next < len(self._offsets), "there are no more refusals")
        support: list[int] = self._supports[self._offsets[self._next - 1] : self._offsets[self._next]]
        ascending = all(a < b for a, b in zip(support, support[1:], strict=False))
        _require(ascending, f"rows {support}, expected ascending ones")
        return support

    def _row(self, cell: Cell, number: int) -> Row:
        m = len(self._tree.rows)
        if 0 <= number < m:
            return self._tree.rows[number]
        _require(number - m in cell.cuts, f"row {number} is not a row of the cell")
        return cell.cuts[number - m]

    def check_end(self) -> None:
        """Nothing may be left over."""
        left = len(self._offsets) - 1 - self._next
        _require(left == 0, f"refusal {self._next}: {left} left over after the last leaf")


def proves_empty(rows: Sequence[Row]) -> bool:
    """Whether the rows determine y > 0 for which the sum of y times them is a constant <= 0.

    A row with one coefficient is determined by the others: its y is what makes that coefficient vanish in the sum.
    The y of the others follow from the coordinates that no such row has.
    """
    k, bounds, others = len(rows[0]) - 1, {}, []
    for row in rows:
        used = [j for j in range(k) if row[j]]
        if len(used) == 1 and used[0] not in bounds:
            bounds[used[0]] = row
        else:
            others.append(row)
    free = [j for j in range(k) if j not in bounds]
    basis, nullity = fmpz_mat(len(free), len(others), [row[j] for j in free for row in others]).nullspace()
    y = [basis[i, 0] for i in range(len(others))] if nullity == 1 else [0]
    y = [-entry for entry in y] if y[0] < 0 else y
    if not all(entry > 0 for entry in y):
        return False
    total = [sum(v * row[j] for v, row in zip(y, others, strict=True)) for j in range(k + 1)]
    shares = [fmpq(-total[j], row[j]) for j, row in bounds.items()]
    constant = sum((v * row[k] for v, row in zip(shares, bounds.values(), strict=True)), fmpq(total[k]))
    return all(share > 0 for share in shares) and constant <= 0


def _check_leaf(tree: Tree, certificate: Certificate, region: int) -> set[int]:
    """The neurons that are zero at the region's point, once its place and its pattern are checked."""
    point = certificate.rational_points.get(region) or certificate.points[region].tolist()
    numbers, scale = over_one_denominator(point)
    for i, value in enumerate(_values(tree.row_matrix, numbers, scale)):
        if value <= 0:
            raise CheckFailure(f"region {region}: its point is not strictly inside row {i} of the input set")
    zeros = set()
    for stage in tree.stages:
        z = _values(stage.affine.matrix, numbers, scale)
        for n, unit in enumerate(stage.kinked, start=stage.start):
            bit = bool(tree.patterns[region, n])
            if (z[unit] > 0) != bit:
                now = "off" if bit else "on"
                raise CheckFailure(
                    f"region {region}: neuron {n} is {now} at its point, but not in its pattern"
                )
            if z[unit] == 0:
                zeros.add(n)
        numbers = [slopes[entry > 0] * entry for slopes, entry in zip(stage.slopes, z, strict=True)]
        scale *= stage.scale * stage.affine.denominator
    return zeros


def _values(matrix: fmpz_mat, numbers: Sequence[int], scale: int) -> list[Any]:
    """Rows at the point ``numbers / scale``, up to a positive factor."""
    values: list[Any] = (matrix * fmpz_mat(len(numbers) + 1, 1, [*numbers, scale])).entries()
    return values


def _check_split_signs(leaf: Cell, zeros: set[int]) -> None:
    for n in zeros.intersection(leaf.cuts):
        raise CheckFailure(f"region {leaf.first}: its point is not strictly inside, neuron {n} is zero there")


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise CheckFailure(reason)
