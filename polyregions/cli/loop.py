"""``polyregions loop``: a network applied again and again, or a controller with its plant."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from polyregions.analysis.dynamics.cycles import cycles
from polyregions.analysis.dynamics.fixed_points import FixedPoint, fixed_points
from polyregions.analysis.dynamics.invariance import invariance
from polyregions.analysis.dynamics.reach import ReachPiece, reach
from polyregions.analysis.dynamics.trajectories import Trajectories, trajectories
from polyregions.analysis.queries.extremes import output_range
from polyregions.cli.answers import check_output, finish, saved
from polyregions.cli.choices import REGIONS
from polyregions.cli.problem import network_of, problem_of
from polyregions.errors import DomainError, OptionError
from polyregions.io.specs.load import load_domains
from polyregions.io.specs.plant import load_closed_loop
from polyregions.networks.combine import check_maps_to_itself
from polyregions.polyhedra.domain import Box
from polyregions.polyhedra.polytope import HPolytope
from polyregions.progress import stage
from polyregions.regions.region_set import RegionSet


def loop(arguments: Namespace) -> int:
    """Say where it rests, whether it stays, and where it comes in some steps."""
    check_output(arguments, REGIONS)
    if arguments.avoid is not None and arguments.target is None:
        raise OptionError("--avoid: only with --target, that is not to be reached by way of it")
    controller = network_of(arguments)
    network = controller if arguments.plant is None else load_closed_loop(arguments.plant, controller)
    check_maps_to_itself("loop", network)
    _, domain = problem_of(arguments, network)
    target, avoid = (_polytopes(path, network.n_inputs) for path in (arguments.target, arguments.avoid))
    session = arguments.session
    session.note(network=network.name, regions=0)
    with stage("enumerating"):
        steps = trajectories(
            network,
            domain,
            arguments.steps,
            engine=arguments.engine,
            workers=arguments.workers,
            progress=session.progress,
            time_limit=session.left(),
        )
    report = _of_one_step(steps) | _of_all_steps(steps)
    session.note(**report)
    if arguments.cycles:
        with stage("looking for cycles"):
            report["cycles"] = [_orbit(cycle.points, cycle.verdict) for cycle in cycles(steps)]
    if arguments.target is not None:
        with stage("looking who gets there"):
            report |= _reached(steps, reach(steps, target, avoid))
    return finish(arguments, network, report | saved(arguments, steps.regions), complete=True)


def _polytopes(path: str | None, dim: int) -> list[HPolytope]:
    """The sets of a file, all of which count."""
    found = [] if path is None else load_domains(path)
    for domain in found:
        if domain.dim != dim:
            raise DomainError(f"{path}: has {domain.dim} inputs, expected {dim}, the states")
    return [domain.polytope() if isinstance(domain, Box) else domain for domain in found]


def _of_one_step(steps: Trajectories) -> dict[str, Any]:
    regions = steps.after(1)
    with stage("looking for fixed points"):
        resting = [_resting(found) for found in fixed_points(regions)]
    with stage("looking who leaves"):
        stays = invariance(regions)
    report: dict[str, Any] = {
        "regions": len(regions),
        "fixed_points": resting,
        "invariant": stays.holds,
    }
    if stays.violation is not None:
        report["leaves_from"] = _written(stays.violation)
    return report


def _resting(found: FixedPoint) -> dict[str, Any]:
    moduli = [round(float(modulus), 6) for each in found.stability for modulus in each.moduli]
    return {"point": _written(found.point), "dim": found.dim, "verdict": found.verdict, "moduli": moduli}


def _of_all_steps(steps: Trajectories) -> dict[str, Any]:
    after = [steps.after(step) for step in range(1, steps.steps + 1)]
    with stage("looking how far they get"):
        return {
            "regions_after": [len(regions) for regions in after],
            "states_after": [_extent(regions) for regions in after],
        }


def _extent(regions: RegionSet) -> list[list[float | None]]:
    """Least and largest value of each state, None where there is none."""
    return [[end.value if end.exact is not None else None for end in ends] for ends in output_range(regions)]


def _reached(steps: Trajectories, pieces: Iterable[ReachPiece]) -> dict[str, Any]:
    """How much of the input set gets there first at which step."""
    found = list(pieces)
    dim = steps.regions.problem.solid.hull.dim
    report: dict[str, Any] = {
        "pieces_by_step": [sum(p.step == step for p in found) for step in range(steps.steps + 1)]
    }
    if steps.regions.problem.solid.bounds.are_finite and dim == steps.network.n_inputs:
        solid = [piece for piece in found if piece.dim == dim]
        volumes = [_volume(p for p in solid if p.step == step) for step in range(steps.steps + 1)]
        whole = _volume([_Whole(steps)])
        report |= {
            "share_by_step": [float(volume / whole) for volume in volumes],
            "share": float(sum(volumes, Fraction(0)) / whole),
        }
    return report


class _Whole:
    """The starts, which have a polytope as pieces have."""

    def __init__(self, steps: Trajectories) -> None:
        (region,) = steps.after(0)
        self.polytope = region.polytope


def _volume(pieces: Iterable[ReachPiece | _Whole]) -> Fraction:
    return sum((piece.polytope.exact_volume() for piece in pieces), Fraction(0))


def _orbit(points: Iterable[Iterable[Fraction]], verdict: str) -> dict[str, Any]:
    return {"points": [_written(point) for point in points], "verdict": verdict}


def _written(point: Iterable[Fraction]) -> list[str]:
    """Coordinates exactly, or as a float where that is longer than people read."""
    return [str(x) if len(str(x)) <= 20 else repr(float(x)) for x in point]
