"""Counts over the checkpoints of a training run, drawn with matplotlib."""

from __future__ import annotations

import os
from typing import Any, Final

from polyregions.analysis.checkpoints import Checkpoints
from polyregions.errors import OptionError
from polyregions.plot.figure import save_figure

DEFAULT: Final = ("regions", "edges", "never_on")
STYLES: Final = (
    ("#4477aa", "o"),
    ("#ee6677", "s"),
    ("#228833", "^"),
    ("#ccbb44", "D"),
    ("#66ccee", "v"),
    ("#aa3377", "P"),
    ("#bbbbbb", "X"),
)
"""Colour (Paul Tol, bright) and marker of each column."""


def save_training_plot(
    checkpoints: Checkpoints,
    path: str | os.PathLike[str],
    columns: tuple[str, ...] = DEFAULT,
    log: bool = False,
) -> None:
    """Draw columns of a table of checkpoints into a .png, .svg or .pdf file.

    Args:
        checkpoints: the table.
        path: the file; its suffix names the format.
        columns: the columns to draw, names as in `Checkpoints.columns`; of the default ones those that it has.
        log: whether the counts have a logarithmic axis (one that is linear up to 1, so that 0 has a place).

    The same table gives the same bytes, and the file appears under its name only once it is complete.

    Raises:
        OptionError: no such column, or one that does not hold numbers.
        FormatError: an unknown format, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    drawn = _numbers(checkpoints, columns)
    save_figure(path, lambda axes: draw_training(axes, checkpoints, tuple(drawn), log), (6, 4))


def draw_training(
    axes: Any, checkpoints: Checkpoints, columns: tuple[str, ...] = DEFAULT, log: bool = False
) -> None:
    """Draw columns of a table of checkpoints on matplotlib axes; arguments as in `save_training_plot`."""
    places = range(len(checkpoints))
    for i, (name, values) in enumerate(_numbers(checkpoints, columns).items()):
        colour, marker = STYLES[i % len(STYLES)]
        label = name.replace("_", " ").replace("$", r"\$")  # no formulas
        axes.plot(places, values, label=label, color=colour, marker=marker, markersize=4, linewidth=1.2)
    axes.set_xticks(
        list(places), [name.replace("$", r"\$") for name in checkpoints.names], rotation=45, ha="right"
    )
    if log:
        axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("checkpoint")
    axes.legend(frameon=False, fontsize="small")


def _numbers(checkpoints: Checkpoints, columns: tuple[str, ...]) -> dict[str, list[Any]]:
    known = checkpoints.columns()
    chosen = [name for name in columns if columns != DEFAULT or name in known]
    for name in chosen:
        if name not in known:
            raise OptionError(f"column {name!r}, expected some of {', '.join(known)}")
        if not all(isinstance(value, int | float) for value in known[name]):
            raise OptionError(f"column {name!r} does not hold numbers")
    return {name: known[name] for name in chosen}
