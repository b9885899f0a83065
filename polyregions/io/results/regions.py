"""Regions as arrays (read back by `load_regions`) and as JSON for other programs.

Rationals are stored as strings of hexadecimal integers: decimal ones take quadratic time to read, and Python
refuses those of more than 4300 digits.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import isfinite
from typing import Any, Final

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.errors import DomainError, FormatError
from polyregions.io.files import shortened
from polyregions.io.models.npz import network_arrays, network_of_arrays
from polyregions.io.npz import arrays_of_npz, npz_bytes
from polyregions.networks.certain_patterns import certified_patterns
from polyregions.networks.patterns import as_text, keys, pack, unpack
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.domain import Box, Domain, Slice, WholeSpace
from polyregions.polyhedra.oracle.proof import values_at_points
from polyregions.polyhedra.polytope import HPolytope
from polyregions.regions.packed import PackedRegions
from polyregions.regions.region_set import Region, RegionSet

SCHEMA: Final = "polyregions regions 1"

_SLICE = "slice of "
_INTEGER = re.compile(r"-?[0-9a-f]+")
_RATIONAL = re.compile(r"-?[0-9a-f]+/[1-9a-f][0-9a-f]*")
_ROUNDING = Fraction(1, 2**50)
_SMALLEST = Fraction(1, 2**1074)


def regions_npz(regions: RegionSet) -> bytes:
    """All that a `RegionSet` holds, the network and the domain included, as one archive of plain arrays."""
    rational = sorted(regions.rational_points.items())
    return npz_bytes(
        {
            "schema": np.array(SCHEMA),
            "network_name": np.array(regions.network.name),
            **network_arrays(regions.network),
            **domain_arrays(regions.domain),
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
    )


def regions_json(regions: RegionSet) -> bytes:
    """One object with the counts and, for each region, pattern, point, polytope and affine map."""
    listed = [_region_object(region) for region in regions]
    return json.dumps({**regions_about(regions), "regions": listed}, indent=1, allow_nan=False).encode()


def regions_about(regions: RegionSet) -> dict[str, Any]:
    """What files say of the regions as a whole: network, domain, completeness and counts."""
    return {
        "network": regions.network.name,
        "network_sha256": regions.network.fingerprint(),
        "domain": domain_object(regions.domain),
        "complete": regions.complete,
        "engine": regions.engine,
        "after_each_layer": regions.regions_after_each_layer(),
    }


def regions_of_npz(data: bytes, where: str) -> RegionSet:
    """The regions stored by `regions_npz`.

    What is checked: every point is strictly inside the domain and has the pattern of its region, and the cuts are
    those of the tree that the patterns form. That no region is missing is not proved again.

    Raises:
        FormatError: missing arrays, shapes that do not fit, patterns out of order, points outside their region.
    """
    arrays = arrays_of_npz(data, where)
    schema = _text(arrays, "schema", where)
    if schema != SCHEMA:
        raise FormatError(f"{where}: schema {shortened(schema)!r}, expected {SCHEMA!r}")
    network = network_of_arrays(arrays, where, _text(arrays, "network_name", where))
    try:
        problem = pose(network, domain_of_arrays(arrays, where))
    except DomainError as error:
        raise FormatError(f"{where}: {error}") from None
    regions = RegionSet(
        problem,
        PackedRegions(
            _typed(arrays, "packed", "u1", 2, where),
            _typed(arrays, "packed_cuts", "u1", 2, where),
            _typed(arrays, "local_points", "f8", 2, where),
            _rational_points(arrays, problem, where),
        ),
        bool(_typed(arrays, "complete", "?", 0, where)),
        _text(arrays, "engine", where),
        _score(_text(arrays, "score", where), where),
    )
    arrays.refuse_rest()
    check_regions(regions, where)
    return regions


def domain_object(domain: Domain) -> dict[str, Any]:
    """The domain for other programs; an infinite bound is null, which JSON has instead."""
    if isinstance(domain, Box):
        bounds = {"lower": domain.lower.tolist(), "upper": domain.upper.tolist()}
        finite = {name: [b if isfinite(b) else None for b in values] for name, values in bounds.items()}
        return {"kind": "box", **finite, **_exact_ends(domain)}
    if isinstance(domain, WholeSpace):
        return {"kind": "whole space", "dim": domain.dim}
    if isinstance(domain, Slice):
        plane = {"origin": domain.origin.tolist(), "directions": domain.directions.tolist()}
        return {"kind": "slice", **plane, "of": domain_object(domain.domain)}
    rows = {"kind": "polytope", "A": domain.A.tolist(), "b": domain.b.tolist()}
    if domain.is_rounded:
        rows["exact_rows"] = [[str(entry) for entry in row] for row in domain.exact_rows]
    return rows


def _exact_ends(box: Box) -> dict[str, Any]:
    """Bounds of a box as text where float64 cannot hold them; an infinite one is null."""
    if box.exact is None:
        return {}
    texts = ([None if end is None else str(end) for end in ends] for ends in box.exact)
    return dict(zip(("exact_lower", "exact_upper"), texts, strict=True))


def _region_object(region: Region) -> dict[str, Any]:
    polytope = region.polytope
    weight, bias = region.affine_map
    return {
        "pattern": as_text(region.pattern),
        "point": region.point.tolist(),
        "A": polytope.A.tolist(),
        "b": polytope.b.tolist(),
        "strict": polytope.strict.tolist(),
        "rows": list(polytope.labels),
        "weight": weight.tolist(),
        "bias": bias.tolist(),
    }


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


def domain_arrays(domain: Domain) -> dict[str, Any]:
    """The arrays that stand for a domain."""
    if isinstance(domain, Box):
        arrays = {"domain_kind": np.array("box"), "lower": domain.lower, "upper": domain.upper}
        for name, ends in zip(("exact_lower", "exact_upper"), domain.exact or (), strict=False):
            texts = ["" if end is None else f"{end.numerator:x}/{end.denominator:x}" for end in ends]
            arrays[name] = np.array(texts, dtype=np.str_)
        return arrays
    if isinstance(domain, WholeSpace):
        return {"domain_kind": np.array("whole space"), "dim": np.array(domain.dim, dtype=np.int64)}
    if isinstance(domain, Slice):
        inner = domain_arrays(domain.domain)
        kind = {"domain_kind": np.array(f"{_SLICE}{inner['domain_kind']!s}")}
        plane = {"slice_origin": domain.origin, "slice_directions": domain.directions}
        return {**inner, **kind, **plane, **_exact_slice_arrays(domain)}
    arrays = {"domain_kind": np.array("polytope"), "A": domain.A, "b": domain.b, "strict": domain.strict}
    arrays["labels"] = np.array(domain.labels, dtype=np.str_)
    if domain.is_rounded:
        arrays["domain_kind"] = np.array("rounded polytope")
        texts = [f"{entry:x}" for row in domain.exact_rows for entry in row]
        arrays["exact_rows"] = np.array(texts, dtype=np.str_).reshape(len(domain.A), domain.dim + 1)
    return arrays


def domain_of_arrays(arrays: dict[str, Any], where: str) -> Domain:
    """The domain that arrays stand for.

    Raises:
        FormatError: missing arrays, or such that fit no domain.
    """
    whole_kind = _text(arrays, "domain_kind", where)
    kind = whole_kind.removeprefix(_SLICE)
    inner: Box | WholeSpace | HPolytope
    if kind == "box":
        inner = _box_of_arrays(arrays, where)
    elif kind == "whole space":
        inner = WholeSpace(int(_typed(arrays, "dim", "i8", 0, where)))
    elif kind in ("polytope", "rounded polytope"):
        inner = _polytope_of_arrays(arrays, kind, where)
    else:
        raise FormatError(f"{where}: domain kind {shortened(kind)!r}, expected box, whole space or polytope")
    if kind == whole_kind:
        return inner
    floats = Slice(
        _typed(arrays, "slice_origin", "f8", 1, where),
        _typed(arrays, "slice_directions", "f8", 2, where),
        inner,
    )
    return _exact_slice(arrays, floats, where) if "slice_exact" in arrays else floats


def _exact_slice_arrays(domain: Slice) -> dict[str, Any]:
    """The coefficients (d, k+1) of a slice whose map float64 cannot hold, as rationals."""
    if domain.exact is None:
        return {}
    denominator, n = domain.exact.denominator, domain.exact.shape[0]
    texts = [[f"{entry:x}/{denominator:x}" for entry in domain.exact.row(i)] for i in range(n)]
    return {"slice_exact": np.array(texts, dtype=np.str_)}


def _exact_slice(arrays: dict[str, Any], floats: Slice, where: str) -> Slice:
    """The slice with the stored rational coefficients; the floats must be theirs."""
    texts, expected = _typed(arrays, "slice_exact", "U", 2, where), (floats.dim, floats.domain.dim + 1)
    if texts.shape != expected:
        raise FormatError(f"{where}, array slice_exact: shape {texts.shape}, expected {expected}")
    rows = [[_rational(text, where, "slice_exact") for text in row] for row in texts.tolist()]
    exact = Slice([row[-1] for row in rows], list(zip(*rows, strict=True))[:-1], floats.domain)
    if not (
        np.array_equal(exact.origin, floats.origin) and np.array_equal(exact.directions, floats.directions)
    ):
        raise FormatError(f"{where}, array slice_exact: is not that of slice_origin and slice_directions")
    return exact


def _box_of_arrays(arrays: dict[str, Any], where: str) -> Box:
    floats = Box(_typed(arrays, "lower", "f8", 1, where), _typed(arrays, "upper", "f8", 1, where))
    if "exact_lower" not in arrays and "exact_upper" not in arrays:
        return floats
    exact = Box(*(_exact_end(arrays, side, getattr(floats, side), where) for side in ("lower", "upper")))
    if not (np.array_equal(exact.lower, floats.lower) and np.array_equal(exact.upper, floats.upper)):
        raise FormatError(f"{where}, arrays exact_lower and exact_upper: are not those of lower and upper")
    return exact


def _exact_end(arrays: dict[str, Any], side: str, floats: Floats, where: str) -> list[Any]:
    texts = _typed(arrays, f"exact_{side}", "U", 1, where)
    if texts.shape != floats.shape:
        raise FormatError(f"{where}, array exact_{side}: shape {texts.shape}, expected {floats.shape}")
    return [
        _rational(text, where, f"exact_{side}") if text else end
        for text, end in zip(texts.tolist(), floats.tolist(), strict=True)
    ]


def _polytope_of_arrays(arrays: dict[str, Any], kind: str, where: str) -> HPolytope:
    A, b = _typed(arrays, "A", "f8", 2, where), _typed(arrays, "b", "f8", 1, where)
    labels = _typed(arrays, "labels", "U", 1, where).tolist()
    polytope = HPolytope(A, b, _typed(arrays, "strict", "?", 1, where), labels)
    if kind == "rounded polytope":
        polytope._exact_rows = _exact_rows(arrays, polytope, where)  # A and b stay the floats that were saved
    return polytope


def _exact_rows(arrays: dict[str, Any], polytope: HPolytope, where: str) -> list[list[int]]:
    """The exact rows ``b - A x >= 0``, up to positive factors; the floats must be theirs."""
    texts, expected = _typed(arrays, "exact_rows", "U", 2, where), (len(polytope.A), polytope.dim + 1)
    if texts.shape != expected or not all(_INTEGER.fullmatch(text) for text in texts.flat):
        raise FormatError(f"{where}, array exact_rows: expected hexadecimal integers in shape {expected}")
    rows = [[int(text, 16) for text in row] for row in texts.tolist()]
    for i, row in enumerate(rows):
        floats = [*(-polytope.A[i]).tolist(), float(polytope.b[i])]
        if not _is_rounded_multiple(floats, row):
            raise FormatError(f"{where}, array exact_rows: row {i} is not that of A and b")
    return rows


def _is_rounded_multiple(floats: list[float], row: list[int]) -> bool:
    pivot = max(range(len(row)), key=lambda k: abs(row[k]))
    if not row[pivot]:
        return not any(floats)
    factor = Fraction(floats[pivot]) / row[pivot]
    return factor > 0 and all(
        abs(Fraction(f) - factor * entry) <= abs(factor * entry) * _ROUNDING + _SMALLEST
        for f, entry in zip(floats, row, strict=True)
    )


def _rational_points(arrays: dict[str, Any], problem: Problem, where: str) -> dict[int, tuple[Fraction, ...]]:
    index, texts = (
        _typed(arrays, "rational_index", "i8", 1, where),
        _typed(arrays, "rational_points", "U", 2, where),
    )
    size, expected = len(_array(arrays, "packed", where)), (len(index), problem.solid.hull.dim)
    if texts.shape != expected:
        raise FormatError(f"{where}, array rational_points: shape {texts.shape}, expected {expected}")
    if any(not 0 <= i < size for i in index.tolist()) or np.any(np.diff(index) <= 0):
        raise FormatError(f"{where}, array rational_index: expected ascending regions from 0 to {size - 1}")
    return {
        i: tuple(_rational(text, where) for text in row) for i, row in zip(index.tolist(), texts, strict=True)
    }


def _rational(text: str, where: str, array: str = "rational_points") -> Fraction:
    if not _RATIONAL.fullmatch(text):
        raise FormatError(f"{where}, array {array}: {shortened(text)!r}, expected a rational such as '-3/1f'")
    numerator, denominator = text.split("/")
    return Fraction(int(numerator, 16), int(denominator, 16))


def _score(text: str, where: str) -> dict[str, int]:
    try:
        score = json.loads(text)
    except (ValueError, RecursionError):
        score = None
    if not isinstance(score, dict) or not all(type(count) is int for count in score.values()):
        raise FormatError(f"{where}, array score: {shortened(text)!r}, expected a JSON object of counts")
    return score


def _text(arrays: dict[str, Any], name: str, where: str) -> str:
    return str(_typed(arrays, name, "U", 0, where))


def _array(arrays: dict[str, Any], name: str, where: str) -> Any:
    if name not in arrays:
        raise FormatError(f"{where}: array {name} is missing; not a file of regions")
    return arrays[name]


def _typed(arrays: dict[str, Any], name: str, dtype: str, ndim: int, where: str) -> Any:
    array = _array(arrays, name, where)
    fits = array.dtype.kind == "U" if dtype == "U" else array.dtype == np.dtype(dtype)
    if not fits or array.ndim != ndim:
        raise FormatError(
            f"{where}, array {name}: {array.dtype} with {array.ndim} axes, expected {dtype} with {ndim}"
        )
    return array
