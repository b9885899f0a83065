"""A property folded into the network: outputs are the forms of its violations, so that only their signs matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.verification.property import Violation
from polyregions.exact.affine import IntegerAffine, integer_matrix
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.activations import IDENTITY
from polyregions.networks.folding import fold
from polyregions.networks.network import Layer, Network


@dataclass(frozen=True, eq=False)
class Watched:
    """A network whose outputs are the distinct rows of some violations, each divided by its largest coefficient.

    Attributes:
        network: d inputs, q outputs.
        groups: for each violation the outputs that are >= 0 (or > 0) together where it holds.
        strict: (q,) which outputs have to be > 0.
    """

    network: Network
    groups: tuple[tuple[int, ...], ...]
    strict: tuple[bool, ...]


def watched(network: Network, violations: Sequence[Violation]) -> Watched:
    """Fold violations into a network, exactly; inputs that they mention are carried through its layers."""
    pairs = [list(zip(v.rows, v.strict, strict=True)) for v in violations]
    place = {pair: i for i, pair in enumerate(dict.fromkeys(p for rows in pairs for p in rows))}
    rows = [row for row, _ in place]
    carried = [j for j in range(network.n_inputs) if any(row[j] for row in rows)]
    layers = _carrying(network.layers, carried) if carried else list(network.layers)
    used = [*range(network.n_inputs, network.n_inputs + network.n_outputs), *carried, -1]
    head = _affine([[row[j] for j in used] for row in rows], len(used))
    if np.all(layers[-1].slopes == 1.0):
        layers[-1] = fold([layers[-1], head], network.name)
    else:
        layers.append(fold([head], network.name))
    groups = tuple(tuple(place[pair] for pair in rows) for rows in pairs)
    return Watched(Network.from_units(layers, network.name), groups, tuple(s for _, s in place))


def _affine(rows: list[list[int]], width: int) -> IntegerAffine:
    """Rows over [y, 1], each divided by its largest coefficient."""
    sizes = [max((abs(entry) for entry in row[:-1]), default=0) or 1 for row in rows]
    exact = ExactAffine.from_fractions(
        [[Fraction(entry, size) for entry in row] for row, size in zip(rows, sizes, strict=True)]
    )
    return IntegerAffine(integer_matrix(exact.numerators.tolist(), width), exact.denominator)


def _carrying(layers: Sequence[Layer], carried: list[int]) -> list[Layer]:
    """Layers with further identity units that hand on some inputs."""
    first = [_extended(layers[0], carried, np.eye(layers[0].n_inputs)[carried])]
    n = len(carried)
    return first + [
        _extended(layer, carried, np.hstack([np.zeros((n, layer.n_inputs)), np.eye(n)]))
        for layer in layers[1:]
    ]


def _extended(layer: Layer, carried: list[int], rows: Floats) -> Layer:
    """A layer with one more identity unit for each of some rows, over its inputs or these and the units carried."""
    n, more = len(carried), rows.shape[1] - layer.n_inputs
    weight = np.vstack([np.hstack([layer.weight, np.zeros((layer.n_units, more))]), rows])
    slopes = np.vstack([layer.slopes, np.tile(np.array(IDENTITY), (n, 1))])
    exact = None
    if layer.exact is not None:
        old, scale = layer.exact.numerators, layer.exact.denominator
        wide = np.hstack([old[:, :-1], np.zeros((len(old), more), dtype=object), old[:, -1:]])
        added = np.array([[int(e) * scale for e in [*row, 0]] for row in rows.tolist()], dtype=object)
        exact = ExactAffine(np.vstack([wide, added]), scale)
    return replace(
        layer, weight=weight, bias=np.concatenate([layer.bias, np.zeros(n)]), slopes=slopes, exact=exact
    )
