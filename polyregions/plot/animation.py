"""The regions of a network at its checkpoints, one after the other, as an animated picture."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

from polyregions.errors import FormatError, InputError, OptionError
from polyregions.io.files import as_path, import_extra, write_whole
from polyregions.plot.figure import STYLE, import_matplotlib
from polyregions.plot.picture import plot_regions
from polyregions.regions.region_set import RegionSet

SUFFIX = ".gif"


def animate_regions(
    checkpoints: Mapping[str, RegionSet],
    path: str | os.PathLike[str],
    *,
    seconds: float = 0.5,
    dpi: int = 110,
    **options: Any,
) -> None:
    """Write an animation of the regions at each of several checkpoints, a frame each, as a ``.gif`` file.

    Args:
        checkpoints: name -> regions of a one- or two-dimensional domain, in order.
        path: the file.
        seconds: how long each is shown.
        dpi: dots per inch, of 6 by 5 inches.
        **options: those of `plot_regions`.

    Raises:
        OptionError: no checkpoints, or a time or resolution that is not positive.
        FormatError: another suffix, or the file cannot be written.
        InputError, MissingExtraError: as `plot_regions`.

    Complexity: a picture for each checkpoint.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pr.animate_regions({"step 0": regions, "step 1": regions}, f"{folder}/training.gif", dpi=40)
    """
    if checkpoints is not None and not isinstance(checkpoints, Mapping):
        raise InputError(
            f"checkpoints: {type(checkpoints).__name__}, expected a mapping from names to their regions"
        )
    if not checkpoints:
        raise OptionError("animation: no checkpoints, expected at least one")
    if not (seconds > 0 and dpi > 0):
        raise OptionError(f"animation: {seconds} seconds at {dpi} dpi, expected positive numbers")
    if as_path(path).suffix.lower() != SUFFIX:
        raise FormatError(f"{path}: expected a name that ends in {SUFFIX}")
    frames = [_frame(name, regions, dpi, options) for name, regions in checkpoints.items()]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, format="GIF", save_all=True, append_images=frames[1:], duration=round(1000 * seconds), loop=0
    )
    write_whole(path, buffer.getvalue())


def _frame(name: str, regions: RegionSet, dpi: int, options: Mapping[str, Any]) -> Any:
    """One picture, as Pillow's image."""
    matplotlib = import_matplotlib()
    image = import_extra("PIL.Image", "plot", "an animation")
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure = matplotlib.figure.Figure(figsize=(6, 5), dpi=dpi, layout="constrained")
        axes = plot_regions(regions, figure.add_subplot(), **options)
        axes.set_title(f"{name}: {len(regions)} regions".replace("$", r"\$"))
        figure.savefig(buffer, format="png")
    return image.open(buffer).convert("RGB")
