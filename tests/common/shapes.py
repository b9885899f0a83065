"""Networks of ReLUs made of minima and maxima of affine functions, positive on sets of known topology.

A stage takes functions in pairs: max(a, b) = b + relu(a - b), min(a, b) = b - relu(b - a), and b = relu(b) - relu(-b).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from polyregions import Network

Affine: TypeAlias = tuple[Sequence[float], float]
"""Slopes and constant."""

Tree: TypeAlias = "Affine | Node"


class Node:
    """The minimum or maximum of two functions."""

    def __init__(self, sign: int, left: Tree, right: Tree) -> None:
        self.sign, self.left, self.right = sign, left, right


def many(sign: int, parts: Sequence[Tree]) -> Tree:
    """The maximum (sign 1) or minimum (-1) of several functions, halved again and again."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return Node(sign, many(sign, parts[:middle]), many(sign, parts[middle:]))


def lowest(*parts: Tree) -> Tree:
    return many(-1, parts)


def highest(*parts: Tree) -> Tree:
    return many(1, parts)


def negated(tree: Tree) -> Tree:
    """Minus a function."""
    if isinstance(tree, Node):
        return Node(-tree.sign, negated(tree.left), negated(tree.right))
    return ([-s for s in tree[0]], -tree[1])


def box(lower: Sequence[float], upper: Sequence[float]) -> Tree:
    """A function that is positive inside a box; infinite sides are left out."""
    walls: list[Tree] = []
    for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
        axis = [float(i == j) for j in range(len(lower))]
        if np.isfinite(low):
            walls.append((axis, -low))
        if np.isfinite(high):
            walls.append(([-a for a in axis], high))
    return lowest(*walls)


def depth(tree: Tree) -> int:
    return 1 + max(depth(tree.left), depth(tree.right)) if isinstance(tree, Node) else 0


def network(tree: Tree, kind: str = "plain") -> Network:
    """The function as a network: "plain", or with all neurons "doubled", "negated" beside them, or "scaled"."""
    stages: list[list[Tree]] = [[tree]]
    for level in range(depth(tree), 0, -1):
        stages.insert(0, [part for t in stages[0] for part in parts_of(t, level)])
    n_inputs = len(leaf_of(stages[0][0])[0])
    weight = np.array([leaf_of(t)[0] for t in stages[0]], dtype=float).reshape(-1, n_inputs)
    bias = np.array([leaf_of(t)[1] for t in stages[0]], dtype=float)
    layers = []
    for level, after in enumerate(stages[1:], 1):
        units, back = stage(after, level)
        layers.append((units @ weight, units @ bias))
        weight, bias = back, np.zeros(len(back))
    layers.append((weight, bias))
    return Network.from_layers(varied(layers, kind))


def leaf_of(tree: Tree) -> Affine:
    assert not isinstance(tree, Node)
    return tree


def parts_of(tree: Tree, level: int) -> list[Tree]:
    """What a function of a stage is made of in the stage before."""
    return [tree.left, tree.right] if isinstance(tree, Node) and depth(tree) == level else [tree]


def stage(after: Sequence[Tree], level: int) -> tuple[np.ndarray, np.ndarray]:
    """Units over the functions before a stage, and the functions after it over the units."""
    rows: list[dict[int, float]] = []
    back: list[dict[int, float]] = []
    at = 0
    for tree in after:
        out: dict[int, float] = {}
        if isinstance(tree, Node) and depth(tree) == level:
            a, b = at, at + 1
            out[len(rows)] = tree.sign
            rows.append({a: tree.sign, b: -tree.sign})
            at = b
        for sign in (1.0, -1.0):
            out[len(rows)] = sign
            rows.append({at: sign})
        at += 1
        back.append(out)
    return dense(rows, at), dense(back, len(rows))


def dense(rows: Sequence[dict[int, float]], n: int) -> np.ndarray:
    return np.array([[row.get(i, 0.0) for i in range(n)] for row in rows])


def varied(layers: list[tuple[np.ndarray, np.ndarray]], kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same function by other neurons."""
    if kind == "plain":
        return layers
    out = [layers[0]]
    for weight, bias in layers[1:]:
        w, b = out[-1]
        if kind == "doubled":
            out[-1], weight = (
                (np.concatenate([w, w]), np.concatenate([b, b])),
                np.hstack([weight / 2, weight / 2]),
            )
        elif kind == "negated":
            out[-1], weight = (
                (np.concatenate([w, -w]), np.concatenate([b, -b])),
                np.hstack([weight, 0 * weight]),
            )
        else:
            out[-1], weight = (4 * w, 4 * b), weight / 4
        out.append((weight, bias))
    return out
