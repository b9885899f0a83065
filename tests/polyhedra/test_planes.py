"""Slices through given points: the points have the coordinates they should, exactly, also through files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.errors import DomainError, FormatError, InputError
from polyregions.io.npz import arrays_of_npz, npz_bytes
from randoms import float_layers, generator

F = Fraction
CORNERS = [([0, 0], 0), ([1, 0], 1), ([0, 1], 2)]


def image(plane: pr.Slice, u: list[Any]) -> list[Fraction]:
    weight, bias = plane.hull.embedding.fractions()
    return [
        sum((w * F(c) for w, c in zip(row, u, strict=True)), b) for row, b in zip(weight, bias, strict=True)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("d", [2, 3, 784])
def test_the_points_of_a_plane_are_at_their_coordinates(d: int, seed: int) -> None:
    points = generator(seed).normal(size=(3, d)) * 10.0 ** generator(seed).integers(-9, 9, size=(3, d))
    plane = pr.plane_through(*points)
    for u, i in CORNERS:
        assert image(plane, u) == [F(c) for c in points[i].tolist()]


def test_the_ends_of_a_segment_are_at_their_coordinates() -> None:
    a, b = np.array([0.1, 1e-30]), np.array([1e20, 0.3])
    line = pr.segment(a, b)
    assert [image(line, [0]), image(line, [1])] == [[F(c) for c in p.tolist()] for p in (a, b)]
    assert line.exact is not None


def test_a_plane_with_small_integers_is_a_plain_slice() -> None:
    plane = pr.plane_through([1, 2, 3], [2, 2, 3], [1, 4, 3], pr.Box.cube(-1, 1, 2))
    assert plane.exact is None
    assert plane.origin.tolist() == [1, 2, 3]
    assert plane.directions.tolist() == [[1, 0, 0], [0, 2, 0]]


def test_fractions_and_large_integers_of_a_slice_are_kept() -> None:
    assert image(pr.Slice([F(1, 3)], [[2**60 + 1]], pr.Box([0], [1])), [1]) == [F(1, 3) + 2**60 + 1]
    assert image(pr.Slice([0], [[2**60 + 1]], pr.Box([0], [1])), [1]) == [2**60 + 1]


def test_regions_of_a_plane_hold_points_of_the_pattern() -> None:
    """The pattern at the point of each region, which the brute-force twin evaluates in rationals."""
    layers = float_layers(generator(1), (5, 8, 4, 2))
    points = generator(2).normal(size=(3, 5))
    plane = pr.plane_through(*points, pr.Box.cube(-2, 2, 2))
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), plane)
    plain = [(W.tolist(), b.tolist()) for W, b in layers]
    for i in range(len(regions)):
        x = image(plane, list(regions.local_point(i).coordinates))
        assert naive.pattern_at(plain, x) == tuple(regions.patterns[i])
    for u, i in CORNERS:
        pattern = naive.pattern_at(plain, points[i].tolist())
        cells = [k for k in range(len(regions)) if tuple(regions.patterns[k]) == pattern]
        assert len(cells) == 1, u


def regions_of_a_plane() -> pr.RegionSet:
    net = pr.Network.from_layers(float_layers(generator(1), (3, 5, 2)))
    return pr.enumerate_regions(net, pr.plane_through([0.1, 0, 0.3], [1, 0.7, 0], [0, 0.9, 0.2]))


def test_a_file_keeps_the_rational_plane(tmp_path: Path) -> None:
    regions = regions_of_a_plane()
    pr.save(regions, tmp_path / "plane.npz")
    back = pr.load_regions(tmp_path / "plane.npz")
    for u, _ in CORNERS:
        assert image(back.domain, u) == image(regions.domain, u)  # type: ignore[arg-type]
    assert np.array_equal(back.packed, regions.packed)


@pytest.mark.parametrize(
    ("text", "message"),
    [("1/3", "is not that of slice_origin"), ("1.5", "expected a rational"), (None, "shape")],
)
def test_a_file_with_another_plane_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    pr.save(regions_of_a_plane(), tmp_path / "plane.npz")
    arrays = arrays_of_npz((tmp_path / "plane.npz").read_bytes(), "plane")
    if text is None:
        arrays["slice_exact"] = arrays["slice_exact"][:-1]
    else:
        changed = arrays["slice_exact"].astype("U200")
        changed[0, 0] = text
        arrays["slice_exact"] = changed
    (tmp_path / "bad.npz").write_bytes(npz_bytes(arrays))
    with pytest.raises(FormatError, match=message):
        pr.load_regions(tmp_path / "bad.npz")


def test_a_rational_plane_has_no_certificate() -> None:
    with pytest.raises(InputError, match="no float64 numbers, which a certificate cannot hold"):
        pr.certify(regions_of_a_plane())


BAD: dict[str, tuple[list[Any], str]] = {
    "equal": ([[1, 2], [1, 2]], "point 1 is the same as point 0"),
    "on a line": ([[0, 0], [1, 1], [2, 2]], "linearly dependent"),
    "lengths": ([[0, 0], [1]], "point 1 has 1 entries, expected 2"),
    "infinite": ([[0, 0], [1, np.inf]], "point 1, input 1: is inf"),
    "text": ([["a"], [0]], "point 0: "),
    "axes": ([[[0]], [0]], r"point 0: shape \(1, 1\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_points_that_span_nothing_are_refused(case: str) -> None:
    points, message = BAD[case]
    with pytest.raises(DomainError, match=message):
        pr.segment(*points) if len(points) == 2 else pr.plane_through(*points)


def test_a_domain_of_another_dimension_is_refused() -> None:
    with pytest.raises(DomainError, match="directions have shape"):
        pr.plane_through([0, 0], [1, 0], [0, 1], pr.Box([0], [1]))
