"""Where outputs take given values, and which values they take: polytopes, region by region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Floats
from polyregions.analysis.queries.affine_pieces import AffinePiece, piece_of, pieces, regions_of
from polyregions.analysis.queries.at_vertices import Objective, upper_bounds
from polyregions.analysis.queries.extremes import bound_on
from polyregions.analysis.topology.face_complex import FaceComplex, VertexRows, face_complex
from polyregions.errors import InputError, expect
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.half_open import find_point
from polyregions.exact.numbers import dot, nearest_float, over_common_denominator
from polyregions.networks.final_rows import Above, Linear, condition_of
from polyregions.polyhedra.generators import Generators, generators
from polyregions.polyhedra.oracle.highs import new_solver
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.solid import integer_form
from polyregions.read_only import ReadOnly
from polyregions.regions.complex.gather import can_have_cells
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class PreimagePiece(ReadOnly):
    """A part of one region.

    Attributes:
        region: which one.
        polytope: the part, in the inputs x, closed.
        dim: its dimension.
    """

    region: int
    polytope: HPolytope
    dim: int


@dataclass(frozen=True, eq=False)
class ImagePiece(ReadOnly):
    """The image of one region: ``conv(points) + cone(rays) + span(lines)`` in R^c.

    Attributes:
        region: which one.
        points: (p, c) images of the region's vertices, each rounded once.
        exact_points: the same as rationals.
        rays: (r, c), none where the region is bounded.
        lines: (l, c), none where the region holds no line.
    """

    region: int
    points: Floats
    exact_points: tuple[tuple[Fraction, ...], ...]
    rays: Floats
    lines: Floats

    def __repr__(self) -> str:
        found = f"{len(self.points)} points, {len(self.rays)} rays, {len(self.lines)} lines"
        return f"<ImagePiece of region {self.region}: {found} in R^{self.points.shape[1]}>"


def preimage(regions: RegionSet, outputs: HPolytope | Sequence[HPolytope]) -> tuple[PreimagePiece, ...]:
    """All x of the closed domain whose outputs lie in a polytope, or in one of several, as a union of polytopes; exact.

    Args:
        regions: a complete set.
        outputs: a polytope in R^c, taken as closed, or a list of them.

    Returns:
        A piece for each polytope and each region that has one, parts of lower dimension included (where a region only
        touches). Where given polytopes overlap, so do the pieces.

    Raises:
        InputError: a partial set, or a polytope of another dimension.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> found = pr.preimage(pr.enumerate_regions(net, pr.Box([-3], [3])), pr.HPolytope([[1], [-1]], [2, -1]))
    >>> sorted(piece.polytope.vertices().ravel().tolist() for piece in found)
    [[-2.0, -1.0], [1.0, 2.0]]
    """
    expect(regions, RegionSet, "regions")
    wanted = polytopes_of(outputs, regions_of(regions).network.n_outputs, "preimage")
    return tuple(piece for polytope in wanted for piece in _preimage(regions, polytope))


def _preimage(regions: RegionSet, outputs: HPolytope) -> Iterator[PreimagePiece]:
    found = _in_front(regions, outputs.exact_rows, list(outputs.labels), "preimage")
    return iter(()) if found is None else _where(regions, *found)


def polytopes_of(given: Any, dim: int, what: str) -> list[HPolytope]:
    """One polytope, or several, as a list.

    Args:
        given: an `HPolytope`, or an iterable of them.
        dim: of which dimension.
        what: asks, for the message.

    Raises:
        InputError: anything else.
    """
    try:
        found = [given] if isinstance(given, HPolytope) else list(given)
    except TypeError:
        found = [given]
    for polytope in found:
        if not isinstance(polytope, HPolytope) or polytope.dim != dim:
            raise InputError(f"{what}: {polytope!r}, expected an HPolytope in R^{dim}, or a list of them")
    return found


def level_set(regions: RegionSet, value: Any, output: int = 0) -> tuple[PreimagePiece, ...]:
    """All x of the closed domain where one output equals a value, as a union of polytopes; exact.

    A piece on the common boundary of several regions is there once for each if it has at least one dimension less
    than the domain; pieces of the regions' own dimension are regions where the output is that constant. Where the set
    is thinner still, as the origin is for ``abs(x) + abs(y) = 0``, the part is there once, with the first region that
    has it.

    Args:
        regions: a complete set.
        value: an integer, float or fraction.
        output: which output.

    Returns:
        The pieces in the order of the regions; none of those of two or more dimensions less than the domain lies
        in another piece.

    Raises:
        InputError: a partial set, no such output, no number.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> found = pr.level_set(pr.enumerate_regions(net, pr.Box([-1], [3])), 2)
    >>> [(piece.region, piece.polytope.vertices().tolist()) for piece in found]
    [(1, [[2.0]])]
    >>> sum_of_both = pr.Network.from_layers([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1] * 4], [0])])
    >>> found = pr.level_set(pr.enumerate_regions(sum_of_both, pr.Box([-1, -1], [1, 1])), 0)  # |x| + |y|
    >>> [(piece.region, piece.polytope.vertices().tolist()) for piece in found]
    [(0, [[0.0, 0.0]])]
    """
    expect(regions, RegionSet, "regions")
    c = regions.network.n_outputs
    if not isinstance(output, (int, np.integer)) or not 0 <= output < c:
        raise InputError(f"level set: output {output!r}, expected one of 0 to {c - 1}")
    try:
        (level,) = [Fraction(v) for v in arrays.numbers([value]).tolist()]
    except (arrays.NotNumbers, ValueError, OverflowError):
        raise InputError(f"level set: {value!r} is not a finite number") from None
    row = [0] * (c + 1)
    row[output], row[c] = level.denominator, -level.numerator
    rows = [row, [-entry for entry in row]]
    labels = [f"y{output} >= {level}", f"y{output} <= {level}"]
    found = _in_front(regions, rows, labels, "level set")
    if found is None:
        return ()
    return tuple(_without_repeated(list(_where(regions, *found)), regions.dim - 1))


def _without_repeated(parts: list[PreimagePiece], dim: int) -> list[PreimagePiece]:
    """The parts without those of less than dim dimensions that lie in another one; of equal ones the first stays.

    The parts are cells of one polyhedral complex, so one that has a relatively interior point in another is a face
    of that. Larger parts come first, so that what a part lies in is known when its turn comes.
    """
    kept: list[int] = []
    for i in sorted(range(len(parts)), key=lambda i: (-parts[i].dim, i)):
        if parts[i].dim >= dim or not _lies_in_one(parts[i], [parts[j] for j in kept]):
            kept.append(i)
    return [parts[i] for i in sorted(kept)]


def _lies_in_one(part: PreimagePiece, others: list[PreimagePiece]) -> bool:
    solid = part.polytope.solid
    assert solid is not None
    point = solid.hull.lift(solid.interior).integers
    return any(all(dot(row, point) >= 0 for row in other.polytope.exact_rows) for other in others)


def image(regions: RegionSet) -> tuple[ImagePiece, ...]:
    """The outputs of each region as the hull of finitely many points and directions; exact, each rounded once.

    Raises:
        InputError: a partial set.

    Complexity: an exact linear system for each vertex of the complex; of many dimensions or unbounded domains the
    vertices of each region, see `HPolytope.generators`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> [piece.points.ravel().tolist() for piece in pr.image(pr.enumerate_regions(net, pr.Box([-1], [3])))]
    [[0.0, 1.0], [0.0, 3.0]]
    """
    expect(regions, RegionSet, "regions")
    regions_of(regions).network.check_values_are_outputs("the image")
    if regions.problem.solid.bounds.are_finite and can_have_cells(regions.problem):
        return tuple(_images_of_vertices(face_complex(regions)))
    return tuple(_image(piece, regions.dim) for piece in pieces(regions))


def _in_front(
    regions: RegionSet, rows: list[list[int]], labels: list[str], what: str
) -> tuple[list[list[int]], list[str]] | None:
    """Closed rows over the outputs as rows over the values in front of a final function; None if one never holds."""
    network = regions_of(regions).network
    if network.final_function is None:
        return rows, labels
    kept: list[list[int]] = []
    names: list[str] = []
    for row, label in zip(rows, labels, strict=True):
        condition = condition_of(network.final_function, 0, row, False, f"{what} of {network.name}")
        if condition is False:
            return None
        if isinstance(condition, Above):
            raise network.refusal_of_values(f"a {what} at an irrational logarithm")
        if isinstance(condition, Linear):
            *entries, _ = over_common_denominator(condition.row)
            kept.append(entries)
            names.append(label)
    return kept, names


def _images_of_vertices(complex: FaceComplex) -> Iterator[ImagePiece]:
    """The images of bounded regions: outputs are continuous, so each vertex of the complex has one image."""
    rows, exact, c = VertexRows(complex), complex.problem.exact, complex.problem.network.n_outputs
    order = sorted(
        range(complex.counts[0]), key=lambda v: complex.on[v].tobytes()
    )  # what is alike is composed once
    images = {v: exact.germ(rows.point(v)).value for v in order}
    corners, none = complex.vertices_of(complex.dim), np.zeros((0, c))
    for i, (start, end) in enumerate(zip(corners.indptr.tolist(), corners.indptr[1:].tolist(), strict=False)):
        points = sorted({images[v] for v in corners.indices[start:end].tolist()})
        yield ImagePiece(i, _floats(points, c), tuple(points), none, none)


def _image(piece: AffinePiece, dim: int) -> ImagePiece:
    found: Generators = generators(piece.polyhedron.exact_rows(), dim)
    points = sorted({tuple(_applied(piece.outputs, [*u, Fraction(1)])) for u in found.coordinates()})
    c = piece.outputs.shape[0]
    rays = [_applied(piece.outputs, [*map(Fraction, ray.direction), Fraction(0)]) for ray in found.rays]
    lines = [_applied(piece.outputs, [*map(Fraction, line), Fraction(0)]) for line in found.lines]
    return ImagePiece(piece.region, _floats(points, c), tuple(points), _floats(rays, c), _floats(lines, c))


def _applied(affine: IntegerAffine, homogeneous: Sequence[Fraction]) -> list[Fraction]:
    rows = (affine.row(i) for i in range(affine.shape[0]))
    return [
        sum((r * h for r, h in zip(row, homogeneous, strict=True)), Fraction(0)) / affine.denominator
        for row in rows
    ]


def _floats(vectors: Sequence[Sequence[Fraction]], c: int) -> Floats:
    return np.array([[nearest_float(v) for v in vector] for vector in vectors], dtype=np.float64).reshape(
        -1, c
    )


def _where(regions: RegionSet, rows: list[list[int]], labels: list[str]) -> Iterator[PreimagePiece]:
    """The parts of the regions where rows over [y, 1] are >= 0."""
    wanted = IntegerAffine(integer_matrix(rows, regions.network.n_outputs + 1), 1)
    for piece in _possible(regions, wanted, rows):
        pulled = compose(wanted, piece.outputs)
        all_rows = piece.polyhedron.exact_rows() + [pulled.row(i) for i in range(len(rows))]
        if find_point(all_rows, [False] * len(all_rows), piece.interior.coordinates) is None:
            continue
        polytope = _polytope(regions, piece.region, wanted, labels)
        solid = polytope.solid
        assert solid is not None
        yield PreimagePiece(piece.region, polytope, solid.hull.dim)


def _possible(regions: RegionSet, wanted: IntegerAffine, rows: list[list[int]]) -> Iterator[AffinePiece]:
    """The regions without those on which a row is proved to be negative everywhere."""
    none = [0] * regions.network.n_inputs
    highest = upper_bounds(regions, [Objective(row[:-1], none, row[-1]) for row in rows])
    if highest is not None:
        forms = RegionForms(regions)
        yield from (piece_of(forms, i) for i in np.flatnonzero(np.all(highest >= 0.0, axis=0)).tolist())
        return
    solver, bounds = new_solver(), regions.problem.solid.bounds
    for piece in pieces(regions):
        pulled = compose(wanted, piece.outputs)
        more = [integer_form(pulled.row(i)) for i in range(len(rows))]
        if all(bound_on(form, piece.polyhedron, bounds, solver) >= 0 for form in more):
            yield piece


def _polytope(regions: RegionSet, i: int, wanted: IntegerAffine, labels: list[str]) -> HPolytope:
    """Over the inputs x, closed."""
    region = regions[i]
    over_x = compose(wanted, region.exact_affine_map)
    n = len(labels)
    polytope = region.polytope.with_exact_rows(
        [over_x.row(j) for j in range(n)], [over_x.denominator] * n, [False] * n, labels
    )
    return polytope.closed()
