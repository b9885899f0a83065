"""A slow, obvious twin of the package: the definitions, written down once more in exact rationals.

It shares nothing with `polyregions`, on purpose: standard library only, and Fourier-Motzkin elimination where
the package walks a simplex. A float is taken for the dyadic rational it is; there is no tolerance anywhere.

`layers` is a list of (W, b) with a ReLU after every layer but the last (after the last too if `final_relu`).
A neuron is on where z > 0 and off where z <= 0; a pattern is the flat tuple of these bits in layer order.
`domain` is a list of (a, c), each the closed half-space a.x <= c; the empty list is the whole space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from numbers import Integral
from typing import NamedTuple, TypeVar

Number = int | float | Fraction
Layer = tuple[Sequence[Sequence[Number]], Sequence[Number]]
Layers = Sequence[Layer]
Domain = Sequence[tuple[Sequence[Number], Number]]
Pattern = tuple[int, ...]
Cell = tuple[Pattern, int]
Vector = tuple[Fraction, ...]
AffineMap = tuple[tuple[Vector, ...], Vector]
Form = tuple[Vector, Fraction]  # the affine function w.x + b
Label = TypeVar("Label", Pattern, Cell)


def exact(value: Number) -> Fraction:
    """The rational a number stands for; numpy scalars become plain ints, which cannot overflow."""
    if isinstance(value, Integral):
        return Fraction(int(value))
    numerator, denominator = value.as_integer_ratio()
    return Fraction(int(numerator), int(denominator))


def make_vector(values: Iterable[Number]) -> Vector:
    return tuple(exact(value) for value in values)


def dot(u: Iterable[Number], v: Iterable[Fraction]) -> Fraction:
    return sum((exact(p) * q for p, q in zip(u, v, strict=True)), Fraction(0))


def box(lo: Sequence[Number], hi: Sequence[Number]) -> list[tuple[tuple[Fraction, ...], Fraction]]:
    """The box lo <= x <= hi as a domain."""
    units = [tuple(Fraction(int(i == j)) for j in range(len(lo))) for i in range(len(lo))]
    above = [(unit, exact(top)) for unit, top in zip(units, hi, strict=True)]
    below = [(tuple(-u for u in unit), -exact(low)) for unit, low in zip(units, lo, strict=True)]
    return above + below


# ---------------------------------------------------------------- linear systems: Fourier-Motzkin elimination


class Row(NamedTuple):
    """The half-space a.x <= c, or a.x < c if strict, in coprime integers, so equal rows are equal sets."""

    a: tuple[int, ...]
    c: int
    strict: bool

    def is_constant(self) -> bool:
        return not any(self.a)

    def is_contradiction(self) -> bool:
        return self.is_constant() and (self.c < 0 or (self.strict and self.c == 0))


def coprime(values: Sequence[int]) -> Iterator[int]:
    divisor = gcd(*values) or 1
    return (value // divisor for value in values)


def make_row(a: Iterable[Number], c: Number, strict: bool) -> Row:
    """The row a.x <= c (or < c), scaled to coprime integers."""
    values = [exact(value) for value in (*a, c)]
    scale = lcm(*(value.denominator for value in values))
    *left, right = coprime([int(value * scale) for value in values])
    return Row(tuple(left), right, strict)


def tightest(rows: Iterable[Row]) -> list[Row]:
    """The same set with only the tightest row of each direction."""
    best: dict[tuple[int, ...], tuple[Fraction, bool, Row]] = {}
    for row in rows:
        size = gcd(*row.a) or 1
        entry = (Fraction(row.c, size), not row.strict, row)
        direction = tuple(value // size for value in row.a)
        best[direction] = min(entry, best.get(direction, entry))
    return [row for _, _, row in best.values()]


def combine(lower: Row, upper: Row, variable: int) -> Row:
    """The positive combination of the two rows that no longer contains the variable."""
    p, q = upper.a[variable], -lower.a[variable]
    pairs = zip((*lower.a, lower.c), (*upper.a, upper.c), strict=True)
    *left, right = coprime([p * s + q * t for s, t in pairs])
    return Row(tuple(left), right, lower.strict or upper.strict)


def bound(row: Row, variable: int, point: Mapping[int, Fraction]) -> Fraction:
    """Where the row bounds the variable once the other variables are fixed at the point."""
    return (row.c - sum(row.a[j] * value for j, value in point.items())) / Fraction(row.a[variable])


def value_between(
    lower: Sequence[Row], upper: Sequence[Row], variable: int, point: Mapping[int, Fraction]
) -> Fraction | None:
    """A value of the variable above all lower rows and below all upper rows, or None if there is none."""
    low = max(((bound(row, variable, point), row.strict) for row in lower), default=None)
    high = min(((bound(row, variable, point), not row.strict) for row in upper), default=None)
    if low is None or high is None:
        return low[0] + 1 if low else high[0] - 1 if high else Fraction(0)
    if low[0] < high[0]:
        return (low[0] + high[0]) / 2
    return low[0] if low[0] == high[0] and not low[1] and high[1] else None


def solve(system: set[tuple[Row, int]], free: frozenset[int], gone: int) -> dict[int, Fraction] | None:
    """Fourier-Motzkin: eliminate one free variable, solve the rest, then put a value for the variable back.

    Each row carries the bit set of the input rows it is a positive combination of. Kohler's rule: with
    k variables gone, a combination of more than k + 1 input rows is not extreme, so it is a sum of others
    and says nothing new (if it is strict, so is one of them). Without the rule the rows square at each step.
    """
    if any(row.is_contradiction() for row, _ in system):
        return None
    sides = {j: ([t for t in system if t[0].a[j] < 0], [t for t in system if t[0].a[j] > 0]) for j in free}
    variable = min(free, key=lambda j: (len(sides[j][0]) * len(sides[j][1]), j))
    lower, upper = sides[variable]
    point: dict[int, Fraction] | None = {}
    if len(free) > 1:
        reduced = {t for t in system if t[0].a[variable] == 0}
        for low, used in lower:
            for high, also in upper:
                if (used | also).bit_count() <= gone + 2:
                    reduced.add((combine(low, high, variable), used | also))
        point = solve(reduced, free - {variable}, gone + 1)
    if point is None:
        return None
    value = value_between([row for row, _ in lower], [row for row, _ in upper], variable, point)
    return None if value is None else {**point, variable: value}


def find_point(rows: Sequence[Row], d: int) -> Vector | None:
    """A point that satisfies every row, strict ones strictly, or None if the set is empty."""
    if any(len(row.a) != d for row in rows):
        raise ValueError(f"every row must have {d} coefficients")
    system = {(row, 1 << i) for i, row in enumerate(tightest(rows))}
    point = solve(system, frozenset(range(d)), 0)
    return None if point is None else tuple(point[j] for j in range(d))


def opened(rows: Iterable[Row]) -> list[Row]:
    """The interior: every row strict, except that a constant row says nothing about x and stays as it is."""
    return [row if row.is_constant() else row._replace(strict=True) for row in rows]


def closed(rows: Iterable[Row]) -> list[Row]:
    """The closure, if the set is not empty: every row non-strict."""
    return [row._replace(strict=False) for row in rows]


def subtract(row: Sequence[Fraction], factor: Fraction, other: Sequence[Fraction]) -> list[Fraction]:
    return [p - factor * q for p, q in zip(row, other, strict=True)]


def rank(matrix: Iterable[Sequence[Number]]) -> int:
    """The rank, by Gaussian elimination."""
    rows = [[exact(value) for value in row] for row in matrix]
    found = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is not None:
            rows = [subtract(row, row[column] / pivot[column], pivot) for row in rows if row is not pivot]
            found += 1
    return found


def dimension(rows: Sequence[Row], d: int) -> int:
    """The dimension of a set: d minus the rank of the rows that are equalities on all of it; -1 if empty."""
    point = find_point(rows, d)
    if point is None:
        return -1
    tight = [row for row in rows if dot(row.a, point) == row.c]
    implicit = [row for row in tight if find_point([*rows, row._replace(strict=True)], d) is None]
    return d - rank(row.a for row in implicit if not row.is_constant())


# ---------------------------------------------------------------- the network


def input_dimension(layers: Layers) -> int:
    return len(layers[0][0][0])


def compose(layer: Layer, forms: Sequence[Form], d: int) -> list[Form]:
    """The layer's pre-activations as affine functions of x, given those of its inputs."""
    weights, biases = layer
    columns = [tuple(form[0][j] for form in forms) for j in range(d)]
    constants = tuple(form[1] for form in forms)
    return [
        (tuple(dot(w, column) for column in columns), dot(w, constants) + exact(b))
        for w, b in zip(weights, biases, strict=True)
    ]


def relu_sizes(layers: Layers, final_relu: bool) -> list[int]:
    return [len(b) for _, b in (layers if final_relu else layers[:-1])]


def unroll(layers: Layers, pattern: Pattern) -> tuple[list[Form], list[Form]]:
    """The neurons' pre-activations along the pattern, and what the last layer reached gives after its ReLU.

    The pattern may stop early, even inside a layer: the first list then ends with that layer's neurons.
    """
    d = input_dimension(layers)
    zero: Form = ((Fraction(0),) * d, Fraction(0))
    forms: list[Form] = [(tuple(Fraction(int(i == j)) for j in range(d)), Fraction(0)) for i in range(d)]
    neurons: list[Form] = []
    for layer in layers:
        forms = compose(layer, forms, d)
        bits = pattern[len(neurons) : len(neurons) + len(forms)]
        if len(bits) < len(forms):
            return neurons + forms, forms
        neurons += forms
        forms = [form if bit else zero for form, bit in zip(forms, bits, strict=True)]
    return neurons, forms


def affine_map(layers: Layers, pattern: Pattern) -> AffineMap:
    """The map (matrix, vector) the network computes along the pattern; a pattern that also has a bit for each
    output means a network with a final ReLU."""
    if len(pattern) not in (sum(relu_sizes(layers, False)), sum(relu_sizes(layers, True))):
        raise ValueError("the pattern must have one bit for each ReLU")
    _, outputs = unroll(layers, pattern)
    return tuple(w for w, _ in outputs), tuple(b for _, b in outputs)


def trace(layers: Layers, x: Sequence[Number], final_relu: bool) -> tuple[Pattern, Vector]:
    values = make_vector(x)
    pattern: Pattern = ()
    for index, (weights, biases) in enumerate(layers):
        values = tuple(dot(w, values) + exact(b) for w, b in zip(weights, biases, strict=True))
        if final_relu or index < len(layers) - 1:
            pattern += tuple(int(v > 0) for v in values)
            values = tuple(max(v, Fraction(0)) for v in values)
    return pattern, values


def forward(layers: Layers, x: Sequence[Number], final_relu: bool = False) -> Vector:
    """The network's value at x."""
    return trace(layers, x, final_relu)[1]


def pattern_at(layers: Layers, x: Sequence[Number], final_relu: bool = False) -> Pattern:
    """Which neurons are on (z > 0) at x."""
    return trace(layers, x, final_relu)[0]


# ---------------------------------------------------------------- regions


def pattern_rows(layers: Layers, pattern: Pattern, domain: Domain) -> list[Row]:
    """The points of the domain with this pattern: z > 0 for each neuron on, z <= 0 for each neuron off.

    A neuron that is constant there gives a constant row, so the constant decides, and zero counts as off.
    """
    rows = [make_row(a, c, strict=False) for a, c in domain]
    for (w, b), bit in zip(unroll(layers, pattern)[0], pattern, strict=False):
        rows.append(make_row((-v for v in w), b, strict=True) if bit else make_row(w, -b, strict=False))
    return rows


def interior_point(layers: Layers, pattern: Pattern, domain: Domain) -> Vector | None:
    """A point in the interior of the pattern's set, or None if it is not full-dimensional."""
    return find_point(opened(pattern_rows(layers, pattern, domain)), input_dimension(layers))


def activation_point(layers: Layers, pattern: Pattern, domain: Domain) -> Vector | None:
    """A point of the domain with this pattern, or None if there is none."""
    return find_point(pattern_rows(layers, pattern, domain), input_dimension(layers))


def grown(n: int, occurs: Callable[[Pattern], bool]) -> list[Pattern]:
    """The patterns of n bits that occur, out of all 2^n, left out early only where a prefix does not occur:
    a set that is empty, or has no interior, stays so under more rows."""
    patterns: list[Pattern] = [()] if occurs(()) else []
    for _ in range(n):
        longer = [(*pattern, bit) for pattern in patterns for bit in (0, 1)]
        patterns = [pattern for pattern in longer if occurs(pattern)]
    return sorted(patterns)


def regions(layers: Layers, domain: Domain, final_relu: bool = False) -> list[Pattern]:
    """R2, the proper activation regions: the patterns whose set has an interior within the domain."""
    n = sum(relu_sizes(layers, final_relu))
    return grown(n, lambda pattern: interior_point(layers, pattern, domain) is not None)


def activation_patterns(layers: Layers, domain: Domain, final_relu: bool = False) -> list[Pattern]:
    """R1, the activation regions: the patterns of at least one point of the domain, thin sets included."""
    n = sum(relu_sizes(layers, final_relu))
    return grown(n, lambda pattern: activation_point(layers, pattern, domain) is not None)


# ---------------------------------------------------------------- adjacency


def plain_equalities(rows: Sequence[Row]) -> list[tuple[int, ...]]:
    """The rows whose opposite is there too. Two independent ones leave a dimension of d - 2 at most, which
    settles most pairs without an elimination; the answer never depends on finding them."""
    every = set(rows)
    return [row.a for row in rows if Row(tuple(-v for v in row.a), -row.c, row.strict) in every]


def share_facet(one: Sequence[Row], two: Sequence[Row], d: int) -> bool:
    """Whether two closed polyhedra meet in a set of dimension d - 1."""
    rows = list(dict.fromkeys([*one, *two]))
    return rank(plain_equalities(rows)) < 2 and dimension(rows, d) == d - 1


def facet_pairs(cells: Mapping[Label, Sequence[Row]], d: int) -> set[frozenset[Label]]:
    return {frozenset((p, q)) for p, q in combinations(cells, 2) if share_facet(cells[p], cells[q], d)}


def edges(layers: Layers, domain: Domain, final_relu: bool = False) -> set[frozenset[Pattern]]:
    """Neighbours: pairs of regions whose closures share a (d-1)-dimensional set, whatever bits differ."""
    found = regions(layers, domain, final_relu)
    cells = {pattern: closed(pattern_rows(layers, pattern, domain)) for pattern in found}
    return facet_pairs(cells, input_dimension(layers))


def components(nodes: Iterable[Label], pairs: Iterable[frozenset[Label]]) -> list[list[Label]]:
    """The connected components of a graph, each sorted."""
    piece = {node: {node} for node in nodes}
    for p, q in pairs:
        merged = piece[p] | piece[q]
        piece.update(dict.fromkeys(merged, merged))
    return sorted({tuple(sorted(members)): sorted(members) for members in piece.values()}.values())


def connected_pieces(layers: Layers, domain: Domain, final_relu: bool = False) -> list[list[Pattern]]:
    """R4, the open connected regions: regions with exactly equal maps, joined across shared facets."""
    found = regions(layers, domain, final_relu)
    maps = {pattern: affine_map(layers, pattern) for pattern in found}
    pairs = edges(layers, domain, final_relu)
    return components(found, [pair for pair in pairs if len({maps[pattern] for pattern in pair}) == 1])


def distinct_maps(layers: Layers, domain: Domain, final_relu: bool = False) -> set[AffineMap]:
    """R6, the affine regions: the different maps that regions have."""
    return {affine_map(layers, pattern) for pattern in regions(layers, domain, final_relu)}


def agreement_rows(one: AffineMap, two: AffineMap) -> list[Row]:
    """The points where two maps agree."""
    rows = []
    for w, b, v, c in zip(*one, *two, strict=True):
        difference = [p - q for p, q in zip(w, v, strict=True)]
        rows += [make_row(difference, c - b, False), make_row([-p for p in difference], b - c, False)]
    return rows


def closed_pieces(layers: Layers, domain: Domain, final_relu: bool = False) -> list[list[Pattern]]:
    """R5, the closed connected regions, each by its full-dimensional regions.

    For each map the closed slices of all regions in which the network agrees with it, joined where two have a point
    in common; components without a region that has the map do not count.
    """
    d = input_dimension(layers)
    found = regions(layers, domain, final_relu)
    cells = {pattern: closed(pattern_rows(layers, pattern, domain)) for pattern in found}
    maps = {pattern: affine_map(layers, pattern) for pattern in found}
    pieces = []
    for chosen in dict.fromkeys(maps.values()):
        slices = {p: [*cells[p], *agreement_rows(maps[p], chosen)] for p in found}
        slices = {p: rows for p, rows in slices.items() if find_point(rows, d) is not None}
        pairs = combinations(slices, 2)
        touching = [frozenset((p, q)) for p, q in pairs if find_point(slices[p] + slices[q], d) is not None]
        own = [[p for p in members if maps[p] == chosen] for members in components(slices, touching)]
        pieces += [members for members in own if members]
    return sorted(pieces)


def mixture_rows(one: Row, share: Sequence[int], start: int, d: int) -> Row:
    """The row for a point of which only the share t or 1 - t is given: a.x <= c becomes a.x' <= c t or c (1 - t).

    The variables are x' at the given start, and t last; share is (constant, factor of t).
    """
    constant, factor = share
    a = [0] * (2 * d + 1)
    a[start : start + d] = one.a
    a[2 * d] = -factor * one.c
    return make_row(a, constant * one.c, one.strict)


def is_convex(members: Sequence[Sequence[Row]], others: Sequence[Sequence[Row]], d: int) -> bool:
    """Whether the closure of a union of polyhedra is convex: no segment between their interiors meets the
    interior of any of the other polyhedra that fill the rest of a convex set.

    With t p and (1 - t) q for the end points everything is linear.
    """
    between = [Row((0,) * (2 * d) + (sign,), c, True) for sign, c in ((-1, 0), (1, 1))]
    for one, two in combinations(members, 2):
        ends = [mixture_rows(row, (0, 1), 0, d) for row in opened(one)]
        ends += [mixture_rows(row, (1, -1), d, d) for row in opened(two)]
        for other in others:
            middle = [Row((*row.a, *row.a, 0), row.c, row.strict) for row in opened(other)]
            if find_point(between + ends + middle, 2 * d + 1) is not None:
                return False
    return True


def all_pieces_are_convex(layers: Layers, domain: Domain, final_relu: bool = False) -> bool:
    """Whether the closure of every open connected region (R4) is convex."""
    d = input_dimension(layers)
    found = regions(layers, domain, final_relu)
    cells = {pattern: closed(pattern_rows(layers, pattern, domain)) for pattern in found}
    for piece in connected_pieces(layers, domain, final_relu):
        rest = [cells[pattern] for pattern in found if pattern not in piece]
        if not is_convex([cells[pattern] for pattern in piece], rest, d):
            return False
    return True


# ---------------------------------------------------------------- decisions


def decision_rows(layers: Layers, cell: Cell, domain: Domain) -> list[Row]:
    """The part of the region where output k is the largest, a tie going to the lowest index."""
    pattern, k = cell
    matrix, vector = affine_map(layers, pattern)
    rows = pattern_rows(layers, pattern, domain)
    for i in set(range(len(vector))) - {k}:
        difference = (p - q for p, q in zip(matrix[i], matrix[k], strict=True))
        rows.append(make_row(difference, vector[k] - vector[i], strict=i < k))
    return rows


def decision_cells(layers: Layers, domain: Domain) -> list[Cell]:
    """The pairs (pattern, k) where y_k > y_i for all i != k on a full-dimensional part of the region.

    Outputs that are equal on the whole region do not beat each other: the lowest index has the cell.
    """
    d = input_dimension(layers)
    pairs = [(pattern, k) for pattern in regions(layers, domain) for k in range(len(layers[-1][1]))]
    insides = {pair: opened(decision_rows(layers, pair, domain)) for pair in pairs}
    return sorted(pair for pair in pairs if find_point(insides[pair], d) is not None)


def decision_edges(layers: Layers, domain: Domain) -> set[frozenset[Cell]]:
    """The pairs of decision cells whose closures share a (d-1)-dimensional set."""
    cells = {cell: closed(decision_rows(layers, cell, domain)) for cell in decision_cells(layers, domain)}
    return facet_pairs(cells, input_dimension(layers))


def by_argmin(layers: Layers) -> Layers:
    """The network whose largest output is where that of the given one is smallest."""
    weights, biases = layers[-1]
    return [*layers[:-1], ([[-exact(w) for w in row] for row in weights], [-exact(b) for b in biases])]


def by_sign(layers: Layers) -> Layers:
    """The network of two outputs that is largest in output 1 where the one output y > 0, and ties where y = 0."""
    (weights,), (bias,) = layers[-1]
    return [*layers[:-1], ([[0] * len(weights), weights], [0, bias])]


def islands(layers: Layers, domain: Domain) -> list[list[Cell]]:
    """Decision cells of one class joined across shared facets."""
    same = [pair for pair in decision_edges(layers, domain) if len({k for _, k in pair}) == 1]
    return components(decision_cells(layers, domain), same)


def boundary_pieces(layers: Layers, domain: Domain) -> set[frozenset[Cell]]:
    """The pairs of cells of different classes that share a facet: a piece of the decision boundary each."""
    return {pair for pair in decision_edges(layers, domain) if len({k for _, k in pair}) == 2}


# ---------------------------------------------------------------- properties


def violation(layers: Layers, domain: Domain, unsafe: Sequence[Row]) -> Vector | None:
    """A point of the domain whose outputs satisfy all rows over (x, y), or None: every region's closure is searched.

    The closures cover the domain, if that has an interior, and the network is affine on each.
    """
    d = input_dimension(layers)
    for pattern in regions(layers, domain):
        matrix, vector = affine_map(layers, pattern)
        rows = closed(pattern_rows(layers, pattern, domain))
        for a, c, strict in unsafe:
            over_x = [exact(a[j]) + dot(a[d:], [row[j] for row in matrix]) for j in range(d)]
            rows.append(make_row(over_x, c - dot(a[d:], vector), strict))
        point = find_point(rows, d)
        if point is not None:
            return point
    return None
