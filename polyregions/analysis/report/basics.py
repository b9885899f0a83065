"""Sections about the network, the input set, its regions and neurons, the graph and the decision cells."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from polyregions.analysis.decisions import decision_cells
from polyregions.analysis.decisions.outputs import AUTO, chosen_rule
from polyregions.analysis.report.page import PARTIAL, Section, TableRow
from polyregions.analysis.topology.face_complex import face_complex
from polyregions.analysis.topology.homology import betti_numbers
from polyregions.regions.adjacency import adjacency_arrays
from polyregions.regions.complex.gather import can_have_cells
from polyregions.regions.maps import dead_layers
from polyregions.regions.neurons import Status, neuron_status
from polyregions.regions.region_set import RegionSet
from polyregions.regions.winners import winner_regions

FEW_DIMENSIONS = 3  # the topology of more takes as long as everything else together
FEW_REGIONS = 20_000
FEW_CLASSES = 5  # each cuts the complex anew, and the boundary by all pairs


def network_section(regions: RegionSet) -> Section:
    """Name, shape and fingerprint of the network."""
    net = regions.network
    return Section(
        "network",
        (
            ("name", net.name),
            ("sha256", net.fingerprint()),
            ("inputs", net.n_inputs),
            ("outputs", net.n_outputs),
            ("widths", net.widths),
            ("neurons", net.n_neurons),
        ),
    )


def domain_section(regions: RegionSet) -> Section:
    """The input set, and the dimension it has."""
    bounds, hull = regions.problem.solid.bounds, regions.problem.solid.hull
    finite = bool(np.isfinite(bounds.lower).all() and np.isfinite(bounds.upper).all())
    rows: tuple[TableRow, ...] = (
        ("set", repr(regions.domain)),
        ("sha256", _domain_fingerprint(regions)),
        ("dimension", hull.dim),
        ("bounded", finite),
    )
    note = (
        "" if hull.dim == hull.ambient_dim else "The regions are those of the network restricted to the set."
    )
    return Section("input set", rows, note)


def region_section(regions: RegionSet) -> Section:
    """How many regions there are, and how many of them have a layer that is off."""
    dead = dead_layers(regions).any(axis=1)
    rows: tuple[TableRow, ...] = (
        ("regions", len(regions)),
        ("complete", regions.complete),
        ("dead regions", int(np.count_nonzero(dead))),
        ("engine", regions.engine),
    )
    if regions.network.max_groups is not None:
        rows += (("regions by winners of maxima", len(winner_regions(regions))),)
    what = "Regions are full-dimensional; a region is dead if some layer is zero in it."
    return Section("regions", rows, what if regions.complete else f"{what} {PARTIAL}")


def layer_section(regions: RegionSet) -> Section:
    """Layer by layer: neurons, regions, dead regions, neurons that do not change sign."""
    net, after = regions.network, regions.regions_after_each_layer()
    never, always = _constant_neurons(regions)
    rows, dead_in = [], dead_layers(regions)
    for i, (start, end) in enumerate(net.layer_spans):
        counts = [None if bits is None else int(bits[start:end].sum()) for bits in (never, always)]
        dead = int(np.count_nonzero(dead_in[:, i]))
        rows.append((i + 1, end - start, after[i], dead, *counts))
    header = ("layer", "neurons", "regions after it", "dead regions", "never on", "always on")
    return Section("layers", tuple(rows), "" if regions.complete else PARTIAL, header)


def neuron_section(regions: RegionSet) -> Section:
    """Neurons that are off, or nowhere negative, on the whole input set; not known of a partial set of regions."""
    never, always = _constant_neurons(regions)
    numbers = [None if bits is None else tuple(np.flatnonzero(bits).tolist()) for bits in (never, always)]
    sizes = [None if found is None else len(found) for found in numbers]
    rows: tuple[TableRow, ...] = (
        ("never on", sizes[0]),
        ("always on", sizes[1]),
        ("numbers of those never on", numbers[0]),
        ("numbers of those always on", numbers[1]),
    )
    note = (
        "Neurons are numbered from 0 through all layers. Never on: can be dropped. Always on: can be folded."
    )
    return Section("neurons", rows, note)


def adjacency_section(regions: RegionSet) -> Section:
    """Edges of the adjacency graph and its degrees."""
    graph = adjacency_arrays(regions)
    degrees = np.diff(graph.neighbours()[0])
    rows: tuple[TableRow, ...] = (
        ("edges", len(graph)),
        ("average degree", 2 * len(graph) / len(regions) if len(regions) else None),
        ("least degree", int(degrees.min()) if len(regions) else None),
        ("largest degree", int(degrees.max()) if len(regions) else None),
    )
    note = "Regions are adjacent if they share a facet; the average degree is 2 edges / regions."
    return Section("adjacency", rows, note if regions.complete else f"{note} {PARTIAL}")


def decision_section(regions: RegionSet, rule: str = "auto") -> Section | None:
    """Decision cells of each class; None for a network with one output unless a rule says how it decides."""
    if rule == AUTO and regions.network.n_outputs < 2:
        return None
    rule = chosen_rule(regions.network, rule)
    cells = decision_cells(regions, rule)
    counts = cells.per_class()
    rows: list[TableRow] = [("cells", len(cells)), ("rule", rule), ("cells with a tie", len(cells.ties))]
    rows += [
        (f"class {k}", counts.get(k, 0)) for k in range(2 if rule == "sign" else regions.network.n_outputs)
    ]
    note = "A cell is a full-dimensional part of a region where one class wins."
    return Section("decision cells", tuple(rows), note if regions.complete else f"{note} {PARTIAL}")


def topology_section(regions: RegionSet, rule: str = "auto") -> Section | None:
    """Pieces and holes of the classes; None of partial sets, of many dimensions or regions, or of one class."""
    if not regions.complete or regions.dim > FEW_DIMENSIONS or len(regions) > FEW_REGIONS:
        return None
    if regions.network.n_neurons and not can_have_cells(regions.problem):
        return None
    if rule == AUTO and regions.network.n_outputs < 2:
        return None
    rule = chosen_rule(regions.network, rule)
    n_classes = 2 if rule == "sign" else regions.network.n_outputs
    if n_classes > FEW_CLASSES:
        return None
    complex = face_complex(regions)
    parts = [(f"class {k}", complex.where_class(k, rule)) for k in range(n_classes)]
    rows: list[TableRow] = [(name, *betti_numbers(part)) for name, part in parts]
    rows.append(("boundary", *betti_numbers(complex.decision_boundary(rule))))
    header = ("set", *(f"b{i}" for i in range(regions.dim + 1)))
    note = "Betti numbers of closed sets over the rationals: b0 pieces, b1 tunnels or holes, b2 cavities."
    return Section("topology", tuple(rows), note, header)


def _constant_neurons(regions: RegionSet) -> tuple[Any, Any]:
    """Which neurons (N,) are never on and which always; None if the set does not prove it."""
    if not regions.complete:
        return None, None
    status = neuron_status(regions).status
    return status == Status.NEVER_ON, status == Status.ALWAYS_ON


def _domain_fingerprint(regions: RegionSet) -> str:
    """SHA-256 of the exact rows of the input set in the coordinates of its hull, and of the map to the inputs."""
    solid = regions.problem.solid
    embedding = solid.hull.embedding
    digest = hashlib.sha256(f"{embedding.denominator:x}".encode())
    rows = [embedding.row(i) for i in range(embedding.shape[0])] + [form.exact() for form in solid.forms]
    for row, is_open in zip(rows, [False] * embedding.shape[0] + list(solid.strict), strict=True):
        digest.update(f"{';>' if is_open else ';'}{','.join(f'{n:x}' for n in row)}".encode())
    return digest.hexdigest()
