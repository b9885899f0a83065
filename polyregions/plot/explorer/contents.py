"""What an explorer page holds: a few typed arrays and names, ready for JSON."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from typing import Any

import numpy as np

from polyregions._types import Ints
from polyregions.plot.captions import plane_text
from polyregions.plot.fills import SLOPE_LABEL
from polyregions.plot.look import Look, scale_of
from polyregions.plot.palette import CLASS_COLOURS, LAYER_COLOURS, N_REGION_COLOURS, REGION_COLOURS
from polyregions.plot.polygons import Polygons
from polyregions.plot.samples import Samples
from polyregions.plot.scene import Scene, norms
from polyregions.plot.segments import Segments
from polyregions.regions.facets import Facets
from polyregions.regions.ranks import layer_ranks

TYPES = {"f8": "<f8", "i4": "<i4", "u2": "<u2", "u1": "|u1"}


def contents(scene: Scene, look: Look, samples: Samples | None = None) -> dict[str, Any]:
    """Everything the page shows of a scene; the arrays are little-endian bytes in base64."""
    regions = scene.regions
    network = regions.network
    return {
        "name": network.name if look.title is None else look.title,
        "summary": _summary(scene, look, samples),
        "axes": list(look.axes),
        "view": [scene.section.lower.tolist(), scene.section.upper.tolist()],
        "isCut": scene.section.is_cut,
        "regions": len(regions),
        "neurons": network.n_neurons,
        "outputs": network.n_outputs,
        "layers": [list(span) for span in network.layer_spans],
        "regionsAfter": [min(1, len(regions)), *regions.regions_after_each_layer()],
        "classNames": look.classes,
        "nClasses": 2 if scene.rule == "sign" else network.n_outputs,
        "classesSeen": np.unique(scene.cells.label).tolist(),
        "labels": list(regions.problem.solid.labels),
        "schemes": {
            "region": list(REGION_COLOURS[:N_REGION_COLOURS]),
            "class": list(CLASS_COLOURS),
            "layer": list(LAYER_COLOURS),
        },
        "slopeScale": asdict(scale_of(norms(scene.maps), look.percentiles, SLOPE_LABEL)),
        "hasLabels": samples is not None and samples.labels is not None,
        "arrays": {name: _encoded(*typed) for name, typed in {**_arrays(scene), **_samples(samples)}.items()},
    }


def _summary(scene: Scene, look: Look, samples: Samples | None) -> str:
    regions, section = scene.regions, scene.section
    counts = f"{len(regions)} linear regions, {len(scene.adjacency)} facets between them"
    notes = [
        "" if regions.complete else "partial: not all regions were found",
        plane_text(regions.problem, look),
        section.note,
        "" if samples is None else samples.note(section.lower, section.upper),
    ]
    return "; ".join([counts, *filter(None, notes)])


def _samples(samples: Samples | None) -> dict[str, tuple[str, Any]]:
    """Data points and their labels, -1 for none."""
    if samples is None:
        return {"points": ("f8", np.zeros((0, 2))), "pointLabels": ("i4", np.zeros(0))}
    labels = np.full(len(samples.points), -1) if samples.labels is None else samples.labels
    return {"points": ("f8", samples.points), "pointLabels": ("i4", labels)}


def _arrays(scene: Scene) -> dict[str, tuple[str, Any]]:
    """Name -> type and array."""
    polygons = scene.section.polygons
    return {
        "offsets": ("i4", polygons.offsets),
        "corners": ("f8", polygons.corners),
        "rows": ("f8", polygons.rows),
        "rowDoubt": ("f8", polygons.doubts),
        "rowKind": ("u1", polygons.kinds),
        "rowCarrier": ("i4", polygons.carriers),
        "patterns": ("u1", scene.regions.packed),
        "maps": ("f8", scene.maps),
        "ranks": ("u2", layer_ranks(scene.regions)),
        "shades": ("u1", scene.shades),
        "layerColours": ("u1", np.array(scene.layer_colours)),
        "edgeEnds": ("f8", scene.edges.ends),
        "edgeLayer": ("u1", scene.edge_layers),
        "flipOffsets": ("i4", scene.adjacency.flip_offsets),
        "flips": ("i4", scene.adjacency.flips),
        "boundaryEnds": ("f8", scene.boundary.ends[scene.boundary.seen]),
        **_facets(scene),
        **_cells(scene),
    }


def _facets(scene: Scene) -> dict[str, tuple[str, Any]]:
    """The facets of each region: what is beyond, and which side of its polygon carries it (-1 if not in the view)."""
    facets = scene.facets
    return {
        "facetOffsets": ("i4", facets.offsets),
        "neighbour": ("i4", facets.neighbour),
        "facetEdge": ("i4", facets.edge),
        "facetWall": ("i4", np.where(facets.wall < 0, -1, _at(facets.boundary.row, facets.wall))),
        "facetSide": ("i4", _sides(scene.section.polygons, scene.edges, facets)),
    }


def _sides(polygons: Polygons, edges: Segments, facets: Facets) -> Ints:
    owner = np.repeat(np.arange(len(facets.offsets) - 1), np.diff(facets.offsets))
    is_source = np.where(facets.edge < 0, False, _at(facets.adjacency.source, facets.edge) == owner)
    ends = edges.sides if len(edges.sides) else np.full((1, 2), -1, dtype=np.int64)
    between = ends[np.maximum(facets.edge, 0), np.where(is_source, 0, 1)]
    return np.where(facets.edge < 0, _walls(polygons, facets, owner), between)


def _walls(polygons: Polygons, facets: Facets, owner: Ints) -> Ints:
    """The side of each facet on the boundary of the domain, by region and row."""
    domain = np.flatnonzero(polygons.kinds == 1)
    keys = zip(polygons.owners[domain].tolist(), polygons.carriers[domain].tolist(), strict=True)
    side = dict(zip(keys, domain.tolist(), strict=True))
    rows = _at(facets.boundary.row, facets.wall)
    return np.array(
        [side.get(key, -1) for key in zip(owner.tolist(), rows.tolist(), strict=True)], dtype=np.int64
    )


def _at(values: Ints, places: Ints) -> Ints:
    """Values at some places; anything where the place is -1."""
    return values[np.maximum(places, 0)] if len(values) else np.zeros(len(places), dtype=np.int64)


def _cells(scene: Scene) -> dict[str, tuple[str, Any]]:
    """The class of each region that has one (-1 if several), and the decision cells of those with several."""
    cells, polygons = scene.cells, scene.cell_polygons
    counts = np.diff(cells.offsets)
    first = _at(cells.label, np.minimum(cells.offsets[:-1], max(0, len(cells) - 1)))
    mixed = np.flatnonzero(counts[cells.region] > 1)
    parts = polygons.taken(mixed)
    return {
        "classOf": ("i4", np.where(counts == 1, first, -1)),
        "mixedOffsets": ("i4", np.concatenate([[0], np.cumsum(np.where(counts > 1, counts, 0))])),
        "cellLabel": ("i4", cells.label[mixed]),
        "cellOffsets": ("i4", parts.offsets),
        "cellCorners": ("f8", parts.corners),
    }


def _encoded(kind: str, values: Any) -> dict[str, str]:
    data = np.ascontiguousarray(values).astype(TYPES[kind]).tobytes()
    return {"type": kind, "data": b64encode(data).decode("ascii")}
