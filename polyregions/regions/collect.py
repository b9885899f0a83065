"""The batches of a run as one `RegionSet`, in lexicographic order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.engine.batches import Batch
from polyregions.engine.options import RunOptions
from polyregions.engine.tally import Run
from polyregions.errors import StoppedError
from polyregions.networks.problem import Problem
from polyregions.regions.certify import certify as proof_of
from polyregions.regions.region_set import RegionSet


def enumerate_in_memory(problem: Problem, options: RunOptions, certify: bool = False) -> RegionSet:
    """Every region, see `enumeration.enumerate_regions`.

    Raises:
        OptionError: an unknown engine, or one that cannot take the problem.
    """
    regions = _collect(Run(problem, options, keep=True))
    return replace(regions, certificate=proof_of(regions)) if certify and regions.complete else regions


def _collect(run: Run) -> RegionSet:
    """All batches as one set, in lexicographic order; an error that stops them takes along what was found."""
    found: list[_Packed] = []
    try:
        for batch in run.batches():
            if batch.count:
                found.append(_Packed.of(batch))
    except StoppedError as error:
        error.finished = _joined(run, found)
        raise
    return _joined(run, found)


def _joined(run: Run, found: list[_Packed]) -> RegionSet:
    n, k = run.problem.network.n_neurons, run.problem.solid.hull.dim
    width = (n + 7) // 8
    empty = np.zeros((0, width), dtype=np.uint8)
    found = [_Packed((), empty, empty, np.zeros((0, k)), {}), *found]
    found.sort(key=lambda packed: packed.place)
    starts = np.cumsum([0, *(len(packed.bits) for packed in found)]).tolist()
    arrays = (
        np.concatenate([packed.bits for packed in found]),
        np.concatenate([packed.cuts for packed in found]),
        np.concatenate([packed.points for packed in found]),
    )
    exact = {
        start + i: point
        for start, packed in zip(starts, found, strict=False)
        for i, point in sorted(packed.exact.items())
    }
    if not run.in_order:
        arrays, exact = _sorted(*arrays, exact)
    return RegionSet(run.problem, *arrays, exact, run.complete, run.engine, run.score)


class _Packed(NamedTuple):
    """A batch as a `RegionSet` holds regions."""

    place: tuple[int, ...]
    bits: Bytes
    cuts: Bytes
    points: Floats
    exact: dict[int, tuple[Fraction, ...]]

    @classmethod
    def of(cls, batch: Batch) -> _Packed:
        """Eight bits to a byte."""
        bits, cuts = np.packbits(batch.bits, axis=1), np.packbits(batch.cuts, axis=1)
        return cls(batch.place, bits, cuts, batch.points, batch.exact)


def _sorted(
    packed: Bytes, cuts: Bytes, points: Floats, exact: dict[int, tuple[Fraction, ...]]
) -> tuple[tuple[Bytes, Bytes, Floats], dict[int, tuple[Fraction, ...]]]:
    order = np.lexsort(packed.T[::-1])
    place = {int(old): new for new, old in enumerate(order)} if exact else {}
    moved = {place[old]: point for old, point in exact.items()}
    return (packed[order], cuts[order], points[order]), dict(sorted(moved.items()))
