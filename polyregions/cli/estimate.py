"""``polyregions estimate``: how many regions there will be, and how long they will take."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from polyregions.cli.answers import print_report
from polyregions.cli.problem import problem_of
from polyregions.cli.progress import duration, short
from polyregions.cli.status import DONE, STOPPED
from polyregions.engine.estimate import Estimate, estimate_regions
from polyregions.engine.pools import cores
from polyregions.errors import StoppedError


def estimate(arguments: Namespace) -> int:
    """Predict count, time and memory from random parts of the split tree."""
    session, problem = arguments.session, problem_of(arguments)
    try:
        found = estimate_regions(
            *problem,
            engine=arguments.engine,
            repeats=arguments.repeats,
            population=arguments.population,
            seed=arguments.seed,
            time_limit=session.left(),
            progress=session.progress,
        )
    except StoppedError as error:
        if error.finished is None:
            raise
        return _too_early(arguments, error)
    workers = arguments.workers or cores()
    print_report(arguments, _object(found, workers), _lines(found, workers))
    return DONE if found.complete else STOPPED


def _too_early(arguments: Namespace, error: StoppedError) -> int:
    """What is known without an estimate."""
    arguments.session.look()
    report = {"at_least": error.finished.regions, "complete": False, "stopped": arguments.session.reason}
    print_report(arguments, report, [f"no estimate: {error}"])
    return STOPPED


def _object(found: Estimate, workers: int) -> dict[str, Any]:
    return {
        "regions": round(found.regions),
        "low": round(found.low),
        "high": round(found.high),
        "exact": found.is_exact,
        "complete": found.complete,
        "regions_per_second": round(found.rate),
        "workers": workers,
        "seconds": found.seconds(workers),
        "bytes": round(found.regions) * found.bytes_per_region,
        "samples": list(found.samples),
    }


def _lines(found: Estimate, workers: int) -> list[str]:
    n, megabytes = round(found.regions), found.regions * found.bytes_per_region / 1e6
    if found.is_exact:
        lines = [f"regions: {n} (counted)"]
    else:
        lines = [f"regions: about {short(n)}, most likely {short(found.low)} to {short(found.high)}"]
    if not found.complete:
        lines.append(
            f"partial: stopped after {len(found.samples)} samples, which scatter more than all would"
        )
    one, many = (duration(found.seconds(w)) for w in (1, workers))
    several = f", {many} with {workers} workers" if workers > 1 else ""
    return [
        *lines,
        f"time: {one} at {found.rate:.0f} regions/s{several}",
        f"regions kept: {megabytes:.1f} MB",
    ]
