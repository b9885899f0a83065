"""``polyregions loop``: theorems of the tent map, and a plant small enough to be followed by hand."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main
from polyregions.io.specs.plant import load_closed_loop
from polyregions.networks.germs import ExactNetwork


@pytest.fixture
def tent(tmp_path: Path) -> str:
    """2 x, from 1/2 on 2 - 2 x."""
    file = tmp_path / "tent.npz"
    np.savez(file, W1=[[2.0], [4.0]], b1=[0.0, -2.0], W2=[[1.0, -1.0]], b2=[0.0])
    return str(file)


@pytest.fixture
def brake(tmp_path: Path) -> str:
    """-relu(x) / 2: with the plant x + u, positive states are halved and others stay."""
    file = tmp_path / "brake.npz"
    np.savez(file, W1=[[1.0]], b1=[0.0], W2=[[-0.5]], b2=[0.0])
    return str(file)


@pytest.fixture
def plant(tmp_path: Path) -> str:
    return written(tmp_path / "plant.json", {"A": [[1]], "B": [["1"]]})


def written(file: Path, contents: Any) -> str:
    file.write_text(json.dumps(contents))
    return str(file)


def interval(file: Path, low: float, high: float) -> str:
    np.savez(file, A=[[1.0], [-1.0]], b=[high, -low])
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["loop", *words, "--json", "-q"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["loop", *words, "-q"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_tent_map(tent: str, capsys: pytest.CaptureFixture[str]) -> None:
    """k steps have 2^k pieces onto [0, 1]; the three cycles of length four are those of the periodic binary words."""
    found = said(capsys, tent, "--box", "0", "1", "--steps", "4", "--cycles")
    assert found["regions_after"] == [2, 4, 8, 16]
    assert found["states_after"] == [[[0.0, 1.0]]] * 4
    assert [(each["point"], each["verdict"]) for each in found["fixed_points"]] == [
        (["0"], "unstable"),
        (["2/3"], "unstable"),
    ]
    assert found["invariant"] is True
    assert sorted(cycle["points"][0] for cycle in found["cycles"]) == [["2/15"], ["2/17"], ["6/17"]]


def test_a_controller_and_its_plant(
    brake: str, plant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    goal = interval(tmp_path / "goal.npz", 0, 0.75)
    words = [brake, "--plant", plant, "--box", "1", "2", "--steps", "2", "--target", goal]
    found = said(capsys, *words)
    assert found["states_after"] == [[[0.5, 1.0]], [[0.25, 0.5]]]
    assert found["share_by_step"] == [0.0, 0.5, 0.5] and found["share"] == 1.0
    assert found["invariant"] is False
    assert 1 <= float(found["leaves_from"][0]) < 2  # halved, it is below 1
    wall = interval(tmp_path / "wall.npz", 0.875, 1.25)  # from 1.25 to 1.5 in one step, to 1.75 in two
    assert said(capsys, *words, "--avoid", wall)["share_by_step"] == [0.0, 0.25, 0.25]


def test_fixed_points_are_polytopes_where_there_are_many(
    brake: str, plant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, brake, "--plant", plant, "--box", "-1", "1")
    assert [each["dim"] for each in found["fixed_points"]] == [1]
    assert found["invariant"] is True


def test_regions_of_the_steps_in_a_file(
    tent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "three.npz"
    said(capsys, tent, "--box", "0", "1", "--steps", "3", "-o", str(file))
    assert len(pr.load_regions(file)) == 8


def test_plants_of_both_kinds_and_measurements(
    tmp_path: Path, brake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """x' = x + v + 1/10, v' = u(x + v): texts are exact, arrays are the nearest floats."""
    values = {"A": [[1, 1], [0, 0]], "B": [[0], [1]], "c": ["1/10", 0], "C": [[1, 1]]}
    json_file = written(tmp_path / "two.json", values)
    npz_file = tmp_path / "two.npz"
    np.savez(npz_file, **{**values, "c": [0.1, 0.0]})
    exact = ExactNetwork(load_closed_loop(json_file, pr.load_network(brake)))
    assert exact.germ([Fraction(1), Fraction(1, 3)]).value == (Fraction(43, 30), Fraction(-2, 3))
    for plant in (json_file, str(npz_file)):
        found = said(capsys, brake, "--plant", plant, "--box", "0", "1")
        assert found["regions_after"] == [1]  # x + v is positive on the box
        assert found["states_after"] == [[[0.1, 2.1], [-1.0, 0.0]]]


@pytest.mark.parametrize(
    "contents, expected",
    [
        ([1], "expected an object with A and B"),
        ({"A": [[1]]}, "expected A, B and perhaps c and C"),
        ({"A": [[1]], "B": [[1]], "D": 1}, "expected A, B and perhaps c and C"),
        ({"A": [["x"]], "B": [[1]]}, 'expected a number or a text like "1/10"'),
        ({"A": [["1e999999999"]], "B": [[1]]}, 'expected a number or a text like "1/10"'),
        ({"A": [["1/0"]], "B": [[1]]}, 'expected a number or a text like "1/10"'),
        ({"A": 1, "B": [[1]]}, "expected a list of numbers"),
        ({"A": [[1, 2]], "B": [[1]]}, "plant.json"),
        ({"A": [[1]], "B": [[1], [2]]}, "plant.json"),
        ({"A": [[1]], "B": [[1]], "c": [1, 2]}, "plant.json"),
        ({"A": [[1]], "B": [[1]], "C": [[1, 0]]}, "plant.json"),
        ({"A": [[float("nan")]], "B": [[1]]}, "plant.json"),
        ({"A": [[[[1]]]], "B": [[1]]}, "plant.json"),
        ({"A": [], "B": []}, "plant.json"),
        ({"A": [[1], [1, 2]], "B": [[1]]}, "plant.json"),
    ],
)
def test_plants_that_are_none(
    brake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], contents: Any, expected: str
) -> None:
    error = refused(capsys, brake, "--plant", written(tmp_path / "plant.json", contents), "--box", "0", "1")
    assert "plant.json" in error and expected in error


def test_what_does_not_fit(
    brake: str, tent: str, plant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    goal = interval(tmp_path / "goal.npz", 0, 0.75)
    assert "--target" in refused(capsys, tent, "--box", "0", "1", "--avoid", goal)
    assert "expected .json or .npz" in refused(capsys, brake, "--plant", brake + ".txt", "--box", "0", "1")
    assert "nowhere.json" in refused(capsys, brake, "--plant", "nowhere.json", "--box", "0", "1")
    plane = tmp_path / "plane.npz"
    np.savez(plane, A=np.eye(2), b=np.ones(2))
    assert "has 2 inputs, expected 1" in refused(capsys, tent, "--box", "0", "1", "--target", str(plane))
    wide = tmp_path / "wide.npz"
    np.savez(wide, W1=np.eye(2), b1=np.zeros(2), W2=[[1.0, 1.0]], b2=[0.0])
    assert "2" in refused(capsys, str(wide), "--box", "0", "1")
