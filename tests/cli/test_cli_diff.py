"""``polyregions diff``: the same answers as from Python, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polyregions.cli import main


def saved(folder: Path, name: str, last: float) -> str:
    """|x| - 1, or with another weight on the left."""
    file = folder / f"{name}.npz"
    np.savez(file, W1=[[1.0], [-1.0]], b1=[0.0, 0.0], W2=[[1.0, last]], b2=[-1.0])
    return str(file)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    return saved(tmp_path, "one", 1.0), saved(tmp_path, "two", 0.75)


def test_what_is_said_of_two_networks(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *pair, "--box", "-2", "2", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "equal": False,
        "regions": 2,
        "largest": [0.5],
        "at": [[-2.0]],
        "rule": "sign",
        "parts_decided_differently": 1,
        "share_decided_differently": pytest.approx(1 / 12),
        "other": "two.npz",
        "complete": True,
        "network": "one.npz",
    }


@pytest.mark.parametrize("within, status", [("0", 1), ("1/3", 1), ("0.5", 0), ("1", 0)])
def test_the_exit_status_says_whether_they_are_close(pair: tuple[str, str], within: str, status: int) -> None:
    assert main(["diff", *pair, "--box", "-2", "2", "-q", "--within", within]) == status
    assert main(["diff", pair[0], pair[0], "--box", "-2", "2", "-q", "--within", within]) == 0


def test_without_bounds(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *pair, "--whole-space", "--json", "-q", "--within", "9"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["largest"] == [None]
    assert "share_decided_differently" not in found


@pytest.mark.parametrize(
    "words, status, message",
    [(["--within", "x"], 2, "expected a number")],
)
def test_complaints(
    pair: tuple[str, str], words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *pair, "--box", "-2", "2", *words, "-q"]) == status
    assert message in capsys.readouterr().err


def test_networks_that_do_not_fit(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", pair[0], "example:two-moons", "--box", "-2", "2", "-q"]) == 2
    assert "expected as many" in capsys.readouterr().err
