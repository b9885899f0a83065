"""Saving results: `save` picks the writer by suffix and kind, `load_regions` reads regions back."""

from __future__ import annotations

import os
from typing import Any

import networkx as nx

from polyregions.decision import DecisionBoundary, DecisionCells
from polyregions.errors import OptionError
from polyregions.exact.certificate import Certificate
from polyregions.io.boundary_files import boundary_json, boundary_npz
from polyregions.io.cell_files import cells_json, cells_npz
from polyregions.io.certificate_files import certificate_npz, certificate_of_npz
from polyregions.io.files import read_bytes, suffix_of, write_whole
from polyregions.io.graph_files import graph_graphml, graph_json
from polyregions.io.region_files import regions_json, regions_npz, regions_of_npz
from polyregions.regions import RegionSet

WRITERS: dict[type, dict[str, Any]] = {
    RegionSet: {".npz": regions_npz, ".json": regions_json},
    DecisionCells: {".npz": cells_npz, ".json": cells_json},
    DecisionBoundary: {".npz": boundary_npz, ".json": boundary_json},
    nx.Graph: {".graphml": graph_graphml, ".json": graph_json},
    Certificate: {".npz": certificate_npz},
}


def save(
    result: RegionSet | DecisionCells | DecisionBoundary | nx.Graph | Certificate,
    path: str | os.PathLike[str],
) -> None:
    """Write regions, decision cells, their boundary, a graph or a certificate; the suffix says in which format.

    Regions: ``.npz`` (`load_regions` reads it back) or ``.json`` (with H-representations and affine maps).
    Decision cells and boundaries: ``.npz`` or ``.json``. Graphs: ``.graphml`` or ``.json`` (node-link data).
    Certificates: ``.npz`` (`load_certificate` reads it back).
    The file appears under its name only once it is complete.

    Raises:
        OptionError: no such format for this kind of result.
        FormatError: the file cannot be written.
    """
    formats = next((f for kind, f in WRITERS.items() if isinstance(result, kind)), None)
    if formats is None:
        raise OptionError(
            f"save: a {type(result).__name__}, expected regions, decision cells, a graph or a certificate"
        )
    writer = formats.get(suffix_of(path))
    if writer is None:
        raise OptionError(f"{path}: expected a name that ends in one of {', '.join(formats)}")
    write_whole(path, writer(result))


def load_regions(path: str | os.PathLike[str]) -> RegionSet:
    """Read the regions that `save` wrote to a ``.npz`` file, checking each interior point against its pattern.

    Raises:
        OptionError: the name does not end in ``.npz``.
        FormatError: anything but such a file.
    """
    if suffix_of(path) != ".npz":
        raise OptionError(f"{path}: expected a name that ends in .npz")
    return regions_of_npz(read_bytes(path), str(path))


def load_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read the certificate that `save` wrote to a ``.npz`` file; `check` says whether it proves anything.

    Raises:
        OptionError: the name does not end in ``.npz``.
        FormatError: anything but such a file.
    """
    if suffix_of(path) != ".npz":
        raise OptionError(f"{path}: expected a name that ends in .npz")
    return certificate_of_npz(read_bytes(path), str(path))
