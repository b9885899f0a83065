"""Preparing a domain for the kernels: one bounded chart for a bounded domain, several for an unbounded one.

An unbounded domain is cut, by first-layer neurons with independent normals, into pieces that contain no line.
Such a piece is a pointed cone over the homogeneous coordinates (x, tau); it lies in a simplicial cone, and the
points of that are ``sum lambda_j ray_j``. Taking ``sum lambda_j = 1`` gives bounded coordinates u in which every
form stays affine, points at infinity included: no large box, no limit. Only the bias of later layers has to be
multiplied by the form tau(u).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm

import numpy as np
from flint import fmpz_mat

from polyregions._types import Bools, Bytes, Floats
from polyregions.engine.kernels.codes import DOMAIN, OFF, ON
from polyregions.engine.kernels.state import TINY, ULP, Chart, Net
from polyregions.exact.affine import integer_matrix
from polyregions.exact.interior import find_interior
from polyregions.exact.lp import vertex_basis
from polyregions.exact.numbers import Point
from polyregions.networks.certain_patterns import certified_patterns
from polyregions.networks.problem import Problem
from polyregions.polyhedra.domain import is_float_box
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.oracle.proof import values_at_points

INFINITY = -2  # the row tau >= 0 of an unbounded piece
RECENT = 64  # pieces kept for whoever goes on with a part of them


@dataclass(frozen=True, eq=False)
class DomainPiece:
    """One piece of the domain, ready for the kernels.

    Attributes:
        chart: its coordinates and the first layer in them.
        rows: (m, r+1) float64 rows that bound it, positive inside.
        row_error: (m,) bound on the error of their value within the bounds.
        source: (m,) the neuron of each row, or DOMAIN.
        forms: (m,) which of the domain's forms each row is, DOMAIN for a neuron's, INFINITY for tau.
        bases: vertices to start from, each as r tight rows.
        embedding: integers (k+1, r+1) with ``(x q, q) = embedding . [u, 1]`` for some q > 0.
    """

    chart: Chart
    rows: Floats
    row_error: Floats
    source: list[int]
    forms: list[int]
    bases: list[list[int]]
    embedding: fmpz_mat


def network_arrays(problem: Problem) -> Net:
    """The layers up to the last that splits, padded to one width."""
    network = problem.inner
    last = max(i for i, layer in enumerate(network.layers) if layer.n_neurons)
    layers = network.layers[: last + 1]
    widest = max(1, *(layer.n_units for layer in layers))
    shape = (len(layers), widest)
    net = Net(
        weight=np.zeros((*shape, widest)),
        bias=np.zeros(shape),
        slopes=np.zeros((*shape, 2)),
        widths=np.array([layer.n_units for layer in layers], dtype=np.int64),
        bit=np.full(shape, -1, dtype=np.int64),
        ends=np.cumsum([layer.n_neurons for layer in layers]).astype(np.int64),
    )
    at = 0
    for i, layer in enumerate(layers):
        n = layer.n_units
        if i:
            net.weight[i, :n, : layer.n_inputs] = layer.weight
        net.bias[i, :n], net.slopes[i, :n] = layer.bias, layer.slopes
        kinked = np.flatnonzero(layer.splitting)
        net.bit[i, kinked] = np.arange(at, at + len(kinked))
        at += len(kinked)
    return net


class DomainPieces:
    """The pieces of a problem's domain, each made when it is asked for; a bounded domain is one piece."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._is_bounded = problem.solid.bounds.are_finite
        self._rows, self._chosen, self._inputs = (
            ([], [], []) if self._is_bounded else _independent_rows(problem)
        )
        self._neurons = [i for i in self._chosen if i >= len(problem.solid.forms)]
        self.piece = lru_cache(maxsize=RECENT)(self._piece)

    def __len__(self) -> int:
        return 1 << len(self._neurons)

    def _piece(self, number: int) -> DomainPiece | None:
        """One of the pieces; None if it has no interior."""
        if self._is_bounded:
            return _bounded_piece(self._problem)
        last = len(self._neurons) - 1
        side = {i: 1 if number >> (last - place) & 1 else -1 for place, i in enumerate(self._neurons)}
        return _cone_piece(self._problem, self._rows, self._chosen, self._inputs, side)


def _bounded_piece(problem: Problem) -> DomainPiece:
    solid = problem.solid
    k = len(solid.bounds.lower)
    chart = plain_chart(problem, solid.bounds)
    chart_rows, floats, error = domain_rows(problem, chart)
    bases = _corner_bases(k) if is_float_box(problem.domain) else _found_bases(chart_rows, k)
    forms = list(range(len(floats)))
    return DomainPiece(
        chart, floats, error, [DOMAIN] * len(floats), forms, bases or [], _shift_embedding(chart)
    )


def plain_chart(problem: Problem, bounds: Bounds) -> Chart:
    """Coordinates u of about [-1, 1]^k for the points within finite bounds, by shifts and powers of two."""
    lower, upper = bounds.lower, bounds.upper
    centre = lower / 2 + upper / 2
    half = np.maximum(upper - centre, centre - lower)
    scale = np.ldexp(1.0, np.frexp(half)[1])
    low = np.nextafter((lower - centre) / scale, -np.inf)
    high = np.nextafter((upper - centre) / scale, np.inf)
    first = problem.layers.affine(0)
    shifted, factor = _shifted([first.row(i) for i in range(first.shape[0])], centre, scale)
    base = _quotients(shifted, factor * first.denominator, len(lower) + 1)
    tau = np.zeros(len(lower) + 1)
    tau[-1] = 1.0
    return _chart(problem, base, tau, 0.0, low, high, centre, scale, True, _nothing_fixed(problem))


def domain_rows(problem: Problem, chart: Chart) -> tuple[list[list[int]], Floats, Floats]:
    """The domain's rows in a plain chart: exactly, in float64, and a bound (m,) on the error of their values."""
    exact, _ = _shifted([form.exact() for form in problem.solid.forms], chart.shift, chart.scale)
    return exact, *_float_rows(exact, chart.lower, chart.upper)


def _shifted(rows: Sequence[Sequence[int]], shift: Floats, scale: Floats) -> tuple[list[list[int]], int]:
    """Rows over ``x = shift + scale * u`` as rows over u, times the positive integer that is returned with them."""
    moves = [Fraction(value) for value in [*shift.tolist(), *scale.tolist()]]
    factor = lcm(1, *(move.denominator for move in moves))
    whole = [int(move * factor) for move in moves]
    k = len(shift)
    shifted = [
        [
            *(a * s for a, s in zip(row[:k], whole[k:], strict=True)),
            row[k] * factor + _dot(row[:k], whole[:k]),
        ]
        for row in rows
    ]
    return shifted, factor


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True) if x)


def _shift_embedding(chart: Chart) -> fmpz_mat:
    k = len(chart.shift)
    columns = [[Fraction(0)] * (k + 1) for _ in range(k + 1)]
    for c in range(k):
        columns[c][c], columns[c][k] = Fraction(float(chart.scale[c])), Fraction(float(chart.shift[c]))
    columns[k][k] = Fraction(1)
    return _integral(columns)


def exact_point(piece: DomainPiece, u: Floats, k: int) -> Point:
    """The exact point x (k,) of a chart point u (r,)."""
    homogeneous = [*(Fraction(c) for c in u.tolist()), Fraction(1)]
    image = [
        sum((int(piece.embedding[i, j]) * h for j, h in enumerate(homogeneous)), Fraction(0))
        for i in range(k + 1)
    ]
    return Point.of([entry / image[k] for entry in image[:k]])


def _nothing_fixed(problem: Problem) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(max(1, problem.inner.layers[0].n_units), -1, dtype=np.int64)


def _corner_bases(k: int) -> list[list[int]]:
    """Corners of a box with rows (lower 0, upper 0, lower 1, ...): the lowest, its neighbours, and the highest."""
    lowest = [2 * c for c in range(k)]
    neighbours = [[row + (c == i) for c, row in enumerate(lowest)] for i in range(k)]
    highest = [row + 1 for row in lowest]
    return [lowest, *neighbours] + ([highest] if k > 1 else [])


def _independent_rows(problem: Problem) -> tuple[list[list[int]], list[int], list[int]]:
    """Rows of the domain and the first layer, the first independent ones, and the inputs that they see.

    The network and the domain are constant along whatever no row sees, so the other inputs may be set to 0.
    """
    first = problem.layers.affine(0)
    kinked = np.flatnonzero(problem.inner.layers[0].splitting).tolist()
    rows = [form.exact() for form in problem.solid.forms] + [first.row(unit) for unit in kinked]
    k = problem.solid.hull.dim
    transposed = integer_matrix([[row[c] for row in rows] for c in range(k)], len(rows))
    chosen = _pivots(transposed)
    inputs = _pivots(integer_matrix([rows[i][:k] for i in chosen], k))
    return rows, chosen, inputs


def _pivots(matrix: fmpz_mat) -> list[int]:
    reduced, _, rank = matrix.rref()
    return [next(j for j in range(matrix.ncols()) if reduced[i, j] != 0) for i in range(int(rank))]


def _cone_piece(
    problem: Problem, rows: Sequence[list[int]], chosen: list[int], inputs: list[int], side: dict[int, int]
) -> DomainPiece | None:
    """The part of the domain where the chosen neurons have the given sides, in bounded coordinates."""
    n_forms, k, r = len(problem.solid.forms), problem.solid.hull.dim, len(chosen)
    tau = [0] * k + [1]
    walls = [[side.get(i, 1) * entry for entry in rows[i]] for i in chosen] + [tau]
    embedding = _simplex_embedding(walls, inputs, k)
    kinked = np.flatnonzero(problem.inner.layers[0].splitting).tolist()
    fixed = _nothing_fixed(problem)
    for i, sign in side.items():
        fixed[kinked[i - n_forms]] = ON if sign > 0 else OFF
    others = [i for i in range(n_forms) if i not in chosen]
    chart_rows = _pulled([*walls, *(rows[i] for i in others)], embedding)
    forms = [i if i < n_forms else DOMAIN for i in chosen] + [INFINITY, *others]
    source = [_bit(i - n_forms) if i >= n_forms else DOMAIN for i in chosen] + [DOMAIN] * (1 + len(others))
    bases = _found_bases(chart_rows, r) if others else _simplex_bases(r)
    if bases is None:
        return None
    low, high = np.zeros(r), np.ones(r)
    chart = _cone_chart(problem, embedding, low, high, fixed)
    floats, error = _float_rows(chart_rows, low, high)
    return DomainPiece(chart, floats, error, source, forms, bases, embedding)


def _bit(first_layer_neuron: int) -> int:
    return first_layer_neuron  # the first layer's bits come first


def _simplex_embedding(walls: Sequence[Sequence[int]], inputs: Sequence[int], k: int) -> fmpz_mat:
    """Columns ray_j - ray_0 and ray_0 of the cone where all walls are >= 0, over the inputs that matter."""
    r = len(inputs)
    square = fmpz_mat(r + 1, r + 1, [wall[c] for wall in walls for c in [*inputs, k]])
    rays, denominator = square.inv().numer_denom()
    sign = 1 if denominator > 0 else -1
    columns = [[sign * int(rays[i, j]) for i in range(r + 1)] for j in range(r + 1)]
    sizes = [max(map(abs, column)) for column in columns]
    common = lcm(*sizes)  # rays are scaled to a largest entry of 1, all times this
    scaled = [[entry * (common // n) for entry in column] for column, n in zip(columns, sizes, strict=True)]
    apex = scaled[r]
    small = [[ray[i] - apex[i] for ray in scaled[:r]] + [apex[i]] for i in range(r + 1)]
    divisor = max(1, gcd(*(entry for row in small for entry in row)))
    full = [[0] * (r + 1) for _ in range(k + 1)]
    for i, c in enumerate([*inputs, k]):
        full[c] = [entry // divisor for entry in small[i]]
    return integer_matrix(full, r + 1)


def _simplex_bases(r: int) -> list[list[int]]:
    """The r+1 vertices of the simplex with rows u_1 >= 0, ..., u_r >= 0, 1 - sum u >= 0."""
    return [[row for row in range(r + 1) if row != left_out] for left_out in range(r, -1, -1)]


def _found_bases(rows: Sequence[Sequence[int]], k: int) -> list[list[int]] | None:
    """Vertices of a bounded polytope in the directions of the axes, exactly; None if it has no interior."""
    inside = find_interior(rows, [Fraction(1, 2 * k + 2)] * k).point
    if inside is None:
        return None
    axes = [[sign * int(c == i) for c in range(k)] for i in range(k) for sign in (1, -1)]
    found = {tuple(sorted(vertex_basis(rows, axis, inside.coordinates))) for axis in axes}
    return [list(basis) for basis in sorted(found)]


def _cone_chart(
    problem: Problem,
    embedding: fmpz_mat,
    low: Floats,
    high: Floats,
    fixed: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Chart:
    first = problem.layers.affine(0)
    k, r = embedding.nrows() - 1, embedding.ncols() - 1
    unit = max(abs(int(entry)) for entry in embedding.entries())  # any common scale will do
    base = _over(first.matrix * embedding, first.denominator * unit)
    tau = _over(fmpz_mat(1, r + 1, [embedding[k, j] for j in range(r + 1)]), unit)[0]
    tau_error = float(_rounding(tau[None], low, high)[0])
    return _chart(problem, base, tau.copy(), tau_error, low, high, low, high, False, fixed)


def _chart(
    problem: Problem,
    base: Floats,
    tau: Floats,
    tau_error: float,
    low: Floats,
    high: Floats,
    shift: Floats,
    scale: Floats,
    plain: bool,
    fixed: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Chart:
    base = base if len(base) else np.zeros((1, len(tau)))
    error = _rounding(base, low, high)
    return Chart(base, error, tau, tau_error, low, high, shift, scale, plain, fixed)


def _rounding(rows: Floats, low: Floats, high: Floats) -> Floats:
    """What rounding the entries of rows can do to their values (m,) within bounds."""
    reach = np.maximum(np.abs(low), np.abs(high))
    rounding: Floats = (np.abs(rows[:, :-1]) @ reach + np.abs(rows[:, -1])) * 2 * ULP + TINY
    return rounding


def _pulled(rows: Sequence[Sequence[int]], embedding: fmpz_mat) -> list[list[int]]:
    matrix = integer_matrix(rows, embedding.nrows()) * embedding
    return [[int(matrix[i, j]) for j in range(embedding.ncols())] for i in range(len(rows))]


def _integral(rows: Sequence[Sequence[Fraction]]) -> fmpz_mat:
    """Rational rows times the positive denominator that makes them integers."""
    denominator = lcm(1, *(f.denominator for row in rows for f in row))
    return fmpz_mat(len(rows), len(rows[0]), [int(f * denominator) for row in rows for f in row])


def _over(matrix: fmpz_mat, denominator: int) -> Floats:
    entries = [int(entry) / denominator for entry in matrix.entries()]
    return np.array(entries, dtype=np.float64).reshape(matrix.nrows(), matrix.ncols())


def _quotients(rows: Sequence[Sequence[int]], denominator: int, width: int) -> Floats:
    entries = [entry / denominator for row in rows for entry in row]
    return np.array(entries, dtype=np.float64).reshape(len(rows), width)


def _float_rows(rows: Sequence[Sequence[int]], low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Rows scaled to about 1 and rounded, and what rounding can do to their values within the bounds."""
    width = len(low) + 1
    floats = np.array(
        [[entry / max(1, *map(abs, row)) for entry in row] for row in rows], dtype=np.float64
    ).reshape(len(rows), width)
    reach = np.maximum(np.abs(low), np.abs(high))
    size = np.abs(floats[:, :-1]) @ reach + np.abs(floats[:, -1])
    return floats, (width + 6) * ULP * size + TINY


def approximate_points(problem: Problem, piece: DomainPiece, u: Floats) -> Floats:
    """Chart points (n, r) as points (n, k) over the hull's coordinates, in float64, whatever lies at infinity."""
    points: Floats
    if piece.chart.plain:
        points = piece.chart.shift + piece.chart.scale * u
        return points
    k = problem.solid.hull.dim
    scale = max(1, *(abs(int(e)) for e in piece.embedding.entries()))
    matrix = np.array(
        [[int(piece.embedding[i, j]) / scale for j in range(piece.embedding.ncols())] for i in range(k + 1)]
    )
    image = u @ matrix[:, :-1].T + matrix[:, -1]
    with np.errstate(all="ignore"):
        points = image[:, :k] / image[:, k:]
    return points


def are_equal(patterns: Bools, bits: Bytes) -> Bools:
    """Which of some patterns (B, N) are those with given bits."""
    same: Bools = np.all(patterns == (bits != 0), axis=1)
    return same


def unchart(
    problem: Problem,
    piece: DomainPiece,
    bits: Bytes,
    u: Floats,
    agree: Callable[[Bools, Bytes], Bools] = are_equal,
) -> tuple[Floats, list[int]]:
    """Chart points as float64 inputs, and the places where these could not be proved to be in their region.

    Args:
        problem, piece: where they are.
        bits: (B, N) the regions.
        u: (B, d) the points.
        agree: which certain patterns (B, N) are those of the regions.
    """
    points = approximate_points(problem, piece, u)
    usable = np.all(np.isfinite(points), axis=1)
    points[~usable] = 0.0
    patterns, certain = certified_patterns(problem.inner, points)
    fine = usable & certain & agree(patterns, bits)
    value, doubt = values_at_points(problem.root.rows, problem.root.error, points)
    fine &= np.all(value > doubt, axis=1)
    return points, np.flatnonzero(~fine).tolist()
