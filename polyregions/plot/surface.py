"""One output over a two-dimensional input set, as the surface of flat facets that it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.errors import OptionError, expect
from polyregions.networks.network import Network
from polyregions.plot.captions import caption, plane_text
from polyregions.plot.figure import given_axes, import_matplotlib, new_axes
from polyregions.plot.fills import Fill, checked_colouring, fill
from polyregions.plot.look import Look, Percentiles, one_colour
from polyregions.plot.plane import INK, entitle, explain, name_axes, patches, shade_entry
from polyregions.plot.scene import Scene
from polyregions.plot.sections import check_drawable
from polyregions.regions.region_set import RegionSet


def plot_surface(
    regions: RegionSet,
    ax: Any = None,
    *,
    output: int = 0,
    color: Any = "slope",
    colour: Any = None,
    rule: str = "auto",
    view: tuple[Any, Any] | None = None,
    input_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    percentiles: Percentiles = "auto",
    size: tuple[float, float] | None = None,
    dpi: float | None = None,
) -> Any:
    """Draw one output as a surface over a two-dimensional input set.

    Args:
        regions: regions of a two-dimensional domain.
        ax: matplotlib axes with ``projection="3d"``; a new figure if not given.
        output: which output.
        color: as in `plot_regions`, but for "layer".
        colour: the same.
        rule, view, input_names, class_names, title, percentiles, size, dpi: as in `plot_regions`.

    Returns:
        The axes.

    Raises:
        InputError: the domain is not two-dimensional.
        OptionError: no such output, an unknown colouring or view, names that do not fit, a size beside axes.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [1, 2]))
    >>> ax = plot_surface(regions, matplotlib.figure.Figure().add_subplot(projection="3d"))
    >>> [round(float(z), 9) for z in ax.get_zlim()]
    [0.0, 3.0]
    """
    expect(regions, RegionSet, "regions")
    check_output(regions.network, output)
    check_drawable(regions.problem, (2,))
    colouring = checked_surface_colouring(one_colour(color, colour, "slope"), regions)
    look = Look.of(
        regions.problem,
        rule,
        input_names=input_names,
        class_names=class_names,
        title=title,
        percentiles=percentiles,
    )
    import_matplotlib()
    axes = new_axes(size, dpi, "3d") if ax is None else given_axes(ax, size, dpi)
    scene = Scene.of(regions, rule, view)
    filled = fill(scene, colouring, look)
    heights = _heights(scene, filled, output)
    _draw_facets(axes, filled, np.column_stack([filled.polygons.corners, heights]))
    (a, b), (c, d) = scene.section.lower, scene.section.upper
    low, high = float(heights.min(initial=np.inf)), float(heights.max(initial=-np.inf))
    axes.set(xlim=(a, c), ylim=(b, d), zlim=(low, high) if low < high else (low - 1, low + 1))
    name_axes(axes, look.axes)
    axes.set_zlabel(look.output_name(regions.network, output), parse_math=False)
    axes.view_init(elev=32, azim=-58)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_linewidth(0.5)
    explain(axes, filled.scale, [*patches(filled.legend), *shade_entry(filled.shades)])
    entitle(axes, regions, look, caption([plane_text(regions.problem, look), scene.section.note]))
    return axes


def _heights(scene: Scene, filled: Fill, output: int) -> Floats:
    """The output (V,) at each corner, by the map of the region that the polygon is of."""
    whole = filled.polygons is scene.section.polygons
    owner = np.arange(len(scene.regions)) if whole else scene.cells.region
    maps, corners = scene.maps[owner[filled.polygons.owners], output], filled.polygons.corners
    heights: Floats = maps[:, 0] * corners[:, 0] + maps[:, 1] * corners[:, 1] + maps[:, 2]
    return heights


def _draw_facets(axes: Any, filled: Fill, corners: Floats) -> None:
    """The polygons with their corners (V, 3) in space."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    offsets, seen = filled.polygons.offsets, np.flatnonzero(filled.polygons.sizes > 0)
    facets = [corners[offsets[i] : offsets[i + 1]] for i in seen.tolist()]
    axes.add_collection3d(
        Poly3DCollection(facets, facecolors=filled.faces[seen], edgecolors=INK, linewidths=0.2, shade=False)
    )


def checked_surface_colouring(color: Any, regions: RegionSet) -> str | Floats:
    """As `checked_colouring`, without "layer", which colours lines and not faces.

    Raises:
        OptionError: no such colouring.
    """
    if isinstance(color, str) and color == "layer":
        raise OptionError(
            "colour 'layer', expected one of auto, region, class, slope for a surface, which has no lines"
        )
    return checked_colouring(color, regions)


def check_output(network: Network, output: int) -> None:
    """Refuse the number of an output that is not there.

    Raises:
        OptionError: it is not.
        UnsupportedError: outputs stand behind a final function.
    """
    n = network.n_outputs
    network.check_values_are_outputs("a surface")
    if not 0 <= output < n:
        raise OptionError(f"output {output}, expected one of the {n} outputs, counted from 0")
