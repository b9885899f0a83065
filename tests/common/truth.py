"""Expected counts from tests/ground_truth, which were computed in integer arithmetic or are theorems."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polyregions import Box, Network

FOLDER = Path(__file__).parent / "ground_truth"
_networks = json.loads((FOLDER / "networks.json").read_text())
REAL_NETWORKS: list[dict[str, Any]] = _networks["real_networks"]
FORMULA_NETWORKS: list[dict[str, Any]] = _networks["formula_networks"]
ARRANGEMENTS: list[dict[str, Any]] = [
    entry
    for entry in json.loads((FOLDER / "arrangements.json").read_text())["arrangements"]
    if entry.get("normals")
]


def formula_network(entry: dict[str, Any]) -> Network:
    """The network of one formula entry."""
    pairs = [(step[1], step[2]) for step in entry["layers"] if step[0] == "lin"]
    final = "relu" if entry["layers"][-1][0] == "relu" else None
    return Network.from_layers(pairs, final_activation=final, name=entry["name"])


def arrangement_network(entry: dict[str, Any]) -> Network:
    """One hidden layer whose neurons are the hyperplanes ``normal . x = offset``."""
    normals, offsets = np.array(entry["normals"]), np.array(entry["offsets"])
    return Network.from_layers([(normals, -offsets), (np.ones((1, len(offsets))), [0])], name=entry["family"])


def name_of(entry: dict[str, Any]) -> str:
    """A short name for a test of this entry."""
    if "network" in entry:
        return f"{Path(entry['network']).stem}-{entry['cells']}"
    if "name" in entry:
        return str(entry["name"])
    return (
        f"{entry['family']}-{'-'.join(f'{k}{v}' for k, v in entry['params'].items())}-d{entry['ambient_dim']}"
    )


def slow_above(entries: list[dict[str, Any]], key: str, limit: int) -> list[Any]:
    """The entries as parameters of a test, of which those with a larger count are left to the long run."""
    return [
        pytest.param(e, id=name_of(e), marks=[pytest.mark.slow] if e[key] > limit else []) for e in entries
    ]


SMALL = [entry for entry in ARRANGEMENTS if entry["regions"] <= 470]


def box_around_all_vertices(entry: dict[str, Any]) -> Box:
    """A box that every region reaches into: four times as far as any vertex of the arrangement.

    For arrangements without vertices (those with a lineality space) the least-norm points of the
    minimal flats take their place.
    """
    normals, offsets = np.array(entry["normals"]), np.array(entry["offsets"])
    rank = int(np.linalg.matrix_rank(normals))
    reach = 1.0
    for chosen in combinations(range(len(normals)), rank):
        index = list(chosen)
        if np.linalg.matrix_rank(normals[index]) == rank:
            vertex = np.linalg.lstsq(normals[index], offsets[index], rcond=None)[0]
            reach = max(reach, float(np.abs(vertex).max()))
    return Box.cube(-4 * reach, 4 * reach, normals.shape[1])
