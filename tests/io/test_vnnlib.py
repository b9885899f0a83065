"""VNN-LIB files as input sets: every way to write one, what is refused, and that they mean what properties mean."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyregions import Box, HPolytope
from polyregions.errors import DomainError, FormatError, InputError, UnsupportedError
from polyregions.io.specs.load import load_domain
from polyregions.io.specs.vnnlib.boxes import domains_of_vnnlib, load_vnnlib_domains
from polyregions.io.specs.vnnlib.property import property_of_vnnlib

DECLARED = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
BOX = "(and (>= X_0 -1) (<= X_0 1) (>= X_1 -2) (<= X_1 2))"


def boxes(text: str) -> list[tuple[list[float], list[float]]]:
    return [
        (b.lower.tolist(), b.upper.tolist())
        for b in domains_of_vnnlib(DECLARED + text, "p.vnnlib")
        if isinstance(b, Box)
    ]


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
    assert len(load_vnnlib_domains(file)) == 2
    with pytest.raises(UnsupportedError, match="p.vnnlib: the inputs form 2 different sets, expected one"):
        load_domain(file)


def test_disjunctions_are_combined() -> None:
    text = (
        "(assert (or (<= X_0 1) (<= X_0 2)))(assert (>= X_0 0))"
        "(assert (or (= X_1 3) (and (>= X_1 4) (<= X_1 5))))"
    )
    uppers = [upper for _, upper in boxes(text)]
    assert uppers == [[1, 3], [1, 5], [2, 3], [2, 5]]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300))
def test_decimals_are_rationals(value: object) -> None:
    (domain,) = domains_of_vnnlib(f"(declare-const X_0 Real)(assert (= X_0 {value}))", "p")
    (point,) = corners(domain)
    assert point == (Fraction(str(value)),)


def corners(domain: Box | HPolytope) -> set[tuple[Fraction, ...]]:
    """The corners of a bounded box of one input, exactly."""
    rows = (domain.polytope() if isinstance(domain, Box) else domain).exact_rows
    return {(Fraction(-row[1], row[0]),) for row in rows}


SETS = [
    ("(assert (<= X_0 X_1))(assert (>= X_0 0))", lambda x, y: 0 <= x <= y),
    (f"(assert {BOX})(assert (<= (+ X_0 X_1) 1))", lambda x, y: -1 <= x <= 1 and -2 <= y <= 2 and x + y <= 1),
    (f"(assert {BOX})(assert (< X_0 0.5))", lambda x, y: -1 <= x < Fraction(1, 2) and -2 <= y <= 2),
    (f"(assert {BOX})(assert (not (<= X_0 0)))", lambda x, y: 0 < x <= 1 and -2 <= y <= 2),
    (f"(assert {BOX})(assert (<= (* 2 X_0) 1))", lambda x, y: -1 <= x <= Fraction(1, 2) and -2 <= y <= 2),
    (f"(assert {BOX})(assert (<= X_1 (/ 1 3)))", lambda x, y: -1 <= x <= 1 and -2 <= y <= Fraction(1, 3)),
    ("(assert (>= X_0 -1))(assert (<= X_1 0))", lambda x, y: x >= -1 and y <= 0),
    ("(assert (<= Y_0 1))", lambda x, y: True),
    (f"(assert {BOX})(assert (<= (- X_0 Y_0) 1))", lambda x, y: -1 <= x <= 1 and -2 <= y <= 2),
    (
        f"(assert {BOX})(assert (or (<= X_0 -2) (>= X_0 0) (>= X_1 3)))(assert (<= Y_0 0))",
        lambda x, y: 0 <= x <= 1 and -2 <= y <= 2,
    ),
    (
        f"(assert {BOX})(assert (or (> X_0 X_1) (<= Y_0 0)))(assert (<= (- X_0 X_1) 0))(assert (<= X_0 1))",
        lambda x, y: -1 <= x <= 1 and -2 <= y <= 2 and x <= y,
    ),
]


@pytest.mark.parametrize(("text", "inside"), SETS, ids=[text[-50:] for text, _ in SETS])
def test_one_set(text: str, inside: Callable[[Fraction, Fraction], bool]) -> None:
    (domain,) = domains_of_vnnlib(DECLARED + text, "p.vnnlib")
    polytope = domain.polytope() if isinstance(domain, Box) else domain
    for x, y in product([Fraction(v, 12) for v in (-99, -24, -12, -3, 0, 4, 6, 8, 12, 24, 99)], repeat=2):
        values = [row[0] * x + row[1] * y + row[2] for row in polytope.exact_rows]
        found = all(
            v > 0 or (v == 0 and not s) for v, s in zip(values, polytope.strict.tolist(), strict=True)
        )
        assert found == inside(x, y)


@pytest.mark.parametrize("text", [text for text, _ in SETS] + [f"(assert {text})" for text in (BOX,)])
def test_it_is_the_input_set_of_the_property(text: str) -> None:
    found = domains_of_vnnlib(DECLARED + text, "p.vnnlib")
    cases = property_of_vnnlib(DECLARED + text, "p.vnnlib").cases
    assert repr(found[-1]) in {repr(case.domain) for case in cases}


def test_version_2() -> None:
    text = (
        "(vnnlib-version <2.0>)(declare-network f (declare-input X real [1,2]) (declare-output Y real [1]))"
        "(assert (and (>= X[0,0] -1) (<= X[0,0] 1)))(assert (and (>= X[0,1] -2) (<= X[0,1] 2)))(assert (>= Y[0] 3))"
    )
    (domain,) = domains_of_vnnlib(text, "p")
    assert isinstance(domain, Box)
    assert (domain.lower.tolist(), domain.upper.tolist()) == ([-1, -2], [1, 2])


BAD = [
    (f"(assert {BOX})(assert (>= X_1 2.5))", DomainError, "no input satisfies .*X_1 >= 2.5 against X_1 <= 2"),
    ("(assert (<= X_7 1))", FormatError, "uses X_7, which is not declared"),
    (f"(assert {BOX})(assert (<= Y_9 1))", FormatError, "uses Y_9, which is not declared"),
    ("(assert (=> (<= X_0 1) (<= Y_0 1)))", UnsupportedError, "expected and, or, not"),
    ("(assert (<= X_0 nan))", FormatError, "'nan', expected a number or a declared variable"),
    ("(assert (<= X_0 1e999))", FormatError, "1e999 is beyond the range"),
    ("(assert (<= X_0 1.5.2))", FormatError, "'1.5.2', expected a decimal number"),
    ("(assert (<= X_0))", UnsupportedError, "expected and, or, not"),
    ("(assert)", UnsupportedError, "expected declare-const of type Real, or assert"),
    ("(assert (and))", UnsupportedError, "expected and, or, not"),
    ("()", UnsupportedError, "expected declare-const"),
    ("(vnnlib-version 2.0)", FormatError, "is not the first command"),
    ("(declare-const X_2 Int)", UnsupportedError, "of type Real"),
    ("(declare-const X_0 Real)", FormatError, "X_0 is declared twice"),
    ("(declare-const X_3 Real)", FormatError, "declares 3 variables X_i, but X_2 is not one of them"),
    ("(declare-const X_999999999 Real)", FormatError, "declares 3 variables X_i, but X_2 is not"),
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
        domains_of_vnnlib(DECLARED + text, "p.vnnlib")
    assert str(caught.value).startswith("p.vnnlib")


@pytest.mark.parametrize("text", ["", "; nothing", "(declare-const Y_0 Real)"])
def test_no_inputs(text: str) -> None:
    with pytest.raises(FormatError, match="declares no input variable"):
        domains_of_vnnlib(text, "p.vnnlib")


def test_products_of_disjunctions_are_bounded() -> None:
    bomb = "".join(f"(assert (or (<= X_0 {i}) (<= X_0 {i}.5) (<= X_1 {i})))" for i in range(40))
    tracemalloc.start()
    with pytest.raises(UnsupportedError, match="disjuncts, expected at most 10000"):
        domains_of_vnnlib(DECLARED + bomb, "p.vnnlib")
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_many_inputs_take_linear_time() -> None:
    n = 20_000
    text = "".join(f"(declare-const X_{i} Real)(assert (<= X_{i} 1))(assert (>= X_{i} 0))" for i in range(n))
    assert domains_of_vnnlib(text, "p")[0].dim == n


EMPTY = [
    "(assert (and (>= X_0 1) (<= X_0 0)))",
    "(assert (>= X_0 1))(assert (or (<= X_0 0) (< X_0 1)))",
    "(assert (> X_0 X_1))(assert (<= X_0 X_1))",
    f"(assert {BOX})(assert (or (>= (+ X_0 X_1) 4) (>= X_0 2)))",
]


@pytest.mark.parametrize("text", EMPTY)
def test_contradictions(text: str) -> None:
    with pytest.raises(DomainError, match="p.vnnlib: no input satisfies the constraints on X"):
        domains_of_vnnlib(DECLARED + text, "p.vnnlib")
