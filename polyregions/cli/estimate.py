"""``polyregions estimate``: how many regions there will be, and how long they will take."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from polyregions.cli.answers import print_report
from polyregions.cli.problem import problem_of
from polyregions.cli.progress import duration, short
from polyregions.cli.status import DONE
from polyregions.engine.estimate import Estimate, estimate_regions
from polyregions.engine.pools import cores


def estimate(arguments: Namespace) -> int:
    """Predict count, time and memory from random parts of the split tree."""
    found = estimate_regions(
        *problem_of(arguments),
        engine=arguments.engine,
        repeats=arguments.repeats,
        population=arguments.population,
        seed=arguments.seed,
    )
    workers = arguments.workers or cores()
    print_report(arguments, _object(found, workers), _lines(found, workers))
    return DONE


def _object(found: Estimate, workers: int) -> dict[str, Any]:
    return {
        "regions": round(found.regions),
        "low": round(found.low),
        "high": round(found.high),
        "exact": found.is_exact,
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
    one, many = (duration(found.seconds(w)) for w in (1, workers))
    several = f", {many} with {workers} workers" if workers > 1 else ""
    return [
        *lines,
        f"time: {one} at {found.rate:.0f} regions/s{several}",
        f"regions kept: {megabytes:.1f} MB",
    ]
