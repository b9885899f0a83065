"""A table over the checkpoints of a training run, as a few arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from polyregions._types import Bools, Floats, Ints
from polyregions.analysis.counting.count import Count
from polyregions.analysis.counting.count_table import bound_columns, bound_notes, count_columns, count_notes
from polyregions.analysis.counting.literature_bounds import Bound
from polyregions.analysis.paper_table import PaperColumn, PaperTable
from polyregions.read_only import ReadOnly

OWN_COLUMNS = ("checkpoint", "step", "regions", "edges", "never_on", "always_on")
LAYER_COLUMN = "after_layer_"


def plain_steps(steps: Floats) -> list[int | float]:
    """Steps (K,) as they are written: whole ones without a fraction."""
    return [int(step) if step.is_integer() else step for step in steps.tolist()]


@dataclass(frozen=True, eq=False)
class Checkpoints(PaperTable, ReadOnly):
    """What K checkpoints of a network with N neurons in L layers have on one input set.

    Attributes:
        names: K names.
        regions: (K,) regions.
        after_each_layer: (K, L) regions after each activation layer.
        edges: (K,) edges of the adjacency graph, or None if they were not asked for.
        never_on: (K, N) neurons that are off on the whole input set, proved by the complete set of regions.
        always_on: (K, N) neurons that are nowhere negative on it.
        measures: further columns of K values, by name.
        steps: (K,) when each was taken, ascending, or None if that was not said.
        counts: name of each definition that was asked for -> K counts.
        bounds: name of each bound that was asked for -> K bounds.
    """

    names: tuple[str, ...]
    regions: Ints
    after_each_layer: Ints
    edges: Ints | None
    never_on: Bools
    always_on: Bools
    measures: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    steps: Floats | None = None
    counts: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[Bound, ...]] = field(default_factory=dict)

    def paper_columns(self) -> list[PaperColumn]:
        """The columns, with neurons counted: those of the class, definitions and bounds, and the measures."""
        own: dict[str, list[Any]] = {"checkpoint": list(self.names)}
        if self.steps is not None:
            own["step"] = plain_steps(self.steps)
        own["regions"] = self.regions.tolist()
        for i, column in enumerate(self.after_each_layer.T.tolist()):
            own[f"{LAYER_COLUMN}{i + 1}"] = column
        if self.edges is not None:
            own["edges"] = self.edges.tolist()
        own["never_on"], own["always_on"] = (n.sum(axis=1).tolist() for n in (self.never_on, self.always_on))
        measures = {name: list(values) for name, values in self.measures.items()}
        return [
            *[PaperColumn(name, values, name.replace("_", " ")) for name, values in own.items()],
            *count_columns(self.counts),
            *bound_columns(self.bounds),
            *[PaperColumn(name, values, name) for name, values in measures.items()],
        ]

    def notes(self) -> list[str]:
        """What was counted, and whose bounds these are."""
        return [*count_notes(self.counts), *bound_notes(self.bounds)]

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Checkpoints: {len(self)}, {self.regions.tolist()} regions>"
