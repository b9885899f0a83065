"""``polyregions topology``: faces, pieces and holes of classes, and of the levels of an output."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.analysis.topology.critical import critical_points
from polyregions.analysis.topology.face_complex import FaceComplex, face_complex
from polyregions.analysis.topology.homology import FIELDS as FIELDS
from polyregions.analysis.topology.homology import betti_numbers
from polyregions.analysis.topology.persistence import PersistenceDiagram, persistent_homology
from polyregions.cli.answers import check_output, finish, saved
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import problem_of
from polyregions.cli.running import regions_of
from polyregions.io.save import suffixes_of


def topology(arguments: Namespace) -> int:
    """Betti numbers of every class and of the boundary between them; of some of the regions nothing."""
    check_output(arguments, suffixes_of(FaceComplex))
    regions = regions_of(arguments, *problem_of(arguments))
    report: dict[str, Any] = {"regions": len(regions)}
    if regions.complete:
        complex = face_complex(regions)
        report |= _answers(arguments, complex) | saved(arguments, complex)
    return finish(arguments, regions.network, report, regions.complete)


def _answers(arguments: Namespace, complex: FaceComplex) -> dict[str, Any]:
    report: dict[str, Any] = {
        "faces": list(complex.counts),
        "euler_characteristic": complex.euler_characteristic,
    }
    report |= _classes(arguments, complex)
    if arguments.level is not None:
        report["betti_at_most_level"] = _betti(
            arguments, complex.sublevel_set(arguments.level, arguments.of_output)
        )
        report["betti_at_least_level"] = _betti(
            arguments, complex.superlevel_set(arguments.level, arguments.of_output)
        )
    if arguments.persistence:
        report |= _levels(arguments, complex)
    return report


def _classes(arguments: Namespace, complex: FaceComplex) -> dict[str, Any]:
    network, given = complex.problem.network, rule_of(arguments)
    rule = chosen_rule(network, given)
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
        "classes_of_levels": len(diagram),
        "persistence": _pairs(diagram) if arguments.json else len(diagram),
        "critical_points_by_index": points.index.sum(axis=0).tolist(),
    }


def _pairs(diagram: PersistenceDiagram) -> list[list[float | int | None]]:
    """Dimension, birth and death of each class; null for those that stay."""
    lives = zip(
        diagram.dim.tolist(), diagram.birth.tolist(), diagram.exact_death, diagram.death.tolist(), strict=True
    )
    return [[dim, birth, None if exact is None else death] for dim, birth, exact, death in lives]
