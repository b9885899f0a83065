"""`violations`: every input that violates a property."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Final

from polyregions.analysis.verification.in_front import PRECISIONS, is_rational, translated, widened
from polyregions.analysis.verification.property import Property
from polyregions.analysis.verification.run import check_question, verify
from polyregions.analysis.verification.unsafe.found import Violations
from polyregions.analysis.verification.unsafe.hunt import Hunt
from polyregions.analysis.verification.unsafe.look import task_of
from polyregions.analysis.verification.unsafe.part import Piece
from polyregions.analysis.verification.verdict import Verdict
from polyregions.engine.pools import check_workers
from polyregions.errors import UnsupportedError
from polyregions.networks.network import Network
from polyregions.progress import ProgressFunction, Watch, check_limits

BLOCK: Final = 256
"""Polytopes that are written together."""


def violations(
    network: Network,
    prop: Property,
    *,
    workers: int = 1,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
) -> Violations:
    """All inputs that violate a property, as disjoint polytopes with their exact share of the input sets.

    Parts of the input sets that bounds prove safe, or violated all over, are not split into regions; large ones are
    halved until they are settled. Where several input sets overlap, what they have in common counts once. Points of
    violations without volume are not listed, but counted (`touching`) and part of the verdict.

    Args:
        network: the network, d inputs and c outputs.
        prop: the property, from `load_property`, `Property.avoid` or `Property.within`.
        workers: how many parts to look at at a time; more than one are new processes, which import the main script.
        progress: called now and then with a `Progress` (its `fraction` is the volume that is settled); returning
            False stops the search.
        max_regions: stop once so many regions were looked at.
        time_limit: stop after this many seconds.

    Returns:
        The polytopes, the same in the same order for any number of workers. If the search was stopped, those found so
        far, and an `interval` that is proved to hold the share.

    Raises:
        InputError: no network, no property, or other numbers of inputs and outputs.
        DomainError: an unbounded input set, or none that is not empty.
        UnsupportedError: more than ten inputs that are not fixed, flat input sets in different affine subspaces, or
            violations behind a Softmax or the like that are no polytopes.
        OptionError: no number of workers, or negative limits.

    Complexity: that of the enumeration of what bounds leave, and the vertices of each violating polytope.

    >>> from polyregions import Box, HPolytope, Network, Property
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> found = violations(net, Property.avoid(Box([-1], [2]), HPolytope([[-1]], [-0.5])))  # |x| >= 0.5?
    >>> found.exact_share, sorted(piece.polytope.vertices().ravel().tolist() for piece in found)
    (Fraction(2, 3), [[-1.0, -0.5], [0.5, 2.0]])
    """
    return hunt_for(network, prop, workers, progress, max_regions, time_limit).collected()


class Finish:
    """A hunt, and what is made of it."""

    def __init__(self, network: Network, prop: Property, hunt: Hunt, watch: Watch) -> None:
        self._network, self._prop, self._hunt, self._watch = network, prop, hunt, watch
        self._start, self._listed = monotonic(), 0

    def collected(self) -> Violations:
        """The answer, with all polytopes."""
        pieces: list[Piece] = []
        numbers: list[int] = []
        for number, found in enumerate(self._hunt.regions_with_pieces()):
            pieces += found
            numbers += [number] * len(found)
        self._listed = len(pieces)
        return self.violations(pieces, numbers)

    def blocks(self) -> Iterator[Violations]:
        """The polytopes some at a time, as they are found; the first block holds none."""
        yield self._block([], [])
        pieces: list[Piece] = []
        numbers: list[int] = []
        for number, found in enumerate(self._hunt.regions_with_pieces()):
            pieces += found
            numbers += [number] * len(found)
            if len(pieces) >= BLOCK:
                yield self._block(pieces, numbers)
                pieces, numbers = [], []
        yield self._block(pieces, numbers)

    def _block(self, pieces: Sequence[Piece], numbers: Sequence[int]) -> Violations:
        self._listed += len(pieces)
        return self._made(pieces, numbers, "unknown")

    def violations(self, pieces: Sequence[Piece] = (), numbers: Sequence[int] = ()) -> Violations:
        """The answer, with these polytopes."""
        return self._made(pieces, numbers, self._thinner())

    def _made(self, pieces: Sequence[Piece], numbers: Sequence[int], thin: Verdict) -> Violations:
        hunt = self._hunt
        sets = hunt.task.sets
        return Violations(
            self._network,
            self._prop,
            sets.solid.hull,
            tuple(pieces),
            tuple(numbers),
            hunt.whole,
            hunt.interval,
            hunt.complete and thin != "unknown",
            self._verdict(thin),
            self._listed,
            hunt.touching + (thin == "violated"),
            hunt.regions,
            hunt.parts,
            monotonic() - self._start,
            (*self._prop.notices, *sets.notices, *self._thin_notices()),
        )

    def _verdict(self, thin: Verdict) -> Verdict:
        if self._hunt.violated.high or self._hunt.touching or thin == "violated":
            return "violated"
        return "holds" if self._hunt.complete and thin == "holds" else "unknown"

    def _thinner(self) -> Verdict:
        """Whether input sets of fewer dimensions, which have no volume, hold violations."""
        thinner = self._hunt.task.sets.thinner
        if not thinner:
            return "holds"
        left = self._watch.seconds_left
        if left == 0.0:
            return "unknown"
        cases = tuple(self._prop.cases[i] for i in thinner)
        return verify(self._network, replace(self._prop, cases=cases), timeout=left).verdict

    def _thin_notices(self) -> Iterator[str]:
        for i in self._hunt.task.sets.thinner:
            yield f"{self._prop.name}, input set {i}: has fewer dimensions than others, so no share; see the verdict"


def hunt_for(
    network: Network,
    prop: Property,
    workers: int = 1,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
) -> Finish:
    """A hunt that has not begun; arguments and errors as `violations`."""
    check_question(network, prop)
    check_workers(None, workers if workers is not None else 0, 1)
    check_limits(max_regions, time_limit)
    watch = Watch(progress, time_limit)
    plain, numbers = _in_front(network, prop)
    hunt = Hunt(task_of(network, plain, numbers), workers, max_regions, watch)
    return Finish(network, prop, hunt, watch)


def _in_front(network: Network, prop: Property) -> tuple[Property, tuple[tuple[int, ...], ...]]:
    """The property in terms of the values in front of a final function, and the numbers of its violations."""
    if network.final_function is None:
        return prop, tuple(tuple(range(len(case.violations))) for case in prop.cases)
    cases = translated(network, prop)
    if not is_rational(cases):
        raise UnsupportedError(
            f"{prop.name}: behind {network.final_function} its violations are bounded by logarithms, "
            "expected linear inequalities with rational numbers for the values in front"
        )
    return widened(prop, cases, PRECISIONS[0]), tuple(tuple(i for i, _ in found) for found in cases)
