"""The explorer page: clicked through in a headless Chromium, its answers compared with the engine's and networkx's."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

import polyregions as pr
from browser import Visit, chromium, visiting
from polyregions.cli import main
from polyregions.errors import FormatError, InputError, OptionError
from polyregions.networks.patterns import as_text
from polyregions.plot.explorer.page import explorer_page
from random_networks import normal_network as random_network

pytestmark = pytest.mark.xdist_group("browser")  # one browser is enough

BOX = pr.Box([-2, -1.5], [3, 2])
QUADRANTS = pr.Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))], name="quadrants")
SQUARE = pr.Box.cube(-1, 1, 2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def moons() -> pr.RegionSet:
    return pr.enumerate_regions(pr.load_network("example:two-moons"), BOX)


@pytest.fixture(scope="module")
def moons_file(moons: pr.RegionSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("explorer") / "moons.html"
    pr.explore(moons, file)
    return file


@pytest.fixture
def page(browser: Any, moons_file: Path) -> Iterator[Visit]:
    """The page of the packaged classifier; at the end it must not have complained, nor asked for anything."""
    with visiting(browser, moons_file, color_scheme="light") as visit:
        yield visit
        assert visit.trouble == []
        assert visit.requests == []


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens the page of any regions."""
    entered = []

    def open_page(regions: pr.RegionSet, **options: Any) -> Visit:
        pr.explore(regions, tmp_path / "page.html", **options)
        entered.append(visiting(browser, tmp_path / "page.html"))
        return entered[-1].__enter__()

    yield open_page
    for manager in entered:
        manager.__exit__(None, None, None)


def inside_points(regions: pr.RegionSet, n: int) -> np.ndarray[Any, Any]:
    """Points that are well inside some regions: the means of the corners of every so-manyth polygon."""
    centres = pr.plane_section(regions).polygons.centres
    return centres[:: max(1, len(centres) // n)]


# ---------------------------------------------------------------- finding regions


def test_a_click_selects_the_region_that_locate_gives(page: Visit, moons: pr.RegionSet) -> None:
    sizes = pr.region_volumes(moons)
    for i in np.argsort(-sizes)[:12].tolist():
        x, y = pr.plane_section(moons).polygons.centres[i].tolist()
        page.click_at(x, y)
        assert page.selected == moons.locate([[x, y]])[0] == i
        assert page.text("#details h2") == f"Region #{i}"


def test_points_are_located_as_by_the_engine(page: Visit, moons: pr.RegionSet) -> None:
    points = np.random.default_rng(0).uniform(BOX.lower, BOX.upper, size=(2000, 2))
    found = page.run("points => points.map(([x, y]) => explorer.locate(x, y).region ?? -1)", points.tolist())
    assert found == moons.locate(points).tolist()


def test_every_region_is_found_at_its_centre_however_thin(page: Visit, moons: pr.RegionSet) -> None:
    centres = inside_points(moons, len(moons))
    found = page.run("points => points.map(([x, y]) => explorer.locate(x, y))", centres.tolist())
    certain = [i for i, answer in enumerate(found) if "region" in answer]
    assert [found[i]["region"] for i in certain] == certain
    assert len(certain) > 0.99 * len(moons)
    assert all(i in answer.get("near", [i]) for i, answer in enumerate(found))


@pytest.mark.parametrize("query", ["0.3, -1", "(0.3,-1)", "  3e-1 ; -1.0 ", "0.3 -1", ".3,-1."])
def test_a_searched_point_is_selected(page: Visit, moons: pr.RegionSet, query: str) -> None:
    expected = int(moons.locate([[0.3, -1]])[0])
    assert page.search(query) == f"The point is inside region #{expected}."
    assert page.selected == expected


def test_points_outside_are_said_to_be(page: Visit) -> None:
    assert page.search("30, -1") == "The point is outside the domain."
    assert page.selected == -1


def test_a_point_on_a_boundary_is_not_given_to_either_side(opened: Callable[..., Visit]) -> None:
    page = opened(pr.enumerate_regions(QUADRANTS, SQUARE))
    answer = page.search("0, 0.5")
    assert answer == "On a boundary, or too close to one for float64 to tell: regions #1, #3."
    assert page.selected == -1
    assert page.search("0, 0").endswith("regions #0, #1, #2, #3.")
    assert page.search("1e-320, 0.5").endswith("regions #1, #3.")
    assert page.search("1e-9, 0.5") == "The point is inside region #3."
    assert page.search("1, 0.5").endswith("region #3.")  # on the edge of the domain


def test_the_last_digits_decide(opened: Callable[..., Visit]) -> None:
    """Right beside a facet that no float is on, an answer is either the engine's or none."""
    regions = pr.enumerate_regions(random_network(3, 2, 7, 5, 2), SQUARE)
    page = opened(regions)
    points = pr.adjacency_arrays(regions).points
    near = np.concatenate([points, np.nextafter(points, 9), np.nextafter(points, -9), points * (1 + 1e-13)])
    found = page.run("points => points.map(([x, y]) => explorer.locate(x, y))", near.tolist())
    for answer, expected in zip(found, regions.locate(near).tolist(), strict=True):
        assert answer.get("region", expected) == expected
        assert expected in answer.get("near", [expected])
    assert any("near" in answer for answer in found)


@pytest.mark.parametrize(
    "pattern", ["whole", "1101", "1101 0???|1", "1*1", "*", "????????1*0?1", "0101*1111"]
)
def test_patterns_are_found(page: Visit, moons: pr.RegionSet, pattern: str) -> None:
    texts = [as_text(p) for p in moons.patterns]
    query = texts[77] if pattern == "whole" else pattern
    bare = re.sub(r"[ |]", "", query)
    expected = [
        i for i, text in enumerate(texts) if fnmatch.fnmatchcase(text, bare if "*" in bare else bare + "*")
    ]
    assert page.run("p => explorer.find(p)", bare) == expected
    answer = page.search(query)
    if len(expected) == 1:
        assert (answer, page.selected) == (f"One region: #{expected[0]}.", expected[0])
    elif expected:
        assert answer.startswith(f"{len(expected)} regions")
        assert page.run("explorer.state.matches") == expected
        shown = page.run(
            "[...document.querySelectorAll('#matches button')].map(b => Number(b.dataset.region))"
        )
        assert shown == expected[:200]
    else:
        assert answer == "No region has this pattern."


def test_searches_that_find_nothing_say_why(page: Visit) -> None:
    assert page.search("#9999") == "There are 442 regions, counted from #0."
    assert page.search("0" * 33) == "The pattern has 33 bits, the network 32 neurons."
    assert page.search("where is it?").startswith("Write a point")
    assert page.search("<img src=x onerror=alert(1)>").startswith("Write a point")
    assert page.search("") == ""
    page.search("#5")
    assert page.selected == 5


# ---------------------------------------------------------------- what is said of a region


def test_neighbours_are_those_of_the_adjacency_graph(page: Visit, moons: pr.RegionSet) -> None:
    graph = pr.adjacency_graph(moons)
    for i in range(0, len(moons), 40):
        page.search(f"#{i}")
        shown = page.run(
            "[...document.querySelectorAll('.facets button')].map(b => Number(b.dataset.region))"
        )
        assert sorted(shown) == sorted(graph[i])
        lines = page.run("[...document.querySelectorAll('.facets .what')].map(e => e.textContent)")
        for j in graph[i]:
            (line,) = [text for text in lines if text.endswith(f"#{j}")]
            named = [int(n) for n in re.findall(r"neuron (\d+)", line)]
            assert named == graph.edges[i, j]["flipped"]
            on = moons.patterns[i, named[0]]
            assert ("on → off" if on else "off → on") in line


def test_the_number_of_facets_is_that_of_the_polytope(page: Visit, moons: pr.RegionSet) -> None:
    facets = pr.facet_arrays(moons)
    for i in range(0, len(moons), 60):
        page.search(f"#{i}")
        n, neighbours = int(np.diff(facets.offsets)[i]), int(np.count_nonzero(facets.of_region(i)[0] >= 0))
        assert f"{n} facets, {neighbours} neighbours" in page.text("#details")
        for label in (
            facets.boundary.labels[facets.boundary.row[w]] for w in facets.of_region(i)[2] if w >= 0
        ):
            assert f"domain: {label}" in page.text("#details")


def test_inequalities_hold_inside_the_region_and_fail_beyond(page: Visit, moons: pr.RegionSet) -> None:
    centres = pr.plane_section(moons).polygons.centres
    for i in range(0, len(moons), 60):
        page.search(f"#{i}")
        lines = page.run("[...document.querySelectorAll('.facets code')].map(e => e.textContent)")
        assert len(lines) == len(pr.facet_arrays(moons).of_region(i)[0])
        for line in lines:
            left = line.replace("−", "-").split(">" if ">" in line else "≥")[0]
            formula = re.sub(r"(\d) x", r"\1*x", re.sub(r"([-+]) ", r"\1", left))
            x0, x1 = centres[i].tolist()
            assert eval(formula, {"x0": x0, "x1": x1}) > -1e-6  # shown with seven digits


def test_pattern_rank_class_and_map_are_those_of_the_region(page: Visit, moons: pr.RegionSet) -> None:
    ranks, cells = pr.layer_ranks(moons), pr.decision_cells(moons)
    for i in range(0, len(moons), 60):
        page.search(f"#{i}")
        rows = page.run(
            "[...document.querySelectorAll('#details table')].map(t => [...t.rows].slice(1).map(r =>"
            " [...r.cells].map(c => c.title || c.textContent)))"
        )
        bits = "".join(row[1] for row in rows[0]).replace(" ", "")
        assert bits == as_text(moons.patterns[i])
        assert [int(row[2]) for row in rows[0]] == ranks[i].tolist()
        weight, bias = moons[i].affine_map
        shown = np.array([[float(v) for v in row[1:]] for row in rows[1]])
        assert shown == pytest.approx(np.column_stack([weight, bias]), rel=1e-11)
        badges = page.run("[...document.querySelectorAll('.badge')].map(e => e.textContent)")
        assert badges == [f"class {k}" for k in cells.classes(i)]


def test_hovering_names_the_region_and_the_outputs(page: Visit, moons: pr.RegionSet) -> None:
    i = int(np.argmax(pr.region_volumes(moons)))
    x, y = pr.plane_section(moons).polygons.centres[i].tolist()
    box = page.page.locator("#map").bounding_box()
    sx, sy = page.run("([x, y]) => explorer.screen(x, y)", [x, y])
    page.page.mouse.move(box["x"] + sx, box["y"] + sy)
    tip = page.text("#tip")
    assert f"#{i}:" in tip
    outputs = [float(v) for v in tip.splitlines()[-1].removeprefix("output ").split(", ")]
    assert outputs == pytest.approx(moons.network([[x, y]])[0], abs=0.5)  # the pointer is on a whole pixel


# ---------------------------------------------------------------- paths


def test_paths_are_as_short_as_those_of_networkx(page: Visit, moons: pr.RegionSet) -> None:
    graph = pr.adjacency_graph(moons)
    pairs = np.random.default_rng(1).integers(len(moons), size=(40, 2)).tolist()
    for (a, b), path in zip(
        pairs, page.run("pairs => pairs.map(([a, b]) => explorer.path(a, b))", pairs), strict=True
    ):
        assert (path[0], path[-1]) == (a, b)
        assert len(path) - 1 == nx.shortest_path_length(graph, a, b)
        assert nx.is_path(graph, path)


def test_a_path_by_clicks(page: Visit, moons: pr.RegionSet) -> None:
    graph, centres = pr.adjacency_graph(moons), pr.plane_section(moons).polygons.centres
    a, b = np.argsort(-pr.region_volumes(moons))[[0, 5]].tolist()
    page.click_at(*centres[a].tolist())
    page.click_at(*centres[b].tolist(), modifiers=["Shift"])
    length = nx.shortest_path_length(graph, a, b)
    assert page.text("#path-title") == f"Path of {length} steps"
    assert page.run("document.querySelectorAll('.steps button').length") == length + 1
    assert f"path of {length} steps" in page.text("#live")
    page.page.click("#path >> text=End")
    assert page.run("document.getElementById('path').hidden")


def test_a_path_by_the_button(page: Visit, moons: pr.RegionSet) -> None:
    page.search("#3")
    page.page.click("#path-start")
    assert "select where it ends" in page.text("#path")
    page.search("#200")
    length = nx.shortest_path_length(pr.adjacency_graph(moons), 3, 200)
    assert page.text("#path-title") == f"Path of {length} steps"


def test_where_there_is_no_path_it_is_said(opened: Callable[..., Visit]) -> None:
    """A partial set whose two regions touch in a point only."""
    regions = pr.enumerate_regions(QUADRANTS, SQUARE, max_regions=3)
    page = opened(regions)
    assert "partial" in page.text("#summary")
    assert page.run("explorer.path(1, 2)") == [1, 0, 2]
    alone = opened(pr.enumerate_regions(QUADRANTS, pr.Box([-1, -1], [1, 1]), max_regions=1))
    assert alone.run("explorer.path(0, 0)") == [0]


# ---------------------------------------------------------------- keys, looks, layers


def test_the_keyboard_alone_is_enough(page: Visit, moons: pr.RegionSet) -> None:
    keyboard = page.page.keyboard
    page.page.focus("#map")
    before = page.run("explorer.screen(0, 0)")
    keyboard.press("ArrowLeft")
    keyboard.press("ArrowUp")
    assert page.run("explorer.screen(0, 0)") == pytest.approx([before[0] + 60, before[1] + 60])
    keyboard.press("+")
    keyboard.press("-")
    keyboard.press("0")
    assert page.run("explorer.screen(0, 0)") == pytest.approx(before)
    keyboard.press("Enter")
    first = page.selected
    assert first >= 0
    assert f"Region {first}" in page.text("#live")
    keyboard.press("p")
    for _ in range(60):
        keyboard.press("Tab")
        if page.run("document.activeElement.matches('.facets button')"):
            break
    other = page.run("Number(document.activeElement.dataset.region)")
    keyboard.press("Enter")
    assert page.selected == other
    assert pr.adjacency_graph(moons).has_edge(first, other)
    assert page.text("#path-title") == "Path of 1 step"
    assert page.run("document.activeElement.matches('.facets button')")  # one can go on from here
    keyboard.press("/")
    keyboard.type("#7")
    keyboard.press("Enter")
    assert page.selected == 7
    keyboard.press("Escape")
    assert page.run("document.activeElement.id") == "map"
    keyboard.press("Escape")
    assert page.run("explorer.state.start") == -1
    keyboard.press("Escape")
    assert page.selected == -1
    keyboard.press("?")
    assert page.run("document.getElementById('help-box').open")
    keyboard.press("Escape")
    assert not page.run("document.getElementById('help-box').open")


def test_dark_and_light(browser: Any, page: Visit, moons_file: Path) -> None:
    def background(visit: Visit) -> str:
        return str(visit.run("getComputedStyle(document.body).backgroundColor"))

    light = background(page)
    page.page.click("#theme")
    page.settle()
    dark = background(page)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 23, 27)")
    assert page.run("document.getElementById('theme').getAttribute('aria-pressed')") == "true"
    with visiting(browser, moons_file, color_scheme="dark") as other:
        assert background(other) == dark
        other.page.emulate_media(color_scheme="light")
        other.page.click("#fit")  # by the time a click has come through, so has the change of the scheme
        other.settle()
        assert background(other) == light


def test_layers_are_taken_away_and_put_back(page: Visit, moons: pr.RegionSet) -> None:
    page.page.focus("#map")
    counts = [1, *moons.regions_after_each_layer()]
    for layer in (1, 0):
        page.page.keyboard.press("[")
        assert page.run("document.getElementById('layer').value") == str(layer)
        spoken = page.run("document.getElementById('layer').getAttribute('aria-valuetext')")
        assert spoken == f"after {layer} layers: {counts[layer]} regions"
        page.settle()
    page.page.keyboard.press("]")
    page.page.keyboard.press("]")
    assert page.text("#layer-name") == "all"


def pixel(visit: Visit, x: float, y: float) -> list[int]:
    """The colour of the map at a point of the plane."""
    visit.settle()
    script = """([x, y]) => {
        const canvas = document.getElementById("map"), ratio = canvas.width / canvas.clientWidth;
        const [sx, sy] = explorer.screen(x, y).map((v) => v * ratio);
        return [...canvas.getContext("2d").getImageData(sx, sy, 1, 1).data].slice(0, 3);
    }"""
    found: list[int] = visit.run(script, [x, y])
    return found


def test_the_map_shows_classes_slopes_ranks_and_layers(opened: Callable[..., Visit]) -> None:
    """Network (relu(x), relu(y)): class 1 above the diagonal of the first quadrant and left of it."""
    page = opened(pr.enumerate_regions(QUADRANTS, SQUARE))
    blue, red = pixel(page, 0.7, 0.2), pixel(page, 0.2, 0.7)
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    page.page.select_option("#colour", "slope")
    low, high = pixel(page, -0.5, -0.5), pixel(page, 0.6, 0.3)
    assert low[2] > low[1]  # viridis goes from purple to yellow
    assert high[0] > high[2]
    assert pixel(page, 0.5, -0.5) == pixel(page, -0.5, 0.5)
    assert "norm of the slope: 0" in page.text("#legend")
    page.page.select_option("#colour", "rank0")
    assert page.text("#legend") == "rank 2"
    page.page.select_option("#colour", "region")
    colours = [pixel(page, x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]
    assert colours[0] != colours[1] != colours[3] != colours[2] != colours[0]
    page.run("explorer.setLayer(0)")
    assert len({tuple(pixel(page, x, y)) for x in (-0.5, 0.5) for y in (-0.5, 0.5)}) == 1


def test_panning_and_zooming_with_the_pointer(page: Visit) -> None:
    box = page.page.locator("#map").bounding_box()
    before = page.run("explorer.screen(0, 0)")
    page.page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 340, box["y"] + 320, steps=4)
    page.page.mouse.up()
    assert page.run("explorer.screen(0, 0)") == pytest.approx([before[0] + 40, before[1] + 20])
    assert page.selected == -1  # a drag is no click
    page.page.mouse.move(box["x"] + before[0] + 40, box["y"] + before[1] + 20)
    page.page.mouse.wheel(0, -300)
    page.settle()
    assert page.run("explorer.screen(0, 0)") == pytest.approx([before[0] + 40, before[1] + 20], abs=1)
    one = page.run("explorer.screen(1, 0)")[0] - page.run("explorer.screen(0, 0)")[0]
    page.page.click("#fit")
    fitted = page.run("explorer.screen(1, 0)")[0] - page.run("explorer.screen(0, 0)")[0]
    assert one > 1.3 * fitted


def test_slivers_can_be_zoomed_to_and_clicked(page: Visit, moons: pr.RegionSet) -> None:
    """The thinnest region, and where it is on the screen."""
    polygons = pr.plane_section(moons).polygons
    thin = int(np.argmin(pr.region_volumes(moons)))
    before = page.run("explorer.screen(1, 0)")[0] - page.run("explorer.screen(0, 0)")[0]
    page.search(f"#{thin}")
    page.page.click("#zoom-to")
    page.settle()
    places = page.run("points => points.map(([x, y]) => explorer.screen(x, y))", polygons[thin].tolist())
    assert 300 < np.ptp(places, axis=0).max() < 600
    assert page.run("explorer.screen(1, 0)")[0] - page.run("explorer.screen(0, 0)")[0] > 10 * before
    page.run("explorer.select(-1)")
    page.click_at(*polygons.centres[thin].tolist())
    assert page.selected == thin


# ---------------------------------------------------------------- data points, links, files


POINTS = np.random.default_rng(5).uniform(-1, 1, size=(40, 2))
LABELS = np.arange(40) % 2


def test_data_points_are_drawn_named_and_switched_off(opened: Callable[..., Visit]) -> None:
    regions = pr.enumerate_regions(QUADRANTS, SQUARE)
    page = opened(regions, data=[[0.5, 0.25]], labels=[1], class_names=["cat", "dog & <b>"], title="pets")
    assert page.text("#title") == "pets"
    assert page.text("#legend").split("\n") == ["cat", "dog & <b>"]
    assert "data" in page.text("#signs")
    on = pixel(page, 0.5, 0.25)
    assert on == [0xEE, 0x66, 0x77]
    box, (sx, sy) = page.page.locator("#map").bounding_box(), page.run("explorer.screen(0.5, 0.25)")
    page.page.mouse.move(box["x"] + sx, box["y"] + sy)
    assert "data point 0: dog & <b>" in page.text("#tip")
    page.page.uncheck("#points")
    assert pixel(page, 0.5, 0.25) != on
    assert "data" not in page.text("#signs")


def test_a_page_without_data_has_no_switch_for_them(page: Visit) -> None:
    assert not page.page.is_visible("#points")
    assert "decision boundary" in page.text("#signs")
    assert "shades tell regions apart" in page.text("#signs")


def test_inputs_have_their_names_and_fixed_ones_stand_in_the_summary(opened: Callable[..., Visit]) -> None:
    regions = pr.enumerate_regions(random_network(1, 4, 8, 3), pr.Box([-1, 0.5, -1, 2], [1, 0.5, 1, 2]))
    page = opened(regions, input_names=["range", "angle", "speed", "time"], data=POINTS, labels=LABELS)
    assert page.run("explorer.data.axes") == ["range", "speed"]
    assert "angle = 0.5, time = 2" in page.text("#summary")
    page.run("explorer.select(0)")
    assert "range" in page.text("#details table[aria-label='Affine map']")


def test_outliers_do_not_take_the_scale_of_slopes(opened: Callable[..., Visit]) -> None:
    """A hundred regions of slopes near one, and one of a million."""
    walls = np.linspace(-0.9, 0.9, 100)
    steps = np.where(np.arange(100) == 99, 1e6, 0.01)
    network = pr.Network.from_layers([(np.outer(np.ones(100), [1, 0]), -walls), ([steps], [0])])
    page = opened(pr.enumerate_regions(network, SQUARE))
    page.page.select_option("#colour", "slope")
    assert "\u2265" in page.text("#legend")
    assert "1e+6" not in page.text("#legend")
    page = opened(pr.enumerate_regions(network, SQUARE), percentiles=(0, 100))
    page.page.select_option("#colour", "slope")
    assert "\u2265" not in page.text("#legend")


def test_a_link_shows_what_was_shown(browser: Any, page: Visit) -> None:
    page.run("explorer.select(225); explorer.startPath(225); explorer.select(433)")
    page.run("explorer.setLayer(1)")
    page.page.select_option("#colour", "slope")
    page.page.uncheck("#lines")
    page.page.click("#theme")
    page.run("explorer.zoom(3.7)")
    page.run("explorer.remember()")
    link = page.run("location.href")
    window = page.run("[explorer.screen(0.25, 0.5), explorer.screen(-1, 1)]")
    other = page.page.context.new_page()
    try:
        other.goto(link)
        other.wait_for_function("window.explorer && explorer.state.selected === 433")
        state = other.evaluate("explorer.state")
        expected = page.run("explorer.state")
        for name in ("selected", "start", "path", "layer", "colour", "lines", "boundary", "points", "theme"):
            assert state[name] == expected[name], name
        found = other.evaluate("[explorer.screen(0.25, 0.5), explorer.screen(-1, 1)]")
        assert np.array(found) == pytest.approx(np.array(window), abs=0.01)
        assert not other.is_checked("#lines")
        other.evaluate("location.hash = ''")
        other.wait_for_function("explorer.state.selected === -1")
        assert other.evaluate("explorer.state.layer") == 2
        assert other.is_checked("#lines")
    finally:
        other.close()


def test_what_is_not_moved_has_a_short_link(page: Visit) -> None:
    page.run("explorer.select(7)")
    page.run("explorer.remember()")
    assert page.run("location.hash") == "#region=7"
    page.page.click("#link")
    page.page.wait_for_function("document.getElementById('found').textContent.includes('link')")


@pytest.mark.parametrize(
    "hash_", ["region=442", "region=-1", "region=x", "view=1,2,3", "view=1,1,0,0", "view=a,b,c,d", "colour=red",
              "layer=9", "layer=1.5", "from=1e9", "theme=pink", "hide=all", "%%%", "point=1", "view=,,,", "region="]
)  # fmt: skip
def test_links_that_say_nonsense_change_nothing(browser: Any, moons_file: Path, hash_: str) -> None:
    with visiting(browser, moons_file) as visit:
        visit.run("h => { location.hash = h; }", hash_)
        visit.page.wait_for_function("location.hash.length <= 1")
        expected = {"selected": -1, "start": -1, "layer": 2, "colour": "class", "lines": True, "pin": None}
        state = visit.run("explorer.state")
        assert {name: state[name] for name in expected} == expected
        assert visit.trouble == []
        if hash_ == "region=442":
            assert "#442" in visit.text("#found")


def downloaded(visit: Visit, kind: str, folder: Path) -> Path:
    """The file that a button of the page saves."""
    with visit.page.expect_download() as coming:
        visit.page.click(f"#{kind}")
    file = folder / coming.value.suggested_filename
    coming.value.save_as(file)
    return file


def shoelace(path: str) -> float:
    """The area of the polygons of an SVG path of M, L and Z."""
    total = 0.0
    for part in path.split("Z"):
        points = np.array([[float(v) for v in p.split()] for p in re.split("[ML]", part) if p]).reshape(-1, 2)
        x, y = points.T
        total += abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2
    return total


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_svg_is_the_map_with_its_key(opened: Callable[..., Visit], theme: str, tmp_path: Path) -> None:
    """Its polygons cover the domain, each once, and its circles are the data points."""
    regions = pr.enumerate_regions(random_network(3, 2, 9, 7, 3, name="<net> & co"), SQUARE)
    page = opened(regions, data=POINTS, labels=LABELS)
    page.run("theme => explorer.setTheme(theme)", theme)
    file = downloaded(page, "svg", tmp_path)
    assert file.name == "_net_co.svg"
    root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    paths = [node for node in root.iter() if node.tag.endswith("}path")]
    fills = [node for node in paths if node.get("fill") != "none" and "a" not in node.get("d", "")]
    (left, low), (right, high) = page.run("[explorer.screen(-1, -1), explorer.screen(1, 1)]")
    whole = (right - left) * (low - high)
    assert sum(shoelace(node.get("d", "")) for node in fills) == pytest.approx(whole, rel=2e-3)
    circles = [node for node in paths if node.get("d", "").count("a") == 2]
    assert len(circles) == len(POINTS) + 1  # one in the key
    texts = [node.text for node in root.iter() if node.tag.endswith("}text")]
    assert "<net> & co" in texts
    assert {"class 0", "decision boundary", "shades tell regions apart"} & set(texts)
    assert any("linear regions" in (text or "") for text in texts)
    assert (page.trouble, page.requests) == ([], [])


def test_a_png_is_the_map_with_twice_the_pixels(opened: Callable[..., Visit], tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    page = opened(pr.enumerate_regions(QUADRANTS, SQUARE))
    expected = pixel(page, 0.7, 0.2)
    pixels = image.imread(downloaded(page, "png", tmp_path))
    sx, sy = page.run("explorer.screen(0.7, 0.2)")
    assert (pixels[round(2 * sy), round(2 * sx), :3] * 255).round().astype(int).tolist() == expected
    assert pixels.shape[1] == 2 * page.run("document.getElementById('map').clientWidth")
    assert pixels.shape[0] > 2 * page.run("document.getElementById('map').clientHeight")


# ---------------------------------------------------------------- other input sets


def test_a_slice_is_searched_in_its_own_coordinates(opened: Callable[..., Visit]) -> None:
    plane = pr.Slice([0, 0, 0, 0.5], [[1, 0, 0.25, 0], [0, 1, 0, -0.5]], SQUARE)
    regions = pr.enumerate_regions(random_network(1, 4, 8, 5, 3), plane)
    page = opened(regions)
    assert page.run("explorer.data.axes") == ["u", "v"]
    points = np.random.default_rng(3).integers(-1023, 1024, size=(200, 2)) / 1024  # exact on the plane
    found = page.run("points => points.map(([x, y]) => explorer.locate(x, y).region ?? -1)", points.tolist())
    lifted = plane.origin + points @ plane.directions
    assert found == regions.locate(lifted).tolist()


def test_an_unbounded_domain_says_where_the_picture_ends(opened: Callable[..., Visit]) -> None:
    regions = pr.enumerate_regions(random_network(2, 2, 6, 4, 2), pr.WholeSpace(2))
    page = opened(regions, view=([-1, -1], [1, 1]))
    assert "view [-1, 1] x [-1, 1], the domain goes on" in page.text("#summary")
    points = np.random.default_rng(3).uniform(-1, 1, size=(200, 2))
    found = page.run("points => points.map(([x, y]) => explorer.locate(x, y).region ?? -1)", points.tolist())
    assert found == regions.locate(points).tolist()
    assert page.search("5, 5") == "The point is outside the picture."
    unseen = np.flatnonzero(pr.plane_section(regions, ([-1, -1], [1, 1])).polygons.sizes == 0)
    page.search(f"#{unseen[0]}")
    assert "This region lies outside the picture." in page.text("#details")
    assert page.trouble == []


@pytest.mark.parametrize("outputs", [1, 12])
@pytest.mark.parametrize("limit", [None, 0])
def test_one_output_many_outputs_and_no_regions(
    opened: Callable[..., Visit], outputs: int, limit: int | None
) -> None:
    regions = pr.enumerate_regions(random_network(4, 2, 6, outputs), SQUARE, max_regions=limit)
    page = opened(regions)
    page.search("0.1, 0.2")
    assert page.selected == (regions.locate([[0.1, 0.2]])[0] if limit is None else -1)
    for colour in ("region", "slope", "layer", "rank0", "class"):
        page.page.select_option("#colour", colour)
        page.settle()
    assert page.trouble == []
    if outputs == 1 and limit is None:
        y = regions.network([[0.1, 0.2]])[0, 0]
        assert ("output > 0" if y > 0 else "output <= 0") in page.text("#details .head")


# ---------------------------------------------------------------- the file


NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<!--$\\{{data}}"


def test_a_name_out_of_a_file_is_text_and_nothing_else(browser: Any, tmp_path: Path) -> None:
    regions = pr.enumerate_regions(random_network(0, 2, 4, 2, name=NASTY), SQUARE)
    pr.explore(regions, tmp_path / "p.html")
    with visiting(browser, tmp_path / "p.html") as visit:
        assert visit.text("#title") == NASTY
        assert visit.page.title().startswith(NASTY)
        assert visit.run("document.images.length") == 0
        assert visit.run("document.scripts.length") == 2
        assert (visit.trouble, visit.requests) == ([], [])


class Outline(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def outline(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Outline()
    parser.feed(text)
    return parser.tags


def test_the_page_refers_to_nothing_outside_and_forbids_it_too(moons_file: Path) -> None:
    text = moons_file.read_text(encoding="utf-8")
    tags = outline(text)
    assert not any({"src", "href", "action"} & set(attributes) for _, attributes in tags)
    assert not any(name.startswith("on") or name == "style" for _, attributes in tags for name in attributes)
    policy = next(
        a["content"] for t, a in tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "://" not in re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    assert "{{" not in text


def test_every_control_has_a_name(moons_file: Path) -> None:
    text = moons_file.read_text(encoding="utf-8")
    tags = outline(text)
    labelled = {attributes["for"] for tag, attributes in tags if tag == "label" and "for" in attributes}
    for tag, attributes in tags:
        if tag in ("input", "select") and attributes.get("type") != "checkbox":
            assert attributes["id"] in labelled
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["id"] for t, a in tags if a.get("aria-live")} == {"live"}


def test_the_same_regions_are_the_same_bytes(moons: pr.RegionSet, moons_file: Path, tmp_path: Path) -> None:
    pr.explore(moons, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == moons_file.read_bytes()


def test_the_data_of_a_page_are_json(moons_file: Path) -> None:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', moons_file.read_text(), re.DOTALL
    )
    assert found is not None
    assert json.loads(found[1])["regions"] == 442


@pytest.mark.parametrize(
    ("widths", "domain", "text"),
    [
        ((3, 2, 1), pr.Box.cube(-1, 1, 3), "dimension 3, expected 2 .*plane_through or Slice"),
        ((1, 2, 1), pr.Box([-1], [1]), "dimension 1, expected 2"),
    ],
)
def test_what_is_no_plane_is_refused(widths: tuple[int, ...], domain: Any, text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=text):
        pr.explore(pr.enumerate_regions(random_network(0, *widths), domain), tmp_path / "p.html")
    assert list(tmp_path.iterdir()) == []


def test_bad_options_are_refused(tmp_path: Path) -> None:
    regions = pr.enumerate_regions(QUADRANTS, SQUARE)
    with pytest.raises(OptionError, match="expected a name that ends in .html"):
        pr.explore(regions, tmp_path / "p.png")
    with pytest.raises(OptionError, match="'best', expected one of auto, argmax"):
        pr.explore(regions, tmp_path / "p.html", rule="best")
    with pytest.raises(OptionError, match="'sign'"):
        pr.explore(regions, tmp_path / "p.html", rule="sign")
    with pytest.raises(FormatError, match="cannot be written"):
        pr.explore(regions, tmp_path / "no" / "p.html")


def test_the_page_needs_no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert "4 linear regions" in explorer_page(pr.enumerate_regions(QUADRANTS, SQUARE))


# ---------------------------------------------------------------- the command line


def test_the_command_writes_the_same_page(
    moons_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "moons.html"
    words = ["explore", "example:two-moons", "--box", "-2,-1.5", "3,2", "-o", str(out), "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["regions"], found["file"], found["complete"]) == (442, str(out), True)
    assert out.read_bytes() == moons_file.read_bytes()


def test_the_command_takes_names_and_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text("a,b,class\n0.5,1,up\n-1,0.25,down\n")
    words = [
        "explore",
        "example:two-moons",
        "--box",
        "-2,-1.5",
        "3,2",
        "-o",
        str(tmp_path / "one.html"),
        "-q",
    ]
    words += ["--data", str(tmp_path / "d.csv"), "--class-names", "down,up", "--input-names", "w,h"]
    assert main([*words, "--title", "Moons", "--percentiles", "5", "95"]) == 0
    pr.explore(
        pr.enumerate_regions(pr.load_network("example:two-moons"), BOX),
        tmp_path / "two.html",
        data=[[0.5, 1], [-1, 0.25]],
        labels=[1, 0],
        class_names=["down", "up"],
        input_names=["w", "h"],
        title="Moons",
        percentiles=(5, 95),
    )
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--box", "-1", "1"], ["-o FILE is missing", ".html"]),
        (["--box", "-1", "1", "-o", "p.pdf"], ["p.pdf", ".html"]),
        (["--box", "-1,0", "1,0", "-o", "p.html"], ["dimension 1", "expected 2"]),
        (["--box", "-1", "1", "-o", "p.html", "--sign"], ["'sign'", "expected 1"]),
        (["--box", "-1", "1", "-o", "p.html", "--view", "1", "0"], ["view", "lower < upper"]),
    ],
)
def test_the_command_refuses_what_it_cannot_do(
    words: list[str],
    parts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "example:two-moons", *words]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert all(part in message for part in parts), message
    assert list(tmp_path.iterdir()) == []
