"""Reports: the numbers against the ground truth, the formats by what each must be."""

from __future__ import annotations

import csv
import io
import json
import platform
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from checks import is_ever_negative
from corpus import corpus
from polyregions.analysis.report import SECTIONS, reproduction_section, section_name
from polyregions.cli import main
from polyregions.errors import OptionError
from polyregions.io.results.report import FORMATS, SUFFIXES
from randoms import generator, integer_layers
from truth import FORMULA_NETWORKS, REAL_NETWORKS, formula_network, slow_above

SQUARE = pr.Box.cube(-1, 1, 2)
HOSTILE = "a_b & 50% $x^2$ #1 {y} ~ \\z | <i>*q*`\n`</i>"
QUADRANTS = pr.Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))], name="quadrants")
SMALL = [
    e for e in REAL_NETWORKS + FORMULA_NETWORKS if e["cells"] <= 100 or "pendulum" in e.get("network", "")
]


@cache
def quadrants() -> pr.Report:
    return pr.report(pr.enumerate_regions(QUADRANTS, SQUARE), command="polyregions report quadrants.npz")


def sections(report: pr.Report) -> Any:
    return json.loads(FORMATS["json"](report))["sections"]


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("entry", slow_above(SMALL, "cells", 1000))
def test_numbers_of_the_ground_truth(entry: dict[str, Any]) -> None:
    net = pr.load_network(corpus(entry["network"])) if "network" in entry else formula_network(entry)
    found = sections(pr.report(pr.enumerate_regions(net, pr.Box(entry["lo"], entry["hi"]))))
    assert found["regions"]["regions"] == entry["cells"]
    assert [row["regions_after_it"] for row in found["layers"]] == entry["cells_after_each_relu"]
    assert found["adjacency"]["edges"] == entry["adjacency_edges"]
    assert found["adjacency"]["average_degree"] == 2 * entry["adjacency_edges"] / entry["cells"]
    if "argmax_cells" in entry:
        cells = found["decision_cells"]
        per_class = {k.removeprefix("class_"): n for k, n in cells.items() if k.startswith("class_") and n}
        assert (cells["cells"], per_class) == (entry["argmax_cells"], entry["argmax_cells_per_class"])


@pytest.mark.parametrize("seed", range(5))
def test_dead_regions_and_constant_neurons_against_the_twin(seed: int) -> None:
    layers = integer_layers(generator(seed), (2, 4, 3, 2))
    patterns = np.array(naive.regions(layers, naive.box([-1, -1], [1, 1])), dtype=bool)
    found = sections(pr.report(pr.enumerate_regions(pr.Network.from_layers(layers), SQUARE)))
    dead = [~patterns[:, :4].any(axis=1), ~patterns[:, 4:].any(axis=1)]
    assert found["regions"]["dead_regions"] == (dead[0] | dead[1]).sum()
    assert [row["dead_regions"] for row in found["layers"]] == [d.sum() for d in dead]
    assert found["neurons"]["numbers_of_those_never_on"] == np.flatnonzero(~patterns.any(axis=0)).tolist()
    rows, units = naive.box([-1, -1], [1, 1]), [(0, u) for u in range(4)] + [(1, u) for u in range(3)]
    always = [patterns[:, n].any() and not is_ever_negative(layers, *units[n], rows) for n in range(7)]
    assert found["neurons"]["numbers_of_those_always_on"] == np.flatnonzero(always).tolist()
    assert sum(row["never_on"] for row in found["layers"]) == found["neurons"]["never_on"]


def test_quadrants_by_hand() -> None:
    found = sections(quadrants())
    assert found["network"] == {
        "name": "quadrants",
        "sha256": QUADRANTS.fingerprint(),
        "inputs": 2,
        "outputs": 2,
        "widths": [2],
        "neurons": 2,
    }
    assert found["regions"] == {"regions": 4, "complete": True, "dead_regions": 1, "engine": "cells"}
    assert found["layers"] == [
        {"layer": 1, "neurons": 2, "regions_after_it": 4, "dead_regions": 1, "never_on": 0, "always_on": 0}
    ]
    assert found["adjacency"] == {"edges": 4, "average_degree": 2, "least_degree": 2, "largest_degree": 2}
    assert found["decision_cells"] == {
        "cells": 5, "rule": "argmax", "cells_with_a_tie": 1, "class_0": 3, "class_1": 2
    }  # fmt: skip


def test_the_whole_space_and_a_slice_are_described() -> None:
    whole = sections(pr.report(pr.enumerate_regions(QUADRANTS, pr.WholeSpace(2))))["input_set"]
    assert (whole["set"], whole["dimension"], whole["bounded"]) == ("WholeSpace(dim=2)", 2, False)
    page = pr.report(pr.enumerate_regions(QUADRANTS, pr.segment([-1, 1], [1, 2])))
    assert sections(page)["input_set"]["dimension"] == 1
    note = page.section("input set")
    assert note is not None
    assert "restricted" in note.note


def test_fingerprints_tell_input_sets_apart() -> None:
    sets = [
        SQUARE,
        pr.Box([-1, -1], [1, 2]),
        pr.WholeSpace(2),
        pr.HPolytope([[1, 0]], [1]),
        pr.HPolytope([[1, 0]], [1], strict=[True]),
        pr.segment([0, 0], [0.1, 0.2]),
        pr.segment([0, 0.5], [0.1, 0.7]),
    ]
    prints = [sections(pr.report(pr.enumerate_regions(QUADRANTS, s)))["input_set"]["sha256"] for s in sets]
    assert len(set(prints)) == len(sets)
    again = pr.report(pr.enumerate_regions(QUADRANTS, pr.Box([-1.0, -1.0], [1, 1])))
    assert sections(again)["input_set"]["sha256"] == prints[0]


def test_what_a_partial_set_does_not_prove_is_not_known() -> None:
    found = sections(pr.report(pr.enumerate_regions(QUADRANTS, SQUARE, max_regions=2)))
    assert found["regions"]["complete"] is False
    assert found["regions"]["regions"] == 2
    assert set(found["neurons"].values()) == {None}
    assert [(row["never_on"], row["always_on"]) for row in found["layers"]] == [(None, None)]
    empty = pr.report(pr.enumerate_regions(QUADRANTS, SQUARE, max_regions=0))
    assert sections(empty)["adjacency"]["average_degree"] is None
    for write in FORMATS.values():
        assert write(empty)


def test_one_output_decides_nothing() -> None:
    net = pr.Network.from_layers([([[1, 1]], [0]), ([[1]], [0])])
    assert pr.report(pr.enumerate_regions(net, SQUARE)).section("decision cells") is None


def test_no_hidden_layer() -> None:
    found = sections(pr.report(pr.enumerate_regions(pr.Network.from_layers([([[1, 0]], [0])]), SQUARE)))
    assert (found["layers"], found["regions"]["dead_regions"], found["neurons"]["never_on"]) == ([], 0, 0)


def test_a_section_of_ones_own() -> None:
    def points(regions: pr.RegionSet) -> pr.Section:
        return pr.Section("points", ((0, True, None), (1, False, 0.5)), "mine", ("n", "a b", "c"))

    page = pr.report(pr.enumerate_regions(QUADRANTS, SQUARE), sections=[points, lambda regions: None])
    assert sections(page)["points"] == [{"n": 0, "a_b": True, "c": None}, {"n": 1, "a_b": False, "c": 0.5}]
    assert repr(page) == "<Report Linear regions of quadrants: points, reproduce>"
    text = FORMATS["text"](page).decode()
    assert "n  a b  c\n0  yes  not known\n1  no   0.5\nmine\n" in text


def test_the_versions_are_those_that_are_installed() -> None:
    rows = dict((row[0], row[1]) for row in reproduction_section("some command").rows)
    assert rows["command"] == "some command"
    assert rows["python"] == platform.python_version()
    assert rows["numpy"] == np.__version__
    for package in ("highspy", "numba", "python-flint"):
        assert re.match(r"\d+\.", str(rows[package]))
    assert "command" not in dict((row[0], row[1]) for row in reproduction_section(None).rows)


# ---------------------------------------------------------------- formats


def hostile() -> pr.Report:
    net = pr.Network.from_layers([(np.eye(2), np.zeros(2))], final_activation="relu", name=HOSTILE)
    return pr.report(pr.enumerate_regions(net, SQUARE), command="polyregions report 'a b_c.npz' --box -1 1")


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_regions_are_the_same_bytes(kind: str) -> None:
    one, two = (FORMATS[kind](hostile()) for _ in range(2))
    assert one == two
    assert one.endswith(b"\n")


def test_csv_has_each_value_once_in_full() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](hostile()).decode())))
    found = {(row["section"], row["row"], row["column"]): row["value"] for row in rows}
    assert len(found) == len(rows)
    assert found["network", "name", "value"] == HOSTILE
    assert found["layers", "1", "regions after it"] == "4"
    assert found["regions", "complete", "value"] == "true"
    assert found["network", "widths", "value"] == "2"
    assert float(found["adjacency", "average degree", "value"]) == 2


def test_csv_floats_are_not_rounded() -> None:
    net = pr.Network.from_layers([([[1], [1]], [0, -0.5]), ([[1, 1]], [0])])
    rows = csv.DictReader(io.StringIO(FORMATS["csv"](pr.report(pr.enumerate_regions(net, pr.Box([-1], [1]))))
                                      .decode()))  # fmt: skip
    assert [float(row["value"]) for row in rows if row["row"] == "average degree"] == [4 / 3]


def without_escapes(line: str) -> str:
    return re.sub(r"\\[{}$&#%_]", "", line)


def test_latex_has_booktabs_rules_and_whole_rows() -> None:
    lines = FORMATS["latex"](hostile()).decode().splitlines()
    body = "\n".join(without_escapes(line) for line in lines if not line.startswith("%"))
    assert body.count("{") == body.count("}")
    assert not re.search(r"[%#$^~_]", body)  # all of them escaped
    commands = set(re.findall(r"\\([a-zA-Z]+)", body))
    assert commands <= {
        "subsection", "noindent", "begin", "end", "toprule", "midrule", "bottomrule", "linewidth", "small",
        "allowbreak", "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater",
        "textquotesingle",
    }  # fmt: skip
    tables = re.findall(r"\\begin\{tabular\}\{([^\n]*)\}\n(.*?)\\end\{tabular\}", body, re.DOTALL)
    assert len(tables) == len(hostile().sections)
    for columns, content in tables:
        width = len(re.sub(r"p\{.*\}", "p", columns))
        top, header, middle, *rows, bottom = content.strip().splitlines()
        assert (top, middle, bottom) == ("\\toprule", "\\midrule", "\\bottomrule")
        for row in (header, *rows):
            assert row.endswith(" \\\\")
            assert row.count("&") == width - 1


def test_latex_escapes_a_path_and_its_options() -> None:
    text = FORMATS["latex"](hostile()).decode()
    command = r"polyregions report \textquotesingle{}a b\_c.npz\textquotesingle{} -{}-{}box -{}1 1"
    assert f"command & {command} \\\\" in text


def test_markdown_tables_are_whole() -> None:
    lines = FORMATS["markdown"](hostile()).decode().splitlines()
    bars = [len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0 for line in lines]
    rules = [i for i, line in enumerate(lines) if re.fullmatch(r"\|( --- \|)+", line)]
    assert len(rules) == len(hostile().sections)
    for i in rules:
        assert (lines[i - 2], bars[i - 1]) == ("", bars[i])
        rows = [bars[k] for k in range(i + 1, len(lines)) if all(bars[i : k + 1])]
        assert rows
        assert set(rows) == {bars[i]}
    assert r"\<i\>\*q\*" in "\n".join(lines)


def test_text_has_no_control_characters() -> None:
    net = pr.Network.from_layers([(np.eye(2), np.zeros(2))], name="\x1b[31mred\nline")
    text = FORMATS["text"](pr.report(pr.enumerate_regions(net, SQUARE))).decode()
    assert "\x1b" not in text
    assert text.splitlines()[0] == "Linear regions of  [31mred line"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_save_writes_the_format_of_the_suffix(suffix: str, tmp_path: Path) -> None:
    pr.save(quadrants(), tmp_path / f"page{suffix}")
    assert (tmp_path / f"page{suffix}").read_bytes() == FORMATS[SUFFIXES[suffix]](quadrants())


# ---------------------------------------------------------------- command line


@pytest.fixture
def network(tmp_path: Path) -> str:
    file = tmp_path / "my net_1.npz"
    np.savez(file, W1=np.eye(2), b1=np.zeros(2), W2=np.eye(2), b2=np.zeros(2))
    return str(file)


def printed(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["report", *words, "-q"]) == status
    return capsys.readouterr().out


def test_the_command_in_a_page_makes_the_page_again(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        network,
        "--box",
        "-1,-1",
        "1",
        "--format",
        "json",
        "--without",
        "decision",
        "--without",
        "neuron",
    ]
    first = printed(capsys, *words)
    command = json.loads(first)["sections"]["reproduce"]["command"]
    program, *again = shlex.split(command)
    assert (program, again) == ("polyregions", ["report", *words, "-q"])
    assert main(again) == 0
    assert capsys.readouterr().out == first
    assert list(json.loads(first)["sections"]) == [
        "network", "input_set", "regions", "layers", "ranks", "definitions", "bounds", "adjacency", "topology",
        "reproduce",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_on_stdout_and_in_a_file(
    kind: str, network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(capsys, network, "--box", "-1", "1", "--format", kind)
    suffix = next(s for s, name in SUFFIXES.items() if name == kind)
    file = tmp_path / f"page{suffix}"
    assert "file: " in printed(capsys, network, "--box", "-1", "1", "-o", str(file))
    kept = [re.sub(r"report .*", "", text) for text in (out, file.read_text(encoding="utf-8"))]
    assert kept[0] == kept[1]


def test_json_on_one_line_as_of_every_verb(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, network, "--box", "-1", "1", "--json"))
    assert (found["regions"], found["complete"], found["network"]) == (4, True, "my net_1.npz")
    assert found["sections"]["adjacency"]["edges"] == 4


def test_argmin_and_a_limit(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "rule              argmin" in printed(capsys, network, "--box", "-1", "1", "--argmin")
    assert "complete      no" in printed(capsys, network, "--box", "-1", "1", "--max-regions", "2", status=3)


def test_an_unknown_suffix_is_refused(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", network, "--box", "-1", "1", "-o", str(tmp_path / "page.doc")]) == 2
    assert "expected a name that ends in one of .txt, .md, .tex, .json, .csv" in capsys.readouterr().err


def test_sections_have_names_for_options() -> None:
    names = [section_name(section) for section in SECTIONS]
    assert names == [
        "network", "domain", "region", "layer", "rank", "definition", "bound", "neuron", "adjacency", "decision",
        "topology",
    ]  # fmt: skip


def test_one_output_decides_by_a_rule_that_is_named() -> None:
    """2 relu(x) - 1 is positive from 1/2 on."""
    net = pr.Network.from_layers([([[1]], [0]), ([[2]], [-1])])
    regions = pr.enumerate_regions(net, pr.Box([-1], [2]))
    rows = dict(pr.report(regions, rule="sign").section("decision cells").rows)
    assert (rows["rule"], rows["class 0"], rows["class 1"]) == ("sign", 2, 1)
    assert dict(pr.report(regions, rule="argmax").section("decision cells").rows)["cells"] == 2
    with pytest.raises(OptionError, match="rule"):
        pr.report(regions, rule="best")
