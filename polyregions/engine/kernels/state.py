"""What the kernels share: named tuples of arrays, allocated once for a piece of the domain.

Letters: L layers that still have kinked units, n the widest of them, k dimension, N neurons, m most rows a
cell can have, D deepest stack, K most vertices remembered for a cell.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.kernels.codes import DOMAIN, N_REGISTERS

ULP: Final = 2.0**-53
SAFE: Final = 1.0 + 2.0**-20
TINY: Final = 1e-290
TOUCH: Final = (
    1e-11  # relative size below which a value is left to exact arithmetic rather than taken for a cut
)

# A 0 for kernels to pass to other kernels, by itself or as what a variable starts from: numba would compile those once
# more for a plain 0, which is a type of its own to it. Elsewhere a plain 0 does.
ZERO: Final = cast(int, np.int64(0))


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


class Forms(NamedTuple):
    """The layers on the current path.

    maps (L, n, k+1), error (L, n), size (L, n): each unit's form, a bound on the error of its value anywhere in the
    bounds, and on the size of that value; active (n,): slopes of the layer before; todo (L, n), n_todo (L,): the
    units of each layer that cut the cell the layer was entered with; bits (N,).
    """

    maps: Floats
    error: Floats
    size: Floats
    active: Floats
    todo: Ints
    n_todo: Ints
    bits: Bytes


class Path(NamedTuple):
    """The rows of the current cell, positive inside: rows (m, k+1), error (m,) of their values, source (m,) neurons."""

    rows: Floats
    error: Floats
    source: Ints


class Known(NamedTuple):
    """Known vertices of the cells on the stack.

    vertex (D, K, k); inverse (D, K, k, k): column j leaves the j-th tight row at unit rate and stays on the others;
    basis (D, K, k): the tight rows; number (D,): how many a cell has.
    """

    vertex: Floats
    inverse: Floats
    basis: Ints
    number: Ints


class Stack(NamedTuple):
    """The cells that wait, and the current one on top: where each stands, its interior point, its part of the tree."""

    layer: Ints
    position: Ints
    n_rows: Ints
    point: Floats
    share: Floats


class Walker(NamedTuple):
    """One walk: the vertex it is at, with inverse and basis, and scratch vectors."""

    vertex: Floats
    inverse: Floats
    basis: Ints
    gain: Floats
    total: Floats
    axis: Floats
    block: Floats


class Boxes(NamedTuple):
    """Proved coordinate bounds (L, k) of the cell that each layer was entered with."""

    lower: Floats
    upper: Floats


class Flats(NamedTuple):
    """Where the regions of a cell are counted without going to them, see `last_layer`; one level for each dimension.

    table (k, ...): rows of a level, error (k, m+n) of their values on its flat; lower, upper (k, k): bounds;
    point (k, k): inside; vertex, inverse, basis: where walks start; n_cuts (k,): hyperplanes on a level; next (k,):
    which of them is asked about next; later (k, n), n_later (k,): those that cross so far. The rest is of one walk (a
    point of the crossing, the column that met the hyperplane, and a `Walker`'s arrays), or of one line.
    """

    table: Floats
    error: Floats
    lower: Floats
    upper: Floats
    point: Floats
    vertex: Floats
    inverse: Floats
    basis: Ints
    later: Ints
    n_cuts: Ints
    next: Ints
    n_later: Ints
    column: Ints
    crossing: Floats
    walk_vertex: Floats
    walk_inverse: Floats
    walk_basis: Ints
    gain: Floats
    total: Floats
    centre: Floats
    radius: Floats


class Work(NamedTuple):
    """Everything that changes."""

    boxes: Boxes
    forms: Forms
    path: Path
    known: Known
    stack: Stack
    walker: Walker
    flats: Flats
    registers: Ints


class Leaves(NamedTuple):
    """The buffer of finished leaves: bits and cuts (B, N), points (B, k), and what counting needs.

    first, last (N,): the first pattern and the one before, 2 where there is none yet (of leaves that are counted
    together, one with what they share); after (L,): leaves that opened a new cell of each layer; done (1,): share of
    the tree. `keep` is False when only counting.
    """

    bits: Bytes
    cuts: Bytes
    points: Floats
    first: Bytes
    last: Bytes
    after: Ints
    done: Floats
    keep: bool


def allocate_work(net: Net, k: int, n_domain_rows: int, n_vertices: int) -> Work:
    """Arrays for one piece of the domain; O(N K k^2 + N k) numbers."""
    n_layers = len(net.widths)
    n_neurons = int(net.ends[-1])
    depth = n_neurons + 2
    return Work(
        boxes=Boxes(np.zeros((n_layers, k)), np.zeros((n_layers, k))),
        forms=allocate_forms(net, k),
        path=allocate_path(n_domain_rows + n_neurons + 1, k),
        known=Known(
            vertex=np.zeros((depth, n_vertices, k)),
            inverse=np.zeros((depth, n_vertices, k, k)),
            basis=_integers(depth, n_vertices, k),
            number=_integers(depth),
        ),
        stack=Stack(
            layer=_integers(depth),
            position=_integers(depth),
            n_rows=_integers(depth),
            point=np.zeros((depth, k)),
            share=np.zeros(depth),
        ),
        walker=allocate_walker(k),
        flats=allocate_flats(k, n_domain_rows + n_neurons + 1, net.bias.shape[1]),
        registers=_integers(N_REGISTERS),
    )


def allocate_forms(net: Net, k: int) -> Forms:
    """Room for all layers along one pattern."""
    shape = net.bias.shape
    return Forms(
        maps=np.zeros((*shape, k + 1)),
        error=np.zeros(shape),
        size=np.zeros(shape),
        active=np.zeros(shape[1]),
        todo=_integers(*shape),
        n_todo=_integers(shape[0]),
        bits=np.zeros(int(net.ends[-1]), dtype=np.uint8),
    )


def allocate_path(n_rows: int, k: int) -> Path:
    """Room for the rows of one cell."""
    return Path(np.zeros((n_rows, k + 1)), np.zeros(n_rows), np.full(n_rows, DOMAIN, dtype=np.int64))


def allocate_walker(k: int) -> Walker:
    """Room for one walk."""
    return Walker(
        vertex=np.zeros(k),
        inverse=np.zeros((k, k)),
        basis=_integers(k),
        gain=np.zeros(k),
        total=np.zeros(k + 1),
        axis=np.zeros(k + 1),
        block=np.zeros((k, k)),
    )


def allocate_flats(k: int, n_rows: int, n_cuts: int) -> Flats:
    """Room for cells of so many rows that so many hyperplanes cut; O(k^2 (m + n)) numbers."""
    most = n_rows + n_cuts
    return Flats(
        table=np.zeros((k, most * (k + 1))),
        error=np.zeros((k, most)),
        lower=np.zeros((k, k)),
        upper=np.zeros((k, k)),
        point=np.zeros((k, k)),
        vertex=np.zeros((k, k)),
        inverse=np.zeros((k, k * k)),
        basis=_integers(k, k),
        later=_integers(k, n_cuts),
        n_cuts=_integers(k),
        next=_integers(k),
        n_later=_integers(k),
        column=_integers(1),
        crossing=np.zeros(k),
        walk_vertex=np.zeros(k),
        walk_inverse=np.zeros(k * k),
        walk_basis=_integers(k),
        gain=np.zeros(k),
        total=np.zeros(k + 1),
        centre=np.zeros(n_cuts),
        radius=np.zeros(n_cuts),
    )


def _integers(*shape: int) -> Ints:
    return np.zeros(shape, dtype=np.int64)


def allocate_leaves(net: Net, k: int, capacity: int, keep: bool) -> Leaves:
    """A buffer for `capacity` leaves; for counting only, one that holds none."""
    n_neurons = int(net.ends[-1])
    size = capacity if keep else 1
    return Leaves(
        bits=np.zeros((size, n_neurons), dtype=np.uint8),
        cuts=np.zeros((size, n_neurons), dtype=np.uint8),
        points=np.zeros((size, k)),
        first=np.full(n_neurons, 2, dtype=np.uint8),
        last=np.full(n_neurons, 2, dtype=np.uint8),
        after=np.zeros(len(net.ends), dtype=np.int64),
        done=np.zeros(1),
        keep=keep,
    )
