"""The notebooks of the documentation run from top to bottom, and are kept without their outputs.

Code cells are run one after the other in one namespace, as Jupyter does, without its kernel: they are plain Python.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
INSTALLED = re.compile(r'pip install "polyregions\[([a-z,]+)\]"')
MODULE_OF = {"plot": "matplotlib", "pandas": "pandas", "parquet": "pyarrow"}


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells


def run(notebook: Path) -> dict[str, Any]:
    """What the names stand for after the last cell."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for i, cell in enumerate(cells_of(notebook)):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{notebook.name}, cell {i}", "exec"), names)
    return names


@pytest.fixture
def ran(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    notebook = FOLDER / f"{request.param}.ipynb"
    first = "".join(cells_of(notebook)[0]["source"])
    found = INSTALLED.search(first)
    assert found, "the first cell says what is needed"
    for extra in found[1].split(","):
        pytest.importorskip(MODULE_OF[extra], reason=f"the extra {extra} is not installed")
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pyplot, "show", lambda: None)
    pyplot.switch_backend("agg")
    try:
        return run(notebook)
    finally:
        pyplot.close("all")


def test_there_is_one_for_each_of_three_users() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == ["graphs", "paper", "verify"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebooks_are_kept_without_outputs(notebook: Path) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert (content["nbformat"], content["metadata"]["kernelspec"]["name"]) == (4, "python3")
    ids = [cell["id"] for cell in content["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in content["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)
    assert notebook.stat().st_size < 20_000


@pytest.mark.parametrize("ran", ["verify"], indirect=True)
def test_who_verifies(ran: dict[str, Any]) -> None:
    assert (ran["narrow"].verdict, ran["wide"].verdict) == ("holds", "violated")
    first = ran["radii"][0]
    assert (first.label, 0.0078125 < first.radius < 0.5) == (0, True)
    assert ran["verdict"].ok
    written("narrow.vnnlib", "classes.pdf", "proof.npz")


@pytest.mark.parametrize("ran", ["graphs"], indirect=True)
def test_who_exports_graphs(ran: dict[str, Any]) -> None:
    assert ran["volumes"] == pytest.approx(16)
    assert set(ran["again"].edges) == set(ran["graph"].edges)
    assert {"A", "b"} <= {name.removeprefix("hrep_") for name in ran["row"].index}
    written(
        "graph.gexf", "graph.graphml", "graph.nodes.parquet", "regions.parquet", "degrees.png", "regions.html"
    )


@pytest.mark.parametrize("ran", ["paper"], indirect=True)
def test_who_writes_a_paper(ran: dict[str, Any]) -> None:
    counts = ran["table"].to_pandas()
    assert (counts["R2"] >= counts["R4"]).all()
    assert (counts["R4"] >= counts["R6"]).all()
    assert len(ran["history"]) == 4
    written("table.tex", "deep.pdf", "training.tex", "training.pdf", "report.tex")
    assert "\\toprule" in Path("table.tex").read_text(encoding="utf-8")


def written(*names: str) -> None:
    assert all(Path(name).stat().st_size > 100 for name in names)
