"""Which starts come somewhere within some steps, without coming somewhere else before; as polytopes, exactly.

Of each step those of the target's preimage are taken, and what was there before, or came where it should not, is cut
off: ``P`` without ``Q`` is, row after row of Q, the part of P where the rows before hold and this one does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from polyregions.analysis.dynamics.trajectories import Steps, Trajectories
from polyregions.analysis.queries.preimages import polytopes_of, preimage
from polyregions.errors import InputError
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.half_open import find_point
from polyregions.polyhedra.polytope import HPolytope
from polyregions.read_only import ReadOnly
from polyregions.regions.prefixes import RegionForms

Polytopes: TypeAlias = HPolytope | Sequence[HPolytope]


@dataclass(frozen=True, eq=False)
class ReachPiece(ReadOnly):
    """Starts of one region that come to the target at the same step.

    Attributes:
        step: the first step at which they are there.
        region: which region of so many steps, see `Trajectories.after`.
        polytope: the starts, in x; open rows are those of what was cut off.
        dim: its dimension.
    """

    step: int
    region: int
    polytope: HPolytope
    dim: int


def reach(trajectories: Trajectories, target: Polytopes, avoid: Polytopes = ()) -> tuple[ReachPiece, ...]:
    """The starts from which a target is reached within the steps, without touching what is to be avoided; exact.

    Args:
        trajectories: of so many steps; step 0 is the start itself.
        target: one polytope or several, taken as closed.
        avoid: the same; not to be met before the target is reached, nor then.

    Returns:
        Pieces by the first step at which the target is reached, parts of lower dimension included. Pieces have no
        common interior. None at all is a proof that no start reaches the target.

    Raises:
        InputError: something else, or a polytope of another dimension.

    Complexity: a preimage for each step; exact programs for each row that is cut off.

    >>> import polyregions as pr
    >>> half = pr.Network.from_layers([([[0.5]], [0])])
    >>> found = pr.reach(pr.trajectories(half, pr.Box([0], [8]), 2), pr.HPolytope([[1]], [1]))  # x <= 1
    >>> [(piece.step, piece.polytope.vertices().ravel().tolist()) for piece in found]
    [(0, [0.0, 1.0]), (1, [1.0, 2.0]), (2, [2.0, 4.0])]
    """
    if not isinstance(trajectories, Trajectories):
        raise InputError(f"reach: {type(trajectories).__name__}, expected Trajectories")
    d = trajectories.network.n_inputs
    search = _Search(trajectories, polytopes_of(target, d, "reach: target"), polytopes_of(avoid, d, "avoid"))
    return tuple(piece for step in range(trajectories.steps + 1) for piece in search.at(step))


@dataclass(frozen=True)
class _Cut:
    """A row over what a step gives: ``row . [f^step(x), 1] >= 0``, or ``> 0``."""

    step: int
    row: tuple[int, ...]
    is_open: bool
    label: str


class _Search:
    def __init__(
        self, trajectories: Trajectories, targets: Sequence[HPolytope], avoided: Sequence[HPolytope]
    ) -> None:
        self._trajectories, self._targets, self._avoided = trajectories, targets, avoided
        self._local, self._over_x = Steps(trajectories, False), Steps(trajectories, True)

    def at(self, step: int) -> Iterator[ReachPiece]:
        """The pieces whose first step is this one."""
        regions = self._trajectories.after(step)
        forms = RegionForms(regions)
        for number, target in enumerate(self._targets):
            before = [(m, other) for m in range(step) for other in self._targets]
            before += [(step, other) for other in self._targets[:number]]
            before += [(m, other) for m in range(step + 1) for other in self._avoided]
            for found in preimage(regions, target):
                inside = [_Cut(step, tuple(r), False, "target") for r in target.exact_rows]
                region = _Region(self, step, found.region, forms)
                for cuts in region.without([inside], before):
                    polytope = region.polytope(cuts)
                    solid = polytope.solid
                    assert solid is not None
                    yield ReachPiece(step, found.region, polytope, solid.hull.dim)

    def map(self, step: int, i: int, m: int, over_inputs: bool) -> IntegerAffine:
        """The map of m steps on region i of a step."""
        steps = self._over_x if over_inputs else self._local
        return steps.map(self._trajectories.after(step), i, m)

    def closed(self, step: int, i: int) -> HPolytope:
        """Region i of a step, closed."""
        return self._trajectories.after(step)[i].polytope.closed()


class _Region:
    """One region of a step, and what is left of it."""

    def __init__(self, search: _Search, step: int, i: int, forms: RegionForms) -> None:
        self._search, self._step, self._i = search, step, i
        self._bounding = [form.exact() for form in forms.bounding(i)]
        self._hint = forms.regions.local_point(i).coordinates
        self._rows: dict[tuple[int, tuple[int, ...]], list[int]] = {}

    def without(
        self, pieces: list[list[_Cut]], excluded: Sequence[tuple[int, HPolytope]]
    ) -> list[list[_Cut]]:
        """Pieces without the starts that are in some polytopes after some steps."""
        for m, polytope in excluded:
            rows = [tuple(row) for row in polytope.exact_rows]
            pieces = [part for piece in pieces for part in self._parted(piece, m, rows)]
        return pieces

    def _parted(self, piece: list[_Cut], m: int, rows: Sequence[tuple[int, ...]]) -> Iterator[list[_Cut]]:
        inside = [_Cut(m, row, False, "") for row in rows]
        if not self._has_point([*piece, *inside]):
            yield piece
            return
        for n, row in enumerate(rows):
            outside = _Cut(m, tuple(-entry for entry in row), True, f"outside at step {m}")
            part = [*piece, *inside[:n], outside]
            if self._has_point(part):
                yield part

    def _has_point(self, cuts: Sequence[_Cut]) -> bool:
        rows = [*self._bounding, *(self._pulled(cut) for cut in cuts)]
        strict = [False] * len(self._bounding) + [cut.is_open for cut in cuts]
        return find_point(rows, strict, self._hint) is not None

    def _pulled(self, cut: _Cut) -> list[int]:
        key = cut.step, cut.row
        if key not in self._rows:
            self._rows[key] = _pulled(cut.row, self._map(cut.step, False)).row(0)
        return self._rows[key]

    def _map(self, m: int, over_inputs: bool) -> IntegerAffine:
        return self._search.map(self._step, self._i, m, over_inputs)

    def polytope(self, cuts: Sequence[_Cut]) -> HPolytope:
        """The starts that satisfy some cuts, in x."""
        pulled = [_pulled(cut.row, self._map(cut.step, True)) for cut in cuts]
        return self._search.closed(self._step, self._i).with_exact_rows(
            [affine.row(0) for affine in pulled],
            [affine.denominator for affine in pulled],
            [cut.is_open for cut in cuts],
            [cut.label or f"inside at step {cut.step}" for cut in cuts],
        )


def _pulled(row: Sequence[int], affine: IntegerAffine) -> IntegerAffine:
    return compose(IntegerAffine(integer_matrix([row], len(row)), 1), affine)
