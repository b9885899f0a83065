"""Regions as arrays (read back by `load_regions`) and as JSON for other programs."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions.domain import Box, Domain, Slice, WholeSpace
from polyregions.errors import DomainError, FormatError
from polyregions.geometry.polytope import HPolytope
from polyregions.io.npz import arrays_of_npz, network_arrays, network_of_arrays, npz_bytes
from polyregions.location import certified_patterns
from polyregions.patterns import as_text, keys, unpack
from polyregions.problem import Problem, pose
from polyregions.regions import Region, RegionSet

SCHEMA = "polyregions regions 1"


def regions_npz(regions: RegionSet) -> bytes:
    """All that a `RegionSet` holds, the network and the domain included, as one archive of plain arrays."""
    rational = sorted(regions.rational_points.items())
    return npz_bytes(
        {
            "schema": np.array(SCHEMA),
            "network_name": np.array(regions.network.name),
            **network_arrays(regions.network),
            **_domain_arrays(regions.domain),
            "packed": regions.packed,
            "packed_cuts": regions.packed_cuts,
            "local_points": regions.local_points,
            "rational_index": np.array([i for i, _ in rational], dtype=np.int64),
            "rational_points": np.array(
                [[str(c) for c in point] for _, point in rational], dtype=np.str_
            ).reshape(len(rational), regions.dim),
            "complete": np.array(regions.complete),
            "engine": np.array(regions.engine),
            "score": np.array(json.dumps(dict(regions.score))),
        }
    )


def regions_json(regions: RegionSet) -> bytes:
    """One object with the counts and, for each region, pattern, point, polytope and affine map."""
    head = {
        "network": regions.network.name,
        "network_sha256": regions.network.fingerprint(),
        "domain": repr(regions.domain),
        "complete": regions.complete,
        "engine": regions.engine,
        "after_each_layer": regions.regions_after_each_layer(),
    }
    return json.dumps({**head, "regions": [_region_object(region) for region in regions]}, indent=1).encode()


def regions_of_npz(data: bytes, where: str) -> RegionSet:
    """The regions stored by `regions_npz`; each interior point is checked against its pattern.

    Raises:
        FormatError: missing arrays, shapes that do not fit, patterns out of order, points outside their region.
    """
    arrays = arrays_of_npz(data, where)
    if str(_array(arrays, "schema", where)) != SCHEMA:
        raise FormatError(f"{where}: schema {arrays['schema']!s}, expected {SCHEMA!r}")
    network = network_of_arrays(arrays, where, str(_array(arrays, "network_name", where)))
    try:
        problem = pose(network, _domain_of_arrays(arrays, where))
    except DomainError as error:
        raise FormatError(f"{where}: {error}") from None
    regions = RegionSet(
        problem,
        _typed(arrays, "packed", "u1", 2, where),
        _typed(arrays, "packed_cuts", "u1", 2, where),
        _typed(arrays, "local_points", "f8", 2, where),
        _rational_points(arrays, problem, where),
        bool(_array(arrays, "complete", where)),
        str(_array(arrays, "engine", where)),
        json.loads(str(_array(arrays, "score", where))),
    )
    _check(regions, where)
    return regions


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


def _check(regions: RegionSet, where: str) -> None:
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
    _check_points(regions, where)


def _check_points(regions: RegionSet, where: str) -> None:
    """Every interior point has the pattern of its region, and lies in the domain."""
    patterns, certain = certified_patterns(regions.problem.inner, regions.local_points)
    stored = unpack(regions.packed, regions.network.n_neurons)
    doubtful = ~certain | np.any(patterns != stored, axis=1)
    for i in np.flatnonzero(doubtful).tolist():
        if regions.problem.exact.germ(regions.local_point(i).coordinates).pattern != tuple(stored[i].tolist()):
            raise FormatError(f"{where}, region {i}: its interior point has another activation pattern")
    root = regions.problem.solid
    for i in range(len(regions)):
        point = regions.local_point(i)
        if not root.holds(point):
            raise FormatError(f"{where}, region {i}: its interior point is not inside the domain")


def _domain_arrays(domain: Domain) -> dict[str, Any]:
    if isinstance(domain, Box):
        return {"domain_kind": np.array("box"), "lower": domain.lower, "upper": domain.upper}
    if isinstance(domain, WholeSpace):
        return {"domain_kind": np.array("whole space"), "dim": np.array(domain.dim)}
    if isinstance(domain, Slice):
        own = {"slice_origin": domain.origin, "slice_directions": domain.directions}
        return {**_domain_arrays(domain.domain), **own}
    arrays = {"domain_kind": np.array("polytope"), "A": domain.A, "b": domain.b, "strict": domain.strict}
    if domain.is_rounded:
        arrays["exact_rows"] = np.array([[hex(e) for e in row] for row in domain.exact_rows], dtype=np.str_)
    return arrays


def _domain_of_arrays(arrays: dict[str, Any], where: str) -> Domain:
    kind = str(_array(arrays, "domain_kind", where))
    inner: Box | WholeSpace | HPolytope
    if kind == "box":
        inner = Box(_array(arrays, "lower", where), _array(arrays, "upper", where))
    elif kind == "whole space":
        inner = WholeSpace(int(_array(arrays, "dim", where)))
    elif kind == "polytope":
        inner = _polytope_of_arrays(arrays, where)
    else:
        raise FormatError(f"{where}: domain kind {kind!r}, expected box, whole space or polytope")
    if "slice_origin" not in arrays:
        return inner
    return Slice(arrays["slice_origin"], _array(arrays, "slice_directions", where), inner)


def _polytope_of_arrays(arrays: dict[str, Any], where: str) -> HPolytope:
    polytope = HPolytope(*(_array(arrays, name, where) for name in ("A", "b", "strict")))
    if "exact_rows" not in arrays:
        return polytope
    try:
        rows = [[int(str(entry), 16) for entry in row] for row in arrays["exact_rows"]]
    except (TypeError, ValueError):
        raise FormatError(f"{where}, array exact_rows: not hexadecimal integers") from None
    divisors = [max(1, *(abs(entry) for entry in row)) for row in rows]
    return HPolytope.of_exact_rows(rows, divisors, polytope.dim, polytope.strict, polytope.labels)


def _rational_points(arrays: dict[str, Any], problem: Problem, where: str) -> dict[int, tuple[Fraction, ...]]:
    index, texts = _array(arrays, "rational_index", where), _array(arrays, "rational_points", where)
    if texts.shape != (len(index), problem.solid.hull.dim):
        raise FormatError(f"{where}, array rational_points: shape {texts.shape}, expected ({len(index)}, k)")
    try:
        return {int(i): tuple(Fraction(str(c)) for c in row) for i, row in zip(index, texts, strict=True)}
    except (ValueError, ZeroDivisionError):
        raise FormatError(f"{where}, array rational_points: not rationals such as '-3/7'") from None


def _array(arrays: dict[str, Any], name: str, where: str) -> Any:
    if name not in arrays:
        raise FormatError(f"{where}: array {name} is missing; not a file of regions")
    return arrays[name]


def _typed(arrays: dict[str, Any], name: str, dtype: str, ndim: int, where: str) -> Any:
    array = _array(arrays, name, where)
    if array.dtype != np.dtype(dtype) or array.ndim != ndim:
        raise FormatError(f"{where}, array {name}: {array.dtype} with {array.ndim} axes, expected {dtype} with {ndim}")
    return array
