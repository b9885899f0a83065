"""The hunt for all violations: the input sets in waves of parts, halved until each is settled."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction

from polyregions.analysis.verification.unsafe.look import Task
from polyregions.analysis.verification.unsafe.part import Part, Piece
from polyregions.analysis.verification.unsafe.shape import shape_of, volume_of_box
from polyregions.analysis.verification.unsafe.shares import Share, from_units
from polyregions.analysis.verification.unsafe.workers import Workers, workers_for
from polyregions.errors import StoppedError
from polyregions.progress import Watch


class Hunt:
    """One pass over the input sets.

    Every wave looks at all parts that are left, so what is not settled shrinks everywhere alike, and the outcomes come
    in an order that no worker has a hand in.

    Args:
        task: what is looked for.
        workers: how many processes; 1 for this thread.
        max_regions: regions after which to stop; None for no limit.
        watch: knows when to stop.

    Attributes:
        complete: whether all parts are settled.
        whole: the volume of the union of the input sets, over u.
        violated: the share of the violating polytopes so far.
        settled: the share of the parts that are settled.
        regions: how many regions were looked at.
        parts: how many parts.
        touching: how many regions only touch a violation.
    """

    def __init__(
        self, task: Task, workers: int = 1, max_regions: int | None = None, watch: Watch | None = None
    ) -> None:
        self.task, self._n_workers, self._max_regions = task, workers, max_regions
        self._watch = watch or Watch(None)
        self.complete = False
        self.whole = sum((self._volume(part) for part in task.parts()), Fraction(0))
        self.violated, self.settled = Share(self.whole), Share(self.whole)
        self.regions = self.parts = self.touching = 0

    def _volume(self, part: Part) -> Fraction:
        found = volume_of_box(part.rows, self.task.dim)
        if found is None:
            shape = shape_of(part.rows, self.task.dim)
            assert shape is not None
            found = shape.volume()
        return found

    @property
    def interval(self) -> tuple[Fraction, Fraction]:
        """The violating share of the input sets is not below the first and not above the second; proved."""
        safe = max(0, self.settled.low - self.violated.high)
        lower, upper = from_units(self.violated.low), 1 - from_units(safe)
        return lower, from_units(self.violated.high) if self.complete else upper

    def regions_with_pieces(self) -> Iterator[tuple[Piece, ...]]:
        """The violating polytopes, region by region, until the end or until it is stopped."""
        with workers_for(self.task, self._n_workers) as workers, closing(self._waves(workers)) as found:
            yield from found
        self._watch.ends(self.regions, self.settled.about)

    def _waves(self, workers: Workers) -> Generator[tuple[Piece, ...], None, None]:
        wave = self.task.parts()
        while wave:
            following: list[Part] = []
            outcomes = workers.look(wave, self._goes_on)
            for _ in range(len(wave)):
                if not self._goes_on():
                    return
                try:
                    outcome = next(outcomes)
                except StoppedError:
                    return
                self.parts, self.regions = self.parts + 1, self.regions + outcome.regions
                self.touching += outcome.touching
                self.settled.add(outcome.volume)
                following += outcome.halves
                for pieces in outcome.pieces:
                    for piece in pieces:
                        self.violated.add(piece.volume)
                    yield pieces
            wave = following
        self.complete = True

    def _goes_on(self) -> bool:
        if self._max_regions is not None and self.regions >= self._max_regions:
            return False
        return self._watch.goes_on(self.regions, self.settled.about)
