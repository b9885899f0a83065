"""The network and a piece of the domain as arrays for the kernels; in small integers as far as these go.

A layer whose weights and biases are multiples of one number is multiplied by what makes them integers: its forms then
are positive multiples of the true ones, with the same signs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from math import gcd, lcm
from typing import TypeAlias

import numpy as np
from flint import fmpz_mat

from polyregions._types import Bools, Floats, Ints
from polyregions.engine.cells.contest import NO_CONTEST
from polyregions.engine.cells.state import (
    CUTS,
    END,
    ERROR,
    GIVEN,
    IS_WHOLE,
    KINKED,
    LAYER,
    MORE,
    N_SPACE,
    REACH,
    SCALE,
    SHIFT,
    TAU,
    TERMS,
    Net,
    Words,
    Work,
)
from polyregions.engine.kernels.codes import ON as IS_ON
from polyregions.engine.walk.charts import INFINITY, DomainPiece
from polyregions.exact.affine import integer_matrix
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.network import Layer
from polyregions.networks.problem import Problem

Row: TypeAlias = Sequence[Fraction | int]

STRETCH = (
    4.0  # how much farther the first box reaches than the bounds that rows of the domain were rounded for
)
SMALL = 2**40  # integers below it leave room for products


@dataclass(frozen=True, eq=False)
class Start:
    """A piece of the domain, ready to be copied into work arrays.

    Attributes:
        net: the network.
        rows: (m, d+1) rows of the domain, row_error (m,) bounds on the error of their values.
        base: (n, d+1) the first layer, base_error (n,).
        has_terms: (n,) which units of the first layer are not 0 everywhere, whatever their floats are.
        whole: (L+1,) whether the forms of a layer are integers as long as they are small.
        given: bits of first-layer units that the piece knows, -1 for the others.
        row_units: the first-layer units that rows of the domain belong to.
        exact_rows: the domain's rows in integers.
        embedding: integers (k+1, d+1), see `DomainPiece`.
        scales: what the forms of each layer are of its exact pre-activations over `embedding`; None if that is no
            number of this piece.
    """

    net: Net
    rows: Floats
    row_error: Floats
    base: Floats
    base_error: Floats
    has_terms: Bools
    whole: Bools
    given: Ints
    row_units: list[int]
    exact_rows: list[list[int]]
    embedding: fmpz_mat
    scales: list[Fraction] | None

    @property
    def dim(self) -> int:
        """d."""
        return int(self.rows.shape[1]) - 1

    @property
    def has_integers(self) -> bool:
        """Whether any sign may be settled in small integers."""
        return bool(self.whole[1])


def start_of(problem: Problem, piece: DomainPiece, contest: Ints = NO_CONTEST) -> Start:
    """Prepare a piece of a problem's domain; `contest` names the classes that its last layer compares."""
    exact_rows = _domain_rows(problem, piece)
    rows, row_error = piece.rows, STRETCH * piece.row_error
    is_small = np.array([max(map(abs, row)) < SMALL for row in exact_rows], dtype=np.bool_)
    if np.any(is_small):
        rows, row_error = rows.copy(), np.where(is_small, 0.0, row_error)
        rows[is_small] = [row for row, small in zip(exact_rows, is_small, strict=True) if small]
    scaling = _Scaling(problem, piece)
    n_rows = len(rows) + 2 * len(piece.chart.lower)
    net = _net(piece, scaling, n_rows, contest)
    n_first = problem.inner.layers[0].n_units
    units = [i for i, source in enumerate(piece.source) if source >= 0]
    kinked = np.flatnonzero(problem.inner.layers[0].splitting)
    return Start(
        net,
        rows,
        row_error,
        scaling.base,
        scaling.base_error,
        np.array([any(row) for row in scaling.exact_base], dtype=np.bool_),
        np.array([False, *scaling.whole]),
        piece.chart.fixed[:n_first],
        [int(kinked[piece.source[i]]) for i in units],
        exact_rows,
        piece.embedding,
        scaling.over_integers(),
    )


def _domain_rows(problem: Problem, piece: DomainPiece) -> list[list[int]]:
    """The piece's rows over its coordinates in integers without common divisors."""
    k = piece.embedding.nrows() - 1
    first = problem.layers.affine(0)
    kinked = np.flatnonzero(problem.inner.layers[0].splitting).tolist()
    outer: list[list[int]] = []
    for form, source in zip(piece.forms, piece.source, strict=True):
        if source >= 0:
            unit = kinked[source]
            sign = 1 if piece.chart.fixed[unit] == IS_ON else -1
            outer.append([sign * entry for entry in first.row(unit)])
        elif form == INFINITY:
            outer.append([0] * k + [1])
        else:
            outer.append([int(entry) for entry in problem.solid.forms[form].exact()])
    matrix = integer_matrix(outer, k + 1) * piece.embedding
    rows = [[int(matrix[i, j]) for j in range(matrix.ncols())] for i in range(len(outer))]
    return [[entry // max(1, gcd(*row)) for entry in row] for row in rows]


class _Scaling:
    """What the layers are multiplied by.

    Attributes:
        base, base_error: the first layer's forms.
        tau: what later biases are multiplied by.
        weights, biases: of the layers after it.
        whole: (L,) for each layer whether all is integers.
    """

    def __init__(self, problem: Problem, piece: DomainPiece) -> None:
        last = max(i for i, layer in enumerate(problem.inner.layers) if layer.n_neurons)
        self.layers: tuple[Layer, ...] = tuple(problem.inner.layers[: last + 1])
        chart = piece.chart
        first = problem.layers.affine(0)
        matrix = first.matrix * piece.embedding
        entries = [[int(matrix[i, j]) for j in range(matrix.ncols())] for i in range(matrix.nrows())]
        common = max(1, gcd(*(entry for row in entries for entry in row)))
        tau = [int(piece.embedding[piece.embedding.nrows() - 1, j]) for j in range(piece.embedding.ncols())]
        self.exact_base = entries
        largest = max((abs(entry) // common for row in entries for entry in row), default=0)
        is_whole = largest < SMALL and max(map(abs, tau)) < SMALL
        self.base, self.base_error = chart.base[: len(entries)], chart.base_error[: len(entries)]
        self.tau, self.tau_error = chart.tau, chart.tau_error
        factor = Fraction(1)
        if is_whole:
            self.base = np.array([[e // common for e in row] for row in entries], dtype=np.float64).reshape(
                len(entries), len(tau)
            )
            self.base_error = np.zeros(len(entries))
            self.tau, self.tau_error = np.array(tau, dtype=np.float64), 0.0
            factor = Fraction(first.denominator, common)
        self.whole = [is_whole]
        self._is_plain, self._tau, self._factors = chart.plain, tau, [factor]
        self.weights, self.biases = [np.zeros((0, 0))], [np.zeros(0)]
        for layer, below in zip(self.layers[1:], self.layers, strict=False):
            self._factors.append(self._add(layer, below, self._factors[-1]))

    def over_integers(self) -> list[Fraction] | None:
        """What the forms of each layer are of its exact pre-activations over the piece's integers; None of a cone's."""
        if self.whole[0]:
            return self._factors
        return [factor / self._tau[-1] for factor in self._factors] if self._is_plain else None

    def _add(self, layer: Layer, below: Layer, factor: Fraction) -> Fraction:
        """Scale one more layer; what its forms are multiplied by then."""
        weight, bias = np.asarray(layer.weight), np.asarray(layer.bias)
        may_be_whole = layer.exact is None and self._may_be_whole(below)
        scaled = _in_integers(weight, bias, factor) if may_be_whole else None
        self.whole.append(scaled is not None)
        if scaled is None:
            self.weights.append(weight)
            self.biases.append(
                bias if factor == 1 else np.array([float(Fraction(b) * factor) for b in bias.tolist()])
            )
            return factor
        self.weights.append(scaled[0])
        self.biases.append(scaled[1])
        return factor * scaled[2]

    def _may_be_whole(self, below: Layer) -> bool:
        slopes = np.asarray(below.slopes)
        return self.whole[-1] and bool(np.all(slopes == np.rint(slopes)) and np.all(np.abs(slopes) < SMALL))


def _in_integers(weight: Floats, bias: Floats, factor: Fraction) -> tuple[Floats, Floats, Fraction] | None:
    """Weights and biases as integers, and what they were multiplied by; None if these would be large."""
    if not _are_coarse(weight):
        return None
    biases = [Fraction(b) * factor for b in bias.tolist()]
    exact = [Fraction(w) for w in np.unique(weight).tolist()]
    most = lcm(1, *(w.denominator for w in exact), *(b.denominator for b in biases))
    if most >= SMALL:
        return None
    entries = [int(w * most) for w in exact]
    constants = [int(b * most) for b in biases]
    common = max(1, gcd(*entries, *constants))
    if max((abs(e) // common for e in [*entries, *constants]), default=0) >= SMALL:
        return None
    whole = np.rint(weight * (most / common))
    return whole, np.array([c // common for c in constants], dtype=np.float64), Fraction(most, common)


def _are_coarse(values: Floats) -> bool:
    """Whether floats are multiples of 2^-40 below 2^40."""
    scaled = values * float(SMALL)
    return bool(np.all(np.abs(values) < SMALL) and np.all(scaled == np.rint(scaled)))


def _net(piece: DomainPiece, scaling: _Scaling, n_rows: int, contest: Ints) -> Net:
    layers = scaling.layers
    n = max(n_rows, *(layer.n_units for layer in layers))
    net = Net(
        weight=np.zeros((len(layers) + 1, n + 1, n)),
        slopes=np.zeros((len(layers) + 1, n, 2)),
        widths=np.array([n_rows, *(layer.n_units for layer in layers)], dtype=np.int64),
        units=np.zeros((2, len(layers) + 1, n), dtype=np.int64),
        space=_space(piece, scaling),
        contest=contest,
    )
    for i, layer in enumerate(layers):
        net.slopes[i + 1, : layer.n_units] = layer.slopes
        if i:
            net.weight[i + 1, : layer.n_inputs, : layer.n_units] = scaling.weights[i].T
            net.weight[i + 1, n, : layer.n_units] = scaling.biases[i]
    _relations(net, scaling)
    return net


def _relations(net: Net, scaling: _Scaling) -> None:
    """Which units have proportional weights, and which have no constant however they are composed."""
    twin, is_free = net.units
    for i, layer in enumerate(scaling.layers):
        n = layer.n_units
        if layer.exact is None:
            floats = np.column_stack([layer.weight, layer.bias])
            twin[i + 1, :n] = _classes(floats, partial(_exact_row, floats))
            has_none = np.asarray(layer.bias) == 0.0
        else:
            rows = affine_of_layer(layer)
            floats = rows.nearest_floats()
            twin[i + 1, :n] = _classes(floats, rows.row)
            has_none = np.array([rows.row(j)[-1] == 0 for j in range(n)], dtype=np.bool_)
        if i == 0:  # in the piece's coordinates, whose origin is another one
            has_none = np.array([row[-1] == 0 for row in scaling.exact_base], dtype=np.bool_)
        is_free[i + 1, :n] = has_none & (i == 0 or np.all(is_free[i, : layer.n_inputs]))


def _classes(floats: Floats, exact: Callable[[int], Row]) -> list[int]:
    """For each row the first one that it is a multiple of, decided exactly where floats do not tell them apart."""
    places = np.argmax(floats != 0.0, axis=1) if floats.shape[1] else np.zeros(len(floats), dtype=np.int64)
    leads = floats[np.arange(len(floats)), places]
    with np.errstate(all="ignore"):  # what overflows is compared exactly, if at all
        scaled = floats / np.where(leads == 0.0, 1.0, leads)[:, None] + 0.0
    first: dict[bytes, list[int]] = {}
    found = []
    for i, row in enumerate(scaled):
        same = first.setdefault(row.tobytes(), [])
        twin = next((j for j in same if _are_proportional(exact(i), exact(j))), i)
        if twin == i:
            same.append(i)
        found.append(twin)
    return found


def _exact_row(floats: Floats, i: int) -> Row:
    return [Fraction(entry) for entry in floats[i].tolist()]


def _are_proportional(a: Row, b: Row) -> bool:
    lead = next((i for i, entry in enumerate(b) if entry), None)
    if lead is None or not a[lead]:
        return not any(a) and not any(b)
    return all(x * b[lead] == y * a[lead] for x, y in zip(a, b, strict=True))


def _space(piece: DomainPiece, scaling: _Scaling) -> Floats:
    chart = piece.chart
    space = np.zeros((N_SPACE, max(3, len(chart.lower) + 1)))
    d = len(chart.lower)
    if chart.plain:
        space[SHIFT, :d], space[SCALE, :d] = chart.shift, chart.scale
    reach = np.ceil(np.maximum(np.abs(chart.lower), np.abs(chart.upper))) + 1.0
    space[REACH, :d] = reach
    space[TAU, : d + 1] = scaling.tau
    size = np.abs(scaling.tau[:-1]) @ reach + abs(scaling.tau[-1])
    space[MORE, :3] = scaling.tau_error, size * (1 + 2.0**-40), float(chart.plain)
    return space


def load_start(start: Start, work: Work) -> None:
    """Put the first cell into empty work arrays: a box around the piece, to be cut by its rows."""
    net, d, m = start.net, start.dim, len(start.rows)
    forms, signs = work.forms, work.signs
    forms[0, : d + 1, :m], forms[0, d + ERROR, :m] = start.rows.T, start.row_error
    n = len(start.base)
    forms[1, : d + 1, :n], forms[1, d + ERROR, :n] = start.base.T, start.base_error
    forms[0, d + TERMS, : net.widths[0]] = 1.0
    forms[1, d + TERMS, :n] = start.has_terms
    _load_box(start, work, m)
    work.entries[: len(start.whole), IS_WHOLE] = start.whole
    signs[0, KINKED] = _words(np.arange(net.widths[0]) < m, signs.shape[2])
    for i in range(1, len(net.widths)):
        slopes = net.slopes[i, : net.widths[i]]
        is_kinked = slopes[:, 0] != slopes[:, 1]
        is_on = ~is_kinked
        if i == 1:
            is_known = start.given >= 0
            is_on = is_on | (is_known & (start.given == IS_ON))
            is_kinked = is_kinked & ~is_known
        signs[i, KINKED], signs[i, GIVEN] = _words(is_kinked, signs.shape[2]), _words(is_on, signs.shape[2])
    if start.row_units:
        is_row = np.zeros(net.widths[1], dtype=np.bool_)
        is_row[start.row_units] = True
        signs[1, CUTS] = _words(is_row, signs.shape[2])


def _load_box(start: Start, work: Work, m: int) -> None:
    """The corners of a box strictly around the piece, and its walls as rows of the domain, after the others."""
    d = start.dim
    reach = start.net.space[REACH, :d]
    walls, axes = m + np.arange(2 * d), np.repeat(np.arange(d), 2)
    work.forms[0, axes, walls], work.forms[0, d, walls] = np.tile([1.0, -1.0], d), np.repeat(reach, 2)
    work.owner[: 2 * d] = walls
    corners = np.array(list(product((0, 1), repeat=d)), dtype=np.int64)
    work.place[: len(corners), :d] = np.where(corners == 1, reach, -reach)
    if start.has_integers:
        work.place[: len(corners), d + 1 : 2 * d + 1] = work.place[: len(corners), :d]
        work.place[: len(corners), 2 * d + 1] = 1.0
    assert 2 * d <= 64  # the first word holds the slots of all walls
    bits = np.ones_like(corners, dtype=np.uint64) << (2 * np.arange(d) + corners).astype(np.uint64)
    work.marks[: len(corners), 0] = np.bitwise_or.reduce(bits, axis=1)
    work.registers[LAYER], work.registers[END] = 0, len(corners)


def _words(bits: Bools, n_words: int) -> Words:
    """Bits as so many words."""
    padded = np.zeros(64 * n_words, dtype=np.uint8)
    padded[: len(bits)] = bits
    packed: Words = np.packbits(padded, bitorder="little").view(np.uint64)
    return packed
