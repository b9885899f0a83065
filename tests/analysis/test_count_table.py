"""Tables for papers: the counts of those who count, in every format, and rounding that leaves a bound a bound."""

from __future__ import annotations

import csv
import json
import pickle
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.analysis.paper_table import PaperColumn, PaperTable, exact_text, three_digits
from polyregions.cli import main
from polyregions.errors import MissingExtraError, NetworkError, OptionError, StoppedError
from polyregions.io.models.npz import save_network_npz
from random_networks import normal_network

SQUARE = pr.Box.cube(-1, 1, 2)
ALL_BOUNDS = [bound.name for bound in pr.bounds(normal_network(0, 2, 2, 1))]

# max(0, min(x, -y)) + max(0, min(-x, y)) of docs/counting.md, whose six counts differ
W1, W2 = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], [[1, -1, 0, 0, -1], [0, 0, 1, -1, -1]]
CROSS = pr.Network.from_layers([(W1, [0] * 5), (W2, [0, 0]), ([[1, 1]], [0])], name="cross")
NETWORKS = {"cross": CROSS, "a_b & <c>": normal_network(1, 2, 6, 5, 1)}
TABLE = pr.count_table(NETWORKS, SQUARE, bounds=ALL_BOUNDS)


# ---------------------------------------------------------------- values


def test_the_columns_are_what_is_counted_and_bounded_one_by_one() -> None:
    columns = TABLE.columns()
    for i, network in enumerate(NETWORKS.values()):
        counts = pr.count_by_definition(pr.enumerate_regions(network, SQUARE))
        assert {name: columns[name][i] for name in counts} == counts
        assert {b.name: columns[b.name][i] for b in pr.bounds(network)} == {
            b.name: b.value for b in pr.bounds(network)
        }
    assert columns["network"] == list(NETWORKS)
    assert columns["widths"] == ["2-5-2-1", "2-6-5-1"]
    assert columns["neurons"] == [7, 11]
    assert (len(TABLE), repr(TABLE).split(",")[0]) == (2, "<CountTable: 2 networks")


def test_counts_by_hand() -> None:
    columns = pr.count_table([CROSS], pr.WholeSpace(2), bounds=()).columns()
    assert {name: columns[name] for name in pr.DEFINITIONS} == {
        "R1": [11], "R2": [6], "R3": [6], "R4": [6], "R5": [5], "R6": [5]
    }  # fmt: skip
    assert set(columns) == {"network", "widths", "neurons", *pr.DEFINITIONS}


def test_an_input_set_for_each_network() -> None:
    domains = {"cross": SQUARE, "a_b & <c>": pr.Box([0, Fraction(1, 3)], [0.5, 1])}
    table = pr.count_table(NETWORKS, domains, definitions="R2", bounds=())
    assert table.columns()["input_set"] == ["on [-1, 1]^2", "on [0, 0.5] x [1/3, 1]"]
    assert table.columns()["R2"] == [
        len(pr.enumerate_regions(NETWORKS[name], domains[name])) for name in NETWORKS
    ]
    assert not any("Counts on" in note for note in table.notes())


def test_networks_are_called_by_their_own_names_if_these_differ() -> None:
    one, other = normal_network(0, 2, 3, 1), normal_network(1, 2, 3, 1)
    options: dict[str, Any] = {"definitions": "R2", "bounds": ()}
    assert pr.count_table([CROSS, one], SQUARE, **options).names == ("cross", one.name)
    assert len(set(pr.count_table(iter([one, other]), SQUARE, **options).names)) == 2


def test_a_table_is_pickled() -> None:
    copy = pickle.loads(pickle.dumps(TABLE))
    assert copy.columns() == TABLE.columns()
    assert copy.to_latex() == TABLE.to_latex()


# ---------------------------------------------------------------- rounding


@pytest.mark.parametrize("seed", range(5))
def test_three_digits_bound_from_the_right_side(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        value = int(rng.integers(1, 2**62)) ** int(rng.integers(1, 9)) + int(rng.integers(0, 3))
        down, up, near = (digits * Fraction(10) ** (e - 2) for digits, e in map(
            lambda way: three_digits(value, way), ("down", "up", "nearest")
        ))  # fmt: skip
        assert down <= value <= up
        assert near in (down, up)
        assert up - down <= Fraction(value, 99)
        assert abs(near - value) == min(value - down, up - value)


@pytest.mark.parametrize("power", [9, 22, 23, 300, 5000])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_powers_of_ten_keep_three_digits(power: int, beside: int) -> None:
    value = 10**power + beside
    for way in ("down", "up", "nearest"):
        digits, exponent = three_digits(value, way)  # type: ignore[arg-type]
        assert 100 <= digits <= 999
        assert abs(Fraction(value) / Fraction(10) ** (exponent - 2) - digits) < 1


def test_fractions_have_three_digits_too() -> None:
    assert three_digits(Fraction(1, 3), "up") == (334, -1)
    assert three_digits(Fraction(25, 2), "down") == (125, 1)


def test_all_digits_of_numbers_that_python_does_not_print() -> None:
    assert exact_text(10**6000) == "1" + "0" * 6000
    assert exact_text(Fraction(-7, 2)) == "-7/2"


WIDE = pr.Network.from_layers([([[1, 0]] * 40, [1] * 40), ([[1] * 40] * 40, [1] * 40), ([[1] * 40], [0])])


def test_long_bounds_are_rounded_up_and_said_to_be_and_counts_never() -> None:
    table = pr.count_table({"wide": WIDE}, SQUARE, definitions="R2", bounds=("trivial",))
    text = table.to_latex()
    assert 2**80 == 1208925819614629174706176
    assert r"$1.21 \times 10^{24}$" in text
    assert "Rounded to three digits: upper bounds up." in text
    assert "1.21e+24" in table.to_markdown()
    for exact in (table.to_latex(exact=True), table.to_markdown(exact=True)):
        assert str(2**80) in exact
        assert "Rounded" not in exact
    counted = type(
        "Counted", (PaperTable,), {"paper_columns": lambda self: [PaperColumn("R2", [10**12], "R2")]}
    )()
    assert "1000000000000 " in counted.to_latex()


# ---------------------------------------------------------------- formats


def cells_of(text: str) -> list[list[str]]:
    """The cells of the body of a booktabs table."""
    body = text.split("\\midrule\n")[1].split("\\bottomrule")[0]
    return [line.removesuffix(r" \\").split(" & ") for line in body.splitlines()]


def test_latex_has_a_cell_for_each_column_and_escapes_names() -> None:
    text, columns = TABLE.to_latex(exact=True), TABLE.columns()
    rows = cells_of(text.replace(r"\&", "AND"))
    assert [len(row) for row in rows] == [len(columns)] * 2
    assert rows[1][0] == r"a\_b AND \textless{}c\textgreater{}"
    for row, values in zip(rows, zip(*columns.values(), strict=True), strict=True):
        assert row[3:] == ["–" if value is None else exact_text(value) for value in values[3:]]
    spans = sum(int(n) for n in re.findall(r"multicolumn\{(\d+)\}", text))
    assert spans == len(columns) - 3
    rules = [tuple(map(int, pair)) for pair in re.findall(r"cmidrule\(lr\)\{(\d+)-(\d+)\}", text)]
    assert sorted(c for a, b in rules for c in range(a, b + 1)) == list(range(4, len(columns) + 1))
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 1
    assert text.count("{") == text.count("}")


def test_markdown_has_as_many_cells_in_every_line() -> None:
    text = TABLE.to_markdown()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(TABLE.columns()) + 1}
    assert r"\<c\>" in lines[3]
    assert "Counts on" in text
    assert "conditions of the bound do not hold" in text


def test_csv_and_json_hold_every_number_in_full(tmp_path: Path) -> None:
    pr.save(TABLE, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pr.save(TABLE, tmp_path / "t.json")
    read = json.loads((tmp_path / "t.json").read_text())
    assert read["schema"] == "polyregions count table 1"
    for name, values in TABLE.flat_columns().items():
        assert [row[name] for row in rows] == ["" if v is None else str(v) for v in values]
        assert [str(v) for v in read["columns"][name]] == [str(v) for v in values]
    assert {"R3_low", "R3_high"} <= set(read["columns"])


def test_files_are_what_the_methods_give(tmp_path: Path) -> None:
    for name, text in (("t.tex", TABLE.to_latex()), ("t.md", TABLE.to_markdown())):
        pr.save(TABLE, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    with pytest.raises(OptionError, match=r"expected a name that ends in one of .tex, .md, .csv, .json"):
        pr.save(TABLE, tmp_path / "t.xlsx")


def test_pandas_keeps_integers_exact() -> None:
    pytest.importorskip("pandas")
    table = pr.count_table({"wide": WIDE, "cross": CROSS}, SQUARE, bounds=("trivial", "zaslavsky"))
    frame = table.to_pandas()
    assert frame["trivial"].tolist() == [2**80, 2**7]
    assert frame["zaslavsky"].tolist() == [None, None]
    assert frame["R3_low"].dtype == np.int64
    assert frame["network"].tolist() == ["wide", "cross"]


def test_an_interval_is_read_as_one() -> None:
    columns = [PaperColumn("R3", [(5, 433), 7], "R3", "regions", None, True)]
    table = type("Fixed", (PaperTable,), {"paper_columns": lambda self: columns})()
    assert cells_of(table.to_latex()) == [["5 to 433"], ["7"]]
    assert table.flat_columns() == {"R3_low": [5, 7], "R3_high": [433, 7]}


def test_numbers_of_more_digits_than_python_reads_are_texts_in_json(tmp_path: Path) -> None:
    big = pr.Network.from_layers([([[1]] * 16000, [0] * 16000), ([[1] * 16000], [0])])
    table = pr.count_table([big], pr.Box(-1, 1), definitions="R2", bounds="trivial")
    for suffix in (".json", ".csv", ".tex", ".md"):
        pr.save(table, tmp_path / f"t{suffix}")
    (value,) = json.loads((tmp_path / "t.json").read_text())["columns"]["trivial"]
    assert len(value) == 4817  # 1 + floor(16000 log10(2))
    assert "10^{4816}" in (tmp_path / "t.tex").read_text()


# ---------------------------------------------------------------- errors


BAD: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "none": ([], {}, NetworkError, "no networks"),
    "no network": ({"a": 3}, {}, NetworkError, "network a: int, expected a Network"),
    "definition": ([CROSS], {"definitions": "R7"}, OptionError, "definition 'R7', expected one of R1, R2"),
    "bound": ([CROSS], {"bounds": ["best"]}, OptionError, "bound 'best', expected some of trivial"),
    "stopped": ([CROSS], {"progress": lambda _: False}, StoppedError, "stopped"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", -1.0)
    networks, options, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        pr.count_table(networks, SQUARE, **options)


def test_a_network_without_an_input_set_is_named() -> None:
    with pytest.raises(OptionError, match="domain: nothing for 'a_b & <c>'"):
        pr.count_table(NETWORKS, {"cross": SQUARE})


def test_a_missing_pandas_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="needs pandas"):
        TABLE.to_pandas()


# ---------------------------------------------------------------- the command line


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two network files."""
    for i, network in enumerate((CROSS, normal_network(1, 2, 6, 5, 1))):
        save_network_npz(network, tmp_path / f"n{i}.npz")
    return [str(tmp_path / f"n{i}.npz") for i in (0, 1)]


WORDS = ["--box", "-1", "1", "-q"]


def test_the_command_prints_and_writes_the_same_table(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = {"a": CROSS, "b": normal_network(1, 2, 6, 5, 1)}
    expected = pr.count_table(networks, SQUARE, definitions=("R2", "R6"), bounds=("trivial",))
    words = ["table", *files, *WORDS, "--definitions", "R6,R2", "--bounds", "trivial", "--names", "a,b"]
    assert main(words) == 0
    assert capsys.readouterr().out == expected.to_markdown()
    assert main([*words, "--format", "latex"]) == 0
    assert capsys.readouterr().out == expected.to_latex()
    assert main([*words, "-o", str(tmp_path / "t.tex"), "--exact"]) == 0
    assert (tmp_path / "t.tex").read_text(encoding="utf-8") == expected.to_latex(exact=True)
    assert main([*words, "-o", str(tmp_path / "t.csv")]) == 0
    pr.save(expected, tmp_path / "u.csv")
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "u.csv").read_bytes()
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["complete"], found["left_out"]) == (True, [])
    assert found["columns"] == expected.flat_columns()


def test_a_limit_leaves_networks_out_and_says_which(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first network has 6 regions on the square, the second more than ten."""
    out = tmp_path / "t.md"
    words = ["table", *files, *WORDS, "--definitions", "R2", "--max-regions", "10", "-o", str(out), "--json"]
    assert main(words) == 3
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert (found["networks"], found["complete"]) == (1, False)
    (name,) = found["left_out"]
    assert f"left out: {name}" in printed.err
    assert "The run was stopped; left out" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--definitions", "R9"], "definition 'R9'"),
        (["--bounds", "best"], "bound 'best'"),
        (["--names", "a"], "1 names, 1 of them different, expected 2"),
        (["--names", "a,a"], "2 names, 1 of them different, expected 2"),
        (["-o", "t.xlsx"], "t.xlsx: expected a name that ends in"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(
    files: list[str], words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", *files, *WORDS, *words]) == 2
    assert part in capsys.readouterr().err


def test_bounds_may_be_all_or_none(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for word, names in (("all", set(ALL_BOUNDS)), ("none", set[str]())):
        assert main(["table", files[0], *WORDS, "--definitions", "R2", "--bounds", word, "--json"]) == 0
        columns = json.loads(capsys.readouterr().out)["columns"]
        assert set(columns) - {"network", "widths", "neurons", "R2"} == names
