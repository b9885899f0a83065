"""What results, networks and input sets have in common: arrays that nobody writes to, and plain pickles and copies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np


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


class ReadOnly(PlainState):
    """A class whose arrays are read-only from the start, and after `pickle` and `copy`, which would forget it.

    The arrays are views, so what was handed in stays as writable as it was.
    """

    def __post_init__(self) -> None:
        """Make the arrays read-only; dataclasses call it, other classes at the end of their constructors."""
        self.__setstate__(dict(vars(self)))


class View:
    """A member of a result: its number and the result. Nobody can change either, so a copy is the view itself."""

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
