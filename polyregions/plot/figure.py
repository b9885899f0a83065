"""Figures as files that are the same bytes for the same drawing."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from polyregions.errors import FormatError
from polyregions.io.files import import_extra, write_whole

FORMATS: Final = (".png", ".svg", ".pdf")

TIMELESS: Final[dict[str, dict[str, Any]]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""Metadata without the date."""


def save_figure(path: str | os.PathLike[str], draw: Callable[[Any], None], size: tuple[float, float]) -> None:
    """Let a function draw on matplotlib axes, and write the figure once it is complete.

    Args:
        path: the file; its suffix names the format.
        draw: called with the axes.
        size: width and height in inches.

    Raises:
        FormatError: an unknown format, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise FormatError(f"{path}: expected a name that ends in one of {', '.join(FORMATS)}")
    matplotlib = import_matplotlib()
    figure = matplotlib.figure.Figure(figsize=size, dpi=160)
    draw(figure.add_subplot())
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "polyregions"}):  # else the names inside an .svg are random
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
