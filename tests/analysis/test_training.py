"""Tables over checkpoints: counts by hand and from the ground truth, and the files and pictures of them."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import naive
import polyregions as pr
from checks import is_ever_negative
from polyregions.errors import DomainError, FormatError, MissingExtraError, NetworkError, OptionError
from polyregions.plot.training import save_training_plot
from randoms import float_layers, generator
from truth import FORMULA_NETWORKS, formula_network

LINE = pr.Box([-2], [2])


def kinks(*where: float, name: str = "network") -> pr.Network:
    """The sum of relu(x - w): a kink at each w."""
    return pr.Network.from_layers(
        [([[1]] * len(where), [-w for w in where]), ([[1] * len(where)], [0])], name=name
    )


TABLE = pr.compare_checkpoints([kinks(0, 0, 3), kinks(0, 1, -1), kinks(-5, -3, 1)], LINE)


# ---------------------------------------------------------------- counts


def test_counts_by_hand() -> None:
    assert TABLE.columns() == {
        "checkpoint": ["0", "1", "2"],
        "regions": [2, 4, 2],
        "after_layer_1": [2, 4, 2],
        "edges": [1, 3, 1],
        "never_on": [1, 0, 0],
        "always_on": [0, 0, 2],
    }
    assert TABLE.never_on.tolist() == [[False, False, True], [False] * 3, [False] * 3]
    assert TABLE.always_on.tolist() == [[False] * 3, [False] * 3, [True, True, False]]
    assert (len(TABLE), repr(TABLE)) == (3, "<Checkpoints: 3, [2, 4, 2] regions>")


def test_a_network_that_is_scaled_up_keeps_its_counts() -> None:
    """The counts of the ground truth at every checkpoint: neurons multiplied by positive factors."""
    entry = next(e for e in FORMULA_NETWORKS if e["name"] == "montufar_fold_n2_p2_L3")
    net = formula_network(entry)
    first, *others = [(layer.weight, layer.bias) for layer in net.layers]
    last_weight, last_bias = others[-1]
    scaled = [
        pr.Network.from_layers([(first[0], first[1]), *others[:-1], (f * last_weight, f * last_bias)])
        for f in (1, 2, 4)
    ]
    table = pr.compare_checkpoints(scaled, pr.Box(entry["lo"], entry["hi"]))
    assert table.regions.tolist() == [entry["cells"]] * 3
    assert table.after_each_layer.tolist() == [entry["cells_after_each_relu"]] * 3
    assert table.edges is not None
    assert table.edges.tolist() == [entry["adjacency_edges"]] * 3


@pytest.mark.parametrize("seed", range(3))
def test_random_checkpoints_against_the_twin(seed: int) -> None:
    """Neurons that are on in none, or all, of the patterns that the twin finds, and its edges."""
    runs = [
        [(W.tolist(), b.tolist()) for W, b in float_layers(generator(10 * seed + i), (2, 4, 3, 1))]
        for i in range(2)
    ]
    table = pr.compare_checkpoints([pr.Network.from_layers(layers) for layers in runs], pr.Box.cube(-1, 1, 2))
    square = naive.box([-1, -1], [1, 1])
    for i, layers in enumerate(runs):
        patterns = np.array(naive.regions(layers, square), dtype=bool)
        assert table.regions[i] == len(patterns)
        assert table.edges is not None
        assert table.edges[i] == len(naive.edges(layers, square))
        assert table.never_on[i].tolist() == (~patterns.any(axis=0)).tolist()
        places = [(j, u) for j, (_, bias) in enumerate(layers[:-1]) for u in range(len(bias))]
        negative = [is_ever_negative(layers, *place, square) for place in places]
        assert (
            table.always_on[i].tolist() == (patterns.any(axis=0) & ~np.array(negative, dtype=bool)).tolist()
        )


def test_further_measures_edges_left_out_and_an_iterator() -> None:
    networks = (kinks(w, name=f"epoch {w}") for w in (0, 1))
    table = pr.compare_checkpoints(
        networks, LINE, edges=False, measures={"bias": lambda net: float(net.layers[0].bias[0])}
    )
    assert table.edges is None
    assert table.columns() == {
        "checkpoint": ["epoch 0", "epoch 1"],
        "regions": [2, 2],
        "after_layer_1": [2, 2],
        "never_on": [0, 0],
        "always_on": [0, 0],
        "bias": [0.0, -1.0],
    }


def test_given_names() -> None:
    assert pr.compare_checkpoints([kinks(0)] * 2, LINE, ["a", "b"]).names == ("a", "b")


def test_a_network_without_neurons() -> None:
    table = pr.compare_checkpoints([pr.Network.from_layers([([[1]], [0])])], LINE)
    assert table.columns() == {
        "checkpoint": ["network"], "regions": [1], "edges": [0], "never_on": [0], "always_on": [0]
    }  # fmt: skip


# ---------------------------------------------------------------- files


def test_csv_and_json(tmp_path: Path) -> None:
    pr.save(TABLE, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["checkpoint"], row["regions"], row["edges"]) for row in rows] == [
        ("0", "2", "1"), ("1", "4", "3"), ("2", "2", "1")
    ]  # fmt: skip
    pr.save(TABLE, tmp_path / "t.json")
    found = json.loads((tmp_path / "t.json").read_text())
    assert (found["regions"], found["never_on_neurons"]) == ([2, 4, 2], [[2], [], []])


def test_a_name_with_commas_and_quotes_comes_back(tmp_path: Path) -> None:
    name = 'step "1", lr=0.1\nnext'
    pr.save(pr.compare_checkpoints([kinks(0)], LINE, [name]), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [row["checkpoint"] for row in csv.DictReader(file)] == [name]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_table_is_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("one", "two"):
        save_training_plot(TABLE, tmp_path / f"{name}{suffix}")
    one, two = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "two"))
    assert one == two
    assert len(one) > 2000


def test_each_column_has_a_panel_of_its_own() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    panels = figure.Figure().subplots(3, 1)
    assert pr.plot_training(TABLE, ax=panels, log=True) == list(panels)
    drawn = {ax.get_ylabel(): [line.get_ydata().tolist() for line in ax.lines] for ax in panels}
    assert drawn == {"regions": [[2, 4, 2]], "edges": [[1, 3, 1]], "never on": [[1, 0, 0]]}
    assert [label.get_text() for label in panels[-1].get_xticklabels()] == ["0", "1", "2"]
    assert [ax.get_yscale() for ax in panels] == ["symlog"] * 3
    assert [ax.get_ylim()[0] for ax in panels] == [0] * 3


def test_checkpoints_stand_where_their_steps_are() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    table = pr.compare_checkpoints([kinks(0), kinks(1), kinks(5)], LINE, steps=[0, 10.5, 12345678])
    assert table.names == ("0", "10.5", "12345678")
    assert table.columns()["step"] == [0, 10.5, 12345678]
    ax = figure.Figure().add_subplot()
    assert pr.plot_training(table, "regions", ax, title="a run") is ax
    assert ax.lines[0].get_xydata().tolist() == [[0, 2], [10.5, 2], [12345678, 1]]
    assert (ax.get_xlabel(), ax.get_title()) == ("step", "a run")


def test_a_new_figure_has_the_size_that_is_asked_for() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    (ax,) = pr.plot_training(TABLE, ["regions"], size=(4, 2), dpi=50)
    assert (*ax.figure.get_size_inches(), ax.figure.dpi) == (4, 2, 50)
    assert len(pr.plot_training(TABLE)) == 3
    pyplot.close("all")


def test_an_interval_is_a_band_and_what_there_is_not_a_gap() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    table = replace(
        pr.compare_checkpoints([kinks(0)] * 3, LINE, edges=False),
        counts={"R3": (1, (2, 4), 3)},
        measures={"loss": (-1.5, None, 2)},
    )
    band, gap = figure.Figure().subplots(2, 1)
    pr.plot_training(table, ["R3", "loss"], [band, gap])
    assert [line.get_ydata().tolist() for line in band.lines] == [[1, 2, 3], [1, 4, 3]]
    assert np.array_equal(gap.lines[0].get_ydata(), [-1.5, np.nan, 2], equal_nan=True)
    assert gap.get_ylim()[0] < -1.5


def test_default_columns_that_the_table_lacks_are_left_out(tmp_path: Path) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    panels = figure.Figure().subplots(2, 1)
    pr.plot_training(pr.compare_checkpoints([kinks(0)], LINE, edges=False), ax=panels)
    assert [ax.get_ylabel() for ax in panels] == ["regions", "never on"]


def test_a_name_with_dollars_is_no_formula(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table = pr.compare_checkpoints([kinks(0)], LINE, ["a$\\b$"], measures={"$\\c$": lambda _: 1})
    save_training_plot(table, tmp_path / "p.svg", ("$\\c$",))
    assert ElementTree.fromstring((tmp_path / "p.svg").read_text()).tag.endswith("svg")


# ---------------------------------------------------------------- errors


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "none": (([], LINE), NetworkError, "no networks"),
    "no network": (([3], LINE), NetworkError, "checkpoint 0: int, expected a Network"),
    "shapes": (
        ([kinks(0), kinks(0, 1)], LINE),
        NetworkError,
        "checkpoint 1: widths 1-2-1, expected 1-1-1, those of checkpoint 0",
    ),
    "names": (([kinks(0)], LINE, ["a", "b"]), OptionError, "expected 1, one for each network"),
    "a string of names": (([kinks(0)], LINE, "a"), OptionError, "names: 'a'"),
    "dimension": (([kinks(0)], pr.Box([0, 0], [1, 1])), DomainError, "2 inputs"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    arguments, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        pr.compare_checkpoints(*arguments)


@pytest.mark.parametrize("name", ["regions", "after_layer_1", "step", "R2", "trivial"])
def test_a_measure_with_the_name_of_another_column_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="is the name of another column"):
        pr.compare_checkpoints([kinks(0)], LINE, measures={name: lambda _: 1})


@pytest.mark.parametrize(
    "steps", [[0], [0, 0, 1], [2, 1, 3], [0, 1, float("nan")], "abc", 3, [[0], [1], [2]]]
)
def test_steps_that_do_not_ascend_one_for_each_are_refused(steps: Any) -> None:
    with pytest.raises(OptionError, match="steps: .*expected 3 ascending numbers"):
        pr.compare_checkpoints([kinks(0)] * 3, LINE, steps=steps)


def test_axes_that_are_not_one_for_each_column_are_refused() -> None:
    figure = pytest.importorskip("matplotlib.figure")
    ax = figure.Figure().add_subplot()
    with pytest.raises(OptionError, match="ax: 1 axes, expected 3, one for each column"):
        pr.plot_training(TABLE, ax=ax)
    with pytest.raises(OptionError, match="size and dpi are those of a new figure"):
        pr.plot_training(TABLE, "regions", ax, dpi=100)
    for size, dpi in (
        ((1, 0), None),
        ((1, 2, 3), None),
        ("ab", None),
        ((5, 5), -1),
        ((5, 5), 1e9),
        ((5, 5), "x"),
    ):
        with pytest.raises(OptionError, match="size .* dpi"):
            pr.plot_training(TABLE, size=size, dpi=dpi)


def test_definitions_and_bounds_of_checkpoints(tmp_path: Path) -> None:
    """As those who count and bound give them; one cell of two hyperplanes in the line."""
    networks = [kinks(0, 1), kinks(0, 0)]
    table = pr.compare_checkpoints(
        networks, LINE, edges=False, definitions=("R4", "R1"), bounds=("zaslavsky", "trivial")
    )
    for i, network in enumerate(networks):
        counts = pr.count_by_definition(pr.enumerate_regions(network, LINE), ("R1", "R4"))
        assert {name: values[i] for name, values in table.counts.items()} == counts
    assert {name: [b.value for b in values] for name, values in table.bounds.items()} == {
        "trivial": [4, 4], "zaslavsky": [3, 3]
    }  # fmt: skip
    assert list(table.columns())[-4:] == ["R1", "R4", "trivial", "zaslavsky"]
    for suffix, part in (
        (".tex", r"Zaslavsky 1975 \\"),
        (".md", "upper bounds: Zaslavsky 1975"),
        (".csv", "zaslavsky"),
    ):
        pr.save(table, tmp_path / f"t{suffix}")
        assert part in (tmp_path / f"t{suffix}").read_text(encoding="utf-8")


@pytest.mark.parametrize(("option", "value"), [("definitions", "R7"), ("bounds", ["best"])])
def test_unknown_definitions_and_bounds_are_refused(option: str, value: Any) -> None:
    with pytest.raises(OptionError, match="expected"):
        pr.compare_checkpoints([kinks(0)], LINE, **{option: value})


def test_columns_that_cannot_be_drawn_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="column 'x', expected some of checkpoint, regions"):
        save_training_plot(TABLE, tmp_path / "p.png", ("x",))
    with pytest.raises(OptionError, match="column 'checkpoint' does not hold numbers"):
        save_training_plot(TABLE, tmp_path / "p.png", ("checkpoint",))
    huge = pr.compare_checkpoints([kinks(0)], LINE, measures={"huge": lambda _: 10**400})
    with pytest.raises(OptionError, match="column 'huge' holds numbers beyond float64"):
        save_training_plot(huge, tmp_path / "p.png", "huge")
    with pytest.raises(FormatError, match="expected a name that ends in"):
        save_training_plot(TABLE, tmp_path / "p.bmp")


def test_a_missing_matplotlib_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="needs matplotlib"):
        save_training_plot(TABLE, tmp_path / "p.png")
