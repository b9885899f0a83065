"""Random layers, networks and domains, generic and degenerate."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from polyregions import Box, HPolytope, Network, WholeSpace
from randoms import random_layers

KINDS = ("generic", "integer", "duplicated", "zero bias", "rescaled", "float32")


def random_layer(rng: np.random.Generator, kind: str, n: int, k: int) -> tuple[Any, Any]:
    W, b = rng.normal(size=(n, k)), rng.normal(size=n) / 2
    if kind in ("integer", "duplicated"):
        W, b = rng.integers(-2, 3, (n, k)).astype(float), rng.integers(-2, 3, n).astype(float)
    if kind == "duplicated" and n > 1:
        factor = float(rng.choice([1, -1, 2]))
        W[1], b[1] = factor * W[0], factor * b[0]
    if kind == "zero bias":
        b = 0 * b
    if kind == "rescaled":
        scale = 2.0 ** (40 * rng.integers(-1, 2, n))
        W, b = W * scale[:, None], b * scale
    return (W.astype(np.float32), b.astype(np.float32)) if kind == "float32" else (W, b)


def normal_network(seed: int, *widths: int, **named: str) -> Network:
    """Weights normally distributed, biases half as large."""
    return Network.from_layers(random_layers(seed, *widths), **named)


def random_network(rng: np.random.Generator) -> Network:
    """Inputs 1 to 8, depth 0 to 5, of every kind."""
    d, depth = int(rng.integers(1, 9)), int(rng.integers(0, 6))
    widths = [d, *rng.integers(1, 7 if d < 5 else 4, depth).tolist(), int(rng.integers(1, 3))]
    kind = str(rng.choice(KINDS))
    return Network.from_layers(
        [random_layer(rng, kind, n, k) for k, n in zip(widths, widths[1:], strict=False)]
    )


def random_domain(rng: np.random.Generator, d: int) -> Any:
    choice = rng.integers(0, 6)
    if choice == 0:
        return WholeSpace(d)
    if choice == 1:
        return Box([0] * d, [np.inf] * d)
    if choice == 2:
        A = np.vstack([np.eye(d), -np.eye(d), rng.normal(size=(2, d))])
        return HPolytope(A, np.concatenate([np.ones(2 * d), [0.5, 0.5]]))
    if choice == 3:
        return HPolytope(rng.integers(-1, 2, (2, d)), [1, 1])
    if choice == 4:
        fixed = rng.random(d) < 0.3
        return Box(np.where(fixed, 0.25, -1), np.where(fixed, 0.25, 1.5))
    return Box.cube(-1, 1.5, d)


# Entries from degenerate (small integers, many zeros) to generic (floats of every exponent).
INTEGERS = st.integers(-2, 2).map(float)


HALVES = st.integers(-6, 6).map(lambda n: n / 2)


FLOATS = st.floats(-4, 4, allow_subnormal=False)


ZERO = st.just(0.0)


ENTRIES = st.sampled_from(
    [(INTEGERS, INTEGERS), (INTEGERS, ZERO), (HALVES, HALVES), (FLOATS, FLOATS), (FLOATS, ZERO)]
)


HIDDEN = {
    1: [(), (1,), (2,), (5,), (2, 2), (3, 3), (2, 2, 2), (1, 0, 2)],
    2: [(), (1,), (3,), (5,), (2, 2), (3, 2), (2, 3), (2, 2, 1), (1, 1, 2)],
    3: [(2,), (4,), (2, 2), (3, 1)],
}


@st.composite
def networks(draw: st.DrawFn) -> list[tuple[list[list[float]], list[float]]]:
    """Layers of a random network with at most 6 neurons, sometimes with a neuron repeated or negated."""
    d = draw(st.sampled_from([1, 2, 2, 2, 3]))
    widths = [d, *draw(st.sampled_from(HIDDEN[d])), draw(st.integers(1, 3))]
    weight, bias = draw(ENTRIES)
    layers = [
        (
            draw(st.lists(st.lists(weight, min_size=k, max_size=k), min_size=n, max_size=n)),
            draw(st.lists(bias, min_size=n, max_size=n)),
        )
        for k, n in zip(widths, widths[1:], strict=False)
    ]
    if len(layers) > 1 and widths[1] > 1 and draw(st.booleans()):
        factor = draw(st.sampled_from([1.0, -1.0, 2.0, -0.5]))
        W, b = layers[0]
        W[1], b[1] = [factor * w for w in W[0]], factor * b[0]
    return layers


def network_of(layers: Any) -> Network:
    """The same layers as a `Network`; a layer without neurons needs its shape said."""
    inputs = [len(layers[0][0][0]), *(len(b) for _, b in layers)]
    return Network.from_layers(
        [(np.reshape(W, (len(b), k)), np.array(b)) for (W, b), k in zip(layers, inputs, strict=False)]
    )
