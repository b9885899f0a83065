"""``polyregions diff``: two networks on one input set."""

from __future__ import annotations

from argparse import Namespace
from math import isfinite
from typing import Any

from polyregions.analysis.comparison.difference import Difference, difference
from polyregions.cli.answers import finish
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import network_of, problem_of
from polyregions.cli.status import ANSWERED_NO
from polyregions.progress import stage


def diff(arguments: Namespace) -> int:
    """Say how far they are apart, and where they decide differently; exit status 1 if that is more than allowed."""
    network, domain = problem_of(arguments)
    other = network_of(Namespace(**{**vars(arguments), "network": arguments.other}))
    session = arguments.session
    with stage("comparing"):
        found = difference(
            network,
            other,
            domain,
            rule=rule_of(arguments),
            engine=arguments.engine,
            workers=arguments.workers,
            progress=session.progress,
            time_limit=session.left(),
        )
    status = finish(arguments, network, _report(found) | {"other": other.name}, complete=True)
    return ANSWERED_NO if _is_too_much(found, arguments) else status


def _report(found: Difference) -> dict[str, Any]:
    report: dict[str, Any] = {
        "equal": found.equal,
        "regions": len(found.both),
        "largest": [distance.value if isfinite(distance.value) else None for distance in found.outputs],
        "at": [[float(c) for c in distance.point] for distance in found.outputs],
        "rule": found.rule,
        "parts_decided_differently": len(found.disagreements),
    }
    if found.both.problem.solid.bounds.are_finite:
        report["share_decided_differently"] = float(found.disagreement_share)
    return report


def _is_too_much(found: Difference, arguments: Namespace) -> bool:
    if arguments.within is None:
        return False
    return found.exact is None or found.exact > arguments.within
