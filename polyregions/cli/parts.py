"""What ``polyregions enumerate`` may store instead of all regions: those after a layer, those without an interior."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from polyregions.analysis.counting.lower_dimensional import LowerDimensionalRegions, lower_dimensional_regions
from polyregions.errors import OptionError, StoppedError
from polyregions.io.files import suffix_of
from polyregions.io.save import HREPS
from polyregions.progress import stage
from polyregions.regions.region_set import RegionSet


def check_part(arguments: Namespace, options: dict[str, Any]) -> None:
    """Refuse before any work what could not be stored.

    Raises:
        OptionError: no file, or lower-dimensional regions in another format or with options of regions.
    """
    if arguments.after_layer is None and not arguments.lower_dimensional:
        return
    if arguments.output is None:
        raise OptionError("--after-layer and --lower-dimensional: only with -o")
    if arguments.lower_dimensional and (suffix_of(arguments.output) not in HREPS or any(options.values())):
        raise OptionError(
            f"--lower-dimensional: only with -o and {' or '.join(HREPS)}, which have H-representations without --hrep, "
            "and without --classes, --volume and --vertices"
        )


def part_of(arguments: Namespace, regions: RegionSet) -> RegionSet | LowerDimensionalRegions:
    """What is to be stored of the regions.

    Raises:
        StoppedError: lower-dimensional regions of a run that was stopped.
    """
    if arguments.after_layer is not None:
        return regions.after_layer(arguments.after_layer)
    if not arguments.lower_dimensional:
        return regions
    if not regions.complete:
        raise StoppedError("stopped before all regions were found, which lower-dimensional ones are between")
    with stage("listing lower-dimensional regions"):
        return lower_dimensional_regions(regions, progress=arguments.session.progress)


def told_of_part(part: RegionSet | LowerDimensionalRegions, regions: RegionSet) -> dict[str, Any]:
    """What the report says of it beside the regions."""
    if isinstance(part, LowerDimensionalRegions):
        dims = {str(dim): count for dim, count in part.per_dimension().items()}
        return {"lower_dimensional": len(part), "per_dimension": dims}
    return {} if part is regions else {"stored_regions": len(part)}
