"""``polyregions topology``: the numbers of sets whose shape is known, and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
import shapes
from polyregions.cli import main


@pytest.fixture
def ring(tmp_path: Path) -> str:
    """A file of a network that is positive on a square ring."""
    file = tmp_path / "ring.npz"
    inner = shapes.negated(shapes.box([-1, -1], [1, 1]))
    pr.save(shapes.network(shapes.lowest(shapes.box([-2, -2], [2, 2]), inner)), file)
    return str(file)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["topology", *words, "--json", "-q"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_ring(ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, ring, "--box", "-3", "3")
    assert found["rule"] == "sign"
    assert found["betti_of_classes"] == {"0": [2, 1, 0], "1": [1, 1, 0]}
    assert found["betti_of_boundary"] == [2, 2, 0]
    assert found["euler_characteristic"] == sum((-1) ** i * n for i, n in enumerate(found["faces"])) == 1


def test_levels_and_files(ring: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "faces.npz"
    found = answer(capsys, ring, "--box", "-3", "3", "--level", "1/4", "--persistence", "-o", str(file))
    assert found["betti_at_least_level"] == [1, 1, 0] and found["betti_at_most_level"] == [2, 1, 0]
    assert [0, -1.0, None] in found["persistence"]
    with np.load(file) as arrays:
        assert np.bincount(arrays["dim"]).tolist() == found["faces"]
    text = main(["topology", ring, "--whole-space", "--field", "GF(2)"])
    assert text == 0 and "betti of boundary: 2 2 0" in capsys.readouterr().out


def test_bad_numbers_are_refused(ring: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topology", ring, "--box", "-3", "3", "--level", "1/0"]) == 2
    assert "expected a number such as" in capsys.readouterr().err
    assert main(["topology", ring, "--whole-space", "--persistence"]) == 2
    assert "unbounded" in capsys.readouterr().err
    assert main(["topology", ring, "--box", "-3", "3", "--level", "0", "--of-output", "3"]) == 2
    assert "output 3" in capsys.readouterr().err
