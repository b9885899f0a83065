"""Whole VNN-LIB properties: every way to write one, exact numbers, and what is refused."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyregions import HPolytope, load_property
from polyregions.errors import DomainError, FormatError, InputError, UnsupportedError
from polyregions.io.vnnlib_property import property_of_vnnlib
from polyregions.properties import Property

DECLARED = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
BOX = "(and (>= X_0 -1) (<= X_0 1) (>= X_1 -2) (<= X_1 2))"


def read(text: str) -> Property:
    return property_of_vnnlib(DECLARED + text, "p.vnnlib")


def violated(prop: Property, x: tuple[Fraction, ...], y: tuple[Fraction, ...]) -> bool:
    """Whether the point (x, y) is in the set that the file describes."""
    point = [*x, Fraction(1)]
    for case in prop.cases:
        assert isinstance(case.domain, HPolytope)
        values = [sum(r * p for r, p in zip(row, point, strict=True)) for row in case.domain.exact_rows]
        inside = all(
            v > 0 or (v == 0 and not s) for v, s in zip(values, case.domain.strict.tolist(), strict=True)
        )
        if inside and any(violation.holds(x, y) for violation in case.violations):
            return True
    return False


SAME = [
    f"(assert {BOX})(assert (<= (+ Y_0 (* 2 Y_1)) 0.5))",
    f"(assert {BOX})(assert (>= 0.5 (+ (* Y_1 2.0) Y_0)))",
    f"(assert {BOX})(assert (not (> (+ Y_0 Y_1 Y_1) 5e-1)))",
    f"(assert (and {BOX} (<= (- (- Y_0)) (- 0.5 (* 2 Y_1)))))",
    f"(assert {BOX})(assert (<= (* 2 (+ Y_0 Y_1 Y_1)) (* 0.5 2)))",
    f"(assert {BOX})(assert (or (<= (+ Y_0 (* 2 Y_1)) (/ 1 2)) (<= (+ Y_0 (* 2 Y_1)) 0.25)))",
    f"(assert (not (or (not {BOX}) (not (<= (+ Y_0 Y_1 (/ Y_1 1)) 0.5)))))",
]


@pytest.mark.parametrize("text", SAME)
def test_ways_to_write_one_set(text: str) -> None:
    prop = read(text)
    values = [Fraction(v, 4) for v in (-9, -4, 0, 1, 2, 3, 8)]
    for x0, x1, y0, y1 in product(values, repeat=4):
        expected = -1 <= x0 <= 1 and -2 <= x1 <= 2 and y0 + 2 * y1 <= Fraction(1, 2)
        assert violated(prop, (x0, x1), (y0, y1)) == expected


COMPARISONS = st.sampled_from(["<=", ">=", "<", ">", "="])
VARIABLES = ["X_0", "X_1", "Y_0", "Y_1"]


@st.composite
def formulas(draw: st.DrawFn, depth: int = 3) -> tuple[str, str]:
    """The same condition in VNN-LIB and in Python."""
    kind = draw(st.sampled_from(["and", "or", "not", "row"] if depth else ["row"]))
    if kind == "row":
        operator, variable = draw(COMPARISONS), draw(st.sampled_from(VARIABLES))
        other, value = draw(st.sampled_from(VARIABLES)), draw(st.integers(-2, 2))
        python = "==" if operator == "=" else operator
        return f"({operator} (- {variable} {other}) {value})", f"({variable} - {other} {python} {value})"
    if kind == "not":
        one, two = draw(formulas(depth - 1))
        return f"(not {one})", f"(not {two})"
    parts = draw(st.lists(formulas(depth - 1), min_size=1, max_size=3))
    return f"({kind} {' '.join(p for p, _ in parts)})", f"({f' {kind} '.join(p for _, p in parts)})"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(formulas())
def test_random_formulas_mean_what_they_say(formula: tuple[str, str]) -> None:
    text, meaning = formula
    points = list(product([Fraction(v) for v in (-2, -1, 0, 2)], repeat=4))
    expected = [bool(eval(meaning, {}, dict(zip(VARIABLES, p, strict=True)))) for p in points]
    try:
        prop = read(f"(assert {text})")
    except DomainError:
        assert not any(expected)
        return
    assert [violated(prop, p[:2], p[2:]) for p in points] == expected


def test_disjuncts_with_the_same_inputs_are_one_case() -> None:
    prop = read(
        f"(assert (or (and {BOX} (<= Y_0 1)) (and {BOX} (>= Y_1 2)) (and {BOX} (<= X_0 0) (>= Y_1 3))))"
    )
    assert [len(case.violations) for case in prop.cases] == [2, 1]


def test_decimals_are_rationals() -> None:
    (case,) = read("(assert (and (>= X_0 0.1) (<= X_0 1e-1) (>= X_1 -0.30) (<= X_1 3.0e0)))").cases
    assert isinstance(case.domain, HPolytope)
    bounds = {
        label: Fraction(-row[-1], sum(row[:-1]))
        for label, row in zip(case.domain.labels, case.domain.exact_rows, strict=True)
    }
    assert bounds == {
        "x0 >= 0.1": Fraction(1, 10),
        "x0 <= 0.1": Fraction(1, 10),
        "x1 >= -0.3": Fraction(-3, 10),
        "x1 <= 3": Fraction(3),
    }


def test_the_best_of_several_bounds_counts() -> None:
    prop = read(
        "(assert (<= X_0 5))(assert (< X_0 3))(assert (<= X_0 3))(assert (<= X_1 1))(assert (>= X_1 1))"
    )
    (case,) = prop.cases
    assert isinstance(case.domain, HPolytope)
    assert list(case.domain.labels) == ["x0 < 3", "x1 <= 1", "x1 >= 1"]


def test_impossible_disjuncts_are_left_out() -> None:
    prop = read(f"(assert (or (and {BOX} (>= X_0 2)) (and {BOX} (<= X_0 0)) (<= 1 0)))")
    assert len(prop.cases) == 1


BAD = [
    ("(assert (and (>= X_0 2) (<= X_0 1)))", DomainError, "no input satisfies the constraints on X"),
    ("(assert (and (>= X_0 1) (< X_0 1)))", DomainError, "no input satisfies"),
    ("(assert (<= X_7 1))", FormatError, "uses X_7, which is not declared"),
    ("(assert (<= X_0 foo))", FormatError, "'foo', expected a number or a declared variable"),
    ("(assert (<= (* X_0 Y_0) 1))", UnsupportedError, r"\(\* X_0 Y_0\) multiplies variables"),
    ("(assert (<= (/ 1 X_0) 1))", UnsupportedError, "divides by no constant"),
    ("(assert (<= (/ X_0 0) 1))", UnsupportedError, "divides by no constant"),
    ("(assert (<= (^ X_0 2) 1))", UnsupportedError, "expected a sum of multiples"),
    ("(assert (=> (<= X_0 1) (<= Y_0 1)))", UnsupportedError, "expected and, or, not, or a comparison"),
    ("(assert (<= X_0 1 2))", UnsupportedError, "expected and, or, not, or a comparison"),
    ("(assert (<= X_0))", UnsupportedError, "expected and, or, not, or a comparison"),
    ("(assert (and))", UnsupportedError, "expected and, or, not"),
    ("(assert true)", UnsupportedError, "expected and, or, not"),
    ("(assert (<= X_0 1e999))", FormatError, "beyond the range of float64"),
    ("(assert (<= X_0 1e-999999999))", FormatError, "beyond the range of float64"),
    ("(assert (<= X_0 1_000))", FormatError, "expected a decimal number"),
    ("(assert (<= X_0 1/3))", FormatError, "expected a decimal number"),
    ("(assert (<= X_0 nan))", FormatError, "'nan', expected a number"),
    ("(assert)", UnsupportedError, "expected declare-const of type Real, or assert"),
    ("(declare-const Y_5 Real)", FormatError, r"declares 3 variables Y_i, but Y_2 is not"),
    ("(declare-const X_0 Real)", FormatError, "declared twice"),
    ("(assert (<= X_0 1)", FormatError, "1 parentheses are not closed"),
    ("(assert " + "(not " * 100, FormatError, "nested deeper than 64"),
]


@pytest.mark.parametrize(("text", "kind", "match"), BAD, ids=[text[:40] for text, _, _ in BAD])
def test_bad_properties(text: str, kind: type[InputError], match: str) -> None:
    with pytest.raises(kind, match=match) as caught:
        read(text)
    assert str(caught.value).startswith("p.vnnlib")


@pytest.mark.parametrize("text", ["", "(declare-const X_0 Real)", "(declare-const Y_0 Real)"])
def test_nothing_declared(text: str) -> None:
    with pytest.raises(FormatError, match="expected inputs X_i and outputs Y_j"):
        property_of_vnnlib(text, "p.vnnlib")


BOMBS = {
    "disjunctions": "".join(f"(assert (or (<= Y_0 {i}) (<= Y_0 {i}.5) (<= Y_1 {i})))" for i in range(40)),
    "nested": "(assert (and " + "(or (<= Y_0 1) (<= Y_1 1))" * 40 + "))",
    "negated": "(assert (not (or " + "(and (<= Y_0 1) (<= Y_1 1))" * 40 + ")))",
    "powers": "(assert (<= (* Y_0 " + "1e300 " * 5000 + ") 1))",
    "denominators": "(assert (<= (+ "
    + " ".join(f"(/ Y_0 {p})" for p in range(10**6, 10**6 + 5000))
    + ") 1))",
    "wide": "".join(f"(declare-const X_{i} Real)(assert (<= X_{i} 1))" for i in range(2, 20_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(UnsupportedError, match=r"p\.vnnlib: "):
        read(BOMBS[name])
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "p.vnnlib"
    file.write_text(DECLARED + f"(assert {BOX})(assert (<= Y_0 Y_1))")
    assert repr(load_property(file)) == f"<Property {file}: 2 inputs, 2 outputs, 1 input set, 1 violation>"
    with pytest.raises(FormatError, match="no such file"):
        load_property(tmp_path / "none.vnnlib")
