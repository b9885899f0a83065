"""VNN-LIB input boxes: every way to write one, and what is refused."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyregions.errors import DomainError, FormatError, InputError, UnsupportedError
from polyregions.io.domains import load_domain
from polyregions.io.vnnlib import boxes_of_vnnlib, load_vnnlib_boxes

DECLARED = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
BOX = "(and (>= X_0 -1) (<= X_0 1) (>= X_1 -2) (<= X_1 2))"


def boxes(text: str) -> list[tuple[list[float], list[float]]]:
    return [(b.lower.tolist(), b.upper.tolist()) for b in boxes_of_vnnlib(DECLARED + text, "p.vnnlib")]


ONE_BOX = [
    f"(assert {BOX})",
    "(assert (>= X_0 -1))(assert (<= X_0 1))(assert (>= X_1 -2))(assert (<= X_1 2))",
    "(assert (<= -1 X_0))(assert (>= 1 X_0))(assert (<= -2 X_1))(assert (>= 2.0 X_1))",
    "(assert (<= (- 1) X_0))(assert (<= X_0 1))(assert (>= X_1 (- 2.0)))(assert (<= X_1 2e0))",
    f"(assert (or {BOX}))",
    f"(assert (or (and (and {BOX}) (>= Y_0 100))))",
    f"(assert (or (and {BOX} (>= Y_0 1)) (and {BOX} (<= Y_0 Y_1))))",
    f"(assert {BOX})(assert (or (<= Y_0 1) (and (>= Y_1 Y_0) (<= Y_1 3))))",
    f"(assert {BOX})(assert (<= X_0 5))(assert (>= X_1 -9))",
    f"(assert (or (<= Y_0 1) (>= Y_0 2)))(assert {BOX})",
    f"; comment (\n(set-logic QF_LRA)\n(assert ; here\n{BOX})(check-sat)",
    f"(assert {BOX})(assert (not (<= Y_0 1)))",
    f"(assert {BOX})(assert (<= (+ Y_0 (* 2.0 Y_1)) 1))",
]


@pytest.mark.parametrize("text", ONE_BOX)
def test_one_box(text: str) -> None:
    assert boxes(text) == [([-1, -2], [1, 2])]


def test_several_boxes_in_order(tmp_path: Path) -> None:
    other = BOX.replace("(<= X_0 1)", "(<= X_0 0)")
    text = f"(assert (or {BOX} {other} {BOX}))"
    assert boxes(text) == [([-1, -2], [1, 2]), ([-1, -2], [0, 2])]
    file = tmp_path / "p.vnnlib"
    file.write_text(DECLARED + text)
    assert len(load_vnnlib_boxes(file)) == 2
    with pytest.raises(UnsupportedError, match="p.vnnlib: the inputs form 2 different boxes, expected one"):
        load_domain(file)


def test_disjunctions_are_combined() -> None:
    text = (
        "(assert (or (<= X_0 1) (<= X_0 2)))(assert (>= X_0 0))"
        "(assert (or (= X_1 3) (and (>= X_1 4) (<= X_1 5))))"
    )
    uppers = [upper for _, upper in boxes(text)]
    assert uppers == [[1, 3], [1, 5], [2, 3], [2, 5]]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300))
def test_decimals_are_read_as_the_nearest_float64(value: object) -> None:
    text = f"(declare-const X_0 Real)(assert (= X_0 {value}))"
    box = boxes_of_vnnlib(text, "p")[0]
    exact = Fraction(str(value))
    below, above = float(box.lower[0]), float(box.upper[0])
    assert below == above == exact.numerator / exact.denominator


BAD = [
    ("(assert (>= X_0 -1))(assert (<= X_0 1))(assert (>= X_1 0))", DomainError, "X_1 has no upper bound"),
    ("(assert (<= Y_0 1))", DomainError, "X_0 has no lower bound"),
    (f"(assert {BOX})(assert (>= X_1 2.5))", DomainError, "X_1 has lower bound 2.5 > upper bound 2.0"),
    (f"(assert (or {BOX} (<= Y_0 1)))", DomainError, "X_0 has no lower bound"),
    ("(assert (<= X_7 1))", FormatError, r"\(<= X_7 1\) uses X_7, which is not declared"),
    (f"(assert {BOX})(assert (<= Y_9 1))", FormatError, "uses Y_9, which is not declared"),
    ("(assert (<= X_0 X_1))", UnsupportedError, r"\(<= X_0 X_1\) has several inputs \(X_0, X_1\)"),
    ("(assert (<= (+ X_0 X_1) 1))", UnsupportedError, r"several inputs \(X_0, X_1\)"),
    ("(assert (<= (* 2 X_0) 1))", UnsupportedError, "expected a bound such as"),
    ("(assert (<= 1 2))", UnsupportedError, "has no variable"),
    ("(assert (< X_0 1))", UnsupportedError, "strict bound"),
    ("(assert (> 1 X_0))", UnsupportedError, r"strict bound \(< X_0 1.0\)"),
    ("(assert (not (<= X_0 1)))", UnsupportedError, "expected a bound such as"),
    ("(assert (=> (<= X_0 1) (<= Y_0 1)))", UnsupportedError, "mixes inputs and outputs"),
    ("(assert (<= X_0 nan))", FormatError, "bound of X_0: nan, expected a decimal number"),
    ("(assert (<= X_0 1e999))", FormatError, "bound of X_0: 1e999 is beyond the range"),
    ("(assert (<= X_0 1.5.2))", FormatError, "'1.5.2', expected a decimal number"),
    ("(assert (<= X_0 (/ 1 3)))", FormatError, r"bound of X_0: \(/ 1 3\), expected a decimal number"),
    ("(assert (<= X_0))", UnsupportedError, "expected a bound such as"),
    ("(assert)", UnsupportedError, "expected declare-const of type Real, or assert"),
    ("(assert (and))", UnsupportedError, "has no variable"),
    ("()", UnsupportedError, "expected declare-const"),
    ("(vnnlib-version 2.0)", UnsupportedError, "vnnlib-version"),
    ("(declare-const X_2 Int)", UnsupportedError, "of type Real"),
    ("(declare-const X_0 Real)", FormatError, "X_0 is declared twice"),
    ("(declare-const X_3 Real)", FormatError, "declares 3 inputs, but X_2 is not one of them"),
    ("(declare-const X_999999999 Real)", FormatError, "declares 3 inputs, but X_2 is not"),
    ("(declare-const X_01 Real)", FormatError, "declares 'X_01'"),
    ("(declare-const Z Real)", FormatError, "declares 'Z'"),
    ("(assert (<= X_0 1)", FormatError, "1 parentheses are not closed"),
    ("(assert (<= X_0 1)))", FormatError, r"'\)' outside parentheses"),
    ("hello", FormatError, "'hello' outside parentheses"),
    ('(set-info "open)', FormatError, "expected an s-expression"),
    ("(" * 100_000, FormatError, "nested deeper than 64"),
]


@pytest.mark.parametrize(("text", "kind", "match"), BAD, ids=[text[:40] for text, _, _ in BAD])
def test_bad_properties(text: str, kind: type[InputError], match: str) -> None:
    with pytest.raises(kind, match=match) as caught:
        boxes(text)
    assert str(caught.value).startswith("p.vnnlib")


@pytest.mark.parametrize("text", ["", "; nothing", "(declare-const Y_0 Real)"])
def test_no_inputs(text: str) -> None:
    with pytest.raises(FormatError, match="declares no input variable"):
        boxes_of_vnnlib(text, "p.vnnlib")


def test_products_of_disjunctions_are_bounded() -> None:
    bomb = "".join(f"(assert (or (<= X_0 {i}) (<= X_0 {i}.5) (<= X_1 {i})))" for i in range(40))
    tracemalloc.start()
    with pytest.raises(UnsupportedError, match="input boxes, expected at most 10000"):
        boxes(bomb)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_many_inputs_take_linear_time() -> None:
    n = 20_000
    text = "".join(f"(declare-const X_{i} Real)(assert (<= X_{i} 1))(assert (>= X_{i} 0))" for i in range(n))
    assert boxes_of_vnnlib(text, "p")[0].upper.shape == (n,)
