"""Quick looks for a violation before anything is proved: corners, random points, and steps uphill from the best."""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.verification.points import Points
from polyregions.exact.numbers import Point
from polyregions.networks.network import Network
from polyregions.polyhedra.oracle.forms import Bounds

SEED = 0
N_POINTS = 512  # random points, and as many corners
N_BEST = 8  # from which steps are taken
N_STEPS = 20


def attack(points: Points) -> Point | None:
    """A violation found by looking at some points, None if none was found, which says nothing."""
    bounds = points.problem.solid.bounds
    if not bounds.are_finite or not points.groups:
        return None
    with np.errstate(all="ignore"):  # what overflows is no violation that counts
        return _attack(points, bounds)


def _attack(points: Points, bounds: Bounds) -> Point | None:
    rng = np.random.default_rng(SEED)
    share = rng.random((N_POINTS, len(bounds.lower)))
    tried = np.concatenate([_in(bounds, share), _in(bounds, np.round(rng.permuted(share)))])
    found = points.first_violated(tried)
    if found is not None:
        return found
    for g, group in enumerate(points.groups):
        margins = points.margins(tried)[:, g]
        best = tried[np.argsort(-margins, kind="stable")[:N_BEST]]
        found = points.first_violated(_uphill(points.problem.inner, bounds, list(group), best))
        if found is not None:
            return found
    return None


def _in(bounds: Bounds, share: Floats) -> Floats:
    """Points of a box by their place (n, k) in it, from 0 to 1."""
    return np.clip(bounds.lower + share * (bounds.upper - bounds.lower), bounds.lower, bounds.upper)


def _uphill(network: Network, bounds: Bounds, group: list[int], points: Floats) -> Floats:
    """Steps along the sign of the gradient of the least output, shorter and shorter, kept in the box."""
    width, step = bounds.upper - bounds.lower, 0.5
    best, best_value = points.copy(), np.full(len(points), -np.inf)
    for _ in range(N_STEPS):
        outputs, ons = _forward(network, points)
        least = np.array(group)[outputs[:, group].argmin(axis=1)]
        value = outputs[np.arange(len(points)), least]
        better = value > best_value
        best[better], best_value[better] = points[better], value[better]
        points = best + step * width * np.sign(_gradient(network, ons, least))
        points = np.clip(points, bounds.lower, bounds.upper)
        step *= 0.7
    return best


def _forward(network: Network, points: Floats) -> tuple[Floats, list[Bools]]:
    """Outputs (n, q), and for each layer which units (n, units) are on."""
    ons = []
    for layer in network.layers:
        z = points @ layer.weight.T + layer.bias
        ons.append(z > 0)
        points = z * np.where(ons[-1], layer.slopes[:, 1], layer.slopes[:, 0])
    return points, ons


def _gradient(
    network: Network, ons: list[Bools], output: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Floats:
    """The gradient (n, k) of one output (n,) at each point."""
    back = np.eye(network.n_outputs)[output]
    for layer, on in zip(reversed(network.layers), reversed(ons), strict=True):
        back = (back * np.where(on, layer.slopes[:, 1], layer.slopes[:, 0])) @ layer.weight
    return back
