"""What the kernels of cells share: a few arrays, and the places in them.

Letters: d dimension; L layers, counted from 1, layer 0 being the rows of the domain; n widest layer; S words for n
units; W words for the rows that a cell's vertices can lie on (`slots`); V vertices there is room for.

Kernels are compiled for each d and W: both are passed as tuples of that length, which numba knows while it compiles.
A length is a type of its own to it, so kernels that are shared by all d are handed len(axes) + ZERO.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyregions._types import Bytes, Floats, Ints
from polyregions.arrays import runs_of

Words = NDArray[np.uint64]
Axes = tuple[int, ...]

SAFE: Final = 1.0 + 2.0**-20
ULP: Final = 2.0**-53
TINY: Final = 1e-290
WHOLE_LIMIT: Final = 2.0**52  # floats of smaller sizes are added and multiplied exactly if they are integers
POOR: Final = 2.0**-16  # a new vertex that is known less well than this is solved for anew
FINE: Final = 2.0**-46  # and one that is handed out, if it can be known better
MOST_UPDATES: Final = 64  # changes of a layer's forms before they are composed anew

# Rows of `forms` after the d + 1 coefficients of the units: a bound on the error of their values anywhere in reach, on
# the size of these, on what is left of a sign at a point that is known exactly, the sum of the absolute slopes, and how
# many terms a form has.
N_FORM_ROWS: Final = 6
ERROR: Final = 1
SIZE: Final = 2
BASE: Final = 3
NORM: Final = 4
TERMS: Final = 5

# Rows of `signs`: bits of the units, those that cut an ancestor, those that may cut, the bits of the others, and the
# bits along which the layer above was composed last.
ON: Final = 0
CUTS: Final = 1
KINKED: Final = 2
GIVEN: Final = 3
COMPOSED: Final = 4
N_SIGNS: Final = 5

# Columns of `frames`: the layer of a waiting cell, its vertices, how many rows its path has, the unit that cut it last,
# and whether a unit that does not cut the cell vanishes on one of its facets or on all of it.
LAYER: Final = 0
START: Final = 1
END: Final = 2
N_ROWS: Final = 3
UNIT: Final = 4
TOUCHED: Final = 5
N_FRAME: Final = 6

# Columns of `path`: the row (its layer, shifted, plus its unit), its slot, and which row had the slot before.
LAYER_SHIFT: Final = 32
UNIT_MASK: Final = 2**32 - 1
ROW: Final = 0
SLOT: Final = 1
BEFORE: Final = 2
N_PATH: Final = 3

# Columns of `entries`: how often a layer was composed, which of these the layer above was composed along, and how many
# updates there were since it was composed from nothing; whether its weights and slopes are small integers.
VERSION: Final = 0
ALONG: Final = 1
UPDATES: Final = 2
IS_WHOLE: Final = 3
N_ENTRY: Final = 4

# Rows of `Net.units`.
TWIN: Final = 0
IS_FREE: Final = 1

# Rows of `space`: inputs are SHIFT + SCALE * u if PLAIN; |u| stays below REACH; biases of later layers are multiplied
# by the form TAU.
SHIFT: Final = 0
SCALE: Final = 1
REACH: Final = 2
TAU: Final = 3
MORE: Final = 4  # its entries: 0 the error of TAU, 1 its size, 2 (plain) 1 or 0
N_SPACE: Final = 5

# Places in `registers`, after those of a frame, for the current cell.
DEPTH: Final = 6
MODE: Final = 7
SINCE: Final = 8  # the lowest layer that a cell of was finished since the last leaf
N_LEAVES: Final = 9
N_FOUND: Final = 10
N_DOMAIN_ROWS: Final = 11  # rows of the path that no neuron cut
N_FACES: Final = 12
N_SIGNS_ASKED: Final = (
    13  # signs of units at vertices; then those that were open after they were computed, after the
)
N_OPEN: Final = 14  # vertex was sharpened, and after twins, origins and small integers
N_OPEN_SHARP: Final = 15
N_OPEN_WHOLE: Final = 16
N_REGISTERS: Final = 17

# What is wanted of the leaves.
COUNT: Final = 0
LIST: Final = 1
FACES: Final = 2
VERTICES: Final = 3
EDGES: Final = 4  # facets that are not on rows of neurons that are on: to regions that come later
ZEROS: Final = 5  # vertices, and which rows and units vanish at each

# What the machine does next.
ENTER: Final = 0
DECIDE: Final = 1
EMIT: Final = 2
POP: Final = 3

# Why it came back.
DONE: Final = 0
FULL: Final = 1  # leaves have to be taken out
QUESTION: Final = 2  # signs of UNIT at vertices of the current cell have to be decided exactly
LEAF: Final = 3  # a point in the current leaf has to be found exactly
ROOM: Final = 4  # the pool of vertices is full
SLOTS: Final = 5  # the current cell has vertices on more rows than W words hold


class Net(NamedTuple):
    """The network, read only.

    weight (L+1, n+1, n): of layers 2 and on, transposed, the last row for biases; slopes (L+1, n, 2); widths (L+1,);
    units (2, L+1, n): TWIN, the same number for units of a layer with proportional weights, and IS_FREE, whether a
    unit's form has no constant whatever the cell; space (N_SPACE, ...); contest (P, 2): the classes that the units of
    the last layer compare, none if they are neurons like others.
    """

    weight: Floats
    slopes: Floats
    widths: Ints
    units: Ints
    space: Floats
    contest: Ints


class Work(NamedTuple):
    """Everything that changes.

    forms (L+1, d+1+N_FORM_ROWS, n); signs (L+1, N_SIGNS, S); entries (L+1, N_ENTRY); place (V, d+1): coordinates and a
    bound on their error, with small integers (V, 2d+2): numerators and denominator too, 0 where these are not known;
    marks (V, W+2S): slots of the rows that a vertex lies on, then the units that may be positive there, then those that
    may be negative, and if ZEROS are wanted (L+1)S more for units of each layer that are decided and vanish there;
    rest (D, S): units that may cut a waiting cell; frames, path: see their columns; owner (64 W,): the
    row in each slot; cell (2, V): values and error bounds of a unit at the current vertices; crossed
    (V,), tight (V, W): those on the off side, and their slots; box (2, n).
    """

    forms: Floats
    signs: Words
    entries: Ints
    place: Floats
    marks: Words
    rest: Words
    frames: Ints
    path: Ints
    owner: Ints
    cell: Floats
    crossed: Ints
    tight: Words
    box: Floats
    system: Floats
    registers: Ints


class Leaves(NamedTuple):
    """Finished leaves: bits and cuts (B, L+1, S), points (B, d); after (L+1,): how many new cells of each layer.

    is_open (B,): whether exact arithmetic has to look at a leaf: of a contest for ties, with facets for coincidences.
    Of their facets, where these are wanted: face_leaf, face_row (M,): the leaf and the row (as in a path) of each, and
    face_points (M, d+1), the mean of its vertices. Of their vertices: face_leaf, and face_points with the coordinates
    and the bound on their error, and with ZEROS face_zeros (M, L+1, S): the rows of the domain, then the units of each
    layer that vanish there.
    """

    bits: Words
    cuts: Words
    points: Floats
    after: Ints
    is_open: Ints
    face_leaf: Ints
    face_row: Ints
    face_points: Floats
    face_zeros: Words


def allocate_work(
    widths: Ints, d: int, n_words: int, n_vertices: int, has_integers: bool, has_zeros: bool = False
) -> Work:
    """Arrays for one piece of the domain, with so many words for slots and so much room for vertices."""
    n_layers, n = len(widths), int(widths.max())
    n_units, s = int(widths.sum()), words_for(n)
    return Work(
        forms=np.zeros((n_layers, d + 1 + N_FORM_ROWS, n)),
        signs=np.zeros((n_layers, N_SIGNS, s), dtype=np.uint64),
        entries=np.zeros((n_layers, N_ENTRY), dtype=np.int64),
        place=np.zeros((n_vertices, (d + 1) * (2 if has_integers else 1))),
        marks=np.zeros((n_vertices, n_words + (2 + n_layers * has_zeros) * s), dtype=np.uint64),
        rest=np.zeros((n_units + 2, s), dtype=np.uint64),
        frames=np.zeros((n_units + 2, N_FRAME), dtype=np.int64),
        path=np.zeros((n_units + 1, N_PATH), dtype=np.int64),
        owner=np.zeros(64 * n_words, dtype=np.int64),
        cell=np.zeros((2, n_vertices)),
        crossed=np.zeros(n_vertices, dtype=np.int64),
        tight=np.zeros((n_vertices, n_words), dtype=np.uint64),
        box=np.zeros((4, max(n, d))),
        system=np.zeros((2 * 64 * n_words, 2 * d + 4)),
        registers=np.zeros(N_REGISTERS, dtype=np.int64),
    )


def words_for(n: int) -> int:
    """How many words hold n bits."""
    return max(1, -(-n // 64))


class Columns:
    """Where the bits of the neurons are among the words of a layer's units.

    Args:
        kinked: the units of each layer that are neurons.
    """

    def __init__(self, kinked: Sequence[Ints]) -> None:
        self.n_neurons = sum(map(len, kinked))
        starts = accumulate(map(len, kinked), initial=0)
        self._runs = [
            (i, int(units[-1]) + 1, at, runs_of(units))
            for i, (at, units) in enumerate(zip(starts, kinked, strict=False), 1)
            if len(units)
        ]

    def unpacked(self, words: Words) -> Bytes:
        """The bits (B, N) in blocks of words (B, L+1, S)."""
        out = np.empty((len(words), self.n_neurons), dtype=np.uint8)
        for layer, n, at, runs in self._runs:
            bits = np.unpackbits(words[:, layer].view(np.uint8), axis=1, count=n, bitorder="little")
            for place, first, length in runs:
                out[:, at + place : at + place + length] = bits[:, first : first + length]
        return out
