"""Pictures: the geometry by hand, and the files by what an image must be."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import naive
import polyregions as pr
import randoms
from polyregions.errors import DomainError, FormatError, InputError, MissingExtraError, OptionError
from polyregions.plot import sections
from polyregions.plot.layers import panels_size
from polyregions.plot.line import intervals
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
