"""Decision boundaries as arrays and as JSON."""

from __future__ import annotations

import json

import numpy as np

from polyregions.analysis.decisions import DecisionBoundary
from polyregions.io.npz import npz_bytes


def boundary_npz(boundary: DecisionBoundary) -> bytes:
    """Arrays ``cells``, ``classes``, ``regions`` (B, 2), ``kind``, ``neuron`` (B,) and ``points`` (B, d)."""
    return npz_bytes(
        {
            "cells": np.column_stack([boundary.source, boundary.target]),
            "classes": boundary.classes,
            "regions": boundary.regions,
            "kind": np.array(boundary.kinds, dtype="<U8"),
            "neuron": boundary.neuron,
            "points": boundary.points,
            "rule": np.array(boundary.cells.rule),
        }
    )


def boundary_json(boundary: DecisionBoundary) -> bytes:
    """One object with a list of pieces; the neuron of a piece inside a region is null."""
    columns = zip(
        boundary.source.tolist(),
        boundary.target.tolist(),
        boundary.classes.tolist(),
        boundary.regions.tolist(),
        boundary.kinds,
        boundary.neuron.tolist(),
        boundary.points.tolist(),
        strict=True,
    )
    listed = [
        {
            "cells": [source, target],
            "classes": classes,
            "regions": regions,
            "kind": kind,
            "neuron": neuron if neuron >= 0 else None,
            "point": point,
        }
        for source, target, classes, regions, kind, neuron, point in columns
    ]
    regions = boundary.cells.regions
    head = {"network": regions.network.name, "rule": boundary.cells.rule, "complete": regions.complete}
    return json.dumps({**head, "pieces": listed}, indent=1).encode()
