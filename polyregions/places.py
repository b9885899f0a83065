"""Which members of a result ``result[index]`` asks for: a number, a slice, a mask or an array of numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import index as as_integer
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, overload

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.errors import NoSuchPlaceError, NotAnIndexError

Several: TypeAlias = "slice | range | list[int] | list[bool] | Ints | Bools"
"""What asks for a list of members; an array of no axis is a number."""

EXPECTED = "an integer, a slice, a mask of truth values or a list or array of integers"


Member = TypeVar("Member")


class Members(ABC, Generic[Member]):
    """A result whose members are light views: by number, or several by a slice, a mask or an array of numbers."""

    MEMBER: ClassVar[str]
    """What a member is, for messages."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _member(self, place: int) -> Member: ...

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> Member: ...
    @overload
    def __getitem__(self, index: Several) -> list[Member]: ...
    def __getitem__(self, index: int | np.integer[Any] | Several) -> Member | list[Member]:
        """Member number `index`; or the list of those that a slice, a mask (n,) or an array of numbers asks for.

        Raises:
            NoSuchPlaceError: there is none of that number, or the mask has another length (an IndexError).
            NotAnIndexError: the index is something else (a TypeError).
        """
        places = chosen(index, len(self), self.MEMBER)
        return self._member(places) if isinstance(places, int) else [self._member(i) for i in places]

    def __iter__(self) -> Iterator[Member]:
        return map(self._member, range(len(self)))


def chosen(index: Any, n: int, what: str) -> int | list[int]:
    """The place, or the list of places, between 0 and n - 1 that an index asks for; negative ones count from the end.

    Args:
        index: what stands in the brackets.
        n: how many there are.
        what: what they are, for the message.

    Raises:
        NoSuchPlaceError: a number beyond the ends, or a mask of another length (an IndexError).
        NotAnIndexError: something else (a TypeError).

    >>> chosen(-1, 5, "region"), chosen(slice(3, 9), 5, "region"), chosen([True, False, True], 3, "region")
    (4, [3, 4], [0, 2])
    """
    if isinstance(index, slice):
        return _of_slice(index, n, what)
    if isinstance(index, (list, range)) or (isinstance(index, np.ndarray) and index.ndim):
        return _several(index, n, what)
    return _one(index, n, what)


def _of_slice(index: slice, n: int, what: str) -> list[int]:
    try:
        return list(range(n)[index])
    except (TypeError, ValueError) as error:
        raise NotAnIndexError(f"{what} {index}: {error}") from None


def _one(index: Any, n: int, what: str) -> int:
    if isinstance(index, (bool, np.bool_)):
        raise NotAnIndexError(f"{what} {index}: a truth value, expected {EXPECTED}")
    try:
        place = as_integer(index)
    except TypeError:
        raise NotAnIndexError(f"{what} {index!r}: {type(index).__name__}, expected {EXPECTED}") from None
    if not -n <= place < n:
        raise NoSuchPlaceError(f"{what} {place} of {n}: expected {_range(n)}")
    return place % n


def _several(index: Any, n: int, what: str) -> list[int]:
    places = _array(index, what)
    if places.ndim != 1:
        raise NotAnIndexError(f"{what}: an array of shape {places.shape}, expected one axis")
    if places.dtype == np.bool_:
        if len(places) != n:
            raise NoSuchPlaceError(f"{what}: a mask of {len(places)} truth values, expected {n}")
        return np.flatnonzero(places).tolist()
    return [_one(place, n, what) for place in places.tolist()]


def _array(index: Any, what: str) -> Ints:
    """Integers or truth values; an empty list is one of integers."""
    try:
        array = (
            np.asarray(index) if len(index) or isinstance(index, np.ndarray) else np.zeros(0, dtype=np.int64)
        )
    except (ValueError, OverflowError):
        raise NotAnIndexError(f"{what}: a ragged list, expected {EXPECTED}") from None
    mixed = isinstance(index, list) and len({isinstance(entry, (bool, np.bool_)) for entry in index}) > 1
    if array.dtype.kind not in "biu" or mixed:
        found = "truth values and numbers" if mixed else f"values of type {array.dtype}"
        raise NotAnIndexError(f"{what}: {found}, expected {EXPECTED}")
    return array


def _range(n: int) -> str:
    return f"a number from {-n} to {n - 1}" if n else "none, for it is empty"
