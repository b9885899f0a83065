"""Kernels that look across the rows of finished regions: which of them are facets, and what lies beyond.

A facet is proved by a point beyond its row and inside all the others; the segment to it from a point inside the
region crosses the facet. That a row is none is proved by the complete list of regions, or by multipliers.
"""

from __future__ import annotations

from typing import NamedTuple

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.kernels.cells import push_row
from polyregions.engine.kernels.codes import FACET, NO_FACET, UNCLEAR, WALL, WHOLE_REGION
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.engine.kernels.compose import enter_first_layer, enter_layer
from polyregions.engine.kernels.simplex import compute_gains, pivot, safe_maximum, turn, value, walk_towards
from polyregions.engine.kernels.state import SAFE, ULP, Chart, Forms, Net, Path, Walker


class Store(NamedTuple):
    """The regions, read only.

    bits, cuts (R, N): of the neurons that are looked at; points (R, k): inside, in the chart; hashes (R,), table
    (2^b,): where to find a pattern, -1 where there is none; keys (N,): what each neuron adds to a hash;
    compared (2, k): the points at which forms are compared.
    """

    bits: Bytes
    cuts: Bytes
    points: Floats
    hashes: Ints
    table: Ints
    keys: Ints
    compared: Floats


class Found(NamedTuple):
    """What a scan found: edges (E, 3) source, target, neuron; points (E, k) on the facets; open rows (Q, 2): region
    and neuron; marks (2,): how many there are of each; ratio, doubt (N,), direction, probe (k,), values (m,): scratch.
    """

    edges: Ints
    points: Floats
    open_rows: Ints
    marks: Ints
    ratio: Floats
    doubt: Floats
    direction: Floats
    probe: Floats
    values: Floats


class Scanner(NamedTuple):
    """What a scan works on: the layers along the current pattern, the rows of the current region, one walk; whether
    the chart's bounds hold the whole domain; and how many rows are the domain's.
    """

    forms: Forms
    path: Path
    walker: Walker
    bounded: bool
    n_domain: int


@entry
def hash_patterns(bits: Bytes, keys: Ints, hashes: Ints) -> None:
    """A hash (R,) of each pattern (R, N): the keys (N,) of its on neurons, joined by exclusive or."""
    for i in range(len(bits)):
        hashes[i] = 0
        for n in range(bits.shape[1]):
            if bits[i, n]:
                hashes[i] ^= keys[n]


@entry
def fill_table(hashes: Ints, table: Ints) -> None:
    """Enter every region, hashes (R,), in a hash table (2^b,) with linear probing."""
    mask = len(table) - 1
    for i in range(len(hashes)):
        place = hashes[i] & mask
        while table[place] >= 0:
            place = (place + 1) & mask
        table[place] = i


@kernel
def flipped_region(store: Store, i: int, n: int) -> int:
    """The region whose pattern differs from that of region i in neuron n alone, -1 if there is none."""
    wanted = store.hashes[i] ^ store.keys[n]
    mask = len(store.table) - 1
    place = wanted & mask
    while store.table[place] >= 0:
        j: int = store.table[place]
        if store.hashes[j] == wanted and differ_only_in(store.bits, i, j, n):
            return j
        place = (place + 1) & mask
    return -1


@entry
def flip_patterns(store: Store, regions: Ints, neurons: Ints, found: Ints) -> None:
    """For regions (M,) and neurons (M,) the regions (M,) whose patterns differ in that neuron alone, -1 for none."""
    for i in range(len(regions)):
        found[i] = flipped_region(store, regions[i], neurons[i])


@entry
def find_patterns(store: Store, bits: Bytes, hashes: Ints, found: Ints) -> None:
    """The regions (B,) that have patterns (B, N) with given hashes (B,), -1 for none."""
    mask = len(store.table) - 1
    for i in range(len(bits)):
        place = hashes[i] & mask
        found[i] = -1
        while store.table[place] >= 0 and found[i] < 0:
            j: int = store.table[place]
            is_same = store.hashes[j] == hashes[i]
            for n in range(bits.shape[1]):
                is_same = is_same and bits[i, n] == store.bits[j, n]
            if is_same:
                found[i] = j
            place = (place + 1) & mask


@kernel
def differ_only_in(bits: Bytes, i: int, j: int, n: int) -> bool:
    """Whether two of the patterns (R, N) are the same but for one neuron."""
    for m in range(bits.shape[1]):  # noqa: SIM110  # kernels hold no generators
        if (bits[i, m] != bits[j, m]) != (m == n):
            return False
    return True


@kernel
def pull_back(net: Net, chart: Chart, forms: Forms, bits: Bytes, known_layers: int) -> int:
    """Bring the forms to a new pattern (N,); layers below the first difference stay. Returns how many are known now."""
    n_layers = len(net.widths)
    first = 0
    while first < len(bits) and bits[first] == forms.bits[first]:
        first += 1
    for n in range(first, len(bits)):
        forms.bits[n] = bits[n]
    layer = 1
    while layer < n_layers and layer < known_layers and net.ends[layer - 1] <= first:
        layer += 1
    while layer < n_layers:
        enter_layer(net, chart, forms, layer)
        layer += 1
    return n_layers


@kernel
def gather_rows(net: Net, forms: Forms, path: Path, n_domain: int, bits: Bytes, cuts: Bytes) -> int:
    """Put the rows of the neurons that cut a region's ancestors after the domain's; how many rows there are.

    bits, cuts (N,): the region's.
    """
    m = n_domain
    for layer in range(len(net.widths)):
        for unit in range(net.widths[layer]):
            n = net.bit[layer, unit]
            if n >= 0 and cuts[n]:
                sign = 1.0 if bits[n] else -1.0
                push_row(path, m, forms.maps[layer, unit], forms.error[layer, unit], sign, n)
                m += 1
    return m


@kernel
def take_ratios(net: Net, forms: Forms, first: Floats, second: Floats, found: Found) -> None:
    """For each neuron the ratio of its form at two points (k,), which is the same for forms that vanish together."""
    for layer in range(len(net.widths)):
        for unit in range(net.widths[layer]):
            n = net.bit[layer, unit]
            if n >= 0:
                s = value(forms.maps[layer, unit], first)
                t = value(forms.maps[layer, unit], second)
                error = forms.error[layer, unit] * SAFE
                if abs(t) > 4.0 * error:
                    found.ratio[n] = s / t
                    size = abs(found.ratio[n])
                    found.doubt[n] = ((1.0 + size) * error / (abs(t) - error) + 4.0 * ULP * size) * SAFE
                else:
                    found.ratio[n] = 0.0
                    found.doubt[n] = 1e300


@kernel
def stands_alone(found: Found, n: int) -> bool:
    """Whether certainly no other neuron's form vanishes on the hyperplane of neuron n."""
    ratio, doubt = found.ratio[n], found.doubt[n] * SAFE
    count = 0
    for m in range(len(found.ratio)):
        count += not abs(found.ratio[m] - ratio) > (found.doubt[m] + doubt) * SAFE
    return count == 1


@kernel
def values_inside(path: Path, n_rows: int, u: Floats, values: Floats) -> bool:
    """The rows at a point (k,), as values (m,); whether it is certainly strictly inside them all."""
    inside = True
    for r in range(n_rows):
        values[r] = value(path.rows[r], u)
        inside = inside and values[r] > path.error[r]
    return inside


@kernel
def is_beyond(chart: Chart, path: Path, n_rows: int, row: int, u: Floats) -> bool:
    """Whether a point (k,) is certainly beyond one row and strictly inside all the others."""
    for c in range(len(u)):  # the error bounds hold within the chart only
        if not chart.lower[c] <= u[c] <= chart.upper[c]:
            return False
    if not value(path.rows[row], u) < -path.error[row]:
        return False
    for r in range(n_rows):  # noqa: SIM110  # kernels hold no generators
        if r != row and not value(path.rows[r], u) > path.error[r]:
            return False
    return True


@kernel
def shoot(chart: Chart, path: Path, n_rows: int, row: int, u: Floats, most: float, found: Found) -> float:
    """Where the ray in `direction` from a point u (k,) inside meets a row before all others: its step, up to `most`.

    Negative if it does not, or if no point beyond can be proved to be there.
    """
    k = len(u)
    along, step, limit = found.direction, -1.0, most
    for r in range(n_rows):
        rate = 0.0
        for c in range(k):
            rate += path.rows[r, c] * along[c]
        if rate < 0.0:
            at = found.values[r] / -rate
            if r == row:
                step = at
            elif at < limit:
                limit = at
    if step < 0.0 or step >= limit:
        return -1.0
    step_to(u, 0.5 * (step + limit), along, found.probe)
    return step if is_beyond(chart, path, n_rows, row, found.probe) else -1.0


@kernel
def step_to(u: Floats, step: float, along: Floats, out: Floats) -> None:
    """A point on a ray; all (k,)."""
    for c in range(len(u)):
        out[c] = u[c] + step * along[c]


@kernel
def find_vertex(walker: Walker, path: Path, n_rows: int, row: int, u: Floats) -> bool:
    """A vertex of the region below a point (k,) inside: k rays, each within the rows met so far, that lower one row."""
    k = len(u)
    for c in range(k):
        walker.vertex[c] = u[c]
        walker.basis[c] = -1
        for j in range(k):
            walker.inverse[c, j] = 1.0 if c == j else 0.0
    for _ in range(k):
        column = steepest_free_column(walker, path.rows[row])
        if pivot(walker, path.rows, n_rows, column, 0) < 0:
            turn(walker, column)
            if pivot(walker, path.rows, n_rows, column, 0) < 0:
                return False
    return True


@kernel
def steepest_free_column(walker: Walker, row: Floats) -> int:
    """The column without a row along which a form (k+1,) falls most, turned so that it does."""
    k = len(walker.vertex)
    compute_gains(walker, row, -1.0)
    best = -1
    for j in range(k):
        if walker.basis[j] < 0 and (best < 0 or abs(walker.gain[j]) > abs(walker.gain[best])):
            best = j
    if walker.gain[best] < 0.0:
        turn(walker, best)
    return best


@kernel
def facet_by_walk(chart: Chart, scanner: Scanner, n_rows: int, row: int, u: Floats, found: Found) -> int:
    """Whether a row is a facet: walk to where it is lowest, and look around there. The facet point goes to `probe`.

    u (k,): a point inside the region.
    """
    k = len(u)
    walker, path = scanner.walker, scanner.path
    if not find_vertex(walker, path, n_rows, row, u):
        return UNCLEAR
    walk_towards(walker, path.rows, n_rows, path.rows[row], -1.0, -8.0 * path.error[row])
    column = -1
    for j in range(k):
        if walker.basis[j] == row:
            column = j
    if column < 0:
        if not scanner.bounded:
            return UNCLEAR
        highest = safe_maximum(walker, path, chart.lower, chart.upper, path.rows[row], path.error[row], -1.0)
        return NO_FACET if highest < 0.0 else UNCLEAR
    for c in range(k):
        found.direction[c] = 0.0
        for j in range(k):
            if j != column:
                found.direction[c] += walker.inverse[c, j]
    room = free_step(walker, path, n_rows, walker.vertex, found.direction)
    step_to(walker.vertex, 0.5 * room, found.direction, found.probe)
    for c in range(k):
        found.direction[c] = -walker.inverse[c, column]
    room = free_step(walker, path, n_rows, found.probe, found.direction)
    for c in range(k):
        walker.vertex[c] = found.probe[c] + 0.5 * room * found.direction[c]
    return FACET if is_beyond(chart, path, n_rows, row, walker.vertex) else UNCLEAR


@kernel
def free_step(walker: Walker, path: Path, n_rows: int, start: Floats, along: Floats) -> float:
    """How far a ray goes until it meets a row that is not tight at the walk's vertex; at most 1.

    start, along (k,): of the ray.
    """
    limit = 1.0
    for r in range(n_rows):
        rate = 0.0
        for c in range(len(start)):
            rate += path.rows[r, c] * along[c]
        tight = False
        for j in range(len(walker.basis)):
            tight = tight or walker.basis[j] == r
        if rate < 0.0 and not tight:
            limit = min(limit, max(value(path.rows[r], start), 0.0) / -rate)
    return limit


@kernel
def note_edge(found: Found, i: int, j: int, n: int, u: Floats) -> None:
    """Write an edge down, with a point (k,) on the facet."""
    at = found.marks[0]
    found.edges[at, 0], found.edges[at, 1], found.edges[at, 2] = i, j, n
    for c in range(len(u)):
        found.points[at, c] = u[c]
    found.marks[0] = at + 1


@kernel
def note_open(found: Found, i: int, n: int) -> None:
    """Leave a row of a region to exact arithmetic."""
    at = found.marks[1]
    found.open_rows[at, 0], found.open_rows[at, 1] = i, n
    found.marks[1] = at + 1


@kernel
def cross(
    chart: Chart, scanner: Scanner, found: Found, n_rows: int, row: int, u: Floats, target: Floats
) -> int:
    """Whether a row is a facet (a point on it goes to `probe`): rays towards a target and straight on, then a walk.

    u (k,): a point inside the region; target (k,).
    """
    for c in range(len(u)):
        found.direction[c] = target[c] - u[c]
    step = shoot(chart, scanner.path, n_rows, row, u, 1.0, found)
    if step < 0.0:
        for c in range(len(u)):
            found.direction[c] = -scanner.path.rows[row, c]
        step = shoot(chart, scanner.path, n_rows, row, u, 2.0, found)
    if step >= 0.0:
        step_to(u, step, found.direction, found.probe)
        return FACET
    return facet_by_walk(chart, scanner, n_rows, row, u, found)


@kernel
def look_across(
    chart: Chart, scanner: Scanner, store: Store, found: Found, n_rows: int, i: int, j: int, row: int
) -> None:
    """Decide whether region i has a facet on one of its rows, with region j beyond it."""
    n = scanner.path.source[row]
    answer = cross(chart, scanner, found, n_rows, row, store.points[i], store.points[j])
    if answer == FACET:
        note_edge(found, i, j, n, found.probe)
    elif answer == UNCLEAR:
        note_open(found, i, n)


@kernel
def look_around(chart: Chart, scanner: Scanner, store: Store, found: Found, n_rows: int, i: int) -> None:
    """Look across every row of region i that leads to a higher region, or may."""
    if not values_inside(scanner.path, n_rows, store.points[i], found.values):
        note_open(found, i, WHOLE_REGION)
        return
    for row in range(scanner.n_domain, n_rows):
        n = scanner.path.source[row]
        if not stands_alone(found, n):
            note_open(found, i, n)
        elif not store.bits[i, n]:
            j = flipped_region(store, i, n)
            if j >= 0:
                look_across(chart, scanner, store, found, n_rows, i, j, row)


@kernel
def look_at_walls(chart: Chart, scanner: Scanner, store: Store, found: Found, n_rows: int, i: int) -> None:
    """Decide which rows of the domain are facets of region i; the row stands in place of the neuron."""
    if not values_inside(scanner.path, n_rows, store.points[i], found.values):
        note_open(found, i, WHOLE_REGION)
        return
    for row in range(scanner.n_domain):
        answer = cross(chart, scanner, found, n_rows, row, store.points[i], store.points[i])
        if answer == FACET:
            note_edge(found, i, WALL, row, found.probe)
        elif answer == UNCLEAR:
            note_open(found, i, row)


@kernel
def look_at_rows(chart: Chart, scanner: Scanner, store: Store, found: Found, n_rows: int, i: int) -> None:
    """Decide which neurons' rows are facets of region i, whatever is beyond them."""
    if not values_inside(scanner.path, n_rows, store.points[i], found.values):
        note_open(found, i, WHOLE_REGION)
        return
    for row in range(scanner.n_domain, n_rows):
        n = scanner.path.source[row]
        answer = cross(chart, scanner, found, n_rows, row, store.points[i], store.points[i])
        if answer == FACET:
            note_edge(found, i, WALL, n, found.probe)
        elif answer == UNCLEAR:
            note_open(found, i, n)


# One loop for each question, so that asking one does not wait until the others are compiled.


@entry
def scan_edges(
    net: Net, chart: Chart, scanner: Scanner, store: Store, found: Found, first: int, end: int
) -> None:
    """Look from the regions from `first` to before `end` across the rows that may lead to a higher one."""
    known_layers = 1
    enter_first_layer(net.widths[0], chart, scanner.forms)
    for i in range(first, end):
        known_layers = pull_back(net, chart, scanner.forms, store.bits[i], known_layers)
        n_rows = gather_rows(net, scanner.forms, scanner.path, scanner.n_domain, store.bits[i], store.cuts[i])
        take_ratios(net, scanner.forms, store.compared[0], store.compared[1], found)
        look_around(chart, scanner, store, found, n_rows, i)


@entry
def scan_domain(
    net: Net, chart: Chart, scanner: Scanner, store: Store, found: Found, first: int, end: int
) -> None:
    """Look from the same regions at the rows of the domain."""
    known_layers = 1
    enter_first_layer(net.widths[0], chart, scanner.forms)
    for i in range(first, end):
        known_layers = pull_back(net, chart, scanner.forms, store.bits[i], known_layers)
        n_rows = gather_rows(net, scanner.forms, scanner.path, scanner.n_domain, store.bits[i], store.cuts[i])
        look_at_walls(chart, scanner, store, found, n_rows, i)


@entry
def scan_neurons(
    net: Net, chart: Chart, scanner: Scanner, store: Store, found: Found, first: int, end: int
) -> None:
    """Look from the same regions at the rows of neurons, whatever is beyond them."""
    known_layers = 1
    enter_first_layer(net.widths[0], chart, scanner.forms)
    for i in range(first, end):
        known_layers = pull_back(net, chart, scanner.forms, store.bits[i], known_layers)
        n_rows = gather_rows(net, scanner.forms, scanner.path, scanner.n_domain, store.bits[i], store.cuts[i])
        look_at_rows(chart, scanner, store, found, n_rows, i)
