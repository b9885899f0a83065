"""The outputs on one region as forms that compete: the class with the largest score wins."""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats
from polyregions.errors import OptionError
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.germs import Germ
from polyregions.networks.network import Network
from polyregions.polyhedra.oracle.forms import Form
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT
from polyregions.regions.chunks import Chunk
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

RULES = ("argmax", "argmin", "sign")
AUTO = "auto"


def chosen_rule(network: Network, rule: str) -> str:
    """A rule of `RULES`: the one that is named, or for "auto" the sign of one output or the largest of several.

    Raises:
        OptionError: see `check_rule`.
    """
    if rule == AUTO:
        return "sign" if network.n_outputs == 1 else "argmax"
    if rule not in RULES:
        raise OptionError(f"rule {rule!r}, expected one of {', '.join((AUTO, *RULES))}")
    check_rule(network, rule)
    return rule


def check_rule(network: Network, rule: str) -> None:
    """Refuse a rule that is none, or that does not fit the network.

    Raises:
        OptionError: it is not one of `RULES`, or it is "sign" and the network does not have one output.
    """
    if rule not in RULES:
        raise OptionError(f"rule {rule!r}, expected one of {', '.join(RULES)}")
    if rule == "sign" and network.n_outputs != 1:
        raise OptionError(f"rule 'sign': {network.name} has {network.n_outputs} outputs, expected 1")


def scores(rule: str, outputs: Floats) -> Floats:
    """The forms (..., classes, k+1) that compete under a rule, from the outputs' (..., c, k+1).

    By sign the one output competes, as class 1, with class 0, which always scores 0.
    """
    if rule == "sign":
        return np.concatenate([np.zeros_like(outputs), outputs], axis=-2)
    return -outputs if rule == "argmin" else outputs


def competing(chunk: Chunk, rule: str) -> tuple[Floats, Floats]:
    """What the classes score on each region of a chunk: forms (r, classes, k+1) and the error of each entry."""
    outputs, error = chunk.outputs()
    return scores(rule, outputs), np.abs(scores(rule, error))


class Outputs:
    """What the classes score on one region, as affine forms over the hull's coordinates.

    Args:
        regions: the regions.
        i: one of them.
        rule: one of `RULES`.
        forms: shares layers between the regions that are asked about one after another.
    """

    def __init__(self, regions: RegionSet, i: int, rule: str, forms: RegionForms | None = None) -> None:
        pattern = regions.patterns[i]
        last = (forms or RegionForms(regions)).along(i)[-1]
        self._last, self._bits = last, pattern[len(pattern) - len(last.kinked) :]
        slopes = last.slopes_along(self._bits)
        self._rule = rule
        self.rows = scores(rule, last.rows * slopes[:, None])
        error = last.error * np.abs(slopes)[:, None]
        self.error = (np.abs(scores(rule, error)) + UNIT * np.abs(self.rows)) * SAFE
        self._exact: list[list[int]] | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.rows)

    def lead(self, k: int, i: int) -> Form:
        """The form that is positive where class k scores more than class i."""
        row = self.rows[k] - self.rows[i]
        error = (self.error[k] + self.error[i] + UNIT * np.abs(row)) * SAFE
        error[(self.rows[k] == 0) & (self.rows[i] == 0) & (error <= TINY)] = 0.0
        return Form(row, error, lambda: self._exact_lead(k, i))

    def _exact_lead(self, k: int, i: int) -> list[int]:
        if self._exact is None:
            self._exact = exact_scores(self._rule, self._last.exact_output(self._bits))
        return [a - b for a, b in zip(self._exact[k], self._exact[i], strict=True)]


def exact_scores(rule: str, outputs: IntegerAffine) -> list[list[int]]:
    """The integer forms that compete under a rule, all with the denominator of the outputs."""
    rows = [outputs.row(k) for k in range(outputs.shape[0])]
    if rule == "sign":
        return [[0] * outputs.shape[1], *rows]
    return [[-entry for entry in row] for row in rows] if rule == "argmin" else rows


def winner(germ: Germ, rule: str) -> int:
    """The class that wins just beside a point: the first with the largest (score, rate)."""
    sign = -1 if rule == "argmin" else 1
    pairs = [(sign * value, sign * rate) for value, rate in zip(germ.value, germ.rate, strict=True)]
    if rule == "sign":
        pairs = [(type(pairs[0][0])(0), type(pairs[0][1])(0)), *pairs]
    return pairs.index(max(pairs))
