"""``polyregions local``: the same answers as from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main


@pytest.fixture
def quadrants(tmp_path: Path) -> str:
    """relu(x), relu(y)."""
    file = tmp_path / "quadrants.npz"
    np.savez(file, W1=np.eye(2), b1=[0.0, 0.0], W2=np.eye(2), b2=[0.0, 0.0])
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--json", "-q"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_region_at_a_point(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "local", quadrants, "--at", "1,-2") == {
        "pattern": "10",
        "class": 0,
        "outputs": [1.0, 0.0],
        "neighbours": 2,
        "facets": [[0], [1]],
        "complete": True,
        "network": "quadrants.npz",
    }


@pytest.mark.parametrize(
    "words, regions, per_hop",
    [
        (["--hops", "1"], 3, [1, 2]),
        (["--radius", "1"], 1, [1]),
        (["--radius", "3/2", "--norm", "2"], 2, [1, 1]),
        (["--radius", "2.5", "--box", "0", "3"], 1, [1]),
    ],
)
def test_regions_around_a_point(
    quadrants: str, capsys: pytest.CaptureFixture[str], words: list[str], regions: int, per_hop: list[int]
) -> None:
    found = said(capsys, "local", quadrants, "--at", "1,2", *words)
    assert (found["regions"], found["per_hop"], found["complete"]) == (regions, per_hop, True)


def test_classes_and_a_file(quadrants: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "around.npz"
    found = said(
        capsys,
        "local",
        quadrants,
        "--at",
        "2,1",
        "--radius",
        "2",
        "--norm",
        "l2",
        "--classes",
        "-o",
        str(file),
    )
    assert found["cells_per_class"] == {"0": 2, "1": 1} and found["file"] == str(file)
    assert len(pr.load_regions(file)) == 2 and not pr.load_regions(file).complete


def test_limits_and_bad_input(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", quadrants, "--at", "1,2", "--hops", "3", "--max-regions", "2", "-q"]) == 3
    capsys.readouterr()
    for words in (
        ["--at", "1"],
        ["--at", "1,2,3"],
        ["--at", "5", "--box", "0", "1"],
        ["--at", "1", "--radius", "-1"],
    ):
        status = main(["local", quadrants, *words, "-q"])
        error = capsys.readouterr().err
        assert status == (0 if words == ["--at", "1"] else 2)
        assert error.count("\n") <= 1
