"""Pictures: the geometry by hand, and the files by what an image must be."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import naive
import polyregions as pr
import randoms
from polyregions.cli import main
from polyregions.errors import DomainError, FormatError, InputError, MissingExtraError, OptionError
from polyregions.plot import sections
from polyregions.plot.layers import panels_size
from polyregions.plot.line import intervals
from polyregions.plot.look import scale_of
from polyregions.plot.outlines import float_outlines
from polyregions.plot.palette import few_colours, many_colours
from polyregions.plot.picture import check_picture, save_picture
from polyregions.plot.polygons import packed
from polyregions.plot.scene import Scene
from polyregions.plot.segments import edge_layers
from random_networks import normal_network as random_network

Corners = list[tuple[float, float]]

SQUARE = pr.Box.cube(-1, 1, 2)
QUADRANTS = pr.Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))], name="quadrants")
DIAGONAL = pr.Network.from_layers([([[1, 1]], [0]), ([[1]], [0])], name="diagonal")
FIVE_SLOPES = pr.Network.from_layers([([[1, 0], [1, 0], [0, 1]], [0, -0.5, 0]), ([[1, 1, 3]], [0])])


def region_polygons(regions: pr.RegionSet) -> sections.Polygons:
    return pr.plane_section(regions).polygons


def cell_polygons(cells: pr.DecisionCells) -> sections.Polygons:
    return sections.cell_polygons(pr.plane_section(cells.regions), cells)


def starting_lowest(corners: Iterable[Any]) -> Corners:
    """The same cycle of corners, beginning with the smallest."""
    points = [(float(x), float(y)) for x, y in corners]
    start = points.index(min(points))
    return points[start:] + points[:start]


def area(corners: Any) -> float:
    """The shoelace formula: positive if the corners run counterclockwise."""
    x, y = np.asarray(corners).T
    return math.fsum((x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


# ---------------------------------------------------------------- corners


def test_corners_of_quadrants_by_hand() -> None:
    polygons = region_polygons(pr.enumerate_regions(QUADRANTS, SQUARE))
    assert [starting_lowest(p) for p in polygons] == [
        [(-1, -1), (0, -1), (0, 0), (-1, 0)],
        [(-1, 0), (0, 0), (0, 1), (-1, 1)],
        [(0, -1), (1, -1), (1, 0), (0, 0)],
        [(0, 0), (1, 0), (1, 1), (0, 1)],
    ]


def test_corners_of_two_triangles_by_hand() -> None:
    polygons = region_polygons(pr.enumerate_regions(DIAGONAL, SQUARE))
    assert [starting_lowest(p) for p in polygons] == [
        [(-1, -1), (1, -1), (-1, 1)],
        [(-1, 1), (1, -1), (1, 1)],
    ]


def test_corners_of_decision_cells_by_hand() -> None:
    cells = pr.decision_cells(pr.enumerate_regions(QUADRANTS, SQUARE))
    polygons = [starting_lowest(p) for p in cell_polygons(cells)]
    assert polygons[3:] == [[(0, 0), (1, 0), (1, 1)], [(0, 0), (1, 1), (0, 1)]]
    assert [area(p) for p in polygons] == [1, 1, 1, 0.5, 0.5]


def test_a_slice_is_drawn_in_its_own_coordinates() -> None:
    """The plane z = 5 of a network of three inputs whose third neuron is always on there."""
    network = pr.Network.from_layers([(np.eye(3), np.zeros(3)), (np.eye(3), np.zeros(3))])
    plane = pr.Slice([0, 0, 5], [[1, 0, 0], [0, 1, 0]], SQUARE)
    polygons = region_polygons(pr.enumerate_regions(network, plane))
    expected = region_polygons(pr.enumerate_regions(QUADRANTS, SQUARE))
    assert [starting_lowest(p) for p in polygons] == [starting_lowest(p) for p in expected]


def test_an_oblique_slice_by_hand() -> None:
    """With x = (u + v, u - v) the neurons vanish on the diagonals of the square of (u, v)."""
    plane = pr.Slice([0, 0], [[1, 1], [1, -1]], SQUARE)
    polygons = region_polygons(pr.enumerate_regions(QUADRANTS, plane))
    assert [starting_lowest(p) for p in polygons] == [
        [(-1, -1), (0, 0), (-1, 1)],
        [(-1, -1), (1, -1), (0, 0)],
        [(-1, 1), (0, 0), (1, 1)],
        [(0, 0), (1, -1), (1, 1)],
    ]


def test_a_box_with_fixed_inputs_is_drawn_in_the_others() -> None:
    network = pr.Network.from_layers([(np.eye(3), np.zeros(3)), (np.eye(3), np.zeros(3))])
    polygons = region_polygons(pr.enumerate_regions(network, pr.Box([-1, 5, -1], [1, 5, 1])))
    expected = region_polygons(pr.enumerate_regions(QUADRANTS, SQUARE))
    assert [starting_lowest(p) for p in polygons] == [starting_lowest(p) for p in expected]


TRIANGLE = pr.HPolytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
DOMAINS: dict[str, tuple[int, Any, float]] = {
    "square": (2, SQUARE, 4.0),
    "far box": (2, pr.Box([1000, -3], [1002, 1]), 8.0),
    "triangle": (2, TRIANGLE, 0.5),
    "slice": (4, pr.Slice([1, 0, 0, 0], [[1, 2, 0, 0], [0, 0, 1, -1]], SQUARE), 4.0),
    "slice of a triangle": (3, pr.Slice([0, 0, 0], [[1, 0, 1], [0, 2, 0]], TRIANGLE), 0.5),
}


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("seed", range(3))
def test_areas_add_up_to_the_domain(name: str, seed: int) -> None:
    d, domain, whole = DOMAINS[name]
    regions = pr.enumerate_regions(random_network(seed, d, 7, 5, 3), domain)
    areas = [area(p) for p in region_polygons(regions)]
    cells = pr.decision_cells(regions)
    parts = np.zeros(len(regions))
    np.add.at(parts, cells.region, [area(p) for p in cell_polygons(cells)])
    assert min(areas) > 0
    assert math.fsum(areas) == pytest.approx(whole, rel=1e-9)
    assert parts == pytest.approx(areas, rel=1e-6, abs=1e-9)


def test_no_corner_is_on_the_wrong_side() -> None:
    """A point between the corners has the pattern of the region, by the brute-force twin."""
    network = random_network(5, 2, 6, 4, 1)
    regions = pr.enumerate_regions(network, SQUARE)
    layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in network.layers]
    for region, corners in zip(regions, region_polygons(regions), strict=True):
        middle = corners.mean(axis=0)
        for corner in corners:
            inside = (0.999 * corner + 0.001 * middle).tolist()
            assert naive.pattern_at(layers, inside) == tuple(region.pattern)


@pytest.mark.parametrize("seed", range(6))
def test_outlines_in_floats_are_those_cut_in_integers(seed: int) -> None:
    """Where they say that they are right; sides, what carries them, and the doubts about rows included."""
    domain = TRIANGLE if seed % 2 else pr.Box([-1, 0], [2, 1])
    regions = pr.enumerate_regions(random_network(seed, 2, 12, 9, 5, 2), domain)
    polygons, right = float_outlines(regions)
    assert np.mean(right) > 0.9
    exact = packed(sections._region_sides(regions, []))
    for i in np.flatnonzero(right).tolist():
        one, other = (slice(*p.offsets[i : i + 2].tolist()) for p in (polygons, exact))
        names = list(zip(exact.kinds[other].tolist(), exact.carriers[other].tolist(), strict=True))
        found = list(zip(polygons.kinds[one].tolist(), polygons.carriers[one].tolist(), strict=True))
        turn = names.index(found[0])
        assert found == names[turn:] + names[:turn]
        corners, rows = (np.roll(values[other], -turn, axis=0) for values in (exact.corners, exact.rows))
        assert np.abs(polygons.corners[one] - corners).max() < 4e-10
        assert np.all(np.abs(polygons.rows[one] - rows) @ [2, 1, 1] <= polygons.doubts[one] + 1e-15)


def test_degenerate_networks_have_the_same_polygons_by_either_way() -> None:
    """Small integers: parallel, equal and opposite lines, many through one point."""
    for seed in range(20):
        layers = randoms.integer_layers(randoms.generator(seed), [2, 6, 4, 2])
        regions = pr.enumerate_regions(pr.Network.from_layers(layers), SQUARE)
        exact = packed(sections._region_sides(regions, []))
        drawn = region_polygons(regions)
        for one, other in zip(drawn, exact, strict=True):
            assert starting_lowest(one.round(9) + 0.0) == starting_lowest(other.round(9) + 0.0)


def test_slivers_beyond_float64_are_drawn() -> None:
    """Three regions between x = 1/3 and the next float, and rows scaled beyond floats."""
    close = pr.Network.from_layers([([[3, 0], [1, 0]], [-1, -(1 / 3) - 2**-54]), ([[1, 1]], [0])])
    wild = pr.Network.from_layers([([[1e-200, 0], [0, 1e200]], [0, 0]), ([[1e-200, 1e200]], [0])])
    for network in (close, wild):
        regions = pr.enumerate_regions(network, SQUARE)
        polygons = region_polygons(regions)
        assert polygons.sizes.min() >= 3
        assert math.fsum(area(p) for p in polygons) == pytest.approx(4)


# ---------------------------------------------------------------- files


def saved(regions: pr.RegionSet, file: Path, colour: str = "auto") -> bytes:
    pytest.importorskip("matplotlib")
    save_picture(regions, file, colour)
    return file.read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_the_same_regions_are_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    one = saved(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / f"one{suffix}")
    assert saved(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / f"two{suffix}") == one
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"one{suffix}", f"two{suffix}"]


def test_a_png_shows_each_colour_on_its_share_of_the_pixels(tmp_path: Path) -> None:
    """Two triangles of the same size in two colours: each has about half of the coloured pixels."""
    image = pytest.importorskip("matplotlib.image")
    saved(pr.enumerate_regions(DIAGONAL, SQUARE), tmp_path / "p.png")
    pixels = image.imread(tmp_path / "p.png")
    height, width, channels = pixels.shape
    assert min(height, width) > 400
    assert channels in (3, 4)
    colours, counts = np.unique(pixels[..., :3].reshape(-1, 3), axis=0, return_counts=True)
    coloured = np.ptp(colours, axis=1) > 0.1  # neither white, black nor grey
    first, second = sorted(counts[coloured])[-2:]
    assert first > 0.9 * second
    assert first + second > height * width / 3


@pytest.mark.parametrize(
    ("network", "colour", "least"),
    [(QUADRANTS, "class", 4), (FIVE_SLOPES, "slope", 5), (FIVE_SLOPES, "auto", 5)],
)
def test_a_png_has_a_colour_for_each_slope_or_shade_of_a_class(
    network: pr.Network, colour: str, least: int, tmp_path: Path
) -> None:
    image = pytest.importorskip("matplotlib.image")
    saved(pr.enumerate_regions(network, SQUARE), tmp_path / "p.png", colour)
    pixels = image.imread(tmp_path / "p.png")
    colours, counts = np.unique(pixels[..., :3].reshape(-1, 3), axis=0, return_counts=True)
    areas_of_one_colour = counts[np.ptp(colours, axis=1) > 0.1] > 2000
    assert np.count_nonzero(areas_of_one_colour) >= least


def test_an_svg_is_xml_with_a_path_for_each_region_and_each_facet(tmp_path: Path) -> None:
    """The axes have paths of their own."""
    text = saved(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / "p.svg", "slope")
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    shapes = [
        path
        for group in root.iter()
        if group.get("id", "").startswith(("PolyCollection", "LineCollection"))
        for path in group.iter()
        if path.tag.endswith("}path")
    ]
    assert len(shapes) == 8


def test_a_pdf_is_whole(tmp_path: Path) -> None:
    data = saved(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / "p.pdf")
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(data) > 2000


def test_axes_hold_the_polygons_and_the_domain() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    regions = pr.enumerate_regions(random_network(3, 2, 6, 2), pr.Box([-1, 0], [2, 4]))
    axes = figure.Figure().add_subplot()
    pr.plot_regions(regions, axes, color="class", boundary=False)
    filled, lines = axes.collections
    assert len(filled.get_paths()) == len(pr.decision_cells(regions))
    assert len(lines.get_paths()) == len(pr.adjacency_arrays(regions))
    assert (axes.get_xlim(), axes.get_ylim()) == ((-1, 2), (0, 4))
    assert axes.get_title() == f"network: {len(regions)} regions"


def test_a_name_with_dollars_is_no_formula(tmp_path: Path) -> None:
    network = pr.Network.from_layers([([[1, 1]], [0]), ([[1]], [0])], name="a$\\b$.npz")
    assert saved(pr.enumerate_regions(network, SQUARE), tmp_path / "p.png")


def test_a_constant_network_and_an_empty_set_have_pictures(tmp_path: Path) -> None:
    constant = pr.Network.from_layers([([[0, 0]], [0]), ([[1]], [0])])
    assert saved(pr.enumerate_regions(constant, SQUARE), tmp_path / "constant.png")
    none = pr.enumerate_regions(QUADRANTS, SQUARE, max_regions=0)
    for colour in ("class", "slope"):
        assert saved(none, tmp_path / f"{colour}.png", colour)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("d", "domain", "text"),
    [
        (3, pr.Box.cube(-1, 1, 3), "dimension 3, expected .*plane_through or Slice"),
        (4, pr.Box([-1, -1, -1, 0], [1, 1, 1, 0]), "dimension 3, expected .* fix all other inputs"),
        (3, pr.WholeSpace(3), "dimension 3, expected "),
        (2, pr.Box([1, 0], [1, 0]), "dimension 0, expected "),
    ],
)
def test_what_cannot_be_drawn_is_refused(d: int, domain: Any, text: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    regions = pr.enumerate_regions(random_network(0, d, 2, 1), domain)
    for attempt in (
        lambda: region_polygons(regions),
        lambda: pr.plot_layers(regions),
        lambda: pr.plot_surface(regions),
        lambda: save_picture(regions, tmp_path / "p.png"),
        lambda: check_picture(regions.network, domain),
    ):
        with pytest.raises(InputError, match=text):
            attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_dimension_than_the_network_is_refused() -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(DomainError, match="3 inputs, quadrants takes 2"):
        check_picture(QUADRANTS, pr.Box.cube(-1, 1, 3))


def test_an_unknown_colouring_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'red', expected one of auto, region, class, slope, layer"):
        save_picture(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / "p.png", "red")


@pytest.mark.parametrize("name", ["p.bmp", "p", "p.png.gz"])
def test_an_unknown_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"p.*expected a name that ends in one of \.png, \.svg, \.pdf"):
        save_picture(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "d.png").mkdir()
    for name in ("d.png", "missing/p.png"):
        with pytest.raises(FormatError, match="cannot be written"):
            save_picture(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["d.png"]


def test_a_missing_matplotlib_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'needs matplotlib: pip install "polyregions\[plot\]"'):
        save_picture(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / "p.png")
    with pytest.raises(MissingExtraError):
        check_picture(QUADRANTS, SQUARE)


def test_polygons_need_no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert len(region_polygons(pr.enumerate_regions(QUADRANTS, SQUARE))) == 4


def test_a_line_has_no_polygons() -> None:
    with pytest.raises(InputError, match="dimension 1, expected 2 for a picture$"):
        pr.plane_section(pr.enumerate_regions(random_network(0, 1, 2, 1), pr.Box([-1], [1])))


@pytest.mark.parametrize("color", [np.zeros(3), [1, 2, 3, float("nan")], [["a"] * 4], None, np.zeros((4, 1))])
def test_what_is_no_number_for_each_region_is_no_colour(color: Any) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    regions = pr.enumerate_regions(QUADRANTS, SQUARE)
    with pytest.raises(OptionError, match="expected a name or 4 numbers, one for each region"):
        pr.plot_regions(regions, figure.Figure().add_subplot(), color=color)


@pytest.mark.parametrize(
    "view",
    [5, ([0, 0],), ([0, 0], [1]), ([0, 0], [1, np.inf]), ([0, 0], [1, 0]), ("a", "b"), ([0] * 3, [1] * 3)],
)
def test_what_is_no_view_is_refused(view: Any) -> None:
    with pytest.raises(OptionError, match="view .*, expected"):
        pr.plane_section(pr.enumerate_regions(QUADRANTS, SQUARE), view)


@pytest.mark.parametrize("output", [-1, 2, 7])
def test_an_output_that_is_not_there_is_refused(output: int) -> None:
    with pytest.raises(OptionError, match=f"output {output}, expected one of the 2 outputs"):
        pr.plot_surface(pr.enumerate_regions(QUADRANTS, SQUARE), output=output)


# ---------------------------------------------------------------- views


def test_a_view_is_the_same_as_the_domain_cut_to_it() -> None:
    """The regions of the box of the view are those polygons that are not empty, corner by corner."""
    network = random_network(7, 2, 8, 6, 2)
    lower, upper = [-1.5, -0.75], [0.5, 1.25]
    whole = pr.enumerate_regions(network, pr.WholeSpace(2))
    drawn = pr.plane_section(whole, (lower, upper))
    inside = pr.enumerate_regions(network, pr.Box(lower, upper))
    seen = np.flatnonzero(drawn.polygons.sizes > 0)
    assert np.array_equal(whole.patterns[seen], inside.patterns)
    for i, expected in zip(seen.tolist(), region_polygons(inside), strict=True):
        assert sorted(map(tuple, drawn.polygons[i].round(9))) == sorted(map(tuple, expected.round(9)))
    assert len(seen) < len(whole)
    assert f"the domain goes on; {len(whole) - len(seen)} regions lie outside" in drawn.note


@pytest.mark.parametrize(
    "domain",
    [pr.WholeSpace(2), pr.Box([0, 0], [1, np.inf]), pr.HPolytope([[-1, 0], [0, -1]], [0, 0])],
    ids=["plane", "strip", "quadrant"],
)
def test_an_unbounded_domain_is_drawn_to_where_its_vertices_are(domain: Any, tmp_path: Path) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    regions = pr.enumerate_regions(random_network(2, 2, 4, 2), domain)
    axes = pr.plot_regions(regions, figure.Figure().add_subplot())
    assert any("the domain goes on" in text.get_text() for text in axes.texts)
    vertices = np.concatenate([region.polytope.vertices() for region in regions])
    drawn = pr.plane_section(regions)
    within = np.all((vertices > drawn.lower) & (vertices < drawn.upper), axis=1)
    assert np.mean(within) > 0.8


def test_no_vertex_at_all_still_has_a_view() -> None:
    for network in (DIAGONAL, pr.Network.from_layers([([[0, 0]], [0]), ([[1]], [0])])):
        drawn = pr.plane_section(pr.enumerate_regions(network, pr.WholeSpace(2)))
        areas = [area(p) for p in drawn.polygons]
        assert min(areas) > 0
        assert math.fsum(areas) == pytest.approx(float(np.prod(drawn.upper - drawn.lower)))


def test_a_bounded_domain_in_a_small_view_says_that_it_goes_on() -> None:
    drawn = pr.plane_section(pr.enumerate_regions(QUADRANTS, SQUARE), ([0.25, 0.25], [0.5, 0.5]))
    assert drawn.polygons.sizes.tolist() == [0, 0, 0, 4]
    assert "3 regions lie outside" in drawn.note
    assert pr.plane_section(pr.enumerate_regions(QUADRANTS, SQUARE)).note == ""


# ---------------------------------------------------------------- facets and boundaries


@pytest.mark.parametrize("seed", range(4))
def test_segments_of_edges_are_what_the_two_polygons_share(seed: int) -> None:
    """All of a polygon's outline is either shared with a neighbour or on the edge of the domain."""
    regions = pr.enumerate_regions(random_network(seed, 2, 8, 6, 4, 2), SQUARE)
    scene = Scene.of(regions, "auto", None)
    assert scene.edges.seen.all()
    lengths = np.linalg.norm(scene.edges.ends[:, 1] - scene.edges.ends[:, 0], axis=1)
    shared = np.bincount(scene.adjacency.source, lengths, len(regions))
    shared += np.bincount(scene.adjacency.target, lengths, len(regions))
    for i, corners in enumerate(scene.section.polygons):
        steps = np.roll(corners, -1, axis=0) - corners
        on_edge = [
            np.hypot(*step)
            for corner, step in zip(corners, steps, strict=True)
            if any(abs(corner[c]) == 1 and step[c] == 0 for c in (0, 1))
        ]
        assert shared[i] + sum(on_edge) == pytest.approx(np.linalg.norm(steps, axis=1).sum(), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_layer_of_an_edge_by_the_patterns(seed: int) -> None:
    regions = pr.enumerate_regions(random_network(seed, 2, 5, 4, 3, 2), SQUARE)
    adjacency = pr.adjacency_arrays(regions)
    ends = [5, 9, 12]
    for i, j, layer in zip(
        adjacency.source, adjacency.target, edge_layers(regions, adjacency).tolist(), strict=True
    ):
        first = int(np.flatnonzero(regions.patterns[i] != regions.patterns[j])[0])
        assert layer == sum(first >= end for end in ends)


@pytest.mark.parametrize("seed", range(4))
def test_the_drawn_boundary_is_the_decision_boundary(seed: int) -> None:
    """Each segment has the vertices of the exact piece as its ends."""
    regions = pr.enumerate_regions(random_network(seed, 2, 6, 5, 3), SQUARE)
    scene = Scene.of(regions, "argmax", None)
    pieces = pr.decision_boundary(scene.cells)
    assert scene.boundary.seen.all()
    for piece, ends in enumerate(scene.boundary.ends):
        exact = pieces.polytope(piece).vertices()
        assert np.array(sorted(ends.tolist())) == pytest.approx(np.array(sorted(exact.tolist())), abs=1e-9)


def test_a_boundary_along_a_facet_is_drawn_where_two_regions_meet() -> None:
    """Outputs relu(x) and 0 tie all over x < 0, so that class 1 begins at the facet x = 0."""
    network = pr.Network.from_layers([([[1, 0]], [0]), ([[0], [1]], [0, 0])])
    scene = Scene.of(pr.enumerate_regions(network, SQUARE), "auto", None)
    assert [sorted(map(tuple, ends)) for ends in scene.boundary.ends.tolist()] == [[(0, -1), (0, 1)]]


def test_slices_have_segments_in_their_own_coordinates() -> None:
    plane = pr.Slice([0, 0], [[1, 1], [1, -1]], SQUARE)
    scene = Scene.of(pr.enumerate_regions(QUADRANTS, plane), "auto", None)
    found = [sorted(map(tuple, ends)) for ends in scene.edges.ends.tolist()]
    assert sorted(found) == [[(-1, -1), (0, 0)], [(-1, 1), (0, 0)], [(0, 0), (1, -1)], [(0, 0), (1, 1)]]


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_have_different_colours(seed: int) -> None:
    regions = pr.enumerate_regions(random_network(seed, 2, 9, 7, 2), SQUARE)
    scene = Scene.of(regions, "auto", None)
    adjacency = scene.adjacency
    for colours in (scene.shades, *scene.layer_colours):
        assert len(colours) == len(regions)
    assert np.all(scene.shades[adjacency.source] != scene.shades[adjacency.target])
    assert set(scene.layer_colours[0].tolist()) == {0}
    for n_layers, end in enumerate([9, 16], 1):
        colours = scene.layer_colours[n_layers]
        apart = np.any(
            regions.patterns[adjacency.source, :end] != regions.patterns[adjacency.target, :end], axis=1
        )
        assert np.array_equal(colours[adjacency.source] != colours[adjacency.target], apart)


def test_colours_of_small_graphs() -> None:
    square = np.array([0, 1, 2, 0]), np.array([1, 2, 3, 3])
    assert sorted(few_colours(4, *square).tolist()) == [0, 0, 1, 1]
    assert sorted(many_colours(4, *square).tolist()) == [0, 1, 2, 3]
    none = np.zeros(0, dtype=np.int64)
    assert few_colours(0, none, none).tolist() == many_colours(0, none, none).tolist() == []


# ---------------------------------------------------------------- one dimension


def test_intervals_are_the_pieces_along_the_segment() -> None:
    network = random_network(4, 1, 6, 5, 2)
    regions = pr.enumerate_regions(network, pr.Box([-2], [3]))
    found = intervals(regions)
    pieces = pr.along_segment(network, [-2], [3])
    ends = [float(t * 5 - 2) for t in pieces.breakpoints]
    assert sorted(map(tuple, found.ends.tolist())) == list(zip(ends, ends[1:], strict=False))


def test_the_graph_of_a_line_goes_through_the_values_of_the_network() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    network = random_network(4, 1, 6, 5, 2)
    axes = pr.plot_regions(pr.enumerate_regions(network, pr.Box([-2], [3])), figure.Figure().add_subplot())
    drawn = [c for c in axes.collections if type(c).__name__ == "LineCollection"]
    assert len(drawn) == 2
    for output, lines in enumerate(drawn):
        for path in lines.get_paths():
            for x, y in path.vertices:
                assert y == pytest.approx(network([[x]])[0, output], abs=1e-9)
    assert axes.get_xlim() == (-2, 3)


@pytest.mark.parametrize("colour", ["auto", "region", "class", "slope", "layer"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_line_has_every_colouring(colour: str, outputs: int, tmp_path: Path) -> None:
    regions = pr.enumerate_regions(random_network(1, 1, 5, outputs), pr.WholeSpace(1))
    assert saved(regions, tmp_path / "p.svg", colour)
    assert saved(regions, tmp_path / "q.svg", colour) == (tmp_path / "p.svg").read_bytes()


def test_the_strip_of_classes_ends_where_the_class_does() -> None:
    """|x| - 1 is positive beyond -1 and 1."""
    figure = pytest.importorskip("matplotlib.figure")
    network = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [-1])])
    axes = pr.plot_regions(
        pr.enumerate_regions(network, pr.Box([-2], [2])), figure.Figure().add_subplot(), color="class"
    )
    spans = sorted((p.get_x(), p.get_x() + p.get_width()) for p in axes.patches)
    assert spans == [(-2, -1), (-1, 0), (0, 1), (1, 2)]
    crossings = sorted(
        line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2 and line.is_dashed()
    )
    assert crossings == [-1, 1]


# ---------------------------------------------------------------- the other pictures


def test_the_surface_is_the_function() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    network = random_network(6, 2, 5, 4, 2)
    regions = pr.enumerate_regions(network, SQUARE)
    axes = pr.plot_surface(regions, figure.Figure().add_subplot(projection="3d"), output=1)
    (facets,) = axes.collections
    x, y, z = facets._faces[~facets._invalid_vertices].T  # matplotlib pads them to one length
    assert z == pytest.approx(network(np.column_stack([x, y]))[:, 1], abs=1e-9)
    assert "output 1" in axes.get_zlabel()


def test_panels_have_the_regions_after_each_layer() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    regions = pr.enumerate_regions(random_network(3, 2, 6, 5, 4, 2), SQUARE)
    panels = pr.plot_layers(regions, figure.Figure(figsize=panels_size(regions))).axes
    assert [int(p.get_title().split()[-2]) for p in panels] == regions.regions_after_each_layer()
    lines = [sum(len(c.get_paths()) for c in p.collections[1:]) for p in panels]
    layers = edge_layers(regions, pr.adjacency_arrays(regions))
    assert lines == [int(np.count_nonzero(layers <= i)) for i in range(3)]


def test_the_graph_has_a_node_in_each_region_and_edges_through_the_facets() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    regions = pr.enumerate_regions(random_network(3, 2, 6, 3), SQUARE)
    axes = pr.plot_regions(regions, figure.Figure().add_subplot(), color="region", graph=True)
    nodes = axes.collections[-1].get_offsets()
    assert regions.locate(np.asarray(nodes)).tolist() == list(range(len(regions)))
    adjacency = pr.adjacency_arrays(regions)
    ways = [path.vertices for path in axes.collections[-2].get_paths()]
    for i, j, way in zip(adjacency.source, adjacency.target, ways, strict=True):
        halves = [(0.999 * way[1] + 0.001 * end) for end in (way[0], way[2])]
        assert regions.locate(np.array(halves)).tolist() == [i, j]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("colour", ["region", "layer"])
def test_every_colouring_can_be_saved_with_everything_on_top(
    suffix: str, colour: str, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    regions = pr.enumerate_regions(random_network(3, 2, 4, 3, 2), pr.WholeSpace(2))
    save_picture(regions, tmp_path / f"p{suffix}", colour, boundary=True, graph=True, view=([-1, -1], [1, 1]))
    assert (tmp_path / f"p{suffix}").stat().st_size > 2000


# ---------------------------------------------------------------- names, data, captions


def new_axes() -> Any:
    return pytest.importorskip("matplotlib.figure").Figure().add_subplot()


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def notes_of(axes: Any) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


MOONS = pr.enumerate_regions(random_network(3, 2, 9, 7, 2), SQUARE)


def test_inputs_classes_and_the_picture_have_the_names_that_are_given() -> None:
    options: dict[str, Any] = {
        "input_names": ["$w$", "h_1"],
        "class_names": ["a$b$", "c_d"],
        "title": "T $x$",
    }
    axes = pr.plot_regions(MOONS, new_axes(), **options)
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("$w$", "h_1", "T $x$")
    assert legend_of(axes) == ["a$b$", "c_d", "shades tell regions apart", "decision boundary"]
    assert not any(
        text.get_parse_math() for text in (axes.xaxis.label, axes.title, *axes.get_legend().get_texts())
    )
    assert pr.plot_regions(MOONS, new_axes(), title="").get_title() == ""
    surface = pytest.importorskip("matplotlib.figure").Figure().add_subplot(projection="3d")
    assert pr.plot_surface(MOONS, surface, output=1, **options).get_zlabel() == "c_d"
    layers = pr.plot_layers(
        MOONS, pytest.importorskip("matplotlib.figure").Figure(), input_names=["w", "h"], title="T"
    )
    assert (layers.axes[0].get_xlabel(), layers.axes[0].get_ylabel(), layers.get_suptitle()) == (
        "w",
        "h",
        "T",
    )


def test_both_spellings_of_colour_are_one_option() -> None:
    one, other = (pr.plot_regions(MOONS, new_axes(), **{name: "slope"}) for name in ("color", "colour"))
    faces = [axes.collections[0].get_facecolors() for axes in (one, other)]
    assert np.array_equal(*faces)
    surface = pytest.importorskip("matplotlib.figure").Figure().add_subplot(projection="3d")
    assert legend_of(pr.plot_surface(MOONS, surface, colour="class"))[0] == "class 0"
    with pytest.raises(OptionError, match="color and colour are one option"):
        pr.plot_regions(MOONS, new_axes(), color="class", colour="slope")


@pytest.mark.parametrize(
    ("aspect", "upper", "equal"),
    [("auto", 350, False), ("auto", 20, True), ("auto", 25, True), ("auto", 26, False), ("equal", 350, True),
     ("free", 5, False)],
)  # fmt: skip
def test_a_strip_is_stretched_unless_asked_not_to(aspect: str, upper: float, equal: bool) -> None:
    regions = pr.enumerate_regions(QUADRANTS, pr.Box([0, 0], [5, upper]))
    axes = pr.plot_regions(regions, new_axes(), aspect=aspect)
    assert axes.get_aspect() == (1.0 if equal else "auto")


def test_a_box_of_5_by_350_is_as_wide_as_it_is_high(tmp_path: Path) -> None:
    """On file: the coloured pixels, which were a strip of ten."""
    image = pytest.importorskip("matplotlib.image")
    save_picture(pr.enumerate_regions(QUADRANTS, pr.Box([-2, -200], [3, 150])), tmp_path / "p.png", "region")
    pixels = image.imread(tmp_path / "p.png")[..., :3]
    columns = np.flatnonzero(np.mean(np.ptp(pixels, axis=2) > 0.1, axis=0) > 0.5)
    assert len(columns) > 500


def test_size_and_dpi_are_those_of_the_file(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    for dpi in (50, 100):
        save_picture(MOONS, tmp_path / f"{dpi}.png", "region", size=(3, 2), dpi=dpi)
    small, large = (image.imread(tmp_path / f"{dpi}.png").shape for dpi in (50, 100))
    assert (large[0] / small[0], large[1] / small[1]) == pytest.approx((2, 2), rel=0.03)
    assert small[0] == pytest.approx(100, abs=25)


def test_data_are_drawn_where_they_are_in_the_colours_of_their_labels() -> None:
    colors = pytest.importorskip("matplotlib.colors")
    X = np.random.default_rng(0).uniform(-1, 1, size=(20, 2))
    y = np.arange(20) % 3
    axes = pr.plot_regions(MOONS, new_axes(), color="region", data=X, labels=y)
    points = axes.collections[-1]
    assert np.array_equal(points.get_offsets(), X)
    hexes = [colors.to_hex(c) for c in points.get_facecolors()]
    assert hexes == [("#4477aa", "#ee6677", "#228833")[k] for k in y]
    assert legend_of(axes) == ["data, class 0", "data, class 1", "data, class 2"]
    by_class = pr.plot_regions(MOONS, new_axes(), data=X, labels=y)
    assert legend_of(by_class)[-2:] == ["data", "data, class 2"]
    assert legend_of(pr.plot_regions(MOONS, new_axes(), color="region", data=X)) == ["data"]
    names = ["ab"[k] for k in y % 2]
    named = pr.plot_regions(MOONS, new_axes(), color="region", data=X, labels=names, class_names=["a", "b"])
    assert legend_of(named) == ["data, a", "data, b"]


def test_data_outside_are_counted_in_the_caption() -> None:
    axes = pr.plot_regions(MOONS, new_axes(), data=[[0, 0], [2, 0], [0, -1.5], [1, 1]])
    assert notes_of(axes) == "2 of 4 data points lie outside"
    assert notes_of(pr.plot_regions(MOONS, new_axes(), data=[[0, 0]])) == ""


def test_fixed_inputs_and_projected_data_stand_in_the_caption() -> None:
    regions = pr.enumerate_regions(random_network(1, 4, 5, 2), pr.Box([-1, 0.1, -1, 2], [1, 0.1, 1, 2]))
    data = [[0.5, 0.1, 0.25, 2], [0.5, 0.2, 0.25, 2], [0, 0, 0, 0]]
    axes = pr.plot_regions(regions, new_axes(), data=data, input_names=["a", "b", "c", "d"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "c")
    assert notes_of(axes) == "b = 0.1, d = 2\n2 of 3 data points are projected onto what is shown"
    assert axes.collections[-1].get_offsets().tolist() == [[0.5, 0.25], [0.5, 0.25], [0, 0]]


def test_the_caption_of_a_slice_gives_its_points() -> None:
    """The formulas, evaluated, are the slice's own map."""
    plane = pr.Slice([1, 0, 0.5, -3], [[1, 2, 0, 0], [0, -0.25, 0, 1]], SQUARE)
    axes = pr.plot_regions(pr.enumerate_regions(random_network(1, 4, 5, 2), plane), new_axes())
    for u, v in ((0, 0), (1, 0), (0, 1), (0.5, -1)):
        found = [
            eval(re.sub(r"([0-9.]) ([uv])", r"\1 * \2", part.split(" = ")[1]), {"u": u, "v": v})
            for part in notes_of(axes).split(", ")
        ]
        assert found == [float(c) for c in plane.point([u, v])]


def test_many_fixed_inputs_are_not_all_written_out_and_rounded_ones_are_said_to_be() -> None:
    lower = [-1, -1, *[Fraction(k, 3) for k in range(20)]]
    box = pr.Box(lower, [1, 1, *lower[2:]])
    axes = pr.plot_regions(pr.enumerate_regions(random_network(1, 22, 4, 2), box), new_axes())
    assert notes_of(axes).replace("\n", " ") == (
        "x2 = 0, x3 ≈ 0.3333, x4 ≈ 0.6667, x5 = 1, x6 ≈ 1.333, x7 ≈ 1.667, x8 = 2, x9 ≈ 2.333, "
        "... (20 fixed inputs in all)"
    )


def test_a_plane_through_many_inputs_is_not_written_out() -> None:
    corners = np.random.default_rng(0).normal(size=(3, 20))
    corners[:, 7] = 0.5
    regions = pr.enumerate_regions(random_network(1, 20, 4, 2), pr.plane_through(*corners))
    assert notes_of(pr.plot_regions(regions, new_axes())) == "x7 = 0.5, 19 inputs vary with u and v"


def test_data_on_an_oblique_slice_are_its_nearest_points() -> None:
    plane = pr.plane_through([0, 0, 1], [1, 1, 1], [0, 2, 1], pr.Box.cube(-2, 2, 2))
    regions = pr.enumerate_regions(random_network(1, 3, 5, 2), plane)
    u = np.random.default_rng(0).uniform(-1, 1, size=(10, 2))
    X = np.array([[float(c) for c in plane.point(p)] for p in u])
    axes = pr.plot_regions(regions, new_axes(), data=X)
    assert np.asarray(axes.collections[-1].get_offsets()) == pytest.approx(u)
    assert "projected" not in notes_of(axes)
    off = pr.plot_regions(regions, new_axes(), data=X + [0, 0, 5])  # at right angles to the plane
    assert np.asarray(off.collections[-1].get_offsets()) == pytest.approx(u)
    assert "10 of 10 data points are projected" in notes_of(off)
    own = pr.plot_regions(regions, new_axes(), data=u)
    assert np.array_equal(own.collections[-1].get_offsets(), u)


def test_data_on_a_line_are_marks_on_its_axis() -> None:
    regions = pr.enumerate_regions(random_network(4, 1, 6, 2), pr.Box([-2], [3]))
    axes = pr.plot_regions(regions, new_axes(), data=[[0.5], [7]], labels=[0, 1], class_names=["off", "on"])
    marks = axes.collections[-1]
    assert [path.vertices[:, 0].tolist() for path in marks.get_paths()] == [[0.5, 0.5], [7, 7]]
    assert "1 of 2 data points lie outside" in notes_of(axes)
    assert legend_of(axes)[-2:] == ["data, off", "data, on"]


def test_outliers_do_not_take_the_colour_scale() -> None:
    values = np.linspace(1, 2, len(MOONS))
    values[7] = 1e9
    axes = pr.plot_regions(MOONS, new_axes(), color=values)
    colours = np.unique(axes.collections[0].get_facecolors(), axis=0)
    assert len(colours) > len(MOONS) / 3
    whole = pr.plot_regions(MOONS, new_axes(), color=values, percentiles=(0, 100))
    assert len(np.unique(whole.collections[0].get_facecolors(), axis=0)) == 2


@pytest.mark.parametrize(
    ("values", "percentiles", "expected"),
    [
        (np.arange(101), "auto", (0, 100, "neither")),
        (np.arange(101), (5, 95), (5, 95, "both")),
        (np.append(np.arange(100), -1e6), "auto", (1, 97, "both")),
        (np.append(np.arange(3), np.inf), "auto", (0, 2, "max")),
        ([4, 4], "auto", (4, 4, "neither")),
        ([-np.inf], "auto", (0, 0, "min")),
        ([], "auto", (0, 0, "neither")),
    ],
)
def test_the_ends_of_the_scale(values: Any, percentiles: Any, expected: tuple[float, float, str]) -> None:
    scale = scale_of(np.array(values, dtype=float), percentiles)
    assert (scale.low, scale.high, scale.extend) == expected


BAD_LOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "inputs": ({"input_names": ["a"]}, "input_names: 1 names, expected 2, one for each input"),
    "a text": ({"input_names": "ab"}, "input_names: 'ab', expected a sequence of texts"),
    "classes": ({"class_names": ["a", "b", "c"]}, "class_names: 3 names, expected 2, one for each output"),
    "aspect": ({"aspect": "wide"}, "aspect 'wide', expected one of auto, equal, free"),
    "percentiles": ({"percentiles": (50, 50)}, "percentiles .*expected 'auto' or"),
    "percentile": ({"percentiles": 7}, "percentiles 7, expected"),
    "data": ({"data": [[1, 2, 3]]}, r"data: shape \(1, 3\), expected \(n, 2\)"),
    "nan": ({"data": [[1, math.nan]]}, "data: there are NaN"),
    "texts": ({"data": "abc"}, "data: not numbers"),
    "labels": ({"data": [[0, 0]], "labels": [1, 2]}, r"labels: shape \(2,\), expected \(1,\)"),
    "negative": ({"data": [[0, 0]], "labels": [-1]}, "labels: expected numbers of classes"),
    "half": ({"data": [[0, 0]], "labels": [0.5]}, "labels: expected numbers of classes"),
    "unnamed": (
        {"data": [[0, 0]], "labels": ["cat"]},
        "labels: 'cat', expected one of the class_names, if given",
    ),
    "no data": ({"labels": [1]}, "labels: there are no data"),
    "size": ({"size": (3, 3)}, "size and dpi are those of a new figure"),
    "dpi": ({"dpi": 90}, "size and dpi are those of a new figure"),
}


@pytest.mark.parametrize("case", BAD_LOOKS)
def test_names_and_data_that_do_not_fit_are_refused(case: str) -> None:
    options, text = BAD_LOOKS[case]
    with pytest.raises(OptionError, match=text):
        pr.plot_regions(MOONS, new_axes(), **options)


def test_one_output_has_two_classes_with_names() -> None:
    regions = pr.enumerate_regions(random_network(2, 2, 6, 1), SQUARE)
    axes = pr.plot_regions(regions, new_axes(), color="class", class_names=["no", "yes"])
    assert set(legend_of(axes)) <= {"no", "yes", "shades tell regions apart", "decision boundary"}
    with pytest.raises(OptionError, match="class_names: 1 names, expected 2, for output <= 0 and output > 0"):
        pr.plot_regions(regions, new_axes(), class_names=["yes"])


def test_a_legend_stands_beside_the_colour_bar_and_not_on_it() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    backend = pytest.importorskip("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    axes = pr.plot_regions(MOONS, figure.add_subplot(), color="slope", boundary=True)
    backend.draw()
    (bar,) = (a for a in figure.axes if a is not axes)
    assert axes.get_legend().get_window_extent().x0 > bar.get_tightbbox().x1


# ---------------------------------------------------------------- the command line


def run_plot(tmp_path: Path, *words: str) -> bytes:
    out = tmp_path / "p.svg"
    assert main(["plot", "example:two-moons", "--box", "-2,-1.5", "3,2", "-q", "-o", str(out), *words]) == 0
    return out.read_bytes()


def test_the_command_draws_what_python_does(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("0.5,1,0\n-1,0.25,1\n")
    regions = pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))
    words = ["--input-names", "w,h", "--class-names", "up, down", "--title", "Moons", "--color", "slope"]
    words += ["--boundary", "--data", str(tmp_path / "d.csv"), "--size", "4", "3", "--aspect", "free"]
    found = run_plot(tmp_path, *words, "--percentiles", "5", "95")
    save_picture(
        regions,
        tmp_path / "q.svg",
        "slope",
        boundary=True,
        input_names=["w", "h"],
        class_names=["up", "down"],
        title="Moons",
        data=[[0.5, 1], [-1, 0.25]],
        labels=[0, 1],
        size=(4, 3),
        aspect="free",
        percentiles=(5, 95),
    )
    assert found == (tmp_path / "q.svg").read_bytes()
    assert run_plot(tmp_path, "--layers", "--title", "T", "--input-names", "w,h") != found
    assert run_plot(tmp_path, "--surface", "--title", "T", "--class-names", "u,d") != found


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--input-names", "a"], "input_names: 1 names"),
        (["--class-names", "a"], "class_names: 1 names"),
        (["--data", "missing.csv"], "missing.csv"),
        (["--layers", "--data", "d.csv"], "--data: not together with --layers"),
        (["--surface", "--data", "d.csv"], "--data: not together with --surface"),
        (["--layers", "--class-names", "a,b"], "not together with --layers"),
        (["--surface", "--aspect", "free"], "--aspect: not together with --surface"),
        (["--percentiles", "9", "5"], "percentiles"),
        (["--size", "0", "5"], "size"),
        (["--dpi", "1e8"], "dpi"),
        (["--size", "x", "5"], "--size"),
    ],
)
def test_the_command_refuses_looks_before_the_work(
    words: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "p.png")
    assert main(["plot", "example:two-moons", "--box", "-1", "1", "-q", "-o", out, *words]) == 2
    assert part in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
