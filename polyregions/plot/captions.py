"""What stands below a picture: which plane it shows, where it ends, what it does not show."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from fractions import Fraction
from math import isfinite
from typing import Final

from polyregions.exact.numbers import nearest_float
from polyregions.networks.problem import Problem
from polyregions.plot.look import Look

MOST: Final = 8  # inputs that are written out
WIDTH: Final = 95  # characters a line


def caption(parts: Sequence[str]) -> str:
    """The parts that are not empty, a line or more each."""
    return "\n".join(line for part in parts for line in textwrap.wrap(part, WIDTH))


def plane_text(problem: Problem, look: Look) -> str:
    """The inputs that are not coordinates of the picture, as numbers or as formulas of these; "" if there are none.

    Numbers have four digits; where these are not all, ``≈`` stands before them. Of many inputs only some of those that
    are fixed are written out.

    >>> import polyregions as pr
    >>> from polyregions.networks.problem import pose
    >>> net = pr.Network.from_layers([([[1, 0, 1]], [0]), ([[1]], [0])])
    >>> fixed = pose(net, pr.Box([-1, 0.5, -1], [1, 0.5, 1]))
    >>> plane_text(fixed, Look.of(fixed))
    'x1 = 0.5'
    >>> oblique = pose(net, pr.plane_through([0, 0, 1], [1, 1, 1], [0, 2, 1]))
    >>> plane_text(oblique, Look.of(oblique))
    'x0 = u, x1 = u + 2 v, x2 = 1'
    """
    hull = problem.solid.hull
    if hull.is_whole:
        return ""
    others = [i for i in range(hull.ambient_dim) if hull.free is None or i not in hull.free]
    if len(others) <= MOST:
        return ", ".join(_equation(problem, look, i) for i in others)
    fixed = [i for i in others if not any(hull.embedding.row(i)[:-1])]
    parts = [_equation(problem, look, i) for i in fixed[:MOST]]
    parts += [f"... ({len(fixed)} fixed inputs in all)"] * (len(fixed) > MOST)
    parts += [f"{len(others) - len(fixed)} inputs vary with {' and '.join(look.axes)}"] * (
        len(others) > len(fixed)
    )
    return ", ".join(parts)


def _equation(problem: Problem, look: Look, i: int) -> str:
    """An input as a formula of the coordinates."""
    embedding = problem.solid.hull.embedding
    *slope, constant = (Fraction(int(entry), int(embedding.denominator)) for entry in embedding.row(i))
    terms = [(value, name) for value, name in zip([*slope, constant], [*look.axes, ""], strict=True) if value]
    parts, is_exact = list[str](), True
    for value, name in terms:
        number, exact = _number(abs(value))
        is_exact &= exact
        sign = "-" if value < 0 else "+" if parts else ""
        size = number if not name else name if number == "1" and exact else f"{number} {name}"
        parts.append(f"{sign} {size}" if parts else f"{sign}{size}")
    return f"{look.inputs[i]} {'=' if is_exact else '≈'} {' '.join(parts) or '0'}"


def _number(value: Fraction) -> tuple[str, bool]:
    """Four digits, and whether these are all: of a float those by which it is read."""
    rounded = nearest_float(value)
    text = f"{rounded:.4g}"
    is_all = isfinite(rounded) and (Fraction(text) == value or (float(text) == rounded and rounded == value))
    return text, is_all
