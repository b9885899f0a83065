"""How a picture is labelled and laid out: names, title, aspect, the ends of the colour scale. No drawing here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.errors import OptionError
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem
from polyregions.plot.sections import axis_names

Percentiles: TypeAlias = "str | tuple[float, float]"

ASPECTS: Final = ("auto", "equal", "free")
READABLE: Final = 5.0
"""How many times longer than wide a picture with one scale on both axes may be."""


@dataclass(frozen=True)
class Look:
    """What a picture is labelled with, checked.

    Attributes:
        inputs: names of the d inputs.
        axes: names of the k coordinates.
        classes: names of the classes, as the rule counts them, or None if they have none.
        title: the heading, None for the usual one.
        aspect: "equal" (one scale for both axes), "free", or "auto" for whichever can be read.
        percentiles: the ends of the colour scale as percentiles of the values, or "auto", see `scale_of`.
    """

    inputs: tuple[str, ...]
    axes: tuple[str, ...]
    classes: tuple[str, ...] | None = None
    title: str | None = None
    aspect: str = "auto"
    percentiles: Percentiles = "auto"

    @classmethod
    def of(
        cls,
        problem: Problem,
        rule: str = "auto",
        *,
        input_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        title: str | None = None,
        aspect: str = "auto",
        percentiles: Any = "auto",
    ) -> Look:
        """The look that the options of `plot_regions` ask for.

        Raises:
            OptionError: names that are not one for each, an unknown aspect, percentiles that are none.
        """
        if aspect not in ASPECTS:
            raise OptionError(f"aspect {aspect!r}, expected one of {', '.join(ASPECTS)}")
        inputs, axes = _input_names(problem, input_names)
        return cls(
            inputs,
            axes,
            _class_names(problem.network, chosen_rule(problem.network, rule), class_names),
            title,
            aspect,
            checked_percentiles(percentiles),
        )

    def class_name(self, k: int) -> str:
        """What a class is called; labels of data may be beyond the classes of the network."""
        return self.classes[k] if self.classes and k < len(self.classes) else f"class {k}"

    def output_name(self, network: Network, j: int) -> str:
        """What an output is called: as the class that it stands for, where there are several."""
        if network.n_outputs == 1:
            return "output"
        return self.classes[j] if self.classes else f"output {j}"

    def is_equal(self, lower: Floats, upper: Floats) -> bool:
        """Whether both axes of a picture between two corners have one scale."""
        width, height = (upper - lower).tolist()
        return self.aspect == "equal" or (
            self.aspect == "auto" and max(width, height) <= READABLE * min(width, height)
        )


@dataclass(frozen=True)
class Scale:
    """What a colour bar shows.

    Attributes:
        low, high: the values at its ends.
        label: what is measured.
        goes_below, goes_beyond: whether there are values below the lower end, and above the upper one.
    """

    low: float
    high: float
    label: str = ""
    goes_below: bool = False
    goes_beyond: bool = False

    @property
    def extend(self) -> str:
        """matplotlib's word for what lies beyond the ends."""
        words = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
        return words[self.goes_below, self.goes_beyond]

    def places(self, values: Floats) -> Floats:
        """Where values (n,) are between the ends, from 0 to 1."""
        if self.low == self.high:
            return np.full(len(values), 0.5)
        places: Floats = np.clip((values - self.low) / (self.high - self.low), 0, 1)
        return places


ROBUST: Final = (2.0, 98.0)
OUTLYING: Final = 2.0
"""How many times wider than the robust range all values may spread before the scale leaves some out."""


def scale_of(values: Floats, percentiles: Percentiles = "auto", label: str = "") -> Scale:
    """The colour scale for some numbers; infinite ones lie beyond its ends.

    Args:
        values: (n,) numbers.
        percentiles: which of them the ends are; "auto" for all, or for the 2nd and 98th where a few outliers would
            take more than half of the scale.
        label: what is measured.

    >>> scale_of(np.arange(5.0))
    Scale(low=0.0, high=4.0, label='', goes_below=False, goes_beyond=False)
    >>> scale_of(np.append(np.arange(100.0), 1e6)).high
    98.0
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Scale(0.0, 0.0, label, bool(np.any(values < 0)), bool(np.any(values > 0)))
    ends = (0.0, 100.0) if isinstance(percentiles, str) else percentiles
    low, high = np.percentile(finite, ends, method="nearest").tolist()
    inner_low, inner_high = np.percentile(finite, ROBUST, method="nearest").tolist()
    if isinstance(percentiles, str) and high - low > OUTLYING * (inner_high - inner_low) > 0:
        low, high = inner_low, inner_high
    return Scale(low, high, label, bool(np.any(values < low)), bool(np.any(values > high)))


def checked_percentiles(percentiles: Any) -> Percentiles:
    """Percentiles as two floats, or "auto".

    Raises:
        OptionError: neither "auto" nor two numbers, the smaller one first, from 0 to 100.
    """
    if isinstance(percentiles, str) and percentiles == "auto":
        return percentiles
    try:
        low, high = (float(end) for end in percentiles)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not 0 <= low < high <= 100:
        raise OptionError(f"percentiles {percentiles!r}, expected 'auto' or (low, high) from 0 to 100")
    return low, high


def one_colour(color: Any, colour: Any, default: str = "auto") -> Any:
    """The colouring, whichever way it is spelt; the default, which `color` then is, if neither is given.

    Raises:
        OptionError: both.
    """
    if colour is None:
        return color
    if not (isinstance(color, str) and color == default):
        raise OptionError("color and colour are one option, expected one of them")
    return colour


def _input_names(problem: Problem, names: Sequence[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the inputs and of the coordinates; names may be given for the one or the other."""
    d, hull = problem.network.n_inputs, problem.solid.hull
    usual, coordinates = tuple(f"x{i}" for i in range(d)), axis_names(problem)
    if names is None:
        return usual, coordinates
    given = _texts(names, "input_names")
    if len(given) == d:
        return given, coordinates if hull.free is None else tuple(given[i] for i in hull.free)
    if len(given) == hull.dim:
        return usual, given
    expected = f"{d}, one for each input" + f", or {hull.dim}, one for each axis" * (hull.dim != d)
    raise OptionError(f"input_names: {len(given)} names, expected {expected}")


def _class_names(network: Network, rule: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    n = 2 if rule == "sign" else network.n_outputs
    if names is None:
        return ("output <= 0", "output > 0") if rule == "sign" else None
    given = _texts(names, "class_names")
    if len(given) != n:
        what = "for output <= 0 and output > 0" if rule == "sign" else "one for each output"
        raise OptionError(f"class_names: {len(given)} names, expected {n}, {what}")
    return given


def _texts(names: Any, option: str) -> tuple[str, ...]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise OptionError(f"{option}: {names!r}, expected a sequence of texts")
    return tuple(names)
