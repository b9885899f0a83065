"""Kernels that answer "do these rows leave a point?" from a point that satisfies all but the last of them.

The wanted rows are raised together: the walk maximises t subject to ``held >= 0`` and ``wanted >= t``, starting inside
with free directions that take rows in one by one. Where t ends above zero a point strictly inside is at hand, where it
ends below the multipliers prove that there is none; both are checked with error bounds, and what fails is left open.
"""

from __future__ import annotations

from math import frexp, ldexp
from typing import NamedTuple

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.kernels.codes import BLOCKED, ELSEWHERE, ENDLESS, HERE, NOTHING, OPEN, STUCK
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.engine.kernels.simplex import (
    RATE_TOLERANCE,
    has_stalled,
    leaving_column,
    most_pivots,
    pivot,
    turn,
    value,
)
from polyregions.engine.kernels.state import SAFE, TINY, ULP, Walker


class Workspace(NamedTuple):
    """Where one question is worked on.

    rows, error (m, k+1): forms and the error of each entry; lifted (m, k+2): the same over (x, t); walker: in k+1
    dimensions; rival (m,): whom a lead is over; point (k,): what was found; lower, upper (k,): bounds of all points.
    """

    rows: Floats
    error: Floats
    lifted: Floats
    walker: Walker
    rival: Ints
    point: Floats
    lower: Floats
    upper: Floats


class Contest(NamedTuple):
    """Forms that compete in r regions, of c classes each.

    scores, doubt (r, c, k+1): the forms and the error of each entry; points (r, k): inside the regions.
    """

    scores: Floats
    doubt: Floats
    points: Floats


class Verdicts(NamedTuple):
    """What is said of every region and class.

    status (r, c): whether the class wins somewhere in the region; found (r, c, k): where, if ELSEWHERE; support
    (r, c, k+1): for what is OPEN the rows on which a proof of emptiness may rest, see `note_support`.
    """

    status: Bytes
    found: Floats
    support: Ints


def allocate_workspace(n_rows: int, lower: Floats, upper: Floats) -> Workspace:
    """Room for questions of at most so many rows, within bounds (k,); O(k^2 + m k) numbers."""
    k = len(lower)
    walker = Walker(
        vertex=np.zeros(k + 1),
        inverse=np.zeros((k + 1, k + 1)),
        basis=np.zeros(k + 1, dtype=np.int64),
        gain=np.zeros(k + 1),
        total=np.zeros(k + 2),
        axis=np.zeros(k + 2),
        block=np.zeros((k + 1, k + 1)),
    )
    shape = (n_rows, k + 1)
    lifted, rival = np.zeros((n_rows, k + 2)), np.zeros(n_rows, dtype=np.int64)
    return Workspace(np.zeros(shape), np.zeros(shape), lifted, walker, rival, np.zeros(k), lower, upper)


@entry
def answer_all(
    work: Workspace, n_domain: int, ends: Ints, rows: Floats, error: Floats, starts: Floats, status: Bytes
) -> None:
    """Questions one after another: the rows up to each end, of which only the last one does not hold at its start.

    The domain's rows lie in the workspace. The status is NOTHING, OPEN, or ELSEWHERE, where the start becomes the
    point found.

    ends, status (q,); rows, error (M, k+1): those of all questions; starts (q, k).
    """
    first = 0
    for q in range(len(ends)):
        end, n_rows = ends[q], n_domain
        for i in range(first, end):
            put_row(work, n_rows, rows[i], error[i], i == end - 1)
            n_rows += 1
        status[q] = answer(work, n_rows - 1, n_rows, starts[q])
        if status[q] == ELSEWHERE:
            for c in range(len(work.point)):
                starts[q, c] = work.point[c]
        first = end


@entry
def cut_regions(
    work: Workspace,
    n_domain: int,
    ends: Ints,
    rows: Floats,
    error: Floats,
    contest: Contest,
    verdicts: Verdicts,
) -> None:
    """For every region and class, whether the class has the largest score somewhere in the region.

    The domain's rows lie in the workspace; rows (M, k+1) are those of the regions up to their ends (r,).
    """
    scores, doubt, points = contest.scores, contest.doubt, contest.points
    status, found, support = verdicts.status, verdicts.found, verdicts.support
    first = 0
    for i in range(len(ends)):
        n_held = n_domain
        for j in range(first, ends[i]):
            put_row(work, n_held, rows[j], error[j], False)
            n_held += 1
        best = winner_at(scores[i], doubt[i], points[i])
        for k in range(scores.shape[1]):
            status[i, k] = (
                HERE if k == best else part_of_class(work, n_held, scores[i], doubt[i], points[i], k, best)
            )
            if status[i, k] == ELSEWHERE:
                for c in range(len(work.point)):
                    found[i, k, c] = work.point[c]
            elif status[i, k] == OPEN:
                note_support(work, n_held, support[i, k])
        first = ends[i]


@kernel
def winner_at(scores: Floats, doubt: Floats, u: Floats) -> int:
    """The class that certainly has the largest score at a point, -1 if that is not certain.

    scores, doubt (c, k+1): the forms that compete; u (k,).
    """
    best = 0
    for k in range(1, len(scores)):
        if value(scores[k], u) > value(scores[best], u):
            best = k
    low = value(scores[best], u) - uncertainty(scores[best], doubt[best], u)
    for k in range(len(scores)):
        if k != best and not low > value(scores[k], u) + uncertainty(scores[k], doubt[k], u):
            return -1
    return best


@kernel
def part_of_class(
    work: Workspace, n_held: int, scores: Floats, doubt: Floats, u: Floats, k: int, best: int
) -> int:
    """Whether class k wins somewhere in the region whose rows lie in the workspace, and where.

    scores, doubt (c, k+1): the forms that compete; u (k,): a point inside.
    """
    n_rows = n_held
    if best >= 0 and leads_everywhere(work, n_held, scores, doubt, k, best) < 0:
        return NOTHING
    for j in range(len(scores)):
        if j != k:
            sign = leads_everywhere(work, n_rows, scores, doubt, k, j)
            if sign < 0:
                return NOTHING
            if sign == 0:
                work.rival[n_rows] = j
                n_rows += 1
    if n_rows == n_held:
        return HERE
    return answer(work, n_held, n_rows, u)


@kernel
def note_support(work: Workspace, n_held: int, support: Ints) -> None:
    """The rows with a multiplier at the walk's end: a held row's place, n_held + j for a lead over class j; or -1.

    support (k+1,).
    """
    walker = work.walker
    n = len(walker.vertex)
    most = 0.0
    for j in range(n):
        most = max(most, -walker.inverse[n - 1, j])
    for j in range(n):
        row = walker.basis[j]
        support[j] = -1
        if row >= 0 and -walker.inverse[n - 1, j] > 1e-9 * most:
            support[j] = row if row < n_held else n_held + work.rival[row]


@kernel
def leads_everywhere(work: Workspace, at: int, scores: Floats, doubt: Floats, k: int, j: int) -> int:
    """Lay down the lead of class k over class j; 1 if it is positive all over the bounds, -1 if negative, else 0.

    scores, doubt (c, k+1): the forms that compete.
    """
    width = scores.shape[1]
    row, error = work.walker.total, work.walker.axis
    for c in range(width):
        row[c] = scores[k, c] - scores[j, c]
        error[c] = (doubt[k, c] + doubt[j, c] + ULP * abs(row[c])) * SAFE
    put_row(work, at, row[:width], error[:width], True)
    return sign_within(work.rows[at], work.error[at], work.lower, work.upper)


@kernel
def sign_within(row: Floats, error: Floats, lower: Floats, upper: Floats) -> int:
    """1 or -1 if a form certainly has that sign all over the bounds, else 0.

    row, error (k+1,); lower, upper (k,).
    """
    k = len(lower)
    low = high = row[k]
    size, doubt = abs(row[k]), error[k]
    for c in range(k):
        if row[c] != 0.0 or error[c] != 0.0:
            a, b = row[c] * lower[c], row[c] * upper[c]
            low += min(a, b)
            high += max(a, b)
            size += max(abs(a), abs(b))
            doubt += error[c] * max(abs(lower[c]), abs(upper[c]))
    doubt = (doubt + (k + 4) * ULP * size) * SAFE + TINY
    if low > doubt:
        return 1
    return -1 if high < -doubt else 0


@kernel
def put_row(work: Workspace, at: int, row: Floats, error: Floats, is_wanted: bool) -> None:
    """Lay down a row, scaled by a power of two to about 1; TINY covers what may underflow.

    row, error (k+1,).
    """
    k = len(row) - 1
    largest = 0.0
    for c in range(k):
        largest = max(largest, abs(row[c]))
    scale = 1.0
    if 1e-250 < largest < 1e250:
        scale = ldexp(1.0, -frexp(largest)[1])
    for c in range(k + 1):
        work.rows[at, c] = row[c] * scale
        work.error[at, c] = error[c] * scale + (TINY if row[c] != 0.0 or error[c] != 0.0 else 0.0)
    for c in range(k):
        work.lifted[at, c] = work.rows[at, c]
    work.lifted[at, k] = -1.0 if is_wanted else 0.0
    work.lifted[at, k + 1] = work.rows[at, k]


@kernel
def uncertainty(row: Floats, error: Floats, u: Floats) -> float:
    """A bound on the distance of the computed value of a form at a point to the true one.

    row, error (k+1,); u (k,).
    """
    k = len(u)
    doubt, size = error[k], abs(row[k])
    for c in range(k):
        doubt += error[c] * abs(u[c])
        size += abs(row[c] * u[c])
    bound: float = (doubt + (k + 4) * ULP * size) * SAFE + TINY
    return bound


@kernel
def answer(work: Workspace, n_held: int, n_rows: int, u: Floats) -> int:
    """ELSEWHERE with a point where all rows are positive, NOTHING if there is none, both proved; else OPEN.

    The first n_held rows are positive at u (k,).
    """
    result = climb(work, n_held, n_rows, u)
    if result == STUCK:
        return OPEN
    if work.walker.vertex[len(u)] > 0.0:
        return ELSEWHERE if place_point(work, n_held, n_rows, u) else OPEN
    return NOTHING if proves_nothing(work) else OPEN


@kernel
def climb(work: Workspace, n_held: int, n_rows: int, u: Floats) -> int:
    """Walk to the highest t: BLOCKED at an optimum, ENDLESS at some point above zero if there is none, or STUCK.

    u (k,): where to start.
    """
    walker, k = work.walker, len(u)
    start_inside(work, n_held, n_rows, u)
    still = 0
    for _ in range(most_pivots(walker, n_rows)):
        column = rising_column(walker, has_stalled(walker, still))
        if column < 0:
            return BLOCKED
        still = pivot(walker, work.lifted, n_rows, column, still)
        if still < 0:
            step = (1.0 + abs(walker.vertex[k])) / walker.inverse[k, column]
            for c in range(k + 1):
                walker.vertex[c] += step * walker.inverse[c, column]
            return ENDLESS
    return STUCK


@kernel
def start_inside(work: Workspace, n_held: int, n_rows: int, u: Floats) -> None:
    """Put the walk at u (k,), below all wanted rows, free to move along every axis."""
    walker, k = work.walker, len(u)
    lowest = value(work.rows[n_held], u)
    for i in range(n_held + 1, n_rows):
        lowest = min(lowest, value(work.rows[i], u))
    for c in range(k + 1):
        walker.vertex[c] = u[c] if c < k else lowest - 1.0 - abs(lowest)
        walker.basis[c] = -1
        for j in range(k + 1):
            walker.inverse[c, j] = 1.0 if c == j else 0.0


@kernel
def rising_column(walker: Walker, bland: bool) -> int:
    """The column along which t rises most steeply (by Bland's rule the one of the lowest row); -1 if none does.

    A column without a row may be followed either way, so it is turned to where t rises.
    """
    n = len(walker.vertex)
    for j in range(n):
        if walker.basis[j] < 0 and walker.inverse[n - 1, j] < 0.0:
            turn(walker, j)
        walker.gain[j] = walker.inverse[n - 1, j]
    column: int = leaving_column(walker, RATE_TOLERANCE, bland)
    return column


@kernel
def place_point(work: Workspace, n_held: int, n_rows: int, u: Floats) -> bool:
    """Step from the walk's end, where all wanted rows are positive, towards u, half as far as they stay so; proved.

    u (k,): where the walk started.
    """
    k = len(u)
    end = work.walker.vertex[:k]
    share = 0.5
    for i in range(n_held, n_rows):
        here, there = value(work.rows[i], u), value(work.rows[i], end)
        if here < there:
            share = min(share, 0.5 * there / (there - here))
    for c in range(k):
        work.point[c] = end[c] + share * (u[c] - end[c])
    for i in range(n_rows):
        if not value(work.rows[i], work.point) > uncertainty(work.rows[i], work.error[i], work.point):
            return False
    return True


@kernel
def proves_nothing(work: Workspace) -> bool:
    """Whether the multipliers at the walk's end show that the rows are nowhere all positive within the bounds.

    Every point inside makes a sum of rows with multipliers y >= 0, not all 0, positive; so a sum that is negative all
    over the bounds is the proof, t being left out of it.
    """
    walker, k = work.walker, len(work.point)
    total, size = walker.total, walker.axis
    used = 0
    for c in range(k + 1):
        total[c] = size[c] = 0.0
    for j in range(k + 1):
        y = -walker.inverse[k, j]
        i = walker.basis[j]
        if i >= 0 and y > 0.0:
            used += 1
            for c in range(k + 1):
                total[c] += y * work.rows[i, c]
                size[c] += y * (work.error[i, c] + (k + 4) * ULP * abs(work.rows[i, c]))
    for c in range(k + 1):
        size[c] = size[c] * SAFE + TINY
    return used > 0 and sign_within(total[: k + 1], size[: k + 1], work.lower, work.upper) < 0


@entry
def lay_down(work: Workspace, rows: Floats, error: Floats) -> None:
    """Lay down rows that hold for all questions to come, the first ones on the work.

    rows, error (n, k+1).
    """
    for i in range(len(rows)):
        put_row(work, i, rows[i], error[i], False)
