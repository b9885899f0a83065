"""A table over the checkpoints of a training run, as a few arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from polyregions._types import Bools, Ints
from polyregions.read_only import ReadOnly

OWN_COLUMNS = ("checkpoint", "regions", "edges", "never_on", "always_on")
LAYER_COLUMN = "after_layer_"


@dataclass(frozen=True, eq=False)
class Checkpoints(ReadOnly):
    """What K checkpoints of a network with N neurons in L layers have on one input set.

    Attributes:
        names: K names.
        regions: (K,) regions.
        after_each_layer: (K, L) regions after each activation layer.
        edges: (K,) edges of the adjacency graph, or None if they were not asked for.
        never_on: (K, N) neurons that are off on the whole input set, proved by the complete set of regions.
        always_on: (K, N) neurons that are nowhere negative on it.
        measures: further columns of K values, by name.
    """

    names: tuple[str, ...]
    regions: Ints
    after_each_layer: Ints
    edges: Ints | None
    never_on: Bools
    always_on: Bools
    measures: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def columns(self) -> dict[str, list[Any]]:
        """The table: name of each column -> K plain values, with neurons counted."""
        layers = {
            f"{LAYER_COLUMN}{i + 1}": list(column)
            for i, column in enumerate(self.after_each_layer.T.tolist())
        }
        edges = {} if self.edges is None else {"edges": self.edges.tolist()}
        return {
            "checkpoint": list(self.names),
            "regions": self.regions.tolist(),
            **layers,
            **edges,
            "never_on": self.never_on.sum(axis=1).tolist(),
            "always_on": self.always_on.sum(axis=1).tolist(),
            **{name: list(values) for name, values in self.measures.items()},
        }

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Checkpoints: {len(self)}, {self.regions.tolist()} regions>"
