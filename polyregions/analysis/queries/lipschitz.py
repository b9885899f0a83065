"""The Lipschitz constant: the largest operator norm of the affine maps, over all regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
from flint import fmpq, fmpq_mat

from polyregions._types import Floats
from polyregions.analysis.queries.affine_pieces import Where, pieces, regions_of
from polyregions.analysis.queries.norms import Norm, NormLike, norm_of
from polyregions.errors import InputError
from polyregions.exact.lp import as_fmpq
from polyregions.exact.numbers import nearest_float

WIDTH = Fraction(1, 2**40)  # relative width of the interval that is proved in l2


@dataclass(frozen=True)
class Lipschitz:
    """A Lipschitz constant.

    Attributes:
        value: the constant, the nearest float64 in l1 and linf, in l2 within `lower` and `upper`.
        lower, upper: proved bounds; equal in l1 and linf, where the constant is rational.
        piece: a region (or decision cell) whose map has it.
    """

    value: float
    lower: Fraction
    upper: Fraction
    piece: int


def lipschitz_constant(where: Where, norm: NormLike = "l2", label: int | None = None) -> Lipschitz:
    """The least L with ``|f(x) - f(y)| <= L |x - y|`` on the domain, inputs and outputs in the same norm.

    That is the largest operator norm of an affine map on a region, for the domain is convex. In l1 (largest column
    sum) and linf (largest row sum) it is exact; in l2 (largest singular value) it is proved to lie in an interval.

    Args:
        where: a complete set of regions, or decision cells.
        norm: "l1", "l2" or "linf", or numpy's 1, 2 or ``np.inf`` for it.
        label: only the cells of this class (the largest norm there; a class need not be convex).

    Raises:
        OptionError: another norm; InputError: a partial set, or a lower-dimensional domain.

    Complexity: O(c d) exact operations a region; in l2 two factorisations of an n x n matrix, n = min(c, d).

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[3, 4], [0, 1]], [0, 0]), ([[1, 0]], [0])])  # relu(3 x + 4 y)
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))
    >>> [round(pr.lipschitz_constant(regions, norm).value, 9) for norm in ("l1", "l2", "linf")]
    [4.0, 5.0, 7.0]
    """
    wanted = norm_of(norm)
    regions_of(where).network.check_values_are_outputs("a Lipschitz constant")
    hull = regions_of(where).problem.solid.hull
    if not hull.is_whole:
        raise InputError("Lipschitz constant: the domain is lower-dimensional, expected one with an interior")
    maps = [(piece.number, *piece.outputs.fractions()) for piece in pieces(where, label)]
    if not maps:
        raise InputError("query: there is no region or cell to look at")
    if wanted == "l2":
        return _spectral([(i, weight) for i, weight, _ in maps])
    value, piece = max((_sum_norm(weight, wanted), -i) for i, weight, _ in maps)
    return Lipschitz(nearest_float(value), value, value, -piece)


def _sum_norm(weight: list[list[Fraction]], norm: Norm) -> Fraction:
    lines = weight if norm == "linf" else [list(column) for column in zip(*weight, strict=True)]
    return max((sum(map(abs, line), Fraction(0)) for line in lines), default=Fraction(0))


def _spectral(maps: list[tuple[int, list[list[Fraction]]]]) -> Lipschitz:
    """Raise a lower bound that a vector proves, and an upper bound that is proved for every map.

    All maps are scaled by one power of two first, so that squares stay within float64.
    """
    scale = _power_of_two(maps)
    found = _spectral_near_one([(i, [[w / scale for w in row] for row in weight]) for i, weight in maps])
    lower, upper = found.lower * scale, found.upper * scale
    return Lipschitz(nearest_float((lower + upper) / 2), lower, upper, found.piece)


def _power_of_two(maps: list[tuple[int, list[list[Fraction]]]]) -> Fraction:
    """About the largest entry of all maps; 1 if there is none but 0."""
    largest = max((abs(w) for _, weight in maps for row in weight for w in row), default=Fraction(0))
    bits = largest.numerator.bit_length() - largest.denominator.bit_length()
    return Fraction(2) ** bits if largest else Fraction(1)


def _spectral_near_one(maps: list[tuple[int, list[list[Fraction]]]]) -> Lipschitz:
    """The same for entries of at most about 1."""
    lower, upper, best = Fraction(0), Fraction(0), maps[0][0]
    guesses = [_singular(weight) for _, weight in maps]
    for i in sorted(range(len(maps)), key=lambda i: -guesses[i][0]):
        number, weight = maps[i]
        if upper and _is_below(weight, upper):
            continue
        sigma, direction = guesses[i]
        proved = _stretch(weight, direction)
        if proved > lower:
            lower, best = proved, number
        upper = max(upper, Fraction(sigma))
        while not _is_below(weight, upper):
            upper = upper * (1 + WIDTH) if upper else WIDTH
    value = nearest_float((lower + upper) / 2)
    return Lipschitz(value, lower, upper, best)


def _singular(weight: list[list[Fraction]]) -> tuple[float, Floats]:
    """About the largest singular value, and its right vector."""
    rows = np.array([[nearest_float(w) for w in row] for row in weight]).reshape(len(weight), -1)
    if not rows.size:
        return 0.0, np.zeros(rows.shape[1])
    _, values, right = np.linalg.svd(rows)
    return float(values[0]), right[0]


def _stretch(weight: list[list[Fraction]], direction: Floats) -> Fraction:
    """A number, rounded down, that is at most ``|W v| / |v|``."""
    v = [Fraction(c) for c in direction.tolist()]
    size = sum((c * c for c in v), Fraction(0))
    image = [sum((w * c for w, c in zip(row, v, strict=True)), Fraction(0)) for row in weight]
    square = sum((c * c for c in image), Fraction(0))
    if not square or not size:
        return Fraction(0)
    guess = Fraction(sqrt(nearest_float(square / size)))
    while guess * guess * size > square:
        guess *= 1 - Fraction(1, 2**52)
    return guess


def _is_below(weight: list[list[Fraction]], bound: Fraction) -> bool:
    """Whether no singular value exceeds the bound: ``bound^2 I - W W^T`` is positive semidefinite; exact."""
    n = len(weight)
    matrix = fmpq_mat(n, len(weight[0]) if n else 0, [as_fmpq(w) for row in weight for w in row])
    gram = matrix * matrix.transpose() if n else matrix
    if n and len(weight[0]) < n:
        gram = matrix.transpose() * matrix
    size = gram.nrows()
    square = as_fmpq(bound * bound)
    rest = [[(square if i == j else fmpq(0)) - gram[i, j] for j in range(size)] for i in range(size)]
    return all(pivot >= 0 for pivot in _pivots(rest))


def _pivots(matrix: list[list[fmpq]]) -> Iterator[fmpq]:
    """The pivots of a symmetric elimination; all >= 0 iff the matrix is positive semidefinite."""
    n = len(matrix)
    for i in range(n):
        pivot = matrix[i][i]
        if pivot == 0 and any(matrix[i][j] != 0 for j in range(i + 1, n)):
            yield fmpq(-1)
            return
        yield pivot
        if pivot == 0:
            continue
        for j in range(i + 1, n):
            factor = matrix[j][i] / pivot
            for k in range(i, n):
                matrix[j][k] -= factor * matrix[i][k]
