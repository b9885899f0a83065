"""Sections that papers ask for: ranks of layers, the six ways to count, and the bounds of the literature."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np

from polyregions.analysis.counting.count import count_by_definition
from polyregions.analysis.counting.definitions import DEFINITIONS
from polyregions.analysis.counting.literature_bounds import bounds
from polyregions.analysis.report.page import PARTIAL, Section
from polyregions.regions.ranks import layer_ranks
from polyregions.regions.region_set import RegionSet

FEW: Final = 2000  # regions up to which the definitions that need linear programs are counted
CHEAP: Final = ("R2", "R4", "R6")


def rank_section(regions: RegionSet) -> Section | None:
    """In how many regions each layer sees how many dimensions of the input; None without a hidden layer."""
    ranks = layer_ranks(regions)
    if not ranks.shape[1]:
        return None
    most = int(ranks.max(initial=0))
    table = [np.bincount(column, minlength=most + 1).tolist() for column in ranks.T]
    rows = tuple((i + 1, *counts) for i, counts in enumerate(table))
    header = ("layer", *(f"rank {r}" for r in range(most + 1)))
    note = "Regions by the dynamic rank of each layer: the dimension of the region's image before its units."
    return Section("ranks", rows, note if regions.complete else f"{note} {PARTIAL}", header)


def definition_section(regions: RegionSet) -> Section | None:
    """The number of linear regions by each definition; None for a partial set, which has no such numbers."""
    if not regions.complete:
        return None
    counts = count_by_definition(regions, tuple(DEFINITIONS) if len(regions) <= FEW else CHEAP)
    rows = tuple((name, d.title, counts.get(name), d.sentence) for name, d in DEFINITIONS.items())
    left_out = "" if len(counts) == len(DEFINITIONS) else f" R1, R3 and R5 are left out beyond {FEW} regions."
    note = f"A pair is an interval. {next(iter(DEFINITIONS.values())).citation}.{left_out}"
    return Section("definitions", rows, note, ("name", "regions", "count", "definition"))


def bound_section(regions: RegionSet) -> Section:
    """The bounds of the literature beside the count; those that do not apply say why."""
    rows = tuple(
        (b.name, b.kind, _number(b.value), b.citation if b.reason is None else f"does not apply: {b.reason}")
        for b in bounds(regions.network)
    )
    note = (
        "Upper bounds hold for this network on all of R^d, and so on every convex input set; lower bounds say what "
        "the best weights of its widths reach on R^d; the heuristic bounds nothing."
    )
    return Section("bounds", rows, note, ("bound", "kind", "value", "source"))


def _number(value: int | Fraction | None) -> int | float | None:
    return value if value is None or isinstance(value, int) else float(value)
