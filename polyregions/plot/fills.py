"""Which colour each region of a picture gets, and what the colours mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import OptionError
from polyregions.plot.look import Look, Scale, scale_of
from polyregions.plot.palette import CLASS_COLOURS, REGION_COLOURS, SEQUENTIAL, pick, rgb, shades
from polyregions.plot.polygons import Polygons
from polyregions.plot.scene import Scene, norms
from polyregions.regions.region_set import RegionSet

COLOURINGS: Final = ("auto", "region", "class", "slope", "layer")
PAPER: Final = "#f7f7f5"
SLOPE_LABEL: Final = "norm of the slope"


@dataclass(frozen=True, eq=False)
class Fill:
    """Coloured polygons.

    Attributes:
        polygons: the polygons, one for each region or decision cell.
        faces: (P, 3) their colours.
        legend: label and colour of each kind.
        scale: what a colour bar shows; None if nothing is measured.
        shades: the colours in which one kind stands, where there are several; they tell regions apart.
    """

    polygons: Polygons
    faces: Floats
    legend: tuple[tuple[str, str], ...] = ()
    scale: Scale | None = None
    shades: Floats | None = None


def checked_colouring(color: Any, regions: RegionSet) -> str | Floats:
    """The name of a colouring, "auto" resolved, or one number (R,) for each region.

    Raises:
        OptionError: neither.
    """
    if isinstance(color, str):
        if color not in COLOURINGS:
            raise OptionError(f"colour {color!r}, expected one of {', '.join(COLOURINGS)}")
        several = regions.network.n_outputs > 1
        return ("class" if several else "slope") if color == "auto" else color
    try:
        values = np.array(color, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.shape != (len(regions),) or np.any(np.isnan(values)):
        found = f"numbers of shape {np.shape(color)}"
        raise OptionError(f"colour: {found}, expected a name or {len(regions)} numbers, one for each region")
    return values


def fill(scene: Scene, color: str | Floats, look: Look) -> Fill:
    """The colours of a scene; `color`, a name or numbers (R,), as `checked_colouring` gives it."""
    polygons = scene.section.polygons
    if not isinstance(color, str):
        return _measured(polygons, color, look, "")
    if color == "slope":
        return _measured(polygons, norms(scene.maps), look, SLOPE_LABEL)
    if color == "class":
        return _by_class(scene, look)
    if color == "layer":
        return Fill(polygons, np.tile(rgb(PAPER), (len(polygons), 1)))
    return Fill(polygons, tints(scene.layer_colours[-1]))


def tints(numbers: Ints) -> Floats:
    """The colour (n, 3) that stands for each small natural number."""
    return np.array([rgb(pick(REGION_COLOURS, c)) for c in numbers.tolist()]).reshape(-1, 3)


def measured_colours(values: Floats, scale: Scale) -> Floats:
    """Colours (n, 3) of numbers on a scale."""
    import matplotlib

    colours: Floats = matplotlib.colormaps[SEQUENTIAL](scale.places(values))[:, :3].reshape(-1, 3)
    return colours


def class_legend(look: Look, labels: Ints) -> tuple[tuple[str, str], ...]:
    """Name and colour of each class that occurs among labels (K,)."""
    return tuple((look.class_name(k), pick(CLASS_COLOURS, k)) for k in np.unique(labels).tolist())


def _by_class(scene: Scene, look: Look) -> Fill:
    cells = scene.cells
    faces = shades(cells.label, scene.shades[cells.region])
    variants = np.unique(scene.shades)
    several = len(variants) > 1 and len(cells) > 0
    samples = shades(np.full(len(variants), cells.label.min()), variants) if several else None
    return Fill(scene.cell_polygons, faces, class_legend(look, cells.label), None, samples)


def _measured(polygons: Polygons, values: Floats, look: Look, label: str) -> Fill:
    scale = scale_of(values, look.percentiles, label)
    return Fill(polygons, measured_colours(values, scale), (), scale)
