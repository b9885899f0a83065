"""Layers pulled back to the input: pre-activations as affine forms of x along one activation pattern.

Each form is a float row with a running error bound (`gamma_n |W| |M|` carried through the
composition), and the same in integers, computed only when somebody asks. The bound is relative
to what was rounded, which holds because a tame network (see `float_range`) nowhere underflows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.exact.affine import IntegerAffine, compose, scale_rows
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.network import Layer, Network
from polyregions.polyhedra.oracle.forms import Bounds, Form
from polyregions.polyhedra.oracle.proof import SAFE, UNIT, gamma, upper_bound


class ComposedLayers:
    """The layers of one network, ready to be composed along any pattern.

    Args:
        network: the network whose layers are pulled back.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.layers: tuple[Layer, ...] = network.layers
        self.kinked = [np.flatnonzero(layer.splitting) for layer in self.layers]
        self._affines: list[IntegerAffine | None] = [None] * len(self.layers)

    def affine(self, index: int) -> IntegerAffine:
        """The exact affine map of one layer, made when first asked for."""
        found = self._affines[index]
        if found is None:
            found = self._affines[index] = affine_of_layer(self.layers[index])
        return found

    def first(self) -> PulledLayer:
        """The first layer, which is its own pull-back."""
        return PulledLayer(self, 0, None, None)

    def along(self, pattern: Bools) -> Iterator[PulledLayer]:
        """Every layer pulled back along one activation pattern (N,)."""
        layer, at = self.first(), 0
        yield layer
        while not layer.is_last:
            n = len(self.kinked[layer.index])
            layer = layer.next(pattern[at : at + n])
            at += n
            yield layer

    def last_along(self, pattern: Bools) -> PulledLayer:
        """The last layer pulled back along a pattern (N,)."""
        *_, last = self.along(pattern)
        return last


class PulledLayer:
    """One layer's pre-activations as affine forms of the input, on the cell where the layers before are fixed.

    Attributes:
        index: which layer of the network.
        rows: (n, d+1) float64 forms, the constant last.
        error: (n, d+1) bound on each entry's distance to the true one; infinite after the first layer of a
            network that is not tame (see `float_range`), whose rows are then only a guess.
    """

    def __init__(
        self, layers: ComposedLayers, index: int, inner: PulledLayer | None, slopes: Floats | None
    ) -> None:
        self.layers = layers
        self.index = index
        self._inner = inner
        self._slopes = slopes
        self._signs: Ints | None = None
        layer = layers.layers[index]
        is_tame = layers.network.is_tame
        if inner is None or slopes is None:
            self.rows, self.error = _given(layer, is_tame)
        else:
            with np.errstate(all="ignore"):
                self.rows, self.error = composed(layer, slopes, inner.rows, inner.error)
            if not is_tame:
                self.error = np.full_like(self.rows, np.inf)

    @property
    def is_last(self) -> bool:
        """Whether the network ends here."""
        return self.index == len(self.layers.layers) - 1

    @property
    def kinked(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Units of this layer that have a bit in the pattern."""
        return self.layers.kinked[self.index]

    @cached_property
    def exact(self) -> IntegerAffine:
        """All pre-activations of this layer as one integer matrix over a denominator."""
        affine = self.layers.affine(self.index)
        if self._inner is None or self._slopes is None:
            return affine
        return compose(affine, scale_rows(self._inner.exact, self._slopes.tolist()))

    def signs_within(self, bounds: Bounds) -> Ints:
        """For each unit (n,) 1 if it is positive all over the bounds, -1 if nowhere positive, 0 if that is open.

        The bounds are the same for all cells of a run, so the answer is kept.
        """
        if self._signs is None:
            never_positive = upper_bound(self.rows, self.error, bounds) <= 0
            never_negative = upper_bound(-self.rows, self.error, bounds) < 0
            self._signs = never_negative.astype(np.int64) - never_positive
        return self._signs

    def form(self, unit: int) -> Form:
        """The pre-activation of one unit."""
        return Form(self.rows[unit], self.error[unit], lambda: self.exact.row(unit))

    def slopes_along(self, bits: Bools | Sequence[bool]) -> Floats:
        """Slope (n,) of every unit when the kinked ones have the given bits."""
        slopes = self.layers.layers[self.index].slopes
        chosen = slopes[:, 1].copy()
        on = np.asarray(bits, dtype=np.bool_)
        chosen[self.kinked] = np.where(on, slopes[self.kinked, 1], slopes[self.kinked, 0])
        return chosen

    def next(self, bits: Bools | Sequence[bool]) -> PulledLayer:
        """The layer after this one, where this one's kinked units have the given bits (q,)."""
        return PulledLayer(self.layers, self.index + 1, self, self.slopes_along(bits))

    def output(self, bits: Bools | Sequence[bool]) -> tuple[Floats, Floats]:
        """Weight (n, d) and bias (n,) after the units, in float64."""
        with np.errstate(all="ignore"):
            active = self.slopes_along(bits)[:, None] * self.rows
        return active[:, :-1], active[:, -1]

    def exact_output(self, bits: Bools | Sequence[bool]) -> IntegerAffine:
        """The map after the units, exactly; bits (q,) are those of the kinked ones."""
        return scale_rows(self.exact, self.slopes_along(bits).tolist())


def _given(layer: Layer, is_tame: bool) -> tuple[Floats, Floats]:
    """A layer's own rows and the bound on their error."""
    rows = np.column_stack([layer.weight, layer.bias])
    if layer.exact is None:
        return rows, np.zeros_like(rows)
    return rows, np.abs(rows) * UNIT if is_tame else np.full_like(rows, np.inf)


def composed(layer: Layer, slopes: Floats, inner: Floats, inner_error: Floats) -> tuple[Floats, Floats]:
    """``W (slopes * inner) + [0 | b]`` and the bound on its error in a tame network, exact zeros staying exact.

    Args:
        layer: W (n, k) and b (n,).
        slopes: (k,) of the units before it.
        inner: (k, d+1) their forms.
        inner_error: (k, d+1) entrywise bounds on the error of these.
    """
    weight, size = layer.weight, np.abs(layer.weight)
    active, doubt = slopes[:, None] * inner, np.abs(slopes)[:, None] * inner_error
    rows = weight @ active
    rows[:, -1] += layer.bias
    magnitude = size @ np.abs(active)
    magnitude[:, -1] += np.abs(layer.bias)
    error = size @ doubt + gamma(layer.n_inputs + 3) * magnitude
    if layer.exact is not None:
        error += UNIT * (magnitude + size @ doubt)
    return rows, error * SAFE
