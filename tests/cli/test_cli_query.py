"""``polyregions query``: the same answers as from Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main

MOONS = ("example:two-moons", "--box", "-2,-1.5", "3,2")


@pytest.fixture
def network(tmp_path: Path) -> str:
    """(relu(x), relu(y))."""
    file = tmp_path / "quadrants.npz"
    np.savez(file, W1=np.eye(2), b1=np.zeros(2), W2=np.eye(2), b2=np.zeros(2))
    return str(file)


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["query", *words, "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_ranges_are_the_default(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, network, "--box", "-1", "2")
    assert found == {
        "regions": 4,
        "range": [[0.0, 2.0], [0.0, 2.0]],
        "complete": True,
        "network": "quadrants.npz",
    }


def test_a_radius_and_a_lipschitz_constant(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--radius", "1,0", "--lipschitz", "--norm", "linf")
    found = ask(capsys, network, "--box", "-1", "2", *words)
    assert (found["class"], found["other_class"], found["radius"], found["lipschitz"]) == (0, 1, 0.5, 1.0)
    assert found["nearest_point"] == [0.5, 0.5]
    assert "range" not in found


def test_the_packaged_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, *MOONS, "--radius", "0.5,0.25")
    regions = pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))
    assert found["radius"] == pr.robustness_radius(pr.decision_cells(regions), [0.5, 0.25]).radius


def test_a_partial_set_answers_nothing(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", network, "--box", "-1", "2", "--max-regions", "2", "--json", "-q"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found == {"regions": 2, "complete": False, "network": "quadrants.npz"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--radius", "1,0,0"], "--radius has 3 numbers, expected 1 or 2"),
        (["--radius", "a"], "--radius is 'a', expected a number"),
        (["--radius", "9,9"], "is not in the domain"),
        (["--norm", "l3"], "invalid choice: 'l3'"),
        (["--norm", "3"], "invalid choice: '3'"),
    ],
)
def test_complaints(words: list[str], message: str, network: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", network, "--box", "-1", "2", "-q", *words]) == 2
    assert message in capsys.readouterr().err
