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
from polyregions.errors import DomainError, FormatError, InputError, MissingExtraError, OptionError
from polyregions.plot.picture import check_picture, draw_regions, save_picture
from polyregions.plot.polygons import cell_polygons, region_polygons

Corners = list[tuple[float, float]]

SQUARE = pr.Box.cube(-1, 1, 2)
QUADRANTS = pr.Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))], name="quadrants")
DIAGONAL = pr.Network.from_layers([([[1, 1]], [0]), ([[1]], [0])], name="diagonal")
FIVE_SLOPES = pr.Network.from_layers([([[1, 0], [1, 0], [0, 1]], [0, -0.5, 0]), ([[1, 1, 3]], [0])])


def random_network(seed: int, *widths: int) -> pr.Network:
    rng = np.random.default_rng(seed)
    pairs = zip(widths, widths[1:], strict=False)
    return pr.Network.from_layers([(rng.normal(size=(n, k)), rng.normal(size=n) / 2) for k, n in pairs])


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
    [(QUADRANTS, "class", 5), (FIVE_SLOPES, "slope", 5), (FIVE_SLOPES, "auto", 5)],
)
def test_a_png_has_a_colour_for_each_cell_or_slope(
    network: pr.Network, colour: str, least: int, tmp_path: Path
) -> None:
    image = pytest.importorskip("matplotlib.image")
    saved(pr.enumerate_regions(network, SQUARE), tmp_path / "p.png", colour)
    pixels = image.imread(tmp_path / "p.png")
    colours, counts = np.unique(pixels[..., :3].reshape(-1, 3), axis=0, return_counts=True)
    areas_of_one_colour = counts[np.ptp(colours, axis=1) > 0.1] > 2000
    assert np.count_nonzero(areas_of_one_colour) >= least


def test_an_svg_is_xml_with_a_path_for_each_region_twice(tmp_path: Path) -> None:
    """Once filled and once outlined; the axes have paths of their own."""
    text = saved(pr.enumerate_regions(QUADRANTS, SQUARE), tmp_path / "p.svg", "slope")
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    shapes = [
        path
        for group in root.iter()
        if group.get("id", "").startswith("PolyCollection")
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
    draw_regions(axes, regions, "class")
    filled, outlined = axes.collections
    assert len(filled.get_paths()) == len(pr.decision_cells(regions))
    assert len(outlined.get_paths()) == len(regions)
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
        (3, pr.Box.cube(-1, 1, 3), "dimension 3, expected 2"),
        (1, pr.Box([-1], [1]), "dimension 1, expected 2"),
        (2, pr.Box([-1, 0], [1, 0]), "dimension 1, expected 2"),
        (2, pr.WholeSpace(2), "unbounded, expected a bounded one"),
        (2, pr.Box([0, 0], [1, np.inf]), "unbounded"),
        (2, pr.HPolytope([[-1, 0], [0, -1]], [0, 0]), "unbounded"),
    ],
)
def test_what_cannot_be_drawn_is_refused(d: int, domain: Any, text: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    regions = pr.enumerate_regions(random_network(0, d, 2, 1), domain)
    for attempt in (
        lambda: region_polygons(regions),
        lambda: cell_polygons(pr.decision_cells(regions)),
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
    with pytest.raises(OptionError, match="'red', expected one of auto, class, slope"):
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
