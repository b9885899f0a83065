"""What a notebook shows of regions and decision cells: a picture if there is one, what they are, the first rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.decisions.colours import class_colour
from polyregions.errors import visible
from polyregions.networks.patterns import as_text
from polyregions.plot.thumbnail import thumbnail
from polyregions.presentation import notebook_html
from polyregions.regions.region_set import RegionSet

SHOWN: Final = 5
"""Rows."""

LONGEST: Final = 40
"""Neurons of a pattern, and characters of a point, that are shown."""


@notebook_html.register
def _(regions: RegionSet) -> str:
    rows = [[region.number, _pattern(region.pattern), _point(region.point)] for region in regions[:SHOWN]]
    return _block(regions, regions, [_table(["region", "pattern", "point"], rows, len(regions))])


@notebook_html.register
def _(cells: DecisionCells) -> str:
    rows = [[cell.number, cell.region.number, cell.label, _point(cell.point)] for cell in cells[:SHOWN]]
    parts = [
        f'<span style="color:{class_colour(k)}">&#9632;</span> class {k}: {n}'
        for k, n in cells.per_class().items()
    ]
    counts = f"<p>{' &nbsp; '.join(parts)} &nbsp; ({escape(cells.rule)})</p>"
    return _block(
        cells, cells.regions, [counts, _table(["cell", "region", "class", "point"], rows, len(cells))]
    )


def _block(result: RegionSet | DecisionCells, regions: RegionSet, parts: Sequence[str]) -> str:
    """The picture to the left of everything else."""
    about = f"{escape(repr(regions.network).strip('<>'))}<br>{escape(_shortened(repr(regions.domain), 200))}"
    title = f"<p><b>{escape(repr(result).strip('<>'))}</b><br>{about}</p>"
    picture = thumbnail(result)
    left = f'<div style="flex:none">{picture}</div>' if picture else ""
    columns = f"{left}<div>{title}{''.join(parts)}</div>"
    return f'<div style="display:flex;gap:1.5em;align-items:flex-start;flex-wrap:wrap">{columns}</div>'


def _table(names: Sequence[str], rows: Iterable[Sequence[object]], n: int) -> str:
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(v))}</td>' for v in row)}</tr>" for row in rows)
    more = f'<tr><td colspan="{len(names)}">and {n - SHOWN} more</td></tr>' if n > SHOWN else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}{more}</tbody></table>"


def _pattern(bits: object) -> str:
    return _shortened(as_text(np.asarray(bits, dtype=np.bool_)), LONGEST)


def _point(point: Floats) -> str:
    return _shortened(
        f"({', '.join(f'{c:.4g}' for c in point[:8].tolist())}{', ...' * (len(point) > 8)})", 2 * LONGEST
    )


def _shortened(text: str, most: int) -> str:
    """Text of a file's names perhaps, on one line and not longer than it may be."""
    text = visible(text)
    return text if len(text) <= most else f"{text[: most - 3]}..."
