"""Activation patterns of points that a floating-point forward pass with error bounds is sure of."""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.networks.activations import activate
from polyregions.networks.network import Layer, Network
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT, gamma


def certified_patterns(network: Network, X: Floats) -> tuple[Bools, Bools]:
    """Activation patterns (k, N) of float64 points (k, d), and which rows (k,) are certain.

    A forward pass with a running error bound; a row is certain if no pre-activation is within its bound of 0.
    In a network that is not tame (see `float_range`) no row is.
    """
    values, error = X, np.zeros_like(X)
    bits, certain = [], np.full(len(X), network.is_tame)
    with np.errstate(all="ignore"):  # what is not a number is not certain
        for layer in network.layers:
            values, error = _pre_activations(layer, values, error)
            kinked = layer.splitting
            certain &= np.all(np.abs(values[:, kinked]) > error[:, kinked], axis=1)
            bits.append(values[:, kinked] > 0)
            values = activate(values, layer.slopes)
            error = (error * np.abs(layer.slopes).max(axis=1) + UNIT * np.abs(values)) * SAFE + TINY
    return np.concatenate(bits, axis=1), certain


def _pre_activations(layer: Layer, values: Floats, error: Floats) -> tuple[Floats, Floats]:
    """One affine map of points that are known up to an error; TINY covers what underflows, for points may be tiny."""
    size = np.abs(layer.weight)
    magnitude = np.abs(values) @ size.T + np.abs(layer.bias)
    bound = (error @ size.T + gamma(layer.n_inputs + 2) * magnitude) * SAFE + TINY
    if layer.exact is not None:
        bound = (bound + UNIT * magnitude) * SAFE
    return values @ layer.weight.T + layer.bias, bound
