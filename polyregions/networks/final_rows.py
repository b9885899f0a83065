"""Conditions on outputs behind a final Softmax or the like, as conditions on the values in front of it.

A condition is a row over [x, p, 1], with p the outputs and y the values in front:

* without outputs: it stays as it is;
* decided for all p at once, as probabilities lie strictly between 0 and 1 and those of a Softmax add up to 1;
* a comparison of two outputs: the same of y, since the function is common and strictly increasing; of a LogSoftmax any
  row whose coefficients add up to 0, since what is subtracted from each y cancels;
* a threshold of one Sigmoid, or of a Softmax or LogSoftmax of two outputs: of y, or of y_0 - y_1, at a logarithm. That
  is irrational, but for a probability of 1/2.

Anything else (a threshold of a Softmax of three or more, sums, inputs mixed with outputs) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from flint import arb

from polyregions.errors import UnsupportedError
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.final_values import logit


@dataclass(frozen=True)
class Linear:
    """``row . [x, y, 1] >= 0`` with rational entries, or ``> 0``."""

    row: tuple[Fraction, ...]
    strict: bool


@dataclass(frozen=True)
class Above:
    """``sign * (row . [x, y, 1] - number) >= 0`` for an irrational number: equality cannot happen."""

    row: tuple[Fraction, ...]
    sign: int
    number: Callable[[], arb]


Condition: TypeAlias = Linear | Above


def condition_of(
    function: FinalFunction, n_inputs: int, row: Sequence[int], strict: bool, where: str
) -> Condition | bool:
    """The condition on the values in front of a final function; True or False if it always or never holds.

    Args:
        function: the final function.
        n_inputs: how many entries of the row are coefficients of inputs.
        row: integers (d+c+1,) over [x, p, 1]; the row is >= 0, or > 0.
        strict: whether it is > 0.
        where: for messages.

    Raises:
        UnsupportedError: there is no translation.
    """
    x, b, constant = row[:n_inputs], row[n_inputs:-1], row[-1]
    used = [j for j, e in enumerate(b) if e]
    same = Linear(tuple(map(Fraction, row)), strict)
    if not used or (function == "LogSoftmax" and sum(b) == 0):
        return same
    if not any(x):
        known = _always(function, b, constant, strict)
        if known is not None:
            return known
        if function != "ArgMax" and len(used) == 2 and sum(b) == 0 and constant == 0:
            return same
        found = _threshold(function, n_inputs, b, constant, strict)
        if found is not None:
            return found
    raise _refusal(function, len(b), len(used), where)


def _always(function: FinalFunction, b: Sequence[int], constant: int, strict: bool) -> bool | None:
    """Whether ``b . p + constant`` is >= 0 (> 0) for all outputs that the function can give, or for none."""
    low, high = _reach(function, b)
    if low is not None and low == high:
        return low + constant > 0 or (low + constant == 0 and not strict)
    if low is not None and low + constant >= 0:
        return True
    return False if high is not None and high + constant <= 0 else None


def _reach(function: FinalFunction, b: Sequence[int]) -> tuple[int | None, int | None]:
    """Ends of the values of ``b . p``, which are not reached unless they are equal; None for infinite."""
    if function == "Softmax":
        return min(b), max(b)
    if function == "Sigmoid":
        return sum(min(e, 0) for e in b), sum(max(e, 0) for e in b)
    if function == "LogSoftmax" and len(b) == 1:
        return 0, 0
    if function == "LogSoftmax" and all(e <= 0 for e in b):
        return 0, None
    if function == "LogSoftmax" and all(e >= 0 for e in b):
        return None, 0
    return None, None


def _threshold(
    function: FinalFunction, n_inputs: int, b: Sequence[int], constant: int, strict: bool
) -> Condition | None:
    """One output, or a combination of two that add up to 1, above or below a number."""
    found = lead_of(function, b)
    if found is None:
        return None
    factor, offset, lead = found
    threshold = Fraction(-(constant + offset), factor)
    row = tuple(map(Fraction, [*[0] * n_inputs, *lead, 0]))
    sign = 1 if factor > 0 else -1
    if function != "LogSoftmax" and threshold == Fraction(1, 2):
        return Linear(tuple(sign * r for r in row), strict)
    return Above(row, sign, logit(threshold, function))


def lead_of(function: FinalFunction, b: Sequence[int]) -> tuple[int, int, list[int]] | None:
    """What ``b . p`` is as ``factor * f(lead . y) + offset`` with an increasing f; None if it is nothing of the kind.

    f is the logistic function, and of a LogSoftmax its logarithm.
    """
    used = [j for j, e in enumerate(b) if e]
    if function == "Sigmoid" and len(used) == 1:
        return b[used[0]], 0, [int(j == used[0]) for j in range(len(b))]
    if function == "Softmax" and len(b) == 2 and b[0] != b[1]:  # b0 p0 + b1 (1 - p0)
        return b[0] - b[1], b[1], [1, -1]
    if function == "LogSoftmax" and len(b) == 2 and len(used) == 1:
        return b[used[0]], 0, [1, -1] if used[0] == 0 else [-1, 1]
    return None


def _refusal(function: FinalFunction, n_outputs: int, n_used: int, where: str) -> UnsupportedError:
    reason = "is not piecewise linear"
    if n_used == 1 and function in ("Softmax", "LogSoftmax"):
        reason = f"of {n_outputs} outputs: where one of them equals a number is no polyhedron"
    return UnsupportedError(
        f"{where}: asks about outputs behind a {function} in a way that cannot be brought in front of it ({reason}); "
        "comparisons of two outputs can, and thresholds of a Sigmoid or of a Softmax of two; "
        "network.without_final_function(), on the command line --logits, asks about the values in front"
    )
