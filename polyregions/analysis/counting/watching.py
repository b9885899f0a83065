"""What all countings have in common: a complete set to count in, and somebody who watches."""

from __future__ import annotations

from collections.abc import Callable

from polyregions.errors import InputError, StoppedError
from polyregions.progress import ProgressFunction, Watch
from polyregions.regions.region_set import RegionSet


def check_complete(regions: RegionSet) -> None:
    """Refuse a part of the regions.

    Raises:
        InputError: the set is not complete.
    """
    if not regions.complete:
        raise InputError(f"{len(regions)} regions of a run that was stopped, expected a complete set")


def reporter(n_regions: int, progress: ProgressFunction | None, what: str) -> Callable[[int, int], None]:
    """The function that says how far something has come, from the steps done and those in all.

    Raises:
        StoppedError: (the function) `progress` returned False.
    """
    watch = Watch(progress)

    def report(done: int, total: int) -> None:
        fraction = done / total if total else 1.0
        if not watch.goes_on(int(fraction * n_regions), fraction):
            raise StoppedError(f"stopped while {what}, at {done} of {total} steps")

    return report
