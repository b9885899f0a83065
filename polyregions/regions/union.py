"""The regions of a network on several input sets, each region with the number of its set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polyregions._types import Ints
from polyregions.places import Members
from polyregions.presentation import Tabular, arrow_table, data_frame
from polyregions.read_only import ReadOnly, read_only
from polyregions.regions.region_set import Region, RegionSet


@dataclass(frozen=True, eq=False)
class UnionRegions(ReadOnly, Members[Region], Tabular):
    """The regions on each of several input sets, one set after the other.

    A region that meets several sets is listed once for each of them, as its part in that set; where the sets overlap,
    so do those parts.

    Attributes:
        parts: the regions of each input set.
    """

    MEMBER = "region"

    parts: tuple[RegionSet, ...]

    @cached_property
    def offsets(self) -> Ints:
        """Where the regions of each set start (B+1,)."""
        sizes: Ints = read_only(np.cumsum([0, *map(len, self.parts)], dtype=np.int64))
        return sizes

    @cached_property
    def box(self) -> Ints:
        """The number of the input set of each region (R,)."""
        numbers: Ints = read_only(np.repeat(np.arange(len(self.parts)), np.diff(self.offsets)))
        return numbers

    @property
    def complete(self) -> bool:
        """Whether these are all the regions of all the sets."""
        return all(part.complete for part in self.parts)

    def count_patterns(self) -> int:
        """How many activation patterns there are: a region that meets several sets counts once."""
        return len(set().union(*(part.index for part in self.parts)))

    def to_arrow(self, *, classes: str | None = None, volume: bool = False) -> Any:
        """The regions as a ``pyarrow.Table``: columns ``region`` and ``box``, and those of `RegionSet.to_arrow`.

        Raises:
            OptionError, MissingExtraError: as there.
        """
        return arrow_table(self, classes=classes, volume=volume)

    def to_pandas(self, *, classes: str | None = None, volume: bool = False) -> Any:
        """The regions as a ``pandas.DataFrame``, with the number of the input set in a column ``box``.

        Raises:
            OptionError, MissingExtraError: as in `RegionSet.to_pandas`.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1]], [0]), ([[1]], [0])])
        >>> pr.enumerate_union(net, [pr.Box(-2, 1), pr.Box(2, 3)]).to_pandas(volume=True)[["box", "pattern", "volume"]]
           box pattern  volume
        0    0       0     2.0
        1    0       1     1.0
        2    1       1     1.0
        """
        return data_frame(self, classes=classes, volume=volume)

    def _compared(self) -> Any:
        return self.parts

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def _member(self, place: int) -> Region:
        box = int(np.searchsorted(self.offsets, place, side="right")) - 1
        return Region(self.parts[box], place, place - int(self.offsets[box]))

    def __repr__(self) -> str:
        partial = "" if self.complete else ", partial"
        return f"<UnionRegions: {len(self)} regions in {len(self.parts)} input sets{partial}>"
