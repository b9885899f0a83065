"""Random points strictly inside a polyhedron: hit-and-run, every point proved inside in the end.

One step goes to a uniform point of the chord through the current point in a random direction; the uniform
distribution is the only one it leaves alone (Smith, Efficient Monte Carlo procedures for generating points uniformly
distributed over bounded regions, 1984). Walks start near the analytic centre, and directions are round in
coordinates z where the Dikin ellipsoid there is the unit ball: so slivers mix as well as round bodies (Kannan and
Narayanan, Random walks on polytopes and an affine interior point method, 2012).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.errors import DomainError
from polyregions.exact.numbers import Point, dot
from polyregions.polyhedra.hull import SolidPolyhedron
from polyregions.polyhedra.oracle.proof import values_at_points
from polyregions.polyhedra.solid import open_polyhedron, scaled_slacks

MARGIN = 1e-9  # share of a chord that is left out at either end, where rounding could leave the body
CENTRING_STEPS = 100
ATTEMPTS = 200  # further steps given to points that float64 rounds out of the body


@dataclass(frozen=True)
class _Body:
    """The part ``{z : 1 + normals @ z >= 0, |ball @ z| <= 1}`` of a polyhedron around its interior point z = 0.

    Attributes:
        normals: (m, k).
        ball: (d, k), zero if the polyhedron is not cut by a ball.
        axes: (k, k) the map from z to the coordinates of the hull, relative to the interior point.
    """

    normals: Floats
    ball: Floats
    axes: Floats

    @classmethod
    def of(cls, solid: SolidPolyhedron, radius: float) -> _Body:
        """The body in the coordinates z, cut by a ball of this radius in x (infinite: not cut)."""
        normals, distances = scaled_slacks(solid)
        relative, ball = normals / distances[:, None], solid.hull.floats[0] / radius
        _, size, rotation = np.linalg.svd(np.concatenate([relative, ball]), full_matrices=False)
        axes = rotation.T / np.maximum(size, size[0] * 2.0**-52)
        return cls(relative @ axes, ball @ axes, axes)

    @np.errstate(all="ignore")
    def step(self, z: Floats, rng: np.random.Generator) -> Floats:
        """One step of hit-and-run from each of the points z (n, k)."""
        direction = rng.normal(size=z.shape)
        rate = direction @ self.normals.T
        time = -(1 + z @ self.normals.T) / rate
        low = np.where(rate > 0, time, -np.inf).max(axis=1, initial=-np.inf)
        high = np.where(rate < 0, time, np.inf).min(axis=1, initial=np.inf)
        enter, leave = self._ball_chord(z, direction)
        low, high = np.fmax(low, enter), np.fmin(high, leave)
        share = MARGIN + (1 - 2 * MARGIN) * rng.random(len(z))
        moved: Floats = z + direction * (low + (high - low) * share)[:, None]
        return moved

    def _ball_chord(self, z: Floats, direction: Floats) -> tuple[Floats, Floats]:
        """Where the lines enter and leave the ball; not a number or infinite without one."""
        p, v = z @ self.ball.T, direction @ self.ball.T
        a, b, c = (v * v).sum(axis=1), (v * p).sum(axis=1), (p * p).sum(axis=1) - 1
        root = np.sqrt(np.maximum(b * b - a * c, 0))
        return (-b - root) / a, (-b + root) / a


def random_points(
    solid: SolidPolyhedron, is_bounded: bool, n: int, rng: np.random.Generator, radius: float | None
) -> Floats:
    """n independent points (n, d) strictly inside a solid polyhedron, in the coordinates x.

    Args:
        solid: the polyhedron.
        is_bounded: whether it is.
        n: how many.
        rng: where the randomness comes from.
        radius: only points this near to the middle, measured in x; None for all, or, if unbounded,
            ten times the distance of the interior point from the origin and ten more.

    Raises:
        DomainError: no such number or radius; float64 has no points inside, or so few that none was found.

    Complexity: O(k) steps of O(m k) operations a point.
    """
    if n < 0 or (radius is not None and not radius > 0):
        raise DomainError(f"random points: n = {n}, radius = {radius}, expected n >= 0 and radius > 0")
    if radius is None:
        radius = np.inf if is_bounded else _default_radius(solid)
    local = _local_points(solid, n, rng, radius)
    return solid.hull.lift_floats(local)


def _local_points(solid: SolidPolyhedron, n: int, rng: np.random.Generator, radius: float) -> Floats:
    """The same (n, k) in the coordinates of the hull, for a radius that may be infinite."""
    k = solid.hull.dim
    if k == 0:
        return np.zeros((n, 0))
    inside = _Inside(solid)
    solid = _centred(solid, radius, inside)
    body = _Body.of(solid, radius)
    z = np.zeros((n, k))
    for _ in range(50 + 10 * k):
        z = body.step(z, rng)
    points = solid.interior.approx + z @ body.axes.T
    rest = np.flatnonzero(~inside(points))
    for _ in range(ATTEMPTS):
        if not len(rest):
            return points
        z[rest] = body.step(z[rest], rng)
        points[rest] = solid.interior.approx + z[rest] @ body.axes.T
        rest = rest[~inside(points[rest])]
    raise DomainError("random points: the polytope is so thin that float64 points inside were not found")


def _centred(solid: SolidPolyhedron, radius: float, inside: _Inside) -> SolidPolyhedron:
    """The same polyhedron with an interior point near its analytic centre, as far as float64 points lead there.

    Newton's method on the logarithms of the slacks, less the square of the distance from the first point over the
    radius; the slacks are exact at every step.
    """
    start, ball = solid.interior.approx, solid.hull.floats[0] / radius
    for _ in range(CENTRING_STEPS):
        normals, distances = scaled_slacks(solid)
        relative, away = normals / distances[:, None], ball @ (solid.interior.approx - start)
        gradient = relative.sum(axis=0) - ball.T @ away
        _, size, rotation = np.linalg.svd(np.concatenate([relative, ball]), full_matrices=False)
        along = rotation @ gradient / np.maximum(size, size[0] * 2.0**-52)
        if along @ along < 1 / 4:
            break
        step = rotation.T @ (along / np.maximum(size, size[0] * 2.0**-52))
        point = solid.interior.approx + step * _best_length(relative @ step, ball @ step, away)
        if not inside(point[None])[0]:
            break
        solid = replace(solid, interior=Point(point))
    return solid


@np.errstate(all="ignore")
def _best_length(rates: Floats, move: Floats, away: Floats) -> float:
    """The t >= 0 that maximises ``sum log(1 + t rates) - |away + t move|^2 / 2``, by bisection of the slope."""
    low, high = 0.0, float((-1 / rates[rates < 0]).min(initial=2.0**60))
    for _ in range(60):
        t = (low + high) / 2
        if np.sum(rates / (1 + t * rates)) > move @ (away + t * move):
            low = t
        else:
            high = t
    return low


def _default_radius(solid: SolidPolyhedron) -> float:
    """Ten times the distance of the interior point from the origin, and ten more."""
    centre = solid.hull.lift(solid.interior).approx
    return 10 * (1 + sqrt(float(centre @ centre)))


class _Inside:
    """Proves points to be strictly inside a solid polyhedron: by floats, and exactly where these cannot."""

    def __init__(self, solid: SolidPolyhedron) -> None:
        self._rows = solid.rows
        self._open = open_polyhedron(solid)

    def __call__(self, points: Floats) -> Bools:
        value, bound = values_at_points(self._open.rows, self._open.error, points)
        inside: Bools = np.all(value > bound, axis=1)
        for i in np.flatnonzero(~inside & ~np.any(value < -bound, axis=1)):
            inside[i] = self._proves(points[i])
        return inside

    def _proves(self, u: Floats) -> bool:
        if not np.all(np.isfinite(u)):
            return False
        integers = Point(u).integers
        return all(dot(row, integers) > 0 for row in self._rows)
