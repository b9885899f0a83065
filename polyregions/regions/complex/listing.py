"""All faces of cells that come one batch after the other, in arrays that grow."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from polyregions._types import Bytes, Floats
from polyregions.engine.cells.state import Words, words_for
from polyregions.engine.kernels.compiled import announced
from polyregions.regions.complex.gather import AllFaces, CellVertices
from polyregions.regions.complex.lattice import FINISHED, Found, Local, add_cells, fill_table

Entry = TypeVar("Entry", bound=np.generic)

FIRST_FACES = 4096
FIRST_LOCAL = 256


class Listing:
    """Finds the faces of cells, each once.

    Args:
        dim: of the cells.
        n_neurons, n_rows: what may vanish, beside infinity.
    """

    def __init__(self, dim: int, n_neurons: int, n_rows: int) -> None:
        self._dim, self._n_neurons = dim, n_neurons
        self._infinity = n_neurons + n_rows
        self._n_words = words_for(self._infinity + 1)
        self._n_on = words_for(max(1, n_neurons))
        self._points: list[tuple[Floats, Floats]] = []
        self._local = local_room(dim, self._n_words, FIRST_LOCAL, 1)
        self._found = Found(
            keys=np.zeros((FIRST_FACES, self._n_words + self._n_on), dtype=np.uint64),
            table=np.full(4 * FIRST_FACES, -1, dtype=np.int64),
            dim=np.zeros(FIRST_FACES, dtype=np.int64),
            vertex=np.zeros(FIRST_FACES, dtype=np.int64),
            offsets=np.zeros(FIRST_FACES + 1, dtype=np.int64),
            facets=np.zeros(4 * FIRST_FACES, dtype=np.int64),
            size=np.zeros(1, dtype=np.int64),
        )

    def add(self, cells: CellVertices) -> None:
        """Add the faces of some cells."""
        zeros, on = words_of(cells.zero, self._n_words), words_of(cells.bits, self._n_on)
        offsets = cells.offsets.astype(np.int64)
        most = int(np.diff(offsets).max(initial=1))
        if most > 64 * self._local.faces.shape[1]:
            self._local = local_room(self._dim, self._n_words, len(self._local.faces), words_for(most))
        first, known = 0, int(self._found.size[0])
        with announced("faces (about 3 seconds)"):
            while True:
                first = add_cells(first, offsets, zeros, on, self._local, self._found)
                if first == FINISHED:
                    break
                self._grow()
        new = slice(known, int(self._found.size[0]))
        vertices = self._found.vertex[new][self._found.dim[new] == 0]
        self._points.append((cells.points[vertices], cells.error[vertices]))

    def _grow(self) -> None:
        """Twice the room for faces, of one cell and of all."""
        old = self._found
        n_words = self._local.faces.shape[1]
        self._local = local_room(self._dim, self._n_words, 2 * len(self._local.faces), n_words)
        self._found = Found(
            keys=_doubled(old.keys),
            table=np.full(2 * len(old.table), -1, dtype=np.int64),
            dim=_doubled(old.dim),
            vertex=_doubled(old.vertex),
            offsets=_doubled(old.offsets),
            facets=_doubled(old.facets),
            size=old.size,
        )
        fill_table(self._found)

    def faces(self, n_lines: int) -> AllFaces:
        """All faces so far."""
        found, n = self._found, int(self._found.size[0])
        keys = found.keys[:n].view(np.uint8).reshape(n, -1)
        m = int(found.offsets[n])
        is_finite = (keys[:, self._infinity // 8] >> (self._infinity % 8)) & 1 == 0
        return AllFaces(
            keys[:, : 8 * self._n_words],
            keys[:, 8 * self._n_words :][:, : -(-self._n_neurons // 8)],
            found.dim[:n],
            is_finite,
            found.offsets[: n + 1],
            found.facets[:m],
            np.concatenate([points for points, _ in self._points]),
            np.concatenate([error for _, error in self._points]),
            n_lines,
        )


def local_room(dim: int, n_words: int, n_faces: int, n_vertex_words: int) -> Local:
    """Room for the lattice of one cell with so many faces, of vertices in so many words."""
    n_rows = 64 * n_words
    return Local(
        faces=np.zeros((n_faces, n_vertex_words), dtype=np.uint64),
        offsets=np.zeros(n_faces + 1, dtype=np.int64),
        facets=np.zeros(4 * n_faces, dtype=np.int64),
        numbers=np.zeros(n_faces, dtype=np.int64),
        walls=np.zeros((n_rows, n_vertex_words), dtype=np.uint64),
        place=np.full(n_rows, -1, dtype=np.int64),
        parts=np.zeros((n_rows, n_vertex_words), dtype=np.uint64),
        drop=np.zeros(n_rows, dtype=np.int64),
        levels=np.zeros(dim + 2, dtype=np.int64),
    )


def words_of(bits: Bytes, n_words: int) -> Words:
    """Bits (M, n) in words (M, W)."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    padded = np.zeros((len(bits), 8 * n_words), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def _doubled(array: NDArray[Entry]) -> NDArray[Entry]:
    """A copy with twice the rows, the new ones 0."""
    grown = np.zeros((2 * len(array) + 1, *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    return grown
