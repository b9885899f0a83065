"""The regions of a hyperplane arrangement by its characteristic polynomial, without enumerating them.

Deletion and restriction: ``chi(A) = chi(A - H) - chi(A restricted to H)``. Unrolled over the hyperplanes it is
``t^d`` minus the polynomials of ``H_i`` cut by ``H_1 ... H_(i-1)``. All rows are coprime integers with a positive
first entry, so that equal hyperplanes are equal tuples, and every answer is exact.

Zaslavsky, Facing up to arrangements, Memoirs of the AMS 154 (1975); Stanley, An introduction to hyperplane
arrangements (2007), lectures 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd, inf
from typing import TypeAlias

from polyregions.engine.tally import Tally
from polyregions.errors import NetworkError, StoppedError, expect
from polyregions.exact.affine import IntegerAffine, integer_rank
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import ComposedLayers
from polyregions.progress import Watch

MOST_FLATS = 200_000
"""Restrictions that a count by itself may hold: 40 generic hyperplanes in 8 dimensions meet it with 436 MB, in 35 s."""
POLYNOMIAL = "characteristic polynomial"

Hyperplane: TypeAlias = tuple[int, ...]
"""The hyperplane ``h . [x, 1] = 0``: coprime integers, the first one that is not 0 positive."""
Polynomial: TypeAlias = tuple[int, ...]
"""Coefficients, of the highest power first."""


@dataclass(frozen=True)
class ArrangementCount:
    """What the characteristic polynomial of an arrangement tells.

    Attributes:
        polynomial: (d+1,) coefficients of chi(t), of t^d first.
        rank: dimension of the span of the normals.
        regions: how many regions it cuts R^d into.
        bounded: how many of them are bounded.
        relatively_bounded: how many are bounded up to the lineality space, which all regions contain; equal to
            `bounded` if there is none.
    """

    polynomial: Polynomial
    rank: int
    regions: int
    bounded: int
    relatively_bounded: int


def count_by_characteristic_polynomial(network: Network) -> ArrangementCount:
    """The number of regions (R2) on all of R^d of a network whose kinks stand in one layer, without listing them.

    Zaslavsky's theorem: an arrangement has ``|chi(-1)|`` regions, of which ``|chi(1)|`` are bounded up to its lineality
    space. Repeated and opposite neurons count once, constant ones not at all; no general position is needed.

    Args:
        network: any units with two slopes; identity units, and affine layers before, are allowed.

    Raises:
        NetworkError: more than one layer has units with a kink.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, 1]], [0])])
    >>> count = count_by_characteristic_polynomial(net)
    >>> count.polynomial, count.regions, count.bounded
    ((1, -3, 3), 7, 1)

    Complexity: about the number of flats of the arrangement times its hyperplanes; C(n, d) for n in general position.
    """
    expect(network, Network, "network", NetworkError)
    kinked = [i for i, layer in enumerate(network.layers) if layer.n_neurons]
    if len(kinked) > 1:
        raise NetworkError(
            f"{network.name}: {len(kinked)} layers have units with a kink, expected one: the regions of a deep "
            "network are not those of an arrangement"
        )
    return count_arrangement(_neuron_rows(network), network.n_inputs)


def tally_of_arrangement(problem: Problem, watch: Watch) -> Tally | None:
    """The regions of a problem that is an arrangement: kinks in one layer, and all of R^d or of a subspace.

    None where it is no arrangement, or one of so many flats that the enumeration is asked instead.

    Args:
        problem: network and input set.
        watch: told now and then; where it says stop, nothing is counted, and the tally says so.
    """
    network = problem.inner
    if problem.solid.forms or sum(layer.n_neurons > 0 for layer in network.layers) != 1:
        return None
    planes, dim = hyperplanes(_neuron_rows(network)), problem.solid.hull.dim
    try:
        found = abs(_value(_Arrangements(MOST_FLATS, watch).polynomial(tuple(planes), dim), -1))
    except _TooManyFlats:
        return None
    except StoppedError:
        return Tally(0, tuple(0 for _ in problem.network.widths), False, POLYNOMIAL, {})
    watch.ends(found, 1.0)
    after = [found if neurons else 1 for neurons in accumulate(problem.network.widths)]
    return Tally(found, tuple(after), True, POLYNOMIAL, {})


def count_arrangement(rows: Iterable[Sequence[int]], dim: int) -> ArrangementCount:
    """Count the regions of the hyperplanes ``row . [x, 1] = 0`` in R^dim; constant rows are left out."""
    planes = hyperplanes(rows)
    polynomial = characteristic_polynomial(planes, dim)
    rank = integer_rank([h[:-1] for h in planes], dim)
    inner = abs(sum(polynomial))
    return ArrangementCount(polynomial, rank, abs(_value(polynomial, -1)), inner if rank == dim else 0, inner)


def characteristic_polynomial(planes: Sequence[Hyperplane], dim: int) -> Polynomial:
    """chi(t) of distinct hyperplanes in R^dim, as coefficients of t^dim, ..., 1."""
    return _Arrangements().polynomial(tuple(planes), dim)


def hyperplanes(rows: Iterable[Sequence[int]]) -> list[Hyperplane]:
    """The distinct hyperplanes of integer rows, in order of appearance; rows with a zero normal have none."""
    found = (_normalised(row) for row in rows if any(row[:-1]))
    return list(dict.fromkeys(found))


def _neuron_rows(network: Network) -> list[list[int]]:
    """The pre-activations of all neurons as integer rows over the inputs."""
    layer = ComposedLayers(network).first()
    while not len(layer.kinked):
        if layer.is_last:
            return []
        layer = layer.next([])
    exact: IntegerAffine = layer.exact
    return [exact.row(int(unit)) for unit in layer.kinked]


class _TooManyFlats(Exception):
    """More restrictions than may be held."""


class _Arrangements:
    """Characteristic polynomials, each restriction that comes up again being computed once.

    Args:
        most: how many restrictions may be held; as many as there are if not given.
        watch: whom to ask whether to go on.
    """

    def __init__(self, most: int | None = None, watch: Watch | None = None) -> None:
        self._known: dict[tuple[int, frozenset[Hyperplane]], Polynomial] = {}
        self._most, self._watch = inf if most is None else most, watch

    def polynomial(self, planes: tuple[Hyperplane, ...], dim: int) -> Polynomial:
        if len(planes) <= 1 or dim <= 1:
            return _padded((1, -len(planes)) if planes else (1,), dim)
        key = dim, frozenset(planes)
        found = self._known.get(key)
        if found is None:
            self._check_limits()
            found = self._known[key] = self._plane(planes) if dim == 2 else self._unrolled(planes, dim)
        return found

    def _check_limits(self) -> None:
        if len(self._known) >= self._most:
            raise _TooManyFlats
        if self._watch is not None and not self._watch.goes_on(0, 0.0):
            raise StoppedError("stopped")

    def _unrolled(self, planes: tuple[Hyperplane, ...], dim: int) -> Polynomial:
        total = [1] + [0] * dim
        for i, plane in enumerate(planes):
            restricted = self.polynomial(_restricted(planes[:i], plane), dim - 1)
            for power, coefficient in enumerate(restricted, 1):
                total[power] -= coefficient
        return tuple(total)

    def _plane(self, lines: tuple[Hyperplane, ...]) -> Polynomial:
        """t^2 - n t + the number of points on each line that no earlier line goes through."""
        constant = 0
        for i, line in enumerate(lines):
            self._check_limits()  # thousands of lines take as many seconds
            constant += len(_restricted(lines[:i], line))
        return 1, -len(lines), constant


def _restricted(planes: Sequence[Hyperplane], onto: Hyperplane) -> tuple[Hyperplane, ...]:
    """The distinct hyperplanes that others cut out of one, over its coordinates without the first that it has."""
    j = next(i for i, entry in enumerate(onto) if entry)
    pivot, rest = onto[j], onto[:j] + onto[j + 1 :]
    found: dict[Hyperplane, None] = {}
    for plane in planes:
        factor = plane[j]
        others = plane[:j] + plane[j + 1 :]
        row = [pivot * a - factor * b for a, b in zip(others, rest, strict=True)] if factor else others
        if any(row[:-1]):
            found[_normalised(row)] = None
    return tuple(found)


def _normalised(row: Sequence[int]) -> Hyperplane:
    common = gcd(*row)
    if next(entry for entry in row if entry) < 0:
        common = -common
    return tuple(row) if common == 1 else tuple(entry // common for entry in row)


def _padded(leading: Polynomial, dim: int) -> Polynomial:
    """A polynomial with the given leading coefficients and degree dim."""
    return leading + (0,) * (dim + 1 - len(leading))


def _value(polynomial: Polynomial, t: int) -> int:
    """Horner's rule."""
    *_, value = accumulate(polynomial, lambda total, coefficient: total * t + coefficient)
    return value
