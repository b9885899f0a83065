"""Counts over the checkpoints of a training run, drawn with matplotlib: one quantity a panel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.checkpoints import Checkpoints
from polyregions.errors import OptionError, expect
from polyregions.plot.figure import given_axes, import_matplotlib, new_figure, save_whole_figure
from polyregions.plot.palette import CLASS_COLOURS, pick

DEFAULT: Final = ("regions", "edges", "never_on")
WIDTH, PANEL, REST = 6.0, 1.5, 0.7  # inches


def plot_training(
    checkpoints: Checkpoints,
    columns: str | Sequence[str] = DEFAULT,
    ax: Any = None,
    *,
    log: bool = False,
    title: str | None = None,
    size: tuple[float, float] | None = None,
    dpi: float | None = None,
) -> Any:
    """Draw columns of a table of checkpoints over training: one panel for each.

    Checkpoints stand where their steps are, if the table has any, else at equal distances under their names.

    Args:
        checkpoints: the table, see `compare_checkpoints`.
        columns: a column, or several; names as in `Checkpoints.columns`; of the default ones those that it has.
        ax: matplotlib axes for one column, or a sequence of axes for as many; a new figure if not given.
        log: whether values have a logarithmic axis (one that is linear up to 1, so that 0 has a place).
        title: a title above the first panel.
        size: width and height of the new figure in inches.
        dpi: its resolution.

    Returns:
        The axes of one column, or a list of the axes of several.

    Raises:
        OptionError: no such column, one that does not hold numbers that float64 holds, or axes that are not one for
            each column; a size or dpi beside axes.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> nets = [pr.Network.from_layers([([[1], [1]], [0, -k]), ([[1, 1]], [0])]) for k in (0, 1, 9)]
    >>> table = pr.compare_checkpoints(nets, pr.Box(-2, 2), steps=[0, 10, 1000])
    >>> ax = plot_training(table, "regions", matplotlib.figure.Figure().add_subplot())
    >>> [line.get_xydata().tolist() for line in ax.lines]
    [[[0.0, 2.0], [10.0, 3.0], [1000.0, 2.0]]]
    """
    expect(checkpoints, Checkpoints, "checkpoints")
    drawn = _numbers(checkpoints, columns)
    import_matplotlib()
    if ax is None:
        panels = _panels(new_figure(size or figure_size(len(drawn)), dpi), len(drawn))
    else:
        panels = _given(given_axes(ax, size, dpi))
    if len(panels) != len(drawn):
        raise OptionError(f"ax: {len(panels)} axes, expected {len(drawn)}, one for each column")
    draw_panels(panels, checkpoints, drawn, log, title)
    return panels[0] if isinstance(columns, str) else panels


def save_training_plot(
    checkpoints: Checkpoints,
    path: str | os.PathLike[str],
    columns: str | Sequence[str] = DEFAULT,
    log: bool = False,
    **options: Any,
) -> None:
    """Draw columns of a table of checkpoints into a .png, .svg or .pdf file.

    Args:
        checkpoints: the table.
        path: the file; its suffix names the format.
        columns: as in `plot_training`.
        log: as in `plot_training`.
        **options: ``title``, ``size`` and ``dpi`` as in `plot_training`.

    The same table gives the same bytes, and the file appears under its name only once it is complete.

    Raises:
        OptionError: no such column, or one that does not hold numbers.
        FormatError: an unknown format, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    drawn, title = _numbers(checkpoints, columns), options.pop("title", None)
    size = options.pop("size", None) or figure_size(len(drawn))
    save_whole_figure(
        path, lambda f: draw_panels(_panels(f, len(drawn)), checkpoints, drawn, log, title), size, **options
    )


def figure_size(n: int) -> tuple[float, float]:
    """Width and height in inches of a figure of n panels."""
    return WIDTH, PANEL * max(1, n) + REST


def draw_panels(
    panels: Sequence[Any], checkpoints: Checkpoints, drawn: dict[str, Floats], log: bool, title: str | None
) -> None:
    """Draw columns, their lower and upper ends (2, K), on as many axes, the names of checkpoints below the last."""
    places = np.arange(float(len(checkpoints))) if checkpoints.steps is None else checkpoints.steps
    for i, (axes, (name, ends)) in enumerate(zip(panels, drawn.items(), strict=True)):
        _draw(axes, places, ends, pick(CLASS_COLOURS, i), log)
        axes.set_ylabel(name.replace("_", " "), parse_math=False)
        _mark(axes, checkpoints, is_last=i == len(panels) - 1)
    if len(panels):
        panels[0].figure.align_ylabels(panels)
        panels[0].set_title(title or "", fontsize="medium", parse_math=False)


def _draw(axes: Any, places: Floats, ends: Floats, colour: str, log: bool) -> None:
    """A line with a point for each checkpoint; where only an interval is known, that as a band."""
    low, high = ends
    style = {"color": colour, "marker": "o", "markersize": 3.5, "linewidth": 1.3, "clip_on": False}
    axes.plot(places, low, **style)
    if not np.array_equal(low, high, equal_nan=True):
        axes.plot(places, high, **style)
        axes.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)
    if log:
        axes.set_yscale("symlog", linthresh=1)
    if not np.any(ends < 0):
        axes.set_ylim(bottom=0)
    axes.grid(axis="y", linewidth=0.3, color="#cccccc")
    axes.spines[["top", "right"]].set_visible(False)


def _mark(axes: Any, checkpoints: Checkpoints, is_last: bool) -> None:
    """What stands below the axis: steps at their true distances, or the names."""
    if checkpoints.steps is None:
        axes.set_xticks(range(len(checkpoints)))
        names = axes.set_xticklabels(checkpoints.names, rotation=45, ha="right", rotation_mode="anchor")
        for name in names:
            name.set_parse_math(False)
    if is_last:
        axes.set_xlabel("checkpoint" if checkpoints.steps is None else "step")
    else:
        axes.tick_params(labelbottom=False)


def _panels(figure: Any, n: int) -> list[Any]:
    """n axes one above the other over one axis of steps."""
    return list(np.atleast_1d(figure.subplots(n, 1, sharex=True))) if n else []


def _given(ax: Any) -> list[Any]:
    """Axes that were handed in, as a list."""
    return [ax] if hasattr(ax, "plot") else list(np.ravel(ax))


def _numbers(checkpoints: Checkpoints, columns: str | Sequence[str]) -> dict[str, Floats]:
    """The lower and upper ends (2, K) of each column."""
    known = checkpoints.columns()
    asked = [columns] if isinstance(columns, str) else list(columns)
    chosen = [name for name in asked if columns != DEFAULT or name in known]
    for name in chosen:
        if name not in known:
            raise OptionError(f"column {name!r}, expected some of {', '.join(known)}")
    return {name: _ends(name, known[name]) for name in chosen}


def _ends(name: str, values: Sequence[Any]) -> Floats:
    try:
        pairs = [value if isinstance(value, tuple) else (value, value) for value in values]
        floats = [[np.nan if end is None else float(end) for end in pair] for pair in pairs]
    except OverflowError:
        raise OptionError(
            f"column {name!r} holds numbers beyond float64, which have no place on an axis"
        ) from None
    except (TypeError, ValueError):
        raise OptionError(f"column {name!r} does not hold numbers") from None
    if any(isinstance(value, str) for value in values):
        raise OptionError(f"column {name!r} does not hold numbers")
    return np.array(floats, dtype=np.float64).reshape(-1, 2).T
