"""What results, networks and input sets have in common: arrays that nobody writes to, plain pickles and copies, and
equality by what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any, Self

import numpy as np


class ByValue:
    """A class whose objects are equal if they are made of equal values; NaN equals NaN, as a copy has to.

    A hash looks at the class and the shapes of arrays only: it is cheap, and objects in a set or dictionary are told
    apart by comparing them.
    """

    def _compared(self) -> Any:
        """The values that count, which is all of an object if a class does not say otherwise."""
        return vars(self)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or same(self._compared(), other._compared())

    def __hash__(self) -> int:
        return hash((type(self).__name__, _outline(self._compared())))


class PlainState:
    """A class that pickles and copies as what its objects were made of, with arrays read-only afterwards.

    `cached_property` values are made anew when somebody asks.
    """

    def __getstate__(self) -> dict[str, Any]:
        """What the object was made of."""
        return {name: value for name, value in vars(self).items() if not self._is_derived(name)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take over what an object was made of."""
        vars(self).update({name: read_only(value) for name, value in state.items()})  # frozen ones too

    @classmethod
    def _is_derived(cls, name: str) -> bool:
        return isinstance(getattr(cls, name, None), cached_property)


class ReadOnly(PlainState, ByValue):
    """A class whose arrays are read-only from the start, and after `pickle` and `copy`, which would forget it.

    The arrays are views, so what was handed in stays as writable as it was.
    """

    def __post_init__(self) -> None:
        """Make the arrays read-only; dataclasses call it, other classes at the end of their constructors."""
        self.__setstate__(dict(vars(self)))

    def _compared(self) -> Any:
        return self.__getstate__()


class View(ByValue):
    """A member of a result: its number and the result. Nobody can change either, so a copy is the view itself."""

    number: int

    def _compared(self) -> Any:
        return [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]  # views are dataclasses

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.number))

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def read_only(value: Any) -> Any:
    """A read-only view of an array; anything else unchanged.

    >>> read_only(np.zeros(2)).flags.writeable
    False
    """
    if not isinstance(value, np.ndarray) or not value.flags.writeable:
        return value
    view = value.view()
    view.setflags(write=False)
    return view


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, arrays and what holds them included; NaN equals NaN.

    >>> same([np.array([1.0, np.nan]), "x"], [np.array([1.0, np.nan]), "x"])
    True
    """
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and _same_arrays(a, b)
    if isinstance(a, (tuple, list)) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    return bool(a == b)


def _same_arrays(a: Any, b: Any) -> bool:
    kind = a.dtype.kind
    return bool(kind == b.dtype.kind and np.array_equal(a, b, equal_nan=kind == "f"))


def _outline(value: Any) -> Any:
    """Something hashable that equal values have in common."""
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, Mapping):
        return frozenset((key, _outline(entry)) for key, entry in value.items())
    return len(value) if isinstance(value, (tuple, list, str)) else 0
