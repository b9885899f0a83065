"""What a verification answers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from polyregions._types import Floats
from polyregions.exact.numbers import nearest_float
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.final_values import nearest_values

Verdict: TypeAlias = Literal["holds", "violated", "unknown"]


@dataclass(frozen=True)
class Counterexample:
    """A point of an input set where a violation holds, checked in rational arithmetic.

    Attributes:
        inputs: (d,) the point, exactly.
        outputs: (c,) what the network makes of it, exactly; in front of a final function if there is one.
        case: which input set of the property it is in.
        violation: which violation of that case holds there.
        final_function: what the source applies to the outputs in the end.
    """

    inputs: tuple[Fraction, ...]
    outputs: tuple[Fraction, ...]
    case: int
    violation: int
    final_function: FinalFunction | None = None

    @property
    def point(self) -> Floats:
        """The inputs (d,) as the nearest float64 numbers."""
        return np.array([nearest_float(x) for x in self.inputs])

    @property
    def values(self) -> Floats:
        """The outputs (c,) behind the final function as the nearest float64 numbers."""
        if self.final_function is not None:
            return np.array(nearest_values(self.final_function, self.outputs))
        return np.array([nearest_float(y) for y in self.outputs])

    @property
    def is_float64(self) -> bool:
        """Whether the inputs are float64 numbers, so that `point` is the counterexample itself."""
        return all(Fraction(a) == x for a, x in zip(self.point.tolist(), self.inputs, strict=True))


@dataclass(frozen=True)
class Verification:
    """Whether a network has a property.

    Attributes:
        verdict: "holds" and "violated" are proved; "unknown" means that the search was stopped.
        counterexample: where it is violated.
        parts: how many parts of the input sets were looked at.
        polytopes: how many of them were decided as polytopes on which the network is affine.
        done: the part of the search that was finished, if every split halved it; 1 for "holds".
        seconds: how long it took.
        reason: why the verdict is "unknown", where it is not the limit of time.
        notices: what the user should know, such as input sets that are empty.
    """

    verdict: Verdict
    counterexample: Counterexample | None
    parts: int
    polytopes: int
    done: float
    seconds: float
    reason: str | None = None
    notices: tuple[str, ...] = ()
