"""Looking at one part of the input sets: proved safe, proved violated, listed region by region, or halved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from polyregions._types import Bools, Bytes
from polyregions.analysis.verification.property import Property, Violation
from polyregions.analysis.verification.relaxation import Enclosure, enclose, possible
from polyregions.analysis.verification.sensors import with_sensors
from polyregions.analysis.verification.unsafe.input_sets import InputSets, input_sets
from polyregions.analysis.verification.unsafe.part import Outcome, Part, Piece
from polyregions.analysis.verification.unsafe.shape import (
    Row,
    Shape,
    outside_of_all,
    shape_of,
    volume_of_box,
)
from polyregions.analysis.verification.watched import Watched, watched
from polyregions.engine.options import RunOptions
from polyregions.engine.tally import Run
from polyregions.errors import DomainError, StoppedError
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem, pose
from polyregions.networks.zonotope import UNKNOWN

FIRST = 4000  # regions of a cell that are listed without halving it
MOST = 1000  # and of a part of it
STALLED = 3  # for each input: so many halvings that decide nothing are enough
MOST_UNKNOWN = 30  # parts with at most so many undecided units are listed

Group: TypeAlias = tuple[int, ...]
GoesOn: TypeAlias = Callable[[], bool]
Suspect: TypeAlias = tuple[Bools, Bools, set[int]]
"""A region's pattern (N,), the neurons (N,) that cut its ancestors, and the violations that it may hold."""


@dataclass(frozen=True, eq=False)
class Task:
    """All that looking needs: a network and what it must not do where.

    Attributes:
        network: as the user gave it.
        prop: the property.
        sets: its input sets.
        numbers: for each case the numbers of its violations in the property that the user gave.
    """

    network: Network
    prop: Property
    sets: InputSets
    numbers: tuple[tuple[int, ...], ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is what was given; the input sets are cut anew."""
        return task_of, (self.network, self.prop, self.numbers)

    @property
    def dim(self) -> int:
        """Coordinates u."""
        return self.sets.solid.hull.dim

    def parts(self) -> list[Part]:
        """All cells."""
        return [Part(i, cell.rows, FIRST) for i, cell in enumerate(self.sets.cells)]


def task_of(network: Network, prop: Property, numbers: tuple[tuple[int, ...], ...]) -> Task:
    """The task; errors as `input_sets`."""
    return Task(network, prop, input_sets(prop), numbers)


class Cell:
    """A cell of the input sets with the violations that count in it.

    Attributes:
        names: of each violation the input set and the number there.
        inner: the network over u, whose outputs are the rows of the violations.
    """

    def __init__(self, task: Task, number: int) -> None:
        found: dict[Violation, tuple[int, int]] = {}
        for case in task.sets.cells[number].cases:
            for place, violation in enumerate(task.prop.cases[case].violations):
                found.setdefault(violation, (case, task.numbers[case][place]))
        self.names = tuple(found.values())
        self._watched: Watched = watched(task.network, tuple(found))
        self.groups, self.strict = self._watched.groups, self._watched.strict
        self.inner = pose(self._watched.network, task.sets.domain).inner


class Looker:
    """What looks at parts."""

    def __init__(self, task: Task) -> None:
        self.task, self._cells = task, dict[int, Cell]()

    def look(self, part: Part, goes_on: GoesOn = lambda: True) -> Outcome:
        """What comes of a part.

        Raises:
            StoppedError: `goes_on` said no.
        """
        if part.cell not in self._cells:
            self._cells[part.cell] = Cell(self.task, part.cell)
        try:
            problem = pose(self._cells[part.cell].inner, part.polytope(self.task.dim))
        except DomainError:  # beyond the input sets
            return Outcome()
        if problem.solid.hull.dim < self.task.dim:  # the other half has it
            return Outcome()
        return _Look(self._cells[part.cell], part, problem, goes_on).outcome()


class _Look:
    """One look at one part."""

    def __init__(self, cell: Cell, part: Part, problem: Problem, goes_on: GoesOn) -> None:
        self.cell, self.part, self.problem, self._goes_on = cell, part, problem, goes_on
        self.dim = problem.solid.hull.dim
        self.regions = self.touching = 0

    def outcome(self) -> Outcome:
        """Bounds first; regions where they decide nothing."""
        if not self.cell.groups:
            return self._finished(())
        groups, part = list(enumerate(self.cell.groups)), self.part
        enclosure = self._enclosure()
        if enclosure is not None:
            may = possible(enclosure, self.cell.groups)
            groups = [pair for pair in groups if pair[1] in may]
            surely = next((i for i, group in groups if self._is_certain(enclosure, group)), None)
            if not groups or surely is not None:
                return self._finished(() if surely is None else ((self._whole(surely),),))
            if enclosure.n_unknown < part.fewest:
                part = replace(part, fewest=enclosure.n_unknown, stalled=0)
        axis = self._axis(enclosure)
        if part.depth and part.stalled <= STALLED * self.dim and part.fewest > MOST_UNKNOWN:
            return Outcome(halves=self._halves(part, axis))
        found = self._listed(groups)
        if found is not None:
            return self._finished(found)
        most = 2 * part.most if part.depth else MOST  # there may be points that many regions meet in
        return Outcome(halves=self._halves(replace(part, most=most), axis), regions=self.regions)

    def _enclosure(self) -> Enclosure | None:
        """Bounds of the network on the part, if floats can prove any."""
        if not self.problem.is_tame:
            return None
        layers = self.problem.inner.layers
        bits = [np.where(layer.splitting, UNKNOWN, 1).astype(np.int64) for layer in layers]
        return enclose(self.problem.inner, self.problem.solid.bounds, bits)

    def _is_certain(self, enclosure: Enclosure, group: Group) -> bool:
        """Whether a violation holds all over the part."""
        least = enclosure.lower[-1]
        return all(least[j] > 0 or (least[j] == 0 and not self.cell.strict[j]) for j in group)

    def _axis(self, enclosure: Enclosure | None) -> int:
        bounds = self.problem.solid.bounds
        width = bounds.upper - bounds.lower
        if enclosure is None or not np.all(np.isfinite(enclosure.sway)):
            return int(np.argmax(width))
        return int(np.argmax(np.where(width > 0, enclosure.sway, -1.0)))

    def _halves(self, part: Part, axis: int) -> tuple[Part, ...]:
        bounds = self.problem.solid.bounds
        middle = (Fraction(bounds.lower[axis]) + Fraction(bounds.upper[axis])) / 2
        return tuple(part.halves(axis, middle, self.dim))

    def _finished(self, pieces: Sequence[tuple[Piece, ...]]) -> Outcome:
        return Outcome(tuple(pieces), (), self._volume, self.regions, self.touching)

    @cached_property
    def _volume(self) -> Fraction:
        found = volume_of_box(self.part.rows, self.dim)
        return self._shape.volume() if found is None else found

    @cached_property
    def _shape(self) -> Shape:
        shape = shape_of(self.part.rows, self.dim)
        assert shape is not None
        return shape

    def _whole(self, violation: int) -> Piece:
        return _piece(self._shape, None, self.cell.names[violation])

    # ------------------------------------------------------------ region by region

    def _listed(self, groups: Sequence[tuple[int, Group]]) -> list[tuple[Piece, ...]] | None:
        """The violations in each region; None if there are too many regions."""
        wanted = self._wanted(groups)
        if wanted is None:
            return None
        found = []
        for pattern, cuts, violations in wanted:
            self._continue()
            pieces = tuple(self._pieces(pattern, cuts, [pair for pair in groups if pair[0] in violations]))
            if pieces:
                found.append(pieces)
        return found

    def _wanted(self, groups: Sequence[tuple[int, Group]]) -> list[Suspect] | None:
        """The regions that may hold violations, each once though rows of violations may cut it."""
        inner, n = self.problem.inner, self.problem.network.n_neurons
        sensors = with_sensors(inner)
        seen = self.problem if sensors is None else replace(self.problem, network=sensors, inner=sensors)
        run = Run(seen, RunOptions(workers=1, max_regions=self.part.most), keep=True)
        found: dict[bytes, Suspect] = {}
        with closing(run.batches()) as batches:
            for batch in batches:
                self._continue()
                self.regions += batch.count
                told = batch.bits[:, n:] if sensors is not None else None
                for i, violation in _candidates(told, len(batch.bits), groups):
                    bits, cuts = batch.bits[i, :n].astype(np.bool_), batch.cuts[i, :n].astype(np.bool_)
                    found.setdefault(bits.tobytes(), (bits, cuts, set()))[2].add(violation)
        return list(found.values()) if run.complete else None

    def _continue(self) -> None:
        if not self._goes_on():
            raise StoppedError("stopped while a part of the input sets was looked at")

    def _pieces(self, pattern: Bools, cuts: Bools, groups: Sequence[tuple[int, Group]]) -> Iterator[Piece]:
        """The violations in one region, each without those before it."""
        region, outputs = self._region(pattern, cuts), self.problem.layers.last_along(pattern)
        if len(groups) > 1 and (shape := shape_of(region, self.dim)) is not None:
            region = shape.facets()  # fewer rows for all of them
        before: list[tuple[Row, ...]] = []
        for i, group in groups:
            rows = tuple(
                Row(tuple(outputs.form(j).exact()), self.cell.strict[j], f"row {n} of the violation")
                for n, j in enumerate(group)
            )
            shape = shape_of((*region, *rows), self.dim)
            if shape is None or not shape.is_solid:
                self.touching += shape is not None and shape.is_met
                continue
            for left in outside_of_all(shape, before, self.dim):
                yield _piece(left, np.packbits(pattern).tobytes(), self.cell.names[i])
            before.append(rows)

    def _region(self, pattern: Bools, cuts: Bools) -> tuple[Row, ...]:
        """The rows that bound a region."""
        walls = [self.part.rows[int(label)] for label in self.problem.solid.labels]
        forms = self.problem.bounding_forms(pattern, cuts)[len(walls) :]
        neurons = np.flatnonzero(cuts).tolist()
        for form, n in zip(forms, neurons, strict=True):
            walls.append(Row(tuple(form.exact()), bool(pattern[n]), f"neuron {n}", is_cut=True))
        return tuple(walls)


def _candidates(
    sensors: Bytes | None, n: int, groups: Sequence[tuple[int, Group]]
) -> Iterator[tuple[int, int]]:
    """Which of n regions may hold which violation: where none of its rows is below zero all over."""
    for violation, group in groups:
        may = np.full(n, True) if sensors is None else sensors[:, list(group)].all(axis=1)
        yield from ((int(i), violation) for i in np.flatnonzero(may))


def _piece(shape: Shape, pattern: bytes | None, violation: tuple[int, int]) -> Piece:
    return Piece(shape.facets(), pattern, violation, shape.point, shape.volume())
