"""Decision cells as arrays and as JSON."""

from __future__ import annotations

import json

import numpy as np

from polyregions.analysis.decisions import DecisionCells
from polyregions.io.npz import npz_bytes
from polyregions.networks.patterns import as_text


def cells_npz(cells: DecisionCells) -> bytes:
    """Arrays ``region`` (K,), ``label`` (K,), ``points`` (K, d) and ``patterns`` (K, N) of the cells' regions."""
    return npz_bytes(
        {
            "region": cells.region,
            "label": cells.label,
            "points": cells.points,
            "patterns": cells.regions.patterns[cells.region],
            "rule": np.array(cells.rule),
        }
    )


def cells_json(cells: DecisionCells) -> bytes:
    """One object with the counts and a list of cells."""
    ties = dict(cells.ties)
    listed = [
        {
            "cell": c,
            "region": int(cells.region[c]),
            "label": int(cells.label[c]),
            "point": cells.points[c].tolist(),
            "pattern": as_text(cells.regions.patterns[cells.region[c]]),
            "tied_with": list(ties.get(c, ())),
        }
        for c in range(len(cells))
    ]
    head = {"network": cells.regions.network.name, "rule": cells.rule, "complete": cells.regions.complete}
    return json.dumps({**head, "per_class": cells.per_class(), "cells": listed}, indent=1).encode()
