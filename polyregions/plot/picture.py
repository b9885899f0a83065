"""Two-dimensional partitions drawn with matplotlib."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.decision import decision_cells
from polyregions.domain import Domain
from polyregions.errors import OptionError
from polyregions.network import Network
from polyregions.plot.figure import FORMATS as FORMATS
from polyregions.plot.figure import import_matplotlib, save_figure
from polyregions.plot.polygons import cell_polygons, check_drawable, region_polygons
from polyregions.problem import pose
from polyregions.regions import RegionSet

CLASS_COLOURS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#bbbbbb",
)  # Paul Tol, bright
COLOURINGS = ("auto", "class", "slope")


def save_picture(regions: RegionSet, path: str | os.PathLike[str], colour: str = "auto") -> None:
    """Draw the regions of a two-dimensional domain into a .png, .svg or .pdf file.

    Args:
        regions: the regions.
        path: the file; its suffix names the format.
        colour: by "class" (the winning output), by "slope" (norm of the affine map's matrix), or "auto": by class
            where there are several outputs.

    The same regions give the same bytes, and the file appears under its name only once it is complete.

    Raises:
        InputError: the domain is not two-dimensional and bounded.
        OptionError: an unknown colouring.
        FormatError: an unknown format, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    if colour not in COLOURINGS:
        raise OptionError(f"colour {colour!r}, expected one of {', '.join(COLOURINGS)}")
    save_figure(path, lambda axes: draw_regions(axes, regions, colour), (6, 5))


def check_picture(network: Network, domain: Domain) -> None:
    """Find out before the regions are enumerated whether they could be drawn.

    Raises:
        InputError: the domain is not two-dimensional and bounded.
        MissingExtraError: matplotlib is not installed.
    """
    import_matplotlib()
    check_drawable(pose(network, domain))


def draw_regions(axes: Any, regions: RegionSet, colour: str = "auto") -> None:
    """Draw the regions of a two-dimensional domain on matplotlib axes; arguments as in `save_picture`."""
    by_class = colour == "class" or (colour == "auto" and regions.network.n_outputs > 1)
    polygons = region_polygons(regions)
    if by_class:
        cells = decision_cells(regions)
        filled, faces = (
            cell_polygons(cells),
            [_shade(k, r) for k, r in zip(cells.label, cells.region, strict=True)],
        )
    else:
        filled, faces = polygons, _slope_colours(regions)
    axes.add_collection(_collection(filled, facecolors=faces, edgecolors="none", antialiased=False))
    axes.add_collection(_collection(polygons, facecolors="none", edgecolors="black", linewidths=0.25))
    bounds = regions.problem.solid.bounds
    axes.set_xlim(bounds.lower[0], bounds.upper[0])
    axes.set_ylim(bounds.lower[1], bounds.upper[1])
    axes.set_aspect("equal", adjustable="box")
    title = f"{regions.network.name}: {len(regions)} regions"
    axes.set_title(title, fontsize="medium", parse_math=False)  # a name may hold $


def _shade(label: int, region: int) -> Floats:
    """The class's colour, a little lighter or darker from region to region so that they can be told apart."""
    import matplotlib.colors

    base = np.array(matplotlib.colors.to_rgb(CLASS_COLOURS[label % len(CLASS_COLOURS)]))
    lightness = 0.15 + 0.5 * ((int(region) * 0.6180339887) % 1.0)
    shade: Floats = base + (1 - base) * lightness
    return shade


def _slope_colours(regions: RegionSet) -> Any:
    import matplotlib

    slopes = np.array([np.linalg.norm(region.affine_map[0]) for region in regions])
    return matplotlib.colormaps["viridis"](slopes / max(slopes.max(initial=0.0), 1e-300))


def _collection(polygons: list[Floats], **style: Any) -> Any:
    from matplotlib.collections import PolyCollection

    return PolyCollection(polygons, **style)
