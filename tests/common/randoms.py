"""Random networks, polyhedra and points for tests: seeded, small, and degenerate on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Matrix = list[list[Fraction]]
IntegerLayers = list[tuple[list[list[int]], list[int]]]
FloatLayers = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def generator(seed: int) -> Generator:
    return np.random.default_rng(seed)


def integers(rng: Generator, count: int, most: int = 3) -> list[int]:
    """Plain integers between -most and most, zero often enough to be degenerate."""
    return [int(v) for v in rng.integers(-most, most + 1, size=count)]


def integer_rows(rng: Generator, m: int, n: int, most: int = 3) -> list[list[int]]:
    return [integers(rng, n, most) for _ in range(m)]


def integer_layers(rng: Generator, sizes: Sequence[int], most: int = 2) -> IntegerLayers:
    """Layers between the given widths with small integers: zero, equal and opposite neurons are common."""
    pairs = zip(sizes, sizes[1:], strict=False)
    return [(integer_rows(rng, n, k, most), integers(rng, n, most)) for k, n in pairs]


def float_layers(rng: Generator, sizes: Sequence[int]) -> FloatLayers:
    """Layers with normally distributed float64 weights."""
    pairs = zip(sizes, sizes[1:], strict=False)
    return [(rng.normal(size=(n, k)), rng.normal(size=n)) for k, n in pairs]


def random_layers(seed: int, *widths: int) -> FloatLayers:
    """Layers with normally distributed weights, and biases half as large."""
    rng, pairs = generator(seed), zip(widths, widths[1:], strict=False)
    return [(rng.normal(size=(n, k)), rng.normal(size=n) / 2) for k, n in pairs]


def scattered(rng: Generator, shape: tuple[int, ...], spread: int) -> NDArray[np.float64]:
    """Floats whose exponents range over -spread..spread, a tenth of them zero."""
    values = np.ldexp(rng.normal(size=shape), rng.integers(-spread, spread + 1, size=shape))
    return np.where(rng.random(shape) < 0.1, 0.0, values)


def rational_point(rng: Generator, k: int, most: int = 8, denominator: int = 4) -> list[Fraction]:
    """A point of the lattice of multiples of 1 / denominator."""
    return [Fraction(v, denominator) for v in integers(rng, k, most)]


def fractions(values: Iterable[float | Fraction | int]) -> list[Fraction]:
    return [Fraction(v) for v in values]


def value(row: Sequence[float | Fraction | int], x: Sequence[Fraction]) -> Fraction:
    """The affine form ``row . [x, 1]``, exactly."""
    return sum((Fraction(r) * p for r, p in zip(row, [*x, Fraction(1)], strict=True)), Fraction(0))
