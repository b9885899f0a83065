"""Decision cells cut by the engine of cells are those that kernels find walking in the rows of each region."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polyregions import Box, DecisionCells, HPolytope, Network, WholeSpace, decision_cells, enumerate_regions
from polyregions.analysis.decisions import cut
from random_networks import KINDS, random_layer

N_QUICK, N_SLOW = 24, 1500


def random_classifier(rng: np.random.Generator) -> Network:
    """Inputs 1 to 4, two to six classes of which some score the same, or nothing, all over."""
    d, c = int(rng.integers(1, 5)), int(rng.integers(2, 7))
    widths = [d, *rng.integers(1, 7 if d < 4 else 4, int(rng.integers(1, 4))).tolist(), c]
    kind = str(rng.choice(KINDS))
    layers = [random_layer(rng, kind, n, k) for k, n in zip(widths, widths[1:], strict=False)]
    weight, bias = layers[-1]
    same = rng.integers(0, c, c) if rng.random() < 0.3 else np.arange(c)
    layers[-1] = weight[same], bias[same]
    return Network.from_layers(layers, final_activation="relu" if rng.random() < 0.3 else None)


def random_set(rng: np.random.Generator, d: int) -> Any:
    """A box, a cut box, or everything."""
    choice = rng.integers(0, 4)
    if choice == 0:
        return WholeSpace(d)
    if choice == 1:
        A = np.vstack([np.eye(d), -np.eye(d), rng.normal(size=(2, d))])
        return HPolytope(A, np.concatenate([np.ones(2 * d), [0.5, 0.5]]))
    return Box.cube(-1, 1.5, d)


def said(cells: DecisionCells) -> list[Any]:
    """All that does not depend on which point was found."""
    return [cells.region.tolist(), cells.label.tolist(), cells.ties]


def check_points(cells: DecisionCells) -> None:
    """Each cell's point is strictly inside, by the cell's exact rows."""
    lift = cells.regions.problem.solid.hull.lift
    for i, cell in enumerate(cells):
        x = [*lift(cells.local_point(i)).coordinates, 1]
        polytope = cell.polytope
        assert all(
            sum(a * b for a, b in zip(row, x, strict=True)) > 0
            for row in polytope.exact_rows
            if any(row[:-1])
        )


def compare(first: int, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways on some random networks, by all rules."""
    for seed in range(first, last):
        rng = np.random.default_rng(seed)
        net = random_classifier(rng)
        regions = enumerate_regions(net, random_set(rng, net.n_inputs), max_regions=300)
        rule = str(rng.choice(["argmax", "argmin"]))
        by_vertices = decision_cells(regions, rule)
        check_points(by_vertices)
        with monkeypatch.context() as patch:
            patch.setattr(cut, "parts_by_vertices", lambda *_: iter(()))
            assert said(by_vertices) == said(decision_cells(regions, rule)), seed


def test_vertices_say_what_walks_say(monkeypatch: pytest.MonkeyPatch) -> None:
    compare(0, N_QUICK, monkeypatch)
    compare(61, 62, monkeypatch)  # ties in cells so thin that their points are rational


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_vertices_say_what_walks_say_of_many(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(*(N_QUICK + i * (N_SLOW - N_QUICK) // 10 for i in (part, part + 1)), monkeypatch)


def test_a_class_that_wins_at_no_vertex() -> None:
    """Class 2 wins only around the middle of the one region, far from its two ends."""
    net = Network.from_layers([([[1]], [10]), ([[4], [-4], [0]], [-41, 39, 0.5])])
    cells = decision_cells(enumerate_regions(net, Box([-1], [1])))  # 4 x - 1, -4 x - 1 and 1/2 on one region
    assert cells.per_class() == {0: 1, 1: 1, 2: 1}


def test_seventeen_classes_are_left_to_walks() -> None:
    """Class k scores k x - k^2 / 2, whose largest is that of the integer next to x (as lines tangent to x^2 / 2)."""
    k = np.arange(17.0)
    net = Network.from_layers([([[1]], [0]), (k[:, None], -(k**2) / 2)])
    cells = decision_cells(enumerate_regions(net, Box([-1], [20])))
    assert cells.label.tolist() == [0, *range(17)]


def test_sixteen_classes_by_vertices() -> None:
    """The same with one class less."""
    k = np.arange(16.0)
    net = Network.from_layers([([[1]], [0]), (k[:, None], -(k**2) / 2)])
    cells = decision_cells(enumerate_regions(net, Box([-1], [20])))
    assert cells.label.tolist() == [0, *range(16)]
