"""The canonical polyhedral complex of a network on an input set as data, and the parts that classes and levels cut.

Its faces are the non-empty sets on which every neuron, and every row of the domain, has one sign of -, 0, +; see
`regions.faces` for why these are faces of the regions and meet face to face, in degenerate networks too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.analysis.decisions.outputs import AUTO, chosen_rule
from polyregions.analysis.topology.sides import (
    NeuronSide,
    NotNegative,
    Part,
    Tied,
    Vanishing,
    class_rows,
    cut_by,
    unit_row,
)
from polyregions.errors import InputError, InternalError, OptionError, expect
from polyregions.exact.affine import integer_matrix
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem
from polyregions.regions.complex.all_faces import all_faces
from polyregions.regions.complex.gather import AllFaces
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet

if TYPE_CHECKING:
    from scipy.sparse import csc_array

KEPT_LAYERS = 64  # composed layers of each depth that are kept while vertices are solved for


@dataclass(frozen=True, eq=False)
class FaceComplex:
    """Faces of all dimensions, sorted by dimension; closed: what a face is bounded by is there as well.

    Attributes:
        problem: network and domain, whose dimension is k.
        parts: the parts of the whole complex that this one is the intersection of.
        starts: (k+2,) faces ``starts[i]`` to ``starts[i + 1]`` have dimension i.
        zero: (F, ...) uint8 which neurons, forms of parts and rows of the domain vanish on each, packed.
        on: (F, ...) uint8 which neurons and forms are positive on each, packed.
        is_bounded: (F,) whether it is.
        offsets: (F+1,) where the facets of each face start.
        facets: (M,) face numbers.
        facet_signs: (M,) int8 how a facet is oriented in the face's boundary, 1 or -1.
        points: (V, k) the vertices over the hull's coordinates, in float64.
        point_error: (V,) bounds on their distance (maximum norm) to the true ones, infinite where none is known.
        n_lines: how many dimensions of lines there are that nothing changes along; each face contains them.
        is_restricted: whether faces were chosen by hand, so that the parts alone do not say which they are.
    """

    problem: Problem
    parts: tuple[Part, ...]
    starts: Ints
    zero: Bytes
    on: Bytes
    is_bounded: Bools
    offsets: Ints
    facets: Ints
    facet_signs: Ints
    points: Floats
    point_error: Floats
    n_lines: int
    is_restricted: bool = False

    def __getstate__(self) -> dict[str, Any]:
        """What travels is the data, not what was derived from it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __len__(self) -> int:
        """How many faces there are, of all dimensions."""
        return int(self.starts[-1])

    def __repr__(self) -> str:
        """Name, parts, and how many faces of each dimension there are."""
        of = "".join(f", {part.name}" for part in self.parts) + ", restricted" * self.is_restricted
        return f"FaceComplex({self.problem.network.name}{of}: {' + '.join(map(str, self.counts))} faces)"

    @property
    def dim(self) -> int:
        """The dimension k of the domain, which is that of the largest faces of the whole complex."""
        return len(self.starts) - 2

    @property
    def counts(self) -> tuple[int, ...]:
        """The f-vector ``(f_0, ..., f_k)``."""
        return tuple(np.diff(self.starts).tolist())

    @property
    def euler_characteristic(self) -> int:
        """``f_0 - f_1 + f_2 - ...``; of unbounded complexes that with compact support."""
        return sum((-1) ** i * count for i, count in enumerate(self.counts))

    @property
    def dims(self) -> Ints:
        """The dimension (F,) of each face."""
        return np.repeat(np.arange(self.dim + 1), np.diff(self.starts))

    def signs(self, dim: int) -> Ints:
        """The signs (F_dim, N) of all neurons on the faces of a dimension, as int8 of -1, 0, 1."""
        return self._signs(self._span(dim))[:, : self.problem.network.n_neurons]

    def tight_rows(self, dim: int) -> Bools:
        """Which rows (F_dim, m) of the domain (`problem.solid.forms`) the faces of a dimension lie on."""
        n = self._n_signs
        bits = np.unpackbits(self.zero[self._span(dim)], axis=1, bitorder="little")
        tight: Bools = bits[:, n : n + len(self.problem.solid.forms)] != 0
        return tight

    def boundary(self, dim: int) -> csc_array:
        """The boundary operator from faces of a dimension to those of one less, a sparse matrix of 1 and -1.

        The product of one and the next is 0. Orientations are chosen face by face, from incidences alone.

        Returns:
            (F_(dim-1), F_dim) int8 scipy sparse array; without rows for dimension 0.
        """
        from scipy.sparse import csc_array

        first, last = self._span(dim).start, self._span(dim).stop
        start, end = self.offsets[[first, last]]
        below = self._span(dim - 1).start if dim else 0
        entries = (self.facet_signs[start:end].astype(np.int8), self.facets[start:end] - below)
        shape = (int(np.diff(self.starts)[dim - 1]) if dim else 0, last - first)
        return csc_array((*entries, self.offsets[first : last + 1] - start), shape=shape)

    def incidence(self, dim: int) -> csc_array:
        """Which faces of one dimension less bound those of a dimension: `boundary` without signs."""
        return abs(self.boundary(dim))

    def vertices_of(self, dim: int) -> csc_array:
        """Which vertices (F_0, F_dim) the faces of a dimension have, a sparse matrix of booleans."""
        from scipy.sparse import eye_array

        self._span(dim)
        found = eye_array(self.counts[0], dtype=np.int64, format="csc")
        for i in range(1, dim + 1):
            found = (found @ self.incidence(i).astype(np.int64)).astype(np.bool_).astype(np.int64)
        return found.astype(np.bool_)

    @cached_property
    def vertices(self) -> Floats:
        """The vertices (F_0, d) in the inputs, in float64; see `point_error`, and `exact_vertices`.

        Where no bound on the error is known, in unbounded domains, they are solved for in rationals and rounded once.
        """
        hull, rows = self.problem.solid.hull, VertexRows(self)
        found = np.array(hull.lift_floats(self.points))
        far = np.flatnonzero(~np.isfinite(self.point_error))
        found[far] = hull.nearest_points([rows.point(v) for v in far.tolist()])
        return found

    def exact_vertices(self, numbers: Sequence[int] | None = None) -> list[tuple[Fraction, ...]]:
        """The vertices, or some of them, in the inputs, in rationals: where the rows that vanish there meet.

        Complexity: an exact linear system each.
        """
        hull, chosen = self.problem.solid.hull, range(self.counts[0]) if numbers is None else list(numbers)
        wrong = next((v for v in chosen if not 0 <= v < self.counts[0]), None)
        if wrong is not None:
            raise OptionError(f"vertex {wrong}, expected one of 0 to {self.counts[0] - 1}")
        rows = VertexRows(self)
        return [tuple(hull.lift(Point.of(rows.point(v))).coordinates) for v in chosen]

    def where_on(self, neuron: int) -> FaceComplex:
        """Where the pre-activation of a neuron is not negative."""
        return self._with(NeuronSide(f"neuron {neuron} >= 0", (), self._checked_neuron(neuron), False))

    def bent_hyperplane(self, neuron: int) -> FaceComplex:
        """Where the pre-activation of a neuron is 0."""
        return self._with(NeuronSide(f"neuron {neuron} = 0", (), self._checked_neuron(neuron), True))

    def where_class(self, label: int, rule: str = AUTO) -> FaceComplex:
        """Where no class scores better than one; ties belong to all that tie.

        The complex is made anew, cut by the leads of the class.

        Args:
            label: the class, by sign 0 or 1.
            rule: "argmax", "argmin" or "sign", or "auto" for the sign of one output and the largest of several.

        Raises:
            OptionError: there is no such class, or the rule does not fit.
        """
        rule, n = self._classes(rule)
        if not 0 <= label < n:
            raise OptionError(f"class {label}, expected one of 0 to {n - 1}")
        pairs = [(other, label) for other in range(n) if other != label]
        rows = class_rows(rule, self.problem.network.n_outputs, pairs)
        return self._with(NotNegative(f"class {label}", rows))

    def decision_boundary(self, rule: str = AUTO) -> FaceComplex:
        """Where two classes or more score best; the complex is made anew, cut by the leads of all pairs of classes."""
        rule, n = self._classes(rule)
        pairs = [(lower, higher) for lower in range(n) for higher in range(lower + 1, n)]
        rows = class_rows(rule, self.problem.network.n_outputs, pairs)
        return self._with(Tied("decision boundary", rows, n))

    def level_set(self, level: float | Fraction, output: int = 0) -> FaceComplex:
        """Where an output has a value."""
        return self._with(Vanishing(f"y{output} = {level}", (self._level_row(level, output, 1),)))

    def sublevel_set(self, level: float | Fraction, output: int = 0) -> FaceComplex:
        """Where an output has at most a value."""
        return self._with(NotNegative(f"y{output} <= {level}", (self._level_row(level, output, -1),)))

    def superlevel_set(self, level: float | Fraction, output: int = 0) -> FaceComplex:
        """Where an output has at least a value."""
        return self._with(NotNegative(f"y{output} >= {level}", (self._level_row(level, output, 1),)))

    def restricted(self, chosen: Bools) -> FaceComplex:
        """The faces (F,) that are chosen and all that these are bounded by.

        Raises:
            InputError: not a boolean for each face.
        """
        mask = np.array(chosen)
        if mask.dtype != np.bool_ or mask.shape != (len(self),):
            raise InputError(f"chosen: {mask.dtype} of shape {mask.shape}, expected {len(self)} booleans")
        owner = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        for dim in range(self.dim, 0, -1):
            inside = slice(*self.offsets[[self.starts[dim], self.starts[dim + 1]]])
            mask[self.facets[inside][mask[owner[inside]]]] = True
        return replace(_taken(self, np.flatnonzero(mask)), is_restricted=True)

    def to_networkx(self) -> nx.DiGraph[int]:
        """The face poset: an edge from each face to each of its facets; attributes `dim` and, on edges, `sign`."""
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from((i, {"dim": dim}) for i, dim in enumerate(self.dims.tolist()))
        owner = np.repeat(np.arange(len(self)), np.diff(self.offsets)).tolist()
        edges = zip(owner, self.facets.tolist(), self.facet_signs.tolist(), strict=True)
        graph.add_edges_from((face, facet, {"sign": sign}) for face, facet, sign in edges)
        return graph

    # ------------------------------------------------------------------ inside

    @cached_property
    def _rows(self) -> tuple[Any, ...]:
        return tuple(row for part in self.parts for row in part.rows)

    @cached_property
    def _cut(self) -> Problem:
        """The problem whose regions are the largest faces."""
        return cut_by(self.problem, self._rows)

    @property
    def _n_signs(self) -> int:
        """How many neurons and forms of parts there are."""
        return self.problem.network.n_neurons + len(self._rows)

    def _span(self, dim: int) -> slice:
        if not 0 <= dim <= self.dim:
            raise OptionError(f"dimension {dim}, expected one of 0 to {self.dim}")
        return slice(int(self.starts[dim]), int(self.starts[dim + 1]))

    def _signs(self, which: slice) -> Ints:
        """The signs (F, N+n) of neurons and forms, int8."""
        n = self._n_signs
        positive = np.unpackbits(self.on[which], axis=1, bitorder="little", count=n).view(np.int8)
        zero = np.unpackbits(self.zero[which], axis=1, bitorder="little")[:, :n].view(np.int8)
        signs: Ints = 2 * positive - 1 + zero  # a neuron that vanishes is not positive
        return signs

    def _classes(self, rule: str) -> tuple[str, int]:
        network = self.problem.network
        rule = chosen_rule(network, rule)
        return rule, 2 if rule == "sign" else network.n_outputs

    def _checked_neuron(self, neuron: int) -> int:
        return checked_index(neuron, self.problem.network.n_neurons, "neuron")

    def _level_row(self, level: float | Fraction, output: int, sign: int) -> tuple[Fraction, ...]:
        self.problem.network.check_values_are_outputs("a level")
        n = self.problem.network.n_outputs
        checked_index(output, n, "output")
        return unit_row(n, {output: sign}, -sign * exact_level(level))

    def _with(self, part: Part) -> FaceComplex:
        """The faces of this complex, cut anew if the part needs that, that lie in one more part."""
        if not part.rows:
            signs = self._signs(slice(None))
            part_of = _taken(self, np.flatnonzero(part.holds(signs[:, :0], signs)))
            return replace(part_of, parts=(*self.parts, part))
        cut = _built(self.problem, (*self.parts, part))
        if not self.is_restricted:
            return cut
        n = self._n_signs  # each face lies in one face of the complex before, which its first signs name
        kept = np.isin(_names(cut, n), _names(self, n))
        return replace(_taken(cut, np.flatnonzero(kept)), is_restricted=True)


class VertexRows:
    """The exact rows that meet in a complex's vertices; layers are composed once for vertices with the same signs.

    What follows a neuron that vanishes at a vertex has the same value there whichever side is taken: it counts as off.
    """

    def __init__(self, complex: FaceComplex) -> None:
        self._complex, cut = complex, complex._cut
        self._prefixes = Prefixes(cut.layers, KEPT_LAYERS)
        self._outputs = Prefixes(complex.problem.layers, KEPT_LAYERS)
        self._places = [(i, int(unit)) for i, units in enumerate(cut.layers.kinked) for unit in units]
        self._walls = [form.exact() for form in cut.solid.forms]

    def point(self, v: int) -> list[Fraction]:
        """A vertex over the hull's coordinates."""
        k, n = self._complex.dim, len(self._places)
        pattern, zero = self._pattern(v), np.flatnonzero(self._bits(self._complex.zero, v)).tolist()
        places = [self._places[i] for i in zero if i < n]
        rows = [self._prefixes.layer(pattern, layer).exact.row(unit) for layer, unit in places]
        rows += [self._walls[i - n] for i in zero if i >= n]
        reduced, denominator, _ = integer_matrix(rows, k + 1).rref()
        return [Fraction(-int(reduced[i, k]), int(denominator)) for i in range(k)]

    def output(self, v: int, output: int) -> Fraction:
        """The value of one of the network's outputs at a vertex."""
        pattern = self._pattern(v)[: self._complex.problem.network.n_neurons]
        affine = self._outputs.output(pattern)
        row = affine.row(output)
        value = sum((a * u for a, u in zip(row, self.point(v), strict=False)), Fraction(row[-1]))
        return value / affine.denominator

    def _pattern(self, v: int) -> Bools:
        pattern: Bools = self._bits(self._complex.on, v)[: len(self._places)] != 0
        return pattern

    def _bits(self, packed: Bytes, face: int) -> Bytes:
        return np.unpackbits(packed[face], bitorder="little")


def checked_index(number: object, n: int, what: str) -> int:
    """A number of one of n things.

    Raises:
        OptionError: it is none.
    """
    if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or not 0 <= number < n:
        raise OptionError(f"{what} {number!r}, expected one of 0 to {n - 1}")
    return int(number)


def exact_level(level: object) -> Fraction:
    """A level as a fraction.

    Raises:
        OptionError: it is no finite number.
    """
    try:
        return Fraction(level) if isinstance(level, (int, Fraction, str)) else Fraction(float(level))  # type: ignore[arg-type]  # what float takes
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise OptionError(f"level {level!r}, expected a finite number") from None


def face_complex(regions: RegionSet) -> FaceComplex:
    """The whole polyhedral complex of the regions: every face with its signs, its boundary and its vertices; exact.

    It is that of the domain's closure; unbounded domains have unbounded faces. Face ``starts[k] + i`` is region i.

    Raises:
        InputError: not a set of regions, or a partial one.

    Complexity: memory and time are those of the faces, about 2^k for each region, each some hundred bytes and a byte
    for each neuron; made for up to 5 dimensions.
    Source: Grigsby and Lindsey (2022), see `regions.faces`; orientations as in any regular cell complex.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> complex = pr.face_complex(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
    >>> complex.counts
    (9, 12, 4)
    >>> complex.where_on(0).counts  # the right half
    (6, 7, 2)
    >>> (complex.boundary(1) @ complex.boundary(2)).toarray().any()
    np.False_
    """
    expect(regions, RegionSet, "regions")
    if not regions.complete:
        raise InputError(f"faces of a partial set of {len(regions)} regions, expected a complete one")
    return _built(regions.problem, (), regions)


def _built(problem: Problem, parts: tuple[Part, ...], regions: RegionSet | None = None) -> FaceComplex:
    """The complex that is cut by the forms of some parts, and what of it lies in all of them."""
    cut = cut_by(problem, [row for part in parts for row in part.rows])
    whole = _assembled(problem, parts, all_faces(cut, regions))
    if not parts:
        return whole
    n, signs = problem.network.n_neurons, whole._signs(slice(None))
    holds, at = np.ones(len(whole), dtype=np.bool_), n
    for part in parts:
        holds &= part.holds(signs[:, at : at + len(part.rows)], signs[:, :n])
        at += len(part.rows)
    return whole if np.all(holds) else _taken(whole, np.flatnonzero(holds))


def _assembled(problem: Problem, parts: tuple[Part, ...], faces: AllFaces) -> FaceComplex:
    """All faces that are not at infinity, sorted by dimension, the largest by their patterns."""
    from polyregions.regions.complex.orient import orient

    signs = np.zeros(len(faces.facets), dtype=np.int64)
    orient(faces.dim, faces.offsets, faces.facets, signs)
    if not np.all(signs):
        raise InternalError("faces without an orientation: their facets are not connected through ridges")
    k, n_lines = problem.solid.hull.dim, faces.n_lines
    order = np.lexsort((_rank(faces, k - n_lines), faces.dim))
    order = order[faces.is_finite[order]]
    vertices = order[faces.dim[order] == 0] if n_lines == 0 else order[:0]
    row = np.cumsum(faces.dim == 0) - 1
    return FaceComplex(
        problem=problem,
        parts=parts,
        starts=np.searchsorted(faces.dim[order] + n_lines, np.arange(k + 2)),
        **_gathered(order, faces.zero, faces.on, _bounded(faces), faces.offsets, faces.facets, signs),
        points=faces.points[row[vertices]],
        point_error=faces.error[row[vertices]],
        n_lines=n_lines,
    )


def _gathered(
    numbers: Ints, zero: Bytes, on: Bytes, is_bounded: Bools, offsets: Ints, facets: Ints, signs: Ints
) -> dict[str, Any]:
    """The arrays of some faces, in a given order, and their facets among these."""
    place = np.full(len(zero), -1, dtype=np.int64)
    place[numbers] = np.arange(len(numbers))
    kept = place[ragged(facets, offsets, numbers)]
    owner = np.repeat(np.arange(len(numbers)), offsets[numbers + 1] - offsets[numbers])[kept >= 0]
    return {
        "zero": zero[numbers],
        "on": on[numbers],
        "is_bounded": is_bounded[numbers],
        "offsets": np.searchsorted(owner, np.arange(len(numbers) + 1)),
        "facets": kept[kept >= 0],
        "facet_signs": ragged(signs, offsets, numbers)[kept >= 0].astype(np.int8),
    }


def _names(complex: FaceComplex, n: int) -> Any:
    """Each face (F,) by its first n signs and the rows of the domain that it lies on, as one value."""
    walls = [complex.tight_rows(dim) for dim in range(complex.dim + 1)]
    rows = np.hstack([complex._signs(slice(None))[:, :n] + 1, np.concatenate(walls)]).astype(np.uint8)
    packed = np.ascontiguousarray(np.pad(rows, ((0, 0), (0, 1))))
    return packed.view(np.dtype((np.void, packed.shape[1]))).ravel()


def _taken(source: FaceComplex, numbers: Ints) -> FaceComplex:
    """Some faces, in ascending order, and their facets among these."""
    s = source
    fields = _gathered(numbers, s.zero, s.on, s.is_bounded, s.offsets, s.facets, s.facet_signs)
    vertices = numbers[: np.searchsorted(numbers, s.starts[1])]
    fields |= {"points": s.points[vertices], "point_error": s.point_error[vertices]}
    return replace(s, starts=np.searchsorted(numbers, s.starts), **fields)


def _rank(faces: AllFaces, top: int) -> Ints:
    """Where each of the largest faces (F,) comes among all by its pattern; 0 for the others."""
    largest = np.flatnonzero(faces.dim == top)
    patterns = np.packbits(np.unpackbits(faces.on[largest], axis=1, bitorder="little"), axis=1)
    rank = np.zeros(len(faces.dim), dtype=np.int64)
    if patterns.shape[1]:
        rank[largest[np.lexsort(patterns.T[::-1])]] = np.arange(len(largest))
    return rank


def _bounded(faces: AllFaces) -> Bools:
    """Which faces (F,) have no point at infinity in their closures."""
    is_bounded = faces.is_finite.copy()
    for dim in range(1, int(faces.dim.max()) + 1):
        numbers = np.flatnonzero(faces.dim == dim)
        lengths = faces.offsets[numbers + 1] - faces.offsets[numbers]
        of_facets = is_bounded[ragged(faces.facets, faces.offsets, numbers)]
        is_bounded[numbers] &= np.logical_and.reduceat(of_facets, np.cumsum(lengths) - lengths)
    return is_bounded


def ragged(values: Ints, offsets: Ints, numbers: Ints) -> Ints:
    """The values of some rows, one row after the other."""
    lengths = offsets[numbers + 1] - offsets[numbers]
    steps = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    found: Ints = values[np.repeat(offsets[numbers], lengths) + steps]
    return found
