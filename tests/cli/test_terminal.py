"""What comes from files reaches terminals and spreadsheets as text: never as control sequences or formulas."""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from polyregions.analysis.checkpoints import Checkpoints
from polyregions.analysis.report import Report, Section
from polyregions.cli import main
from polyregions.errors import FormatError, MissingExtraError, PolyregionsError, UnsupportedError, visible
from polyregions.io.models.npz import save_network_npz
from polyregions.io.results.paper_tables import table_csv
from polyregions.io.results.report import FORMATS, report_csv

HOSTILE = "=é\x1b[2J\x07\u202e"
VERBS = {
    "count": ["--box", "-1", "1"],
    "estimate": ["--box", "-1", "1"],
    "enumerate": ["--box", "-1", "1"],
    "graph": ["--box", "-1", "1"],
    "cells": ["--box", "-1", "1"],
    "report": ["--box", "-1", "1"],
    "table": ["--box", "-1", "1"],
    "query": ["--box", "-1", "1"],
    "check": ["--geometry", "--box", "-1", "1"],
}
PROPERTY = """(declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real) (declare-const Y_1 Real)
(assert (>= X_0 0)) (assert (<= X_0 1)) (assert (>= X_1 0)) (assert (<= X_1 1)) (assert (>= Y_0 9))
"""


class AsciiStreams:
    """stdout and stderr as programs with an ASCII locale have them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._raw = {name: io.BytesIO() for name in ("stdout", "stderr")}
        for name, raw in self._raw.items():
            monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding="ascii", errors="strict"))

    def written(self) -> str:
        sys.stdout.flush()
        sys.stderr.flush()
        return "".join(raw.getvalue().decode("ascii") for raw in self._raw.values())


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.fixture(params=["name", "bytes"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A network whose file, and so the network, has a hostile name; bytes that are no UTF-8 are legal names too."""
    name = HOSTILE if request.param == "name" else os.fsdecode(b"=\xff\x1b[2J")
    network = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [1, -1]], [0, 0])])
    file = str(tmp_path / f"{name}.npz")
    try:
        save_network_npz(network, file)
    except (OSError, FormatError):
        pytest.skip("this file system has no such names")
    return file


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_prints_only_what_an_ascii_terminal_prints(
    verb: str, json: bool, hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = AsciiStreams(monkeypatch)
    assert main([verb, hostile, *VERBS[verb], *(["--json"] if json else [])]) == 0
    assert harmless(streams.written())
    assert sys.stdout.errors == "strict"  # as it was


def test_verify_and_certificates_likewise(
    hostile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = AsciiStreams(monkeypatch)
    prop = tmp_path / f"{HOSTILE}.vnnlib"
    prop.write_text(PROPERTY)
    for form in ([], ["--json"], ["--vnncomp"]):
        assert main(["verify", hostile, str(prop), *form]) == 0
    proof = str(tmp_path / f"{HOSTILE}.proof.npz")
    assert main(["enumerate", hostile, "--box", "-1", "1", "--certificate", proof]) == 0
    assert main(["check", hostile, proof, "--box", "-1", "1"]) == 0
    assert main(["check", hostile, proof, "--box", "-1", "2"]) == 1
    assert harmless(streams.written())


@pytest.mark.parametrize("suffix", [".txt", ".md", ".tex", ".json", ".csv"])
def test_reports_are_written_whatever_the_name(suffix: str, hostile: str, tmp_path: Path) -> None:
    page = tmp_path / f"page{suffix}"
    assert main(["report", hostile, "--box", "-1", "1", "-o", str(page), "-q"]) == 0
    assert page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", [["count", "\x1b[2J.onnx", "--box", "0", "1"], ["\x1b[2J"], ["count", "\x9b"]]
)
def test_complaints_are_harmless(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    streams = AsciiStreams(monkeypatch)
    assert main(words) == 2
    assert harmless(streams.written())


def test_the_name_of_an_operator_is_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = pytest.importorskip("onnx")
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 2]) for n in ("x", "y")]
    node = onnx.helper.make_node("Re\x1b]0;owned\x07lu", ["x"], ["y"], name="n\x1b[31m\r\nok")
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    file = tmp_path / "net.onnx"
    file.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    with pytest.raises(PolyregionsError) as refused:
        pr.load_network(file)
    assert str(refused.value).isprintable()
    streams = AsciiStreams(monkeypatch)
    assert main(["count", str(file), "--box", "0", "1"]) == 2
    assert harmless(streams.written())
    assert streams.written().count("\n") == 1


def test_every_error_is_one_printable_line() -> None:
    for error in (UnsupportedError("a\x1b\nb"), MissingExtraError("p\x07", "x", "this")):
        assert str(error).isprintable()
    assert str(UnsupportedError("a\x1b\nb")) == r"a\x1b\nb"
    assert visible("plain é text") == "plain é text"


# ---------------------------------------------------------------- spreadsheets


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_texts_that_begin_like_formulas_are_neutral_in_reports(text: str) -> None:
    section = Section(text, ((text, text), ("count", -3), ("part", -0.5), ("widths", (2, 3))))
    rows = list(csv.reader(io.StringIO(report_csv(Report("page", (section,))).decode(), newline="")))[1:]
    assert rows[0] == ["'" + text, "'" + text, "value", "'" + text]
    assert [row[3] for row in rows[1:]] == ["-3", "-0.5", "2 3"]  # numbers stay numbers


@pytest.mark.parametrize("text", ["a\r=1+1", "a\r\n=1+1", "a\n=1+1\n"])
def test_a_text_with_line_ends_stays_one_cell(text: str) -> None:
    section = Section("s", (("name", text),))
    rows = list(csv.reader(io.StringIO(report_csv(Report("page", (section,))).decode(), newline="")))[1:]
    assert rows == [["s", "name", "value", text]]


def test_names_of_checkpoints_and_measures_are_neutral() -> None:
    one = np.array([1])
    table = Checkpoints(
        ("=cmd|x",), one, np.array([[1]]), None, np.zeros((1, 1), bool), np.zeros((1, 1), bool),
        {"@loss": (-0.5,)},
    )  # fmt: skip
    header, row = csv.reader(io.StringIO(table_csv(table).decode(), newline=""))
    assert (header[-1], row[0], row[-1]) == ("'@loss", "'=cmd|x", "-0.5")


def test_no_other_format_of_a_report_is_changed() -> None:
    page = Report("page", (Section("s", (("name", "=1+1"),)),))
    assert all(b"'=1" not in write(page) for kind, write in FORMATS.items() if kind != "csv")
