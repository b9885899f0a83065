"""Which colour each region of a picture gets, and what the colours mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import OptionError
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
        scale: least and greatest value and name of what is measured, for a colour bar; None if nothing is.
    """

    polygons: Polygons
    faces: Floats
    legend: tuple[tuple[str, str], ...] = ()
    scale: tuple[float, float, str] | None = None


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


def fill(scene: Scene, color: str | Floats) -> Fill:
    """The colours of a scene; `color`, a name or numbers (R,), as `checked_colouring` gives it."""
    polygons = scene.section.polygons
    if not isinstance(color, str):
        return Fill(polygons, *_measured(color, ""))
    if color == "slope":
        return Fill(polygons, *_measured(norms(scene.maps), SLOPE_LABEL))
    if color == "class":
        return _by_class(scene)
    if color == "layer":
        return Fill(polygons, np.tile(rgb(PAPER), (len(polygons), 1)))
    return Fill(polygons, tints(scene.layer_colours[-1]))


def tints(numbers: Ints) -> Floats:
    """The colour (n, 3) that stands for each small natural number."""
    return np.array([rgb(pick(REGION_COLOURS, c)) for c in numbers.tolist()]).reshape(-1, 3)


def measured_colours(values: Floats) -> tuple[Floats, float, float]:
    """Colours (n, 3) of numbers, and the least and greatest finite one."""
    import matplotlib

    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
    if low > high:
        low = high = 0.0
    places = np.clip((values - low) / (high - low), 0, 1) if high > low else np.full(len(values), 0.5)
    colours: Floats = matplotlib.colormaps[SEQUENTIAL](places)[:, :3].reshape(-1, 3)
    return colours, low, high


def class_names(rule: str) -> tuple[str, ...] | None:
    """Names of the classes that a rule makes; None if they are just numbered."""
    return ("output <= 0", "output > 0") if rule == "sign" else None


def class_legend(rule: str, labels: Ints) -> tuple[tuple[str, str], ...]:
    """Name and colour of each class that occurs among labels (K,)."""
    names = class_names(rule)
    return tuple(
        (names[k] if names else f"class {k}", pick(CLASS_COLOURS, k)) for k in np.unique(labels).tolist()
    )


def _by_class(scene: Scene) -> Fill:
    cells = scene.cells
    faces = shades(cells.label, scene.shades[cells.region])
    return Fill(scene.cell_polygons, faces, class_legend(scene.rule, cells.label))


def _measured(values: Floats, label: str) -> tuple[Floats, tuple[()], tuple[float, float, str]]:
    colours, low, high = measured_colours(values)
    return colours, (), (low, high, label)
