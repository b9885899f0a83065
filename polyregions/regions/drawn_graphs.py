"""What every graph of regions, or of parts of them, carries: where it comes from, and where its nodes are drawn."""

from __future__ import annotations

from typing import Any

from polyregions._types import Floats
from polyregions.polyhedra.domain import fingerprint
from polyregions.regions.region_set import RegionSet


def graph_attributes(regions: RegionSet) -> dict[str, Any]:
    """What a graph carries as a whole: network and domain by text and SHA-256, and whether all regions are there."""
    return {
        "network": regions.network.name,
        "network_sha256": regions.network.fingerprint(),
        "domain": repr(regions.domain),
        "domain_sha256": fingerprint(regions.domain),
        "complete": regions.complete,
    }


def drawing(points: Floats) -> dict[str, Floats]:
    """The numbers ``x`` and ``y`` (n,) where points (n, d) are drawn: their first two coordinates, y = 0 if d = 1."""
    x, y = points[:, :1].sum(axis=1), points[:, 1:2].sum(axis=1)  # without coordinates these are 0
    return {"x": x, "y": y}
