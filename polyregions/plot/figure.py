"""Figures as files that are the same bytes for the same drawing."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from polyregions.errors import FormatError, OptionError
from polyregions.io.files import import_extra, write_whole

FORMATS: Final = (".png", ".svg", ".pdf")

SIZE: Final = (6.0, 5.0)
"""Width and height of a picture in inches."""

DPI: Final = 160
LARGEST: Final = 2**15  # dots in either direction, half of what the renderer takes

TIMELESS: Final[dict[str, dict[str, Any]]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""Metadata without the date."""

STYLE: Final = {
    "svg.hashsalt": "polyregions",  # else the names inside an .svg are random
    "pdf.fonttype": 42,  # fonts that journals take and editors can change
    "font.size": 8.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
}
"""matplotlib settings of files that the package writes; the caller's own settings stay as they are."""


def save_figure(
    path: str | os.PathLike[str],
    draw: Callable[[Any], None],
    size: tuple[float, float],
    projection: str | None = None,
    dpi: float | None = None,
) -> None:
    """Let a function draw on matplotlib axes, and write the figure once it is complete.

    Args:
        path: the file; its suffix names the format.
        draw: called with the axes.
        size: width and height in inches.
        projection: "3d" for axes in space.
        dpi: resolution of a .png in dots per inch.

    Raises:
        FormatError: an unknown format, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    save_whole_figure(path, lambda figure: draw(figure.add_subplot(projection=projection)), size, dpi)


def save_whole_figure(
    path: str | os.PathLike[str],
    draw: Callable[[Any], None],
    size: tuple[float, float],
    dpi: float | None = None,
) -> None:
    """The same for a function that is called with the figure, and makes its own axes.

    Raises:
        OptionError: a size or resolution that is none.
        FormatError: an unknown format, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise FormatError(f"{path}: expected a name that ends in one of {', '.join(FORMATS)}")
    check_measures(size, dpi)
    matplotlib = import_matplotlib()
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure = matplotlib.figure.Figure(figsize=size, dpi=dpi or DPI)
        draw(figure)
        figure.savefig(buffer, format=suffix[1:], bbox_inches="tight", metadata=TIMELESS.get(suffix))
    write_whole(path, buffer.getvalue())


def import_matplotlib() -> Any:
    """matplotlib with its figures.

    Raises:
        MissingExtraError: it is not installed.
    """
    matplotlib = import_extra("matplotlib", "plot", "a picture")
    import_extra("matplotlib.figure", "plot", "a picture")
    return matplotlib


def new_figure(size: tuple[float, float], dpi: float | None = None) -> Any:
    """A figure of matplotlib.pyplot, which notebooks show by themselves.

    Raises:
        OptionError: a size or resolution that is none.
        MissingExtraError: matplotlib is not installed.
    """
    check_measures(size, dpi)
    import_matplotlib()
    pyplot = import_extra("matplotlib.pyplot", "plot", "a picture")
    return pyplot.figure(figsize=size, dpi=dpi, layout="constrained")


def new_axes(size: tuple[float, float] | None, dpi: float | None, projection: str | None = None) -> Any:
    """Axes of a new figure of pyplot.

    Raises:
        OptionError: a size or resolution that is none.
        MissingExtraError: matplotlib is not installed.
    """
    return new_figure(SIZE if size is None else size, dpi).add_subplot(projection=projection)


def given_axes(ax: Any, size: Any, dpi: Any) -> Any:
    """What was handed in to be drawn on.

    Raises:
        OptionError: a size or resolution beside it, which are its own.
    """
    if size is not None or dpi is not None:
        raise OptionError(
            "size and dpi are those of a new figure, expected nothing given to draw on beside them"
        )
    return ax


def check_measures(size: Any, dpi: Any) -> None:
    """Refuse a size in inches or a resolution of which no figure can be made.

    Raises:
        OptionError: not two positive numbers, not a positive number, or more dots than matplotlib draws.
    """
    try:
        width, height = (float(length) for length in size)
        dots = float(DPI if dpi is None else dpi)
    except (TypeError, ValueError):
        raise OptionError(
            f"size {size!r}, dpi {dpi!r}, expected (width, height) in inches and a number"
        ) from None
    if not (min(width, height, dots) > 0 and max(width, height) * dots <= LARGEST):
        raise OptionError(
            f"size {width:g} x {height:g} inches at {dots:g} dpi, expected positive numbers and at most {LARGEST} "
            "dots in either direction"
        )
