"""Kernels that list the faces of cells from what vanishes at their vertices, and know a face of many cells again.

A cell is a polytope, in coordinates in which points at infinity are points like others. A face is the set of its
vertices, as bits; those on a row are a face, and every face is an intersection of such. The facets of a face are its
largest proper intersections with the cell's facets. Across cells a face is known by its signs: what vanishes on it, and
which of the other neurons are on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polyregions._types import Ints
from polyregions.engine.cells.state import Words
from polyregions.engine.cells.words import NONE, bit, count, lowest
from polyregions.engine.kernels.compiled import entry, kernel

FINISHED = -1
NO_FACE = -1


class Local(NamedTuple):
    """The lattice of one cell: faces from the cell itself down to its vertices.

    faces (C, V): vertices of each face, as bits; offsets (C+1,), facets (I,): the facets of each; numbers (C,): which
    faces of all they are; walls (R, V): vertices on each row; place (R,): where a row's wall is, -1 if nowhere; parts
    (R, V), drop (R,): room for candidates; levels (d+2,): where each dimension starts.
    """

    faces: Words
    offsets: Ints
    facets: Ints
    numbers: Ints
    walls: Words
    place: Ints
    parts: Words
    drop: Ints
    levels: Ints


class Found(NamedTuple):
    """All faces so far: keys (F, K), table (T,): where a key is, by its hash, -1 where there is none; dim (F,);
    vertex (F,): of a vertex, where it is in the batch that had it first; offsets (F+1,), facets (M,): the facets of
    each; size (1,): how many faces there are.
    """

    keys: Words
    table: Ints
    dim: Ints
    vertex: Ints
    offsets: Ints
    facets: Ints
    size: Ints


@entry
def add_cells(first: int, offsets: Ints, zeros: Words, on: Words, local: Local, found: Found) -> int:
    """Add the faces of cells from `first` on; the first cell that there is no room for, or FINISHED.

    Args:
        offsets: (B+1,) where the vertices of each cell start.
        zeros: (M, Z) what vanishes at each.
        on: (B, N) words of the neurons that are on in each cell.
    """
    d = len(local.levels) - 2
    for cell in range(first, len(offsets) - 1):
        start, end = offsets[cell], offsets[cell + 1]
        n = list_faces(zeros, start, end, d, local)
        if n == NO_FACE or not has_room(found, n, local.offsets[n]):
            return cell
        for level in range(d, -1, -1):  # vertices first: the facets of a face are known when it is
            for f in range(local.levels[level], local.levels[level + 1]):
                intern(zeros, start, on, cell, f, d - level, local, found)
    return FINISHED


@kernel
def has_room(found: Found, n: int, n_facets: int) -> bool:
    """Whether there is room for so many faces and facets more."""
    size = found.size[0]
    return bool(
        size + n < len(found.keys)
        and 2 * (size + n) < len(found.table)
        and found.offsets[size] + n_facets < len(found.facets)
    )


@kernel
def list_faces(zeros: Words, start: int, end: int, d: int, local: Local) -> int:
    """List the faces of a cell level by level, and the facets of each; how many faces, NO_FACE if there is no room."""
    n_words = (end - start + 63) // 64
    if n_words > local.faces.shape[1]:
        return NO_FACE
    local.faces[0] = NONE
    for v in range(end - start):
        local.faces[0, v >> 6] |= bit(v)
    n_walls = find_walls(zeros, start, end, local)
    n_walls = keep_largest(local.faces, 0, local.walls, n_walls, n_words, local.walls, local.drop, False)
    is_simple = are_simple(local.walls, n_walls, end - start, d)
    local.levels[0], local.levels[1] = 0, 1
    local.offsets[0] = 0
    n, n_facets = 1, 0
    for level in range(1, d + 1):
        for f in range(local.levels[level - 1], local.levels[level]):
            n_parts = keep_largest(
                local.faces, f, local.walls, n_walls, n_words, local.parts, local.drop, is_simple
            )
            if n + n_parts >= len(local.faces) or n_facets + n_parts >= len(local.facets):
                return NO_FACE
            for p in range(n_parts):
                same = find_face(local.faces, local.levels[level], n, local.parts, p, n_words)
                if same == NO_FACE:
                    same = n
                    local.faces[n] = local.parts[p]
                    n += 1
                local.facets[n_facets] = same
                n_facets += 1
            local.offsets[f + 1] = n_facets
        local.levels[level + 1] = n
    for f in range(local.levels[d], n):
        local.offsets[f + 1] = n_facets
    return n


@kernel
def find_walls(zeros: Words, start: int, end: int, local: Local) -> int:
    """The vertices on each row that some vertex lies on; how many such rows."""
    m = 0
    for v in range(start, end):
        for w in range(zeros.shape[1]):
            rows = zeros[v, w]
            while rows != NONE:
                row = lowest(rows)
                rows ^= bit(row)
                row += 64 * w
                if local.place[row] < 0:
                    local.place[row] = m
                    local.walls[m] = NONE
                    m += 1
                local.walls[local.place[row], (v - start) >> 6] |= bit(v - start)
    for v in range(start, end):
        for w in range(zeros.shape[1]):
            rows = zeros[v, w]
            while rows != NONE:
                row = lowest(rows)
                rows ^= bit(row)
                local.place[64 * w + row] = -1
    return m


@kernel
def are_simple(walls: Words, m: int, n_vertices: int, d: int) -> bool:
    """Whether d of the facets meet at every vertex: then a face and a facet that meet do so in a facet of the face."""
    n_more = 0
    for v in range(n_vertices):
        total = 0
        for j in range(m):
            total += walls[j, v >> 6] & bit(v) != NONE
        n_more += total != d
    return bool(n_more == 0)


@kernel
def keep_largest(
    faces: Words, f: int, walls: Words, m: int, n_words: int, parts: Words, drop: Ints, is_simple: bool
) -> int:
    """The largest proper intersections of a face with walls, each once and in their order, into parts; how many."""
    for j in range(m):
        n_in = n_out = 0
        for w in range(n_words):
            n_in += count(faces[f, w] & walls[j, w])
            n_out += count(faces[f, w] & ~walls[j, w])
        drop[j] = int(n_in == 0 or n_out == 0)
    for i in range(0 if is_simple else m):
        for j in range(m):
            if drop[i] == 1:
                break
            if i != j and drop[j] != 1:
                drop[i] = int(is_within(faces, f, walls, i, j, n_words))
    n = 0
    for j in range(m):
        if drop[j] == 0:
            for w in range(n_words):
                parts[n, w] = faces[f, w] & walls[j, w]
            for w in range(n_words, parts.shape[1]):
                parts[n, w] = NONE
            n += 1
    return n


@kernel
def is_within(faces: Words, f: int, walls: Words, i: int, j: int, n_words: int) -> bool:
    """Whether one wall's part of a face is less than another's, or the same and later."""
    is_less = False
    for w in range(n_words):
        a, b = faces[f, w] & walls[i, w], faces[f, w] & walls[j, w]
        if a & ~b != NONE:
            return False
        is_less = is_less or a != b
    return is_less or j < i


@kernel
def find_face(faces: Words, first: int, last: int, parts: Words, p: int, n_words: int) -> int:
    """Which of some faces of a cell has the vertices of a part, NO_FACE if none."""
    for f in range(first, last):
        same = True
        for w in range(n_words):
            same = same and faces[f, w] == parts[p, w]
        if same:
            return f
    return NO_FACE


@kernel
def intern(
    zeros: Words, start: int, on: Words, cell: int, f: int, dim: int, local: Local, found: Found
) -> None:
    """Find a face of a cell among all, or add it with its facets, which are there already."""
    n = found.size[0]
    write_key(zeros, start, on, cell, local.faces, f, found.keys, n)
    mask = len(found.table) - 1
    at = hash_key(found.keys, n) & mask
    while found.table[at] >= 0:
        if is_same_key(found.keys, found.table[at], n):
            local.numbers[f] = found.table[at]
            return
        at = (at + 1) & mask
    found.table[at] = n
    local.numbers[f], found.dim[n] = n, dim
    found.vertex[n] = start + first_vertex(local.faces, f)
    m = found.offsets[n]
    for i in range(local.offsets[f], local.offsets[f + 1]):
        found.facets[m] = local.numbers[local.facets[i]]
        m += 1
    found.offsets[n + 1] = m
    found.size[0] = n + 1


@kernel
def write_key(
    zeros: Words, start: int, on: Words, cell: int, faces: Words, f: int, keys: Words, at: int
) -> None:
    """The signs of a face: what vanishes at all of its vertices, and what of the rest is on."""
    n_zeros = zeros.shape[1]
    for w in range(n_zeros):
        keys[at, w] = ~NONE
    for x in range(faces.shape[1]):
        vertices = faces[f, x]
        while vertices != NONE:
            v = lowest(vertices)
            vertices ^= bit(v)
            for w in range(n_zeros):
                keys[at, w] &= zeros[start + 64 * x + v, w]
    for w in range(on.shape[1]):
        keys[at, n_zeros + w] = on[cell, w] & ~keys[at, w]


@kernel
def first_vertex(faces: Words, f: int) -> int:
    """The first vertex of a face."""
    for x in range(faces.shape[1]):
        if faces[f, x] != NONE:
            return 64 * x + lowest(faces[f, x])
    return 0


@kernel
def hash_key(keys: Words, at: int) -> int:
    """A number that differs for most keys."""
    mixed = np.uint64(0x9E3779B97F4A7C15)
    for w in range(keys.shape[1]):
        mixed ^= keys[at, w]
        mixed *= np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    return np.int64(mixed >> np.uint64(1))  # type: ignore[return-value]  # an int to Python, a number to numba


@kernel
def is_same_key(keys: Words, i: int, j: int) -> bool:
    """Whether two keys are the same."""
    n_same = 0
    for w in range(keys.shape[1]):
        n_same += keys[i, w] == keys[j, w]
    return bool(n_same == keys.shape[1])


@entry
def fill_table(found: Found) -> None:
    """Put all keys into an empty table."""
    mask = len(found.table) - 1
    for n in range(found.size[0]):
        at = hash_key(found.keys, n) & mask
        while found.table[at] >= 0:
            at = (at + 1) & mask
        found.table[at] = n
