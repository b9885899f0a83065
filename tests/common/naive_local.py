"""The brute-force twin for neighbourhoods, in rationals: which regions meet a ball. It imports no `polyregions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import naive
from naive import Pattern, Row


def meets(rows: Sequence[Row], x: Sequence[Fraction], radius: Fraction, norm: str) -> bool:
    """Whether the interior of a polyhedron that has one meets a ball."""
    d = len(x)
    if norm == "l2":
        return squared_distance(rows, x) < radius**2
    normals = (
        [[s * int(i == j) for j in range(d)] for i in range(d) for s in (1, -1)]
        if norm == "linf"
        else [list(signs) for signs in product((1, -1), repeat=d)]
    )
    ball = [naive.make_row(a, naive.dot(a, x) + radius, True) for a in normals]
    return naive.find_point([*naive.opened(rows), *ball], d) is not None


def squared_distance(rows: Sequence[Row], x: Sequence[Fraction]) -> Fraction:
    """The least squared distance of x from a closed polyhedron: the least over all sets of tight rows."""
    best = None
    for size in range(len(x) + 1):
        for tight in combinations(rows, size):
            point = projected(x, tight)
            if point is not None and all(naive.dot(row.a, point) <= row.c for row in rows):
                found = sum(((p - c) ** 2 for p, c in zip(point, x, strict=True)), Fraction(0))
                best = found if best is None else min(best, found)
    assert best is not None
    return best


def distance(rows: Sequence[Row], x: Sequence[Fraction], norm: str) -> float:
    """The distance of x from a closed polyhedron in the plane; in l1 by all corners that it and the norm have."""
    if norm == "l2":
        return float(squared_distance(rows, x)) ** 0.5
    kinks = [naive.make_row([int(i == j) for j in range(2)], c, False) for i, c in enumerate(x)]
    corners = [projected(x, pair) for pair in combinations([*rows, *kinks], 2)]
    sizes = [
        sum((abs(p - c) for p, c in zip(point, x, strict=True)), Fraction(0))
        for point in corners
        if point is not None and all(naive.dot(row.a, point) <= row.c for row in rows)
    ]
    return float(min(sizes))


def projected(x: Sequence[Fraction], tight: Sequence[Row]) -> list[Fraction] | None:
    """The nearest point to x where some independent rows vanish; None if they are dependent."""
    n = len(tight)
    system = [[naive.dot(r.a, [Fraction(v) for v in s.a]) for s in tight] for r in tight]
    right = [r.c - naive.dot(r.a, x) for r in tight]
    table = [[Fraction(v) for v in row] + [Fraction(b)] for row, b in zip(system, right, strict=True)]
    for i in range(n):
        pivot = next((j for j in range(i, n) if table[j][i]), None)
        if pivot is None:
            return None
        table[i], table[pivot] = table[pivot], table[i]
        for j in range(n):
            if j != i and table[j][i]:
                factor = table[j][i] / table[i][i]
                table[j] = [a - factor * b for a, b in zip(table[j], table[i], strict=True)]
    y = [table[i][n] / table[i][i] for i in range(n)]
    return [
        c + sum((m * r.a[k] for m, r in zip(y, tight, strict=True)), Fraction(0)) for k, c in enumerate(x)
    ]


def within_hops(edges: Iterable[frozenset[Pattern]], start: Pattern, hops: int) -> dict[Pattern, int]:
    """How many edges lie between a node and those that are near it."""
    beside: dict[Any, set[Any]] = {}
    for one, two in map(tuple, edges):
        beside.setdefault(one, set()).add(two)
        beside.setdefault(two, set()).add(one)
    known, front = {start: 0}, [start]
    for hop in range(1, hops + 1):
        front = [q for q in {q for p in front for q in beside.get(p, ())} if q not in known]
        known |= dict.fromkeys(front, hop)
    return known


def in_ball(
    rows_of: Mapping[Pattern, Sequence[Row]], x: Sequence[Fraction], radius: Fraction, norm: str
) -> set[Pattern]:
    """The regions that meet a ball."""
    return {pattern for pattern, rows in rows_of.items() if meets(rows, x, radius, norm)}
