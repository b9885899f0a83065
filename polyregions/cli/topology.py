"""``polyregions topology``: faces, pieces and holes of classes, and of the levels of an output."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.analysis.topology.critical import critical_points
from polyregions.analysis.topology.face_complex import FaceComplex, checked_index, face_complex
from polyregions.analysis.topology.homology import betti_numbers
from polyregions.analysis.topology.persistence import PersistenceDiagram, persistent_homology
from polyregions.cli.answers import check_output, finish, saved
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import problem_of
from polyregions.cli.running import regions_of
from polyregions.errors import OptionError
from polyregions.io.save import suffixes_of
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.progress import stage


def topology(arguments: Namespace) -> int:
    """Betti numbers of every class and of the boundary between them; of some of the regions nothing."""
    check_output(arguments, suffixes_of(FaceComplex))
    network, domain = problem_of(arguments)
    _check(arguments, network, domain)
    regions = regions_of(arguments, network, domain)
    report: dict[str, Any] = {"regions": len(regions)}
    if regions.complete:
        with stage("listing faces"):
            complex = face_complex(regions)
        for what, answer in _asked(arguments, complex):
            with stage(what):
                found = answer()
            report |= found
            arguments.session.note(**found)
        report |= saved(arguments, complex)
    return finish(arguments, regions.network, report, regions.complete)


def _check(arguments: Namespace, network: Network, domain: Domain) -> None:
    """Refuse what could not be answered before anything is enumerated.

    Raises:
        OptionError: there is no such output, or levels are to be followed on an unbounded set.
        UnsupportedError: a question about values behind a final function.
    """
    if arguments.level is None and not arguments.persistence:
        return
    network.check_values_are_outputs("a level")
    checked_index(arguments.of_output, network.n_outputs, "output")
    if arguments.persistence and not pose(network, domain).solid.bounds.are_finite:
        raise OptionError("--persistence: the input set is unbounded, expected a bounded one")


Answer: TypeAlias = Callable[[], dict[str, Any]]


def _asked(arguments: Namespace, complex: FaceComplex) -> Iterator[tuple[str, Answer]]:
    """What is asked for, each with what it is called while it is looked for."""
    counts = {"faces": list(complex.counts), "euler_characteristic": complex.euler_characteristic}
    yield "counting faces", lambda: counts
    yield "counting pieces and holes of classes", lambda: _classes(arguments, complex)
    if arguments.level is not None:
        yield "counting pieces and holes at the level", lambda: _at_level(arguments, complex)
    if arguments.persistence:
        yield "following the levels", lambda: _levels(arguments, complex)


def _at_level(arguments: Namespace, complex: FaceComplex) -> dict[str, Any]:
    level, output = arguments.level, arguments.of_output
    return {
        "betti_at_most_level": _betti(arguments, complex.sublevel_set(level, output)),
        "betti_at_least_level": _betti(arguments, complex.superlevel_set(level, output)),
    }


def _classes(arguments: Namespace, complex: FaceComplex) -> dict[str, Any]:
    network = complex.problem.network
    rule = chosen_rule(network, rule_of(arguments))
    n = 2 if rule == "sign" else network.n_outputs
    classes = {str(k): _betti(arguments, complex.where_class(k, rule)) for k in range(n)}
    boundary = _betti(arguments, complex.decision_boundary(rule))
    return {"rule": rule, "betti_of_classes": classes, "betti_of_boundary": boundary}


def _betti(arguments: Namespace, part: FaceComplex) -> list[int]:
    return list(betti_numbers(part, arguments.field))


def _levels(arguments: Namespace, complex: FaceComplex) -> dict[str, Any]:
    diagram = persistent_homology(complex, arguments.of_output)
    points = critical_points(complex, arguments.of_output)
    return {
        **({"persistence": _pairs(diagram)} if arguments.json else {"classes_of_levels": len(diagram)}),
        "critical_points_by_index": points.index.sum(axis=0).tolist(),
    }


def _pairs(diagram: PersistenceDiagram) -> list[list[float | int | None]]:
    """Dimension, birth and death of each class; null for those that stay."""
    lives = zip(
        diagram.dim.tolist(), diagram.birth.tolist(), diagram.exact_death, diagram.death.tolist(), strict=True
    )
    return [[dim, birth, None if exact is None else death] for dim, birth, exact, death in lives]
