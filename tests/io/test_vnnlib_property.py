"""Whole VNN-LIB properties: every way to write one, exact numbers, and what is refused."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyregions import Box, HPolytope, load_property
from polyregions.analysis.verification.property import Property
from polyregions.errors import FormatError, InputError, UnsupportedError
from polyregions.io.specs.vnnlib.property import property_of_vnnlib

DECLARED = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
BOX = "(and (>= X_0 -1) (<= X_0 1) (>= X_1 -2) (<= X_1 2))"


def read(text: str) -> Property:
    return property_of_vnnlib(DECLARED + text, "p.vnnlib")


def polytope_of(domain: object) -> HPolytope:
    assert isinstance(domain, (Box, HPolytope))
    return domain.polytope() if isinstance(domain, Box) else domain


def violated(prop: Property, x: tuple[Fraction, ...], y: tuple[Fraction, ...]) -> bool:
    """Whether the point (x, y) is in the set that the file describes."""
    point = [*x, Fraction(1)]
    for case in prop.cases:
        domain = polytope_of(case.domain)
        values = [sum(r * p for r, p in zip(row, point, strict=True)) for row in domain.exact_rows]
        inside = all(v > 0 or (v == 0 and not s) for v, s in zip(values, domain.strict.tolist(), strict=True))
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
    prop = read(f"(assert {text})")
    assert [violated(prop, p[:2], p[2:]) for p in points] == expected


def test_disjuncts_with_the_same_inputs_are_one_case() -> None:
    prop = read(
        f"(assert (or (and {BOX} (<= Y_0 1)) (and {BOX} (>= Y_1 2)) (and {BOX} (<= X_0 0) (>= Y_1 3))))"
    )
    assert [len(case.violations) for case in prop.cases] == [2, 1]


def test_decimals_are_rationals() -> None:
    (case,) = read("(assert (and (>= X_0 0.1) (<= X_0 1e-1) (>= X_1 -0.30) (<= X_1 3.0e0)))").cases
    assert isinstance(case.domain, Box)
    domain = case.domain.polytope()
    bounds = {
        label: Fraction(-row[-1], sum(row[:-1]))
        for label, row in zip(domain.labels, domain.exact_rows, strict=True)
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
    "wide": "".join(f"(declare-const X_{i} Real)(assert (< X_{i} 1))" for i in range(2, 20_000)),
    "many wide": "".join(f"(declare-const X_{i} Real)" for i in range(2, 20_000))
    + "(assert (or "
    + " ".join(f"(<= Y_0 {i})" for i in range(2_000))
    + "))",
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


EMPTY = [
    (
        "(assert (and (>= X_0 2) (<= X_0 1)))",
        r"no input satisfies any of 1 disjuncts .*X_0 >= 2 against X_0 <= 1",
    ),
    ("(assert (and (>= X_0 1) (< X_0 1)))", "X_0 >= 1 against X_0 < 1"),
    ("(assert (>= X_0 2))(assert (or (<= X_0 1) (<= X_0 0)))", "any of 2 disjuncts"),
    ("(assert (<= 1 0))", "a comparison of constants is false"),
]


@pytest.mark.parametrize(("text", "match"), EMPTY)
def test_contradictory_inputs_leave_nothing_to_violate(text: str, match: str) -> None:
    prop = read(text)
    assert prop.cases == ()
    (notice,) = prop.notices
    assert re.search(match, notice)


def test_empty_disjuncts_are_left_out_with_a_notice() -> None:
    prop = read(f"(assert {BOX})(assert (or (<= X_0 -2) (>= X_0 0)))(assert (<= Y_0 0))")
    (case,) = prop.cases
    assert isinstance(case.domain, Box)
    assert (case.domain.lower.tolist(), case.domain.upper.tolist()) == ([0, -2], [1, 2])
    assert "no input satisfies 1 of 2 disjuncts" in prop.notices[0]


# ---------------------------------------------------------------- line ends and byte order marks

LINES = [
    *DECLARED.replace(")(", ")|(").split("|"),
    "; a (comment",
    f"(assert {BOX}) ; another",
    "(assert (<= Y_0 1))",
]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\r", "\r\r"])
def test_line_ends_of_every_system(end: str) -> None:
    prop = property_of_vnnlib(end.join(LINES), "p.vnnlib")
    assert [len(case.violations) for case in prop.cases] == [1]
    assert prop.cases[0].violations[0].rows == ((0, 0, -1, 0, 1),)


def test_mixed_line_ends(tmp_path: Path) -> None:
    text = "".join(
        line + end for line, end in zip(LINES, ("\r", "\n", "\r\n", "\r", "\r", "\n", "\r"), strict=True)
    )
    (tmp_path / "p.vnnlib").write_bytes(text.encode())
    prop = load_property(tmp_path / "p.vnnlib")
    assert prop.cases[0].violations[0].rows == ((0, 0, -1, 0, 1),)


@pytest.mark.parametrize("end", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_comment_that_may_have_ended_is_refused(end: str) -> None:
    with pytest.raises(FormatError, match="unusual line end"):
        read(f"; a comment{end}(assert {BOX})\n")


@pytest.mark.parametrize("compressed", [False, True])
def test_byte_order_marks(compressed: bool, tmp_path: Path) -> None:
    text = "\n".join(LINES)
    file = tmp_path / ("p.vnnlib.gz" if compressed else "p.vnnlib")
    write = gzip.compress if compressed else bytes
    file.write_bytes(write(text.encode("utf-8-sig")))
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_bytes(write(text.encode(encoding)))
        assert load_property(file).cases[0].violations[0].rows == ((0, 0, -1, 0, 1),)
    for encoding in ("utf-16-le", "utf-16-be", "utf-32", "utf-32-be"):  # without a mark, or not read
        file.write_bytes(write(text.encode(encoding)))
        with pytest.raises(FormatError, match="expected UTF-8"):
            load_property(file)


# ---------------------------------------------------------------- version 2.0

TWO = "(vnnlib-version <2.0>)(declare-network f (declare-input X real [1,2]) (declare-output Y real [2]))"
BOX2 = "(assert (and (>= X[0,0] -1) (<= X[0,0] 1) (>= X [0, 1] -2.0) (<= X[ 0 , 1 ] 2)))"
SAME2 = [
    f"{TWO}{BOX2}(assert (<= (+ Y[0] (* 2 Y[1])) 0.5))",
    f"{TWO}{BOX2}(assert (>= 0.5 (+ (* Y [1] 2.0) Y [0])))",
    f"{TWO}{BOX2}(assert (or (< (+ Y[0] (* 2 Y[1])) 0.5) (== (+ Y[0] Y[1] Y [1]) 0.5)))",
    f"{TWO}{BOX2}(assert (<= (- Y[0] (- Y[1]) (* -1.0 Y[1])) 0.5))",
    "(vnnlib-version <2.0>) ; two inputs, two outputs, in order\n(declare-network f (declare-input a Real [])"
    " (declare-input b Real [1,1]) (declare-output c Real [1]) (declare-output d Real []))"
    "(assert (and (>= a -1) (<= a 1)))(assert (<= b[0,0] 2))(assert (<= -2 b[0,0]))(assert (<= (+ c[0] d d) 0.5))",
    '(vnnlib-version <2.0>)(declare-network f (declare-input X real [2,1] "in") (declare-output Y real [2] "out"))'
    "(assert (<= X[0,0] 1))(assert (<= X[1,0] 2))(assert (>= X[0,0] -1))(assert (>= X[1,0] -2))"
    "(assert (<= (+ Y[0] (* 2 Y[1])) 0.5))",
]


@pytest.mark.parametrize("text", SAME2)
def test_version_2_means_the_same_as_version_1(text: str) -> None:
    prop = property_of_vnnlib(text, "p.vnnlib")
    values = [Fraction(v, 4) for v in (-9, -4, 0, 1, 2, 3, 8)]
    for x0, x1, y0, y1 in product(values, repeat=4):
        expected = -1 <= x0 <= 1 and -2 <= x1 <= 2 and y0 + 2 * y1 <= Fraction(1, 2)
        assert violated(prop, (x0, x1), (y0, y1)) == expected


def test_elements_are_numbered_row_by_row() -> None:
    head = "(vnnlib-version <2.0>)(declare-network f (declare-input X real [2,3,4]) (declare-output Y real [2,2]))"
    places = np.arange(24).reshape(2, 3, 4)
    for index in np.ndindex(2, 3, 4):
        prop = property_of_vnnlib(f"{head}(assert (<= (- X{list(index)} Y[1,0]) 0))", "p")
        ((row,),) = [violation.rows for violation in prop.cases[0].violations]
        assert [i for i, entry in enumerate(row) if entry] == [places[index], 24 + 2]


def test_not_equal_is_both_sides() -> None:
    prop = property_of_vnnlib(f"{TWO}{BOX2}(assert (!= Y[0] 0))", "p")
    assert not violated(prop, (Fraction(0),) * 2, (Fraction(0), Fraction(5)))
    assert all(violated(prop, (Fraction(0),) * 2, (Fraction(s), Fraction(0))) for s in (-1, 1))


def test_other_element_types_are_read_as_reals_with_a_notice() -> None:
    prop = property_of_vnnlib(TWO.replace("Y real", "Y float32") + BOX2, "p")
    assert prop.notices == ("Y is declared as float32: read as real numbers",)


DEFINED = "(declare-input X real [2]) (declare-output Y real [1])"
BAD2 = [
    (f"{TWO}(declare-network g {DEFINED})", UnsupportedError, "networks f and g, expected one"),
    (f"(declare-network g (equal-to f) {DEFINED})", UnsupportedError, "equal-to f. relates two networks"),
    (f"(declare-network g (isomorphic-to f) {DEFINED})", UnsupportedError, "relates two networks"),
    (
        '(declare-network g (declare-input X real [2]) (declare-hidden Z real [3] "h") (declare-output Y real [1]))',
        UnsupportedError,
        "hidden node",
    ),
    (
        "(vnnlib-version <3.0>)",
        UnsupportedError,
        "<3.0>.*, expected version 1, which is not declared, or <2.0>",
    ),
    ("(vnnlib-version 2.0)", UnsupportedError, "expected version 1"),
    ("(vnnlib-version)", UnsupportedError, "expected version 1"),
    (f"{TWO}(vnnlib-version <2.0>)", FormatError, "is not the first command"),
    (f"{TWO}(declare-const X_0 Real)", FormatError, "declares X_0 alone, expected declare-network only"),
    (f"(declare-const X_0 Real)(declare-network f {DEFINED})", FormatError, "both declare-const and"),
    (f"{TWO}(assert (<= X_0 1))", FormatError, "uses X_0, which is not declared"),
    (f"{TWO}(assert (<= Z[0] 1))", FormatError, r"uses Z\[0\], which is not declared"),
    (f"{TWO}(assert (<= X[0] 1))", FormatError, r"X\[0\] is no element of shape \[1, 2\]"),
    (f"{TWO}(assert (<= X[0,2] 1))", FormatError, "is no element"),
    (f"{TWO}(assert (<= X[0,-1] 1))", FormatError, "expected numbers such as"),
    (f"{TWO}(assert (<= X 1))", FormatError, "X is no element of shape"),
    (f"{TWO}(assert (<= X[0][1] 1))", FormatError, "expected numbers such as"),
    (f"{TWO}(assert (<= [0] 1))", FormatError, "expected a number or a declared variable"),
    (f"{TWO}(assert (<= (* X[0,0] X[0,1]) 1))", UnsupportedError, "multiplies variables"),
    (
        "(declare-network f (declare-input X int8 [2]) (declare-output Y real [1]))",
        UnsupportedError,
        "type int8",
    ),
    (
        "(declare-network f (declare-input X real [0]) (declare-output Y real [1]))",
        UnsupportedError,
        r"shape \[0\]",
    ),
    (
        "(declare-network f (declare-input X real [999999999,999999999]) (declare-output Y real [1]))",
        UnsupportedError,
        "expected 1 to 1000000 elements",
    ),
    ("(declare-network f (declare-input X real [2]))", FormatError, "no declare-output"),
    (
        "(declare-network f (declare-input X real [2]) (declare-output X real [2]))",
        FormatError,
        "X is declared twice",
    ),
    (
        "(declare-network f (declare-input X real 2) (declare-output Y real [2]))",
        FormatError,
        "expected numbers such",
    ),
    (
        "(declare-network f (declare-input X [2]) (declare-output Y real [2]))",
        FormatError,
        "expected .declare-input",
    ),
    (
        '(declare-network f (declare-input a real [2] "p") (declare-input b real [2] "q") (declare-output Y real [2]))',
        UnsupportedError,
        "matched by the names of an ONNX file",
    ),
]


@pytest.mark.parametrize(("text", "kind", "match"), BAD2, ids=[text[:60] for text, _, _ in BAD2])
def test_bad_properties_of_version_2(text: str, kind: type[InputError], match: str) -> None:
    with pytest.raises(kind, match=match) as caught:
        property_of_vnnlib(text, "p.vnnlib")
    assert str(caught.value).startswith("p.vnnlib")


# ---------------------------------------------------------------- size


def test_a_hundred_disjuncts_over_thousands_of_inputs_share_their_box() -> None:
    d = 3_000
    text = "".join(f"(declare-const X_{i} Real)(assert (<= 0 X_{i}))(assert (<= X_{i} 1))" for i in range(d))
    text += "".join(f"(declare-const Y_{j} Real)" for j in range(101))
    text += f"(assert (or {' '.join(f'(and (<= Y_0 Y_{j}))' for j in range(1, 101))}))"
    (case,) = property_of_vnnlib(text, "p").cases
    assert isinstance(case.domain, Box)
    assert case.domain.dim == d
    assert len(case.violations) == 100


def test_closed_bounds_of_many_inputs_are_read() -> None:
    text = "".join(f"(declare-const X_{i} Real)(assert (<= X_{i} 1))" for i in range(20_000))
    (case,) = property_of_vnnlib(text + "(declare-const Y_0 Real)(assert (<= Y_0 0))", "p").cases
    assert isinstance(case.domain, Box)
    assert case.domain.dim == 20_000
