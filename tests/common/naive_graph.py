"""The brute-force twin for graphs: activations by their definitions, case by case, without any lowering.

It imports nothing of `polyregions`. A graph is a list of nodes; node 0 is the input (its number of entries), and the
others are tuples:

* ("affine", source, W, b), ("join", sources);
* ("pieces", source, pieces): an activation of each entry z, given by its breakpoints and its slopes and intercepts:
  pieces = (breaks, [(slope, intercept), ...]); piece i holds where breaks[i-1] < z <= breaks[i];
* ("max", source, groups) and ("min", source, groups): of each group of entries, the case being which one wins; the last
  of several equal ones does;
* ("knockout", source, groups): the same maximum, the case being the outcome of each match of a knockout tournament.

A cell is a flat tuple of the cases of all units, in the order of the nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import naive
from naive import Form, Row

Node = Any
Case = tuple[Any, list[Row], Form]  # a label, the rows where it holds, and the value there


def breakpoints(kind: str, *parameters: Any) -> tuple[list[Fraction], list[tuple[Fraction, Fraction]]]:
    """The pieces of a common activation."""
    p = [naive.exact(v) for v in parameters]
    zero, one = Fraction(0), Fraction(1)
    match kind:
        case "relu":
            return [zero], [(zero, zero), (one, zero)]
        case "leaky":
            return [zero], [(p[0], zero), (one, zero)]
        case "abs":
            return [zero], [(-one, zero), (one, zero)]
        case "clip":
            return [p[0], p[1]], [(zero, p[0]), (one, zero), (zero, p[1])]
        case "at least":
            return [p[0]], [(zero, p[0]), (one, zero)]
        case "at most":
            return [p[0]], [(one, zero), (zero, p[0])]
        case "hard sigmoid":
            ends = [-p[1] / p[0], (1 - p[1]) / p[0]]
            return ends, [(zero, zero), (p[0], p[1]), (zero, one)]
    raise ValueError(kind)


def scaled(form: Form, factor: Fraction, shift: Fraction = Fraction(0)) -> Form:
    return tuple(factor * w for w in form[0]), factor * form[1] + shift


def minus(one: Form, two: Form) -> Form:
    return tuple(p - q for p, q in zip(one[0], two[0], strict=True)), one[1] - two[1]


def above(form: Form, strict: bool) -> Row:
    """The row form >= 0, or form > 0."""
    return naive.make_row([-w for w in form[0]], form[1], strict)


def cases_of_entry(form: Form, pieces: Any) -> Iterator[Case]:
    breaks, lines = pieces
    for i, (slope, intercept) in enumerate(lines):
        rows = [above(scaled(form, Fraction(1), -breaks[i - 1]), True)] if i else []
        rows += [above(scaled(form, Fraction(-1), breaks[i]), False)] if i < len(breaks) else []
        yield i, rows, scaled(form, slope, intercept)


def cases_of_maximum(forms: Sequence[Form]) -> Iterator[Case]:
    for i, form in enumerate(forms):
        rows = [above(minus(form, other), i < j) for j, other in enumerate(forms) if j != i]
        yield i, rows, form


def cases_of_knockout(forms: Sequence[Form]) -> Iterator[Case]:
    """Round after round; the one without a partner in a round waits for the next."""
    if len(forms) == 1:
        yield (), [], forms[0]
        return
    rounds: list[tuple[tuple[int, ...], list[Row], list[Form]]] = [((), [], [])]
    for first, second in zip(forms[::2], forms[1::2], strict=False):
        lead = minus(first, second)
        rounds = [
            ((*bits, bit), [*rows, above(lead, True) if bit else above(scaled(lead, Fraction(-1)), False)],
             [*left, first if bit else second])
            for bits, rows, left in rounds
            for bit in (0, 1)
        ]  # fmt: skip
    waiting = [forms[-1]] if len(forms) % 2 else []
    for bits, rows, left in rounds:
        for later, more, winner in cases_of_knockout([*left, *waiting]):
            yield bits + later, rows + more, winner


def cases(node: Node, values: Sequence[list[Form]]) -> list[list[Case]]:
    """For each unit of a node its cases."""
    kind, source = node[0], values[node[1]]
    if kind == "pieces":
        per_entry = node[2] if isinstance(node[2], list) else [node[2]] * len(source)
        return [list(cases_of_entry(f, p)) for f, p in zip(source, per_entry, strict=True)]
    if kind == "knockout":
        return [list(cases_of_knockout([source[i] for i in group])) for group in node[2]]
    sign = Fraction(1 if kind == "max" else -1)
    return [
        [
            (i, rows, scaled(form, sign))
            for i, rows, form in cases_of_maximum([scaled(source[i], sign) for i in g])
        ]
        for g in node[2]
    ]


def cells(
    nodes: Sequence[Node], domain: naive.Domain, thin: bool = False
) -> list[tuple[tuple[Any, ...], list[Row], list[Form]]]:
    """Every full-dimensional cell: its cases, its rows, and the outputs (the last node's entries) on it.

    If thin, lower-dimensional cells too.
    """
    d = nodes[0]
    identity: list[Form] = [(tuple(Fraction(int(i == j)) for j in range(d)), Fraction(0)) for i in range(d)]
    start = [naive.make_row(a, c, False) for a, c in domain]
    found: list[tuple[tuple[Any, ...], list[Row], list[list[Form]]]] = [((), start, [identity])]
    for node in nodes[1:]:
        if node[0] == "affine":
            for _, _, values in found:
                values.append(naive.compose((node[2], node[3]), values[node[1]], d))
        elif node[0] == "join":
            for _, _, values in found:
                values.append([form for source in node[1] for form in values[source]])
        else:
            found = split(node, found, d, thin)
    return [(label, rows, values[-1]) for label, rows, values in found]


def split(node: Node, found: Sequence[Any], d: int, thin: bool) -> list[Any]:
    """Each cell cut by the cases of one node's units, unit after unit."""
    shape = list if thin else naive.opened
    result = []
    for label, rows, values in found:
        parts: list[Any] = [(label, rows, [])]
        for unit in cases(node, values):
            parts = [
                ((*name, case), [*held, *more], [*outputs, value])
                for name, held, outputs in parts
                for case, more, value in unit
                if naive.find_point(shape([*held, *more]), d) is not None
            ]
        result += [(name, held, [*values, outputs]) for name, held, outputs in parts]
    return result
