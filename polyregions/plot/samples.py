"""Data points that are drawn over regions, in the coordinates of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.errors import OptionError
from polyregions.networks.problem import Problem
from polyregions.plot.look import Look

ON_IT: Final = 1e-9
"""A point whose inputs differ from the picture's by less than this share of them counts as one of its plane."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Data points.

    Attributes:
        points: (n, k) where they are in the coordinates u.
        labels: (n,) their classes, or None.
        projected: how many were not in the plane of the picture, and are drawn where they are projected onto it.
    """

    points: Floats
    labels: Ints | None
    projected: int

    def note(self, lower: Floats, upper: Floats) -> str:
        """What the picture between two corners does not show of them; else nothing."""
        n, outside = len(self.points), int(np.count_nonzero(~self.within(lower, upper)))
        parts = [f"{self.projected} of {n} data points are projected onto what is shown"] * (
            self.projected > 0
        )
        parts += [f"{outside} of {n} data points lie outside"] * (outside > 0)
        return "; ".join(parts)

    def within(self, lower: Floats, upper: Floats) -> Bools:
        """Which of the points (n,) are between two corners."""
        inside: Bools = np.all((self.points >= lower) & (self.points <= upper), axis=1)
        return inside


def samples_of(problem: Problem, look: Look, data: Any, labels: Any) -> Samples | None:
    """Data as they are drawn.

    Args:
        problem: whose regions the picture shows.
        look: what the classes are called.
        data: (n, d) points of the input space, or (n, k) in the picture's own coordinates; None for none.
        labels: (n,) numbers or names of classes, or None.

    Raises:
        OptionError: arrays of other shapes, numbers that are not finite, labels that are no classes, or labels
            without data.
    """
    if data is None:
        if labels is not None:
            raise OptionError("labels: there are no data that they could belong to")
        return None
    d, hull = problem.network.n_inputs, problem.solid.hull
    X = _points(data, d, hull.dim)
    found = None if labels is None else _labels(labels, len(X), look)
    if X.shape[1] != d or hull.is_whole:
        return Samples(X, found, 0)
    local = X[:, list(hull.free)] if hull.free is not None else _nearest(X, *hull.floats)
    off = np.abs(hull.lift_floats(local) - X).max(axis=1, initial=0.0)
    size = np.abs(X).max(initial=1.0)
    return Samples(local, found, int(np.count_nonzero(off > ON_IT * size)))


def _nearest(X: Floats, basis: Floats, origin: Floats) -> Floats:
    """The coordinates (n, k) of the points of a plane that are nearest to points (n, d)."""
    found = np.linalg.lstsq(basis, (X - origin).T, rcond=None)[0]
    return found.T.astype(np.float64)


def _points(data: Any, d: int, k: int) -> Floats:
    try:
        X = np.array(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError("data: not numbers, expected an array of points") from None
    if X.ndim != 2 or X.shape[1] not in (d, k):
        columns = f"(n, {d})" if d == k else f"(n, {d}) or, in the picture's own coordinates, (n, {k})"
        raise OptionError(f"data: shape {X.shape}, expected {columns}")
    if not np.all(np.isfinite(X)):
        raise OptionError("data: there are NaN or infinite numbers, expected finite ones")
    return X


def _labels(labels: Any, n: int, look: Look) -> Ints:
    """Labels as numbers of classes."""
    given = (
        np.asarray(labels).ravel()
        if np.ndim(labels) == 2 and np.shape(labels)[1] == 1
        else np.asarray(labels)
    )
    if given.shape != (n,):
        raise OptionError(f"labels: shape {given.shape}, expected ({n},), one for each data point")
    if given.dtype.kind in "US" or given.dtype == object:
        return _named_labels([str(label) for label in given.tolist()], look)
    numbers = (
        given.astype(np.int64)
        if given.dtype.kind in "biuf" and np.all(np.isfinite(given))
        else np.full(n, -1)
    )
    if np.any(numbers != given) or np.any(numbers < 0):
        raise OptionError("labels: expected numbers of classes, 0, 1, ..., or names out of class_names")
    return numbers


def _named_labels(names: list[str], look: Look) -> Ints:
    known = {name: k for k, name in enumerate(look.classes or ())}
    for name in names:
        if name not in known:
            raise OptionError(
                f"labels: {name!r}, expected one of {', '.join(known) or 'the class_names, if given'}"
            )
    return np.array([known[name] for name in names], dtype=np.int64)
