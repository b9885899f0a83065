"""What floating point can prove: signs at a point, and emptiness from multipliers.

Every function here returns True (or a sign) only if it is certain in real arithmetic, whatever was
rounded on the way: each value comes with a bound on its own error. Anything that is not a number
makes the comparisons false, and so the answer "not proved".
Sources: Higham, Accuracy and Stability of Numerical Algorithms, ch. 3 (running error bounds);
Neumaier and Shcherbina, Safe bounds in linear and mixed-integer programming (2004).
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats
from polyregions.polyhedra.oracle.forms import Bounds

UNIT = 2.0**-53
TINY = 1e-290  # more than any number of underflows in one step hide; makes up for them in a bound
SAFE = 1.0 + 2.0**-20  # covers the rounding made while a bound itself is computed


def gamma(n: int) -> float:
    """Higham's gamma_n = n u / (1 - n u): the relative error of n roundings."""
    return n * UNIT / (1 - n * UNIT)


@np.errstate(all="ignore")
def values_with_error(rows: Floats, error: Floats, x: Floats) -> tuple[Floats, Floats]:
    """The forms at x (m,) and a bound (m,) on how far the true values are from them.

    Args:
        rows: (m, k+1) forms.
        error: (m, k+1) entrywise error bounds.
        x: (k,) a float64 point, taken as exact.
    """
    value = rows[:, :-1] @ x + rows[:, -1]
    size = np.abs(x)
    magnitude = np.abs(rows[:, :-1]) @ size + np.abs(rows[:, -1])
    bound = error[:, :-1] @ size + error[:, -1] + gamma(rows.shape[1] + 1) * magnitude
    return value, bound * SAFE + TINY


@np.errstate(all="ignore")
def values_at_points(rows: Floats, error: Floats, points: Floats) -> tuple[Floats, Floats]:
    """As `values_with_error`, for many points (n, k) at once: values and bounds (n, m)."""
    size = np.abs(points)
    value = points @ rows[:, :-1].T + rows[:, -1]
    magnitude = size @ np.abs(rows[:, :-1]).T + np.abs(rows[:, -1])
    bound = size @ error[:, :-1].T + error[:, -1] + gamma(rows.shape[1] + 1) * magnitude
    return value, bound * SAFE + TINY


def sign_at(row: Floats, error: Floats, x: Floats) -> int:
    """The sign (+1 or -1) of one form (k+1,) with entrywise error bounds (k+1,) at x (k,) if certain, else 0."""
    value, bound = values_with_error(row[None], error[None], x)
    if value[0] > bound[0]:
        return 1
    return -1 if value[0] < -bound[0] else 0


def is_inside(rows: Floats, error: Floats, x: Floats) -> bool:
    """Whether x (k,) is certainly strictly inside ``{rows @ [x, 1] > 0}``, rows and error (m, k+1)."""
    value, bound = values_with_error(rows, error, x)
    return bool(np.all(value > bound))


@np.errstate(all="ignore")
def is_empty(rows: Floats, error: Floats, multipliers: Floats, bounds: Bounds) -> bool:
    """Whether multipliers y >= 0 prove that ``{rows @ [x, 1] > 0}`` has no point within the bounds.

    Every x inside has ``sum y_i row_i(x) > 0``; so a sum that is negative all over the bounds is the proof.

    Args:
        rows: (m, k+1) forms.
        error: (m, k+1) entrywise error bounds.
        multipliers: (m,) y; what is negative counts as 0.
        bounds: those of x.
    """
    y = np.maximum(multipliers, 0.0)
    used = y > 0
    if not np.any(used):
        return False
    y, rows, error = y[used], rows[used], error[used]
    total = y @ rows
    bound = (y @ error + gamma(len(y) + 1) * (y @ np.abs(rows))) * SAFE + TINY
    return bool(upper_bound(total[None], bound[None], bounds)[0] < 0)


@np.errstate(all="ignore")
def upper_bound(rows: Floats, error: Floats, bounds: Bounds) -> Floats:
    """An upper bound (m,) on each form over the bounds; inf where there is none."""
    normal, slack = rows[:, :-1], error[:, :-1]
    corner = np.where(normal > 0, bounds.upper, bounds.lower)
    terms = np.where(normal == 0, 0.0, normal * corner)
    reach = np.maximum(np.abs(bounds.lower), np.abs(bounds.upper))
    doubt = np.where(slack == 0, 0.0, slack * reach)
    value = terms.sum(axis=1) + rows[:, -1]
    magnitude = np.abs(terms).sum(axis=1) + np.abs(rows[:, -1])
    total = doubt.sum(axis=1) + error[:, -1] + gamma(rows.shape[1] + 1) * magnitude
    bound = value + total * SAFE + TINY
    bound += UNIT * 4 * np.abs(bound)
    return np.where(np.isnan(bound), np.inf, bound)
