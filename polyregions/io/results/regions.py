"""Regions as arrays, read back by `load_regions`; for what other programs read see `hrep`.

Rationals are stored as strings of hexadecimal integers: decimal ones take quadratic time to read, and Python
refuses those of more than 4300 digits.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, Final

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.errors import DomainError, FormatError
from polyregions.io.files import shortened
from polyregions.io.models.npz import network_arrays, network_of_arrays
from polyregions.io.npz import arrays_of_npz, npz_bytes
from polyregions.io.results.domains import domain_of_arrays
from polyregions.io.results.typed import array_of, rational, text_of, typed
from polyregions.networks.certain_patterns import certified_patterns
from polyregions.networks.patterns import keys, pack, unpack
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.oracle.proof import values_at_points
from polyregions.regions.packed import PackedRegions
from polyregions.regions.region_set import RegionSet
from polyregions.regions.union import UnionRegions

SCHEMA: Final = "polyregions regions 1"
DERIVED: Final = (
    *("points", "hrep_offsets", "hrep_A", "hrep_b", "hrep_strict", "hrep_wall", "hrep_wall_labels"),
    *("hrep_neuron_offsets", "hrep_neurons", "map_weight", "map_bias"),
)
"""Arrays for other programs, which follow from the others and are not read back."""


def regions_npz(regions: RegionSet) -> bytes:
    """All that a `RegionSet` holds, the network and the domain included, as one archive of plain arrays."""
    return npz_bytes(regions_arrays(regions))


def regions_arrays(regions: RegionSet) -> dict[str, Any]:
    """The arrays of that archive."""
    rational = sorted(regions.rational_points.items())
    return {
        "schema": np.array(SCHEMA),
        "network_name": np.array(regions.network.name),
        **network_arrays(regions.network),
        **regions.domain.arrays(),
        "packed": regions.packed,
        "packed_cuts": regions.packed_cuts,
        "local_points": regions.local_points,
        "rational_index": np.array([i for i, _ in rational], dtype=np.int64),
        "rational_points": np.array(
            [[f"{c.numerator:x}/{c.denominator:x}" for c in point] for _, point in rational],
            dtype=np.str_,
        ).reshape(len(rational), regions.dim),
        "complete": np.array(regions.complete),
        "engine": np.array(regions.engine),
        "score": np.array(json.dumps(dict(regions.score))),
    }


def regions_about(regions: RegionSet) -> dict[str, Any]:
    """What files say of the regions as a whole: network, domain, completeness and counts."""
    return {
        "network": regions.network.name,
        "network_sha256": regions.network.fingerprint(),
        "domain": regions.domain.record(),
        "complete": regions.complete,
        "engine": regions.engine,
        "after_each_layer": regions.regions_after_each_layer(),
    }


def union_about(union: UnionRegions) -> dict[str, Any]:
    """What files say of the regions of several input sets: the network, and of each set what is said of one."""
    network = union.parts[0].network
    boxes = [
        {name: value for name, value in regions_about(part).items() if not name.startswith("network")}
        for part in union.parts
    ]
    return {
        "network": network.name,
        "network_sha256": network.fingerprint(),
        "complete": union.complete,
        "boxes": boxes,
    }


def regions_of_npz(data: bytes, where: str) -> RegionSet:
    """The regions stored by `regions_npz`.

    What is checked: every point is strictly inside the domain and has the pattern of its region, and the cuts are
    those of the tree that the patterns form. That no region is missing is not proved again.

    Raises:
        FormatError: missing arrays, shapes that do not fit, patterns out of order, points outside their region.
    """
    arrays = arrays_of_npz(data, where)
    schema = text_of(arrays, "schema", where)
    if schema != SCHEMA:
        raise FormatError(f"{where}: schema {shortened(schema)!r}, expected {SCHEMA!r}")
    network = network_of_arrays(arrays, where, text_of(arrays, "network_name", where))
    try:
        problem = pose(network, domain_of_arrays(arrays, where))
    except DomainError as error:
        raise FormatError(f"{where}: {error}") from None
    regions = RegionSet(
        problem,
        PackedRegions(
            typed(arrays, "packed", "u1", 2, where),
            typed(arrays, "packed_cuts", "u1", 2, where),
            typed(arrays, "local_points", "f8", 2, where),
            _rational_points(arrays, problem, where),
        ),
        bool(typed(arrays, "complete", "?", 0, where)),
        text_of(arrays, "engine", where),
        _score(text_of(arrays, "score", where), where),
    )
    for name in DERIVED:
        arrays.get(name)
    arrays.refuse_rest()
    check_regions(regions, where)
    return regions


def check_regions(regions: RegionSet, where: str) -> None:
    """Refuse arrays that are not those of a set of regions, see `regions_of_npz`.

    Raises:
        FormatError: names what is wrong.
    """
    n, size = regions.network.n_neurons, len(regions.packed)
    width = (n + 7) // 8
    shapes = {
        "packed": (regions.packed.shape, (size, width)),
        "packed_cuts": (regions.packed_cuts.shape, (size, width)),
        "local_points": (regions.local_points.shape, (size, regions.dim)),
    }
    for name, (found, expected) in shapes.items():
        if found != expected:
            raise FormatError(f"{where}, array {name}: shape {found}, expected {expected}")
    order = keys(regions.packed)
    if any(a >= b for a, b in zip(order, order[1:], strict=False)):
        raise FormatError(f"{where}: the patterns are not in ascending order without repetition")
    for name, packed in (("packed", regions.packed), ("packed_cuts", regions.packed_cuts)):
        if not np.array_equal(pack(unpack(packed, n)), packed):
            raise FormatError(f"{where}, array {name}: bits are set beyond the {n} neurons")
    _check_cuts(regions, where)
    check_points(regions, where)


def _check_cuts(regions: RegionSet, where: str) -> None:
    """The cuts are where the patterns branch; a partial set may have lost one side of some branchings."""
    if regions.complete and not len(regions):
        raise FormatError(f"{where}: no regions, expected at least one in a complete set")
    on, off = branchings(regions.patterns)
    on_cuts, off_cuts = regions.cuts & regions.patterns, regions.cuts & ~regions.patterns
    lost = (on_cuts & ~on) | (off_cuts & ~off) if regions.complete else False
    wrong = np.any((on & ~on_cuts) | (off & ~off_cuts) | lost, axis=1)
    if np.any(wrong):
        i = int(np.flatnonzero(wrong)[0])
        raise FormatError(f"{where}, region {i}: its cuts are not those of the tree that the patterns form")


def branchings(patterns: Bools) -> tuple[Bools, Bools]:
    """Where sorted, distinct patterns (R, N) branch: (R, N) those with the neuron on, (R, N) those with it off.

    Two patterns branch at their first difference. That of any two is the smallest of those between them, so one
    pass in each direction finds all.
    """
    on, off = np.zeros_like(patterns), np.zeros_like(patterns)
    if len(patterns) < 2:
        return on, off
    first = (patterns[1:] != patterns[:-1]).argmax(axis=1).tolist()
    for i, n in enumerate(first):
        on[i + 1, :n], on[i + 1, n] = on[i, :n], True
    for i, n in reversed(list(enumerate(first))):
        off[i, :n], off[i, n] = off[i + 1, :n], True
    return on, off


def check_points(regions: RegionSet, where: str) -> None:
    """Refuse an interior point that has not the pattern of its region, or does not lie in the domain.

    Raises:
        FormatError: names the region.
    """
    problem, points = regions.problem, regions.local_points
    is_exact = np.zeros(len(regions), dtype=np.bool_)
    is_exact[list(regions.rational_points)] = True
    if not np.all(np.isfinite(points[~is_exact])) or np.any(np.isnan(points)):
        raise FormatError(f"{where}, array local_points: expected finite numbers")
    patterns, certain = certified_patterns(problem.inner, points)
    doubtful = is_exact | ~certain | np.any(patterns != regions.patterns, axis=1)
    for i in np.flatnonzero(doubtful).tolist():
        pattern = problem.exact.germ(regions.local_point(i).coordinates).pattern
        if pattern != tuple(regions.patterns[i].tolist()):
            raise FormatError(f"{where}, region {i}: its interior point has another activation pattern")
    for i in np.flatnonzero(is_exact | ~_surely_inside(problem, points)).tolist():
        if not problem.solid.holds(regions.local_point(i)):
            raise FormatError(f"{where}, region {i}: its interior point is not inside the domain")


def _surely_inside(problem: Problem, points: Floats) -> Bools:
    """Which points (R, k) are inside the domain by more than rounding."""
    value, bound = values_at_points(problem.root.rows, problem.root.error, points)
    inside: Bools = np.all(value > bound, axis=1)
    return inside


def _rational_points(arrays: dict[str, Any], problem: Problem, where: str) -> dict[int, tuple[Fraction, ...]]:
    index, texts = (
        typed(arrays, "rational_index", "i8", 1, where),
        typed(arrays, "rational_points", "U", 2, where),
    )
    size, expected = len(array_of(arrays, "packed", where)), (len(index), problem.solid.hull.dim)
    if texts.shape != expected:
        raise FormatError(f"{where}, array rational_points: shape {texts.shape}, expected {expected}")
    if any(not 0 <= i < size for i in index.tolist()) or np.any(np.diff(index) <= 0):
        raise FormatError(f"{where}, array rational_index: expected ascending regions from 0 to {size - 1}")
    return {
        i: tuple(rational(text, where) for text in row) for i, row in zip(index.tolist(), texts, strict=True)
    }


def _score(text: str, where: str) -> dict[str, int]:
    try:
        score = json.loads(text)
    except (ValueError, RecursionError):
        score = None
    if not isinstance(score, dict) or not all(type(count) is int for count in score.values()):
        raise FormatError(f"{where}, array score: {shortened(text)!r}, expected a JSON object of counts")
    return score
