"""The .nnet format: normalisation folded exactly, placeholders, and files that are refused line by line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli.main import main
from polyregions.errors import FormatError
from polyregions.io.models.nnet import network_of_nnet
from polyregions.networks.network import Layer, Network

HEADER = "// a comment\n2,2,1,2,\n2,2,1,\n0,\n"
LIMITS = "-1.0,-2.0,\n1.0,2.0,\n"
TRIVIAL = "0.0,0.0,0.0,\n1.0,1.0,1.0,\n"
WEIGHTS = "1.5,-2.0,\n0.1,0.3,\n0.5,\n-0.5,\n2.0,3.0,\n0.25,\n"


def read(text: str) -> Network:
    return network_of_nnet(text, "a.nnet", "a.nnet")


def rationals(layer: Layer) -> list[list[Fraction]]:
    if layer.exact is None:
        rows = np.column_stack([layer.weight, layer.bias])
        return [[Fraction(entry) for entry in row] for row in rows]
    return [[Fraction(int(n), layer.exact.denominator) for n in row] for row in layer.exact.numerators]


def test_a_plain_file() -> None:
    net = read(HEADER + LIMITS + TRIVIAL + WEIGHTS)
    assert net.layers[0].weight.tolist() == [[1.5, -2.0], [0.1, 0.3]]
    assert net.layers[1].bias.tolist() == [0.25]
    assert net.widths == (2,)
    assert all(layer.exact is None for layer in net.layers)


def test_normalisation_is_folded_in_rationals() -> None:
    means, ranges = ["0.1", "-7", "0.7"], ["3", "0.3", "1.1"]
    net = read(HEADER + LIMITS + ",".join(means) + "\n" + ",".join(ranges) + "\n" + WEIGHTS)
    m, r = [Fraction(float(v)) for v in means], [Fraction(float(v)) for v in ranges]
    w = [[Fraction(1.5), Fraction(-2.0)], [Fraction(0.1), Fraction(0.3)]]
    b = [Fraction(0.5), Fraction(-0.5)]
    expected = [
        [row[0] / r[0], row[1] / r[1], bias - row[0] * m[0] / r[0] - row[1] * m[1] / r[1]]
        for row, bias in zip(w, b, strict=True)
    ]
    assert net.layers[0].exact is not None  # a third is no float64
    assert rationals(net.layers[0]) == expected
    assert rationals(net.layers[1]) == [[2 * r[2], 3 * r[2], Fraction(0.25) * r[2] + m[2]]]


def test_one_layer_takes_both_normalisations() -> None:
    net = read("1,1,1,1,\n1,1,\n0,\n0,\n0,\n5.0,10.0,\n3.0,7.0,\n2.0,\n1.0,\n")
    assert rationals(net.layers[0]) == [[Fraction(14, 3), Fraction(2 * -5, 3) * 7 + 7 + 10]]


def test_minima_and_maxima_do_not_clip() -> None:
    net = read(HEADER + LIMITS + TRIVIAL + WEIGHTS)
    assert net([100.0, 0.0]).tolist() == [2 * 150.5 + 3 * (0.1 * 100 - 0.5) + 0.25]


@pytest.mark.parametrize("end", ["", ",", ", ", " "])
def test_placeholders_extra_sizes_and_trailing_separators(end: str) -> None:
    text = "// c\n2, 2, 1, 9" + end + "\n2, 2,1, 1\n" + "0\n" * 5 + WEIGHTS.replace(",\n", end + "\n")
    plain = read(HEADER + LIMITS + TRIVIAL + WEIGHTS)
    assert read(text).fingerprint() == plain.fingerprint()


def test_windows_line_ends_and_blank_lines() -> None:
    text = (HEADER + "\n\n" + LIMITS + TRIVIAL + "// between\n" + WEIGHTS).replace("\n", "\r\n")
    assert read(text).n_inputs == 2


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_byte_order_marks(end: str, encoding: str, tmp_path: Path) -> None:
    """A comment ends with its line, whatever ends a line; separators of other kinds end none."""
    text = "// made by hand\u2028 1,1\f1\n" + HEADER + LIMITS + TRIVIAL + WEIGHTS
    file = tmp_path / "a.nnet"
    file.write_bytes(text.replace("\n", end).encode(encoding))
    plain = read(HEADER + LIMITS + TRIVIAL + WEIGHTS)
    assert pr.load_network(file).fingerprint() == plain.fingerprint()


@pytest.mark.parametrize("limits", ["-inf,\ninf,\n", "-Infinity\n+inf\n", "-1e9\nINF\n"])
def test_infinite_minima_and_maxima(limits: str) -> None:
    """By hand: hidden 0.5 x + 0.25, 0.5 - x, 2 x - 0.5; at x = 0.3 these are 0.4, 0.2, 0.1."""
    layers = "0.5\n-1.0\n2.0\n0.25\n0.5\n-0.5\n1.0,-2.0,0.5\n0.125\n"
    net = read("2,1,1,3\n1,3,1\nflag\n" + limits + "0.0,0.0\n1.0,1.0\n" + layers)
    assert net([0.3]) == pytest.approx([0.4 - 0.4 + 0.05 + 0.125])
    assert net.notices == ()


def test_normalisation_that_is_folded_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.nnet"
    file.write_text(HEADER + LIMITS + "1.0,0.0,0.0\n2.0,1.0,1.0\n" + WEIGHTS)
    (notice,) = pr.load_network(file).notices
    assert notice.startswith(f"{file}: the file's normalisation is folded in")
    assert main(["count", str(file), "--box", "-1", "1", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["notices"] == [notice]
    assert notice in err
    file.write_text(HEADER + LIMITS + TRIVIAL + WEIGHTS)
    assert pr.load_network(file).notices == ()


BAD = {
    "": "ends where number of layers",
    "// only a comment\n": "ends where number of layers",
    HEADER[:-3].ljust(60): "ends where flag",
    "2,2,\n": r"line 1 \(number of layers, inputs, outputs\): 2 numbers, expected 3",
    "0,2,1,2,\n": "'0', expected a positive integer",
    "-2,2,1,2,\n": "'-2', expected a positive integer",
    "2.0,2,1,2,\n": "'2.0', expected a positive integer",
    "999999999999,2,1,2,\n": "'999999999999', expected a positive integer",
    "999999999,2,1,2,\n2,1,\n": r"line 2 \(layer sizes\): 2 numbers, expected 1000000000",
    "1,999999999,999999999,2,\n999999999,999999999,\n0,\n": "weights and biases declared, more than a file of",
    "2,3,1,2,\n2,2,1,\n": "from 2 to 1, but the header says 3 inputs and 1 outputs",
    "²,2,1,2\n": "expected a positive integer",
    HEADER + LIMITS + "0,0,0,\n1,0.0,1,\n" + WEIGHTS: r"line 8 \(ranges\): number 2 is 0, expected a range",
    HEADER + LIMITS + "0,0,\n1,1,1,\n" + WEIGHTS: r"line 7 \(means\): 2 numbers, expected 3",
    HEADER + LIMITS + "0\n1,1,1\n" + WEIGHTS: "means and ranges must both be given or both be 0",
    HEADER + LIMITS + "0,0,0\n0\n" + WEIGHTS: "means and ranges must both be given or both be 0",
    HEADER + LIMITS + "0,nan,0\n1,1,1\n" + WEIGHTS: "'nan', expected a decimal number",
    HEADER + LIMITS + TRIVIAL + WEIGHTS.replace("0.1", "inf"): "'inf', expected a decimal number",
    HEADER + LIMITS + TRIVIAL + WEIGHTS.replace("0.1", "1e999"): "1e999 is beyond the range of float64",
    HEADER + LIMITS + TRIVIAL + WEIGHTS.replace("0.1", "1_0"): "'1_0', expected a decimal number",
    HEADER + LIMITS + TRIVIAL + WEIGHTS.replace("0.1", "9" * 2000): "expected a decimal number",
    HEADER + LIMITS + TRIVIAL + WEIGHTS.replace("0.1,0.3", "0.1,,0.3"): "'', expected a decimal number",
    HEADER
    + LIMITS
    + TRIVIAL
    + WEIGHTS.replace("0.1,0.3", "0.1"): "weights of unit 2.*: 1 numbers, expected 2",
    HEADER + LIMITS + TRIVIAL + WEIGHTS[:-6]: "ends where layer 2, bias of unit 1 is expected",
    HEADER + LIMITS + TRIVIAL + WEIGHTS + "1.0,\n": "line 15: '1.0,' after the last bias",
    HEADER
    + LIMITS
    + "0,0,0\n1e-300,1,1\n"
    + WEIGHTS.replace("1.5", "1e300"): "layer 1: an exact coefficient",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_files_are_refused_with_their_line(text: str) -> None:
    with pytest.raises(FormatError, match=BAD[text]) as caught:
        read(text)
    assert str(caught.value).startswith("a.nnet")
