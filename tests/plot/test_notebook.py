"""What notebooks show: pictures and rows of regions and cells, the explorer in a frame, shapes that draw themselves."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

import polyregions as pr
from browser import chromium
from polyregions.errors import InputError, MissingExtraError, OptionError
from polyregions.plot import thumbnail as thumbnails
from randoms import float_layers, generator

SQUARE = pr.Box.cube(-1, 1, 2)
SLANTED = [[1, 0.5, 0], [0, 1, 2]]
DOMAINS: dict[str, Any] = {
    "plane": pr.Box([-1, -1, 0.5], [1, 2, 0.5]),
    "whole plane": pr.Slice([0, 0, 1], SLANTED, pr.WholeSpace(2)),
    "line": pr.Box([-1, 0, 0], [2, 0, 0]),
    "whole line": pr.Slice([0, 0, 1], SLANTED[:1], pr.WholeSpace(1)),
}
DRAWN = {"plane": "polygon", "whole plane": "polygon", "line": "polyline", "whole line": "polyline"}


def enumerated(name: str) -> pr.RegionSet:
    net = pr.Network.from_layers(float_layers(generator(0), (3, 5, 3, 2)), name="<b> & friends")
    return pr.enumerate_regions(net, DOMAINS[name])


def axes() -> Any:
    return Figure().add_subplot()


class Tags(HTMLParser):
    """Refuses what is not closed in order; keeps the texts of cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.cells = list[str](), list[str]()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag != "script"
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        assert tag in ("polygon", "polyline")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] == "td":
            self.cells.append(data)


def picture(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def marks(html: str, kind: str) -> list[ElementTree.Element]:
    return picture(html).findall(f"{{http://www.w3.org/2000/svg}}{kind}")


def pixels(mark: ElementTree.Element) -> np.ndarray[Any, Any]:
    return np.array([pair.split(",") for pair in mark.attrib["points"].split()], dtype=np.float64)


# ---------------------------------------------------------------- regions and cells


@pytest.mark.parametrize("name", DOMAINS)
def test_regions_and_cells_show_a_picture_and_their_first_rows(name: str) -> None:
    regions = enumerated(name)
    for result in (regions, pr.decision_cells(regions)):
        html = result._repr_html_()
        rows = Tags(html).cells
        assert str(len(result)) in html
        assert "&lt;b&gt; &amp; friends" in html
        assert "<b> & friends" not in html
        width = 3 if result is regions else 4
        assert rows[: 5 * width : width] == [str(i) for i in range(min(5, len(result)))]
        assert rows[-1] == f"and {len(result) - 5} more"
        assert marks(html, DRAWN[name])
    assert Tags(regions._repr_html_()).cells[1] == "".join(str(int(bit)) for bit in regions[0].pattern)


def test_polygons_fill_the_picture() -> None:
    """Each region of a bounded set has one; their areas in pixels are in the ratios of volumes (shoelace formula)."""
    regions = enumerated("plane")
    found = marks(regions._repr_html_(), "polygon")
    areas = np.array([shoelace(pixels(mark)) for mark in found])
    assert len(found) == len(regions)
    size = picture(regions._repr_html_()).attrib
    assert areas.sum() == pytest.approx(int(size["width"]) * int(size["height"]), rel=1e-3)
    assert areas / areas.sum() == pytest.approx(pr.region_volumes(regions) / 6, abs=2e-3)


def shoelace(corners: np.ndarray[Any, Any]) -> float:
    x, y = corners.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def test_neighbours_have_two_colours_where_one_neuron_flips() -> None:
    regions = enumerated("plane")
    colours = [mark.attrib["fill"] for mark in marks(regions._repr_html_(), "polygon")]
    edges = pr.adjacency_arrays(regions)
    single = np.diff(edges.flip_offsets) == 1
    assert single.any()
    for a, b in zip(edges.source[single].tolist(), edges.target[single].tolist(), strict=True):
        assert colours[a] != colours[b]


def test_cells_have_the_colour_of_their_class() -> None:
    cells = pr.decision_cells(enumerated("plane"))
    html = cells._repr_html_()
    colours = {
        (k, m.attrib["fill"]) for k, m in zip(cells.label.tolist(), marks(html, "polygon"), strict=True)
    }
    assert len(colours) == len({fill for _, fill in colours}) == len(cells.per_class()) == 2
    assert all(fill in html.partition("</svg>")[2] for _, fill in colours)  # the legend


def test_large_sets_and_others_have_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    net = pr.Network.from_layers(float_layers(generator(1), (3, 4, 2)))
    solid = pr.enumerate_regions(net, pr.Box.cube(-1, 1, 3))
    nothing = pr.enumerate_regions(net, pr.Box([-1, -1, 0], [1, 1, 0]), max_regions=0)
    monkeypatch.setattr(thumbnails, "MOST", 10)
    monkeypatch.setattr(thumbnails, "MOST_EXACTLY", 3)
    for result in (solid, nothing, enumerated("plane"), enumerated("whole line")):
        html = result._repr_html_()
        assert "<svg" not in html
        assert Tags(html)


def test_many_inputs_and_neurons_are_shortened() -> None:
    net = pr.Network.from_layers(float_layers(generator(2), (40, 60, 2)))
    regions = pr.enumerate_regions(net, pr.Box.cube(0.5, 0.5 + 1e-9, 40))
    assert len(regions._repr_html_()) < 1500
    assert max(map(len, Tags(regions._repr_html_()).cells)) <= 80


# ---------------------------------------------------------------- the explorer in a frame


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


def test_the_explorer_is_a_frame_that_holds_the_page(tmp_path: Path) -> None:
    regions = enumerated("plane")
    page = pr.explore(regions)
    assert page is not None
    pr.explore(regions, tmp_path / "page.html")
    assert page.html == (tmp_path / "page.html").read_text()
    assert len(repr(page)) < 100
    frames = []

    class Frames(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            frames.append((tag, dict(attrs)))

    Frames().feed(page._repr_html_())
    ((tag, attributes),) = frames
    assert (tag, attributes["srcdoc"]) == ("iframe", page.html)
    assert "allow-same-origin" not in str(attributes["sandbox"])


@pytest.mark.xdist_group("browser")
def test_the_frame_runs(browser: Any, tmp_path: Path) -> None:
    page = pr.explore(enumerated("plane"))
    assert page is not None
    (tmp_path / "notebook.html").write_text(f"<!doctype html><meta charset=utf-8>{page._repr_html_()}")
    visit = browser.new_page()
    trouble: list[str] = []
    visit.on("console", lambda message: trouble.append(message.text))
    visit.on("pageerror", lambda error: trouble.append(str(error)))
    visit.goto((tmp_path / "notebook.html").as_uri())
    visit.wait_for_load_state()
    inner = visit.frames[1]
    inner.wait_for_function("document.querySelector('#summary').textContent")
    assert f"{len(enumerated('plane'))} linear regions" in inner.inner_text("#summary")
    assert trouble == []
    visit.close()


# ---------------------------------------------------------------- shapes


def test_a_region_is_drawn_where_the_map_has_it() -> None:
    regions = enumerated("plane")
    section = pr.plane_section(regions)
    for region in regions:
        ax = region.plot(axes())
        (patch,) = ax.patches
        corners = patch.get_xy()[:-1]
        expected = section.polygons[region.number]
        assert np.allclose(np.sort(corners, axis=0), np.sort(expected, axis=0), atol=1e-9)
        assert shoelace(corners) == pytest.approx(region.volume)  # so the corners are in order


def test_cells_and_pieces_of_the_boundary_on_a_map() -> None:
    regions = enumerated("plane")
    cells = pr.decision_cells(regions)
    boundary = pr.decision_boundary(cells)
    ax = pr.plot_regions(regions, axes())
    limits, before = (ax.get_xlim(), ax.get_ylim()), len(ax.patches)
    cells[0].plot(ax, facecolor="gold", linewidth=3)
    boundary[0].plot(ax, color="red")
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    patch, line = ax.patches[before], ax.lines[-1]
    assert isinstance(patch, Polygon)
    assert (patch.get_facecolor(), patch.get_linewidth()) == (to_rgba("gold"), 3)
    ends = np.column_stack(line.get_data())
    lifted = np.column_stack([ends, [0.5, 0.5]])
    assert np.linalg.norm(np.diff(lifted, axis=0)) == pytest.approx(boundary[0].volume)
    assert np.ptp(regions.network(lifted), axis=1) == pytest.approx(
        0, abs=1e-9
    )  # both classes score the same


def test_unbounded_shapes_end_at_the_view_or_the_axes() -> None:
    regions = enumerated("whole plane")
    unbounded = next(region for region in regions if not region.polytope.is_bounded())
    (patch,) = unbounded.plot(axes(), view=([-50, -60], [70, 80])).patches
    assert set(patch.get_xy().ravel().tolist()) & {-50.0, -60.0, 70.0, 80.0}
    ax = pr.plot_regions(regions, axes())
    limits = ax.get_xlim(), ax.get_ylim()
    for region in regions:
        region.plot(ax)
    (a, b), (c, d) = ax.get_xlim(), ax.get_ylim()
    assert ((a, b), (c, d)) == limits
    inside = [p.get_xy()[:-1] for p in ax.patches]
    assert sum(map(shoelace, inside)) <= (b - a) * (d - c) * (1 + 1e-9) + sum(
        shoelace(p) for p, r in zip(inside, regions, strict=False) if r.polytope.is_bounded()
    )
    assert len(unbounded.plot(axes()).patches) == 1
    with pytest.raises(OptionError, match="view"):
        unbounded.plot(axes(), view=(1, 2, 3))


def test_shapes_on_a_line_are_intervals_and_points() -> None:
    net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, -2], [0, 0]], [-0.5, 0])])
    regions = pr.enumerate_regions(net, pr.Box([-2], [2]))
    (span,) = regions[1].plot(axes()).patches
    assert (span.get_x(), span.get_width()) == (0, 1)
    cells = pr.decision_cells(regions)
    (line,) = pr.decision_boundary(cells)[0].plot(axes()).lines
    assert list(line.get_xdata()) == [0.5, 0.5]
    far = pr.enumerate_regions(net, pr.WholeSpace(1))
    (span,) = far[0].plot(axes(), view=([-7], [7])).patches
    assert (span.get_x(), span.get_width()) == (-7, 7)


def test_new_axes_say_what_is_on_them() -> None:
    ax = enumerated("plane")[3].plot()
    assert ax.get_title() == "<b> & friends: Region 3"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x0", "x1")


def test_shapes_of_other_dimensions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    net = pr.Network.from_layers(float_layers(generator(1), (3, 4, 2)))
    with pytest.raises(InputError, match="dimension 3, expected 1 or 2"):
        pr.enumerate_regions(net, pr.Box.cube(-1, 1, 3))[0].plot()
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="matplotlib"):
        enumerated("plane")[0].plot()
