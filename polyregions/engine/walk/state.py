"""What the kernels share: named tuples of arrays, allocated once for a piece of the domain.

Letters: L layers that still have kinked units, n the widest of them, k dimension, N neurons, m most rows a
cell can have, D deepest stack, K most vertices remembered for a cell.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from polyregions._types import Bytes, Floats, Ints

# Answers to "does this hyperplane cut the cell?"
OFF: Final = 0
ON: Final = 1
CUT: Final = 2
UNDECIDED: Final = 3
KEEP_OFF: Final = 4  # given only: a cut whose on side is taken care of elsewhere
KEEP_ON: Final = 5  # given only: a cut whose off side is taken care of elsewhere

# Why the machine came back to Python.
DONE: Final = 0
FULL: Final = 1  # the leaf buffer has to be emptied
QUESTION: Final = 2  # the current neuron has to be decided exactly
LEAF: Final = 3  # the current leaf has to be decided exactly

# What the machine does next.
CLASSIFY: Final = 0
SPLIT: Final = 1
EMIT: Final = 2
POP: Final = 3

# Places in `Work.registers`.
DEPTH: Final = 0
MODE: Final = 1
UNIT: Final = 2
ANSWER: Final = 3
N_LEAVES: Final = 4
N_FOUND: Final = 5
N_QUESTIONS: Final = 6
N_PIVOTS: Final = 7
N_WALKS: Final = 8
N_REGISTERS: Final = 9

NO_ANSWER: Final = -1
DOMAIN: Final = -1  # source of a row that belongs to the domain

ULP: Final = 2.0**-53
SAFE: Final = 1.0 + 2.0**-20
TINY: Final = 1e-290
TOUCH: Final = 1e-11  # relative size below which a value is left to exact arithmetic rather than taken for a cut


class Net(NamedTuple):
    """The network, read only.

    weight (L, n, n) of layers 1.., bias (L, n), slopes (L, n, 2), widths (L,), bit (L, n): each unit's place in the
    pattern or -1, ends (L,): where each layer's bits end.
    """

    weight: Floats
    bias: Floats
    slopes: Floats
    widths: Ints
    bit: Ints
    ends: Ints


class Chart(NamedTuple):
    """The piece of the domain in chart coordinates u, read only.

    base (n0, k+1) and base_error (n0,): the first layer as forms of u; tau (k+1,) and tau_error: the form that
    biases of later layers are multiplied by; lower, upper (k,): bounds of u; shift, scale (k,): the inputs are
    ``shift + scale * u`` if `plain`; fixed (n0,): the known bit of a first-layer unit, or -1.
    """

    base: Floats
    base_error: Floats
    tau: Floats
    tau_error: float
    lower: Floats
    upper: Floats
    shift: Floats
    scale: Floats
    plain: bool
    fixed: Ints


class Work(NamedTuple):
    """Everything that changes. Slot s of the stack is a cell; the last one is the current cell, the others wait.

    maps (L, n, k+1), error (L, n), size (L, n): forms of each layer on the current path, a bound on the error of their value
    anywhere in the bounds, and on the size of that value; active (L, n): slope of each unit; todo (L, n), n_todo (L,): the
    units of each layer that cut the cell the layer was entered with; rows (m, k+1), row_error (m,), source (m,): the
    path's rows, positive inside; vertices (D, K, k), inverse (D, K, k, k), basis (D, K, k), n_vertices (D,): known
    vertices, each with the directions that leave one of its tight rows; layer, position, n_rows (D,): where each
    cell stands; point (D, k), share (D,): its interior point and its part of the tree.
    """

    maps: Floats
    error: Floats
    size: Floats
    active: Floats
    todo: Ints
    n_todo: Ints
    bits: Bytes
    rows: Floats
    row_error: Floats
    source: Ints
    vertices: Floats
    inverse: Floats
    basis: Ints
    n_vertices: Ints
    layer: Ints
    position: Ints
    n_rows: Ints
    point: Floats
    share: Floats
    registers: Ints
    walk_vertex: Floats
    walk_inverse: Floats
    walk_basis: Ints
    scratch: Floats


class Leaves(NamedTuple):
    """The buffer of finished leaves: bits and cuts (B, N), points (B, k), and what counting needs.

    last (N,): the pattern before; after (L,): leaves that opened a new cell of each layer; done (1,): share of the tree.
    `keep` is False when only counting.
    """

    bits: Bytes
    cuts: Bytes
    points: Floats
    last: Bytes
    after: Ints
    done: Floats
    keep: bool


def allocate_work(net: Net, k: int, n_domain_rows: int, n_vertices: int) -> Work:
    """Arrays for one piece of the domain; O(N K k^2 + N k) numbers."""
    n_layers, widest = net.bias.shape
    n_neurons = int(net.ends[-1])
    depth = n_neurons + 2
    m = n_domain_rows + n_neurons + 1
    shape = (n_layers, widest)
    return Work(
        maps=np.zeros((*shape, k + 1)),
        error=np.zeros(shape),
        size=np.zeros(shape),
        active=np.zeros(shape),
        todo=np.zeros(shape, dtype=np.int64),
        n_todo=np.zeros(n_layers, dtype=np.int64),
        bits=np.zeros(n_neurons, dtype=np.uint8),
        rows=np.zeros((m, k + 1)),
        row_error=np.zeros(m),
        source=np.full(m, DOMAIN, dtype=np.int64),
        vertices=np.zeros((depth, n_vertices, k)),
        inverse=np.zeros((depth, n_vertices, k, k)),
        basis=np.zeros((depth, n_vertices, k), dtype=np.int64),
        n_vertices=np.zeros(depth, dtype=np.int64),
        layer=np.zeros(depth, dtype=np.int64),
        position=np.zeros(depth, dtype=np.int64),
        n_rows=np.zeros(depth, dtype=np.int64),
        point=np.zeros((depth, k)),
        share=np.zeros(depth),
        registers=np.zeros(N_REGISTERS, dtype=np.int64),
        walk_vertex=np.zeros(k),
        walk_inverse=np.zeros((k, k)),
        walk_basis=np.zeros(k, dtype=np.int64),
        scratch=np.zeros((4, max(k + 1, m))),
    )


def allocate_leaves(net: Net, k: int, capacity: int, keep: bool) -> Leaves:
    """A buffer for `capacity` leaves; for counting only, one that holds none."""
    n_neurons = int(net.ends[-1])
    size = capacity if keep else 1
    return Leaves(
        bits=np.zeros((size, n_neurons), dtype=np.uint8),
        cuts=np.zeros((size, n_neurons), dtype=np.uint8),
        points=np.zeros((size, k)),
        last=np.full(n_neurons, 2, dtype=np.uint8),
        after=np.zeros(len(net.ends), dtype=np.int64),
        done=np.zeros(1),
        keep=keep,
    )
