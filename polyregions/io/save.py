"""Saving results: `save` picks the writer by suffix and kind; `load_regions` and `load_graph` read back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import networkx as nx

from polyregions.analysis.checkpoints import Checkpoints
from polyregions.analysis.counting.count_table import CountTable
from polyregions.analysis.counting.lower_dimensional import LowerDimensionalRegions
from polyregions.analysis.decisions import DecisionBoundary, DecisionCells
from polyregions.analysis.region_graph import edges_of, node_table
from polyregions.analysis.report import Report
from polyregions.analysis.rewriting.decision_tree import DecisionTree
from polyregions.analysis.rewriting.local_models import LocalModels
from polyregions.analysis.rewriting.shallow_form import ShallowNetwork
from polyregions.analysis.tables import Table, cell_table, edge_table, region_table, union_table
from polyregions.analysis.topology.face_complex import FaceComplex
from polyregions.analysis.verification.unsafe import Violations
from polyregions.certificates.certificate import Certificate
from polyregions.errors import MissingFileError, OptionError
from polyregions.io.files import as_path, read_bytes, suffix_of, write_together, write_whole
from polyregions.io.models.npz import network_arrays
from polyregions.io.npz import npz_bytes
from polyregions.io.results.boundary import boundary_json, boundary_npz
from polyregions.io.results.cells import cells_json, cells_npz
from polyregions.io.results.certificate import certificate_npz, certificate_of_npz
from polyregions.io.results.checkpoints import checkpoints_json
from polyregions.io.results.complexes import complex_npz, complex_parquet
from polyregions.io.results.hrep import hrep_json, hrep_mat, hrep_npz, hrep_parquet
from polyregions.io.results.paper_tables import table_csv as paper_csv
from polyregions.io.results.paper_tables import table_json, table_latex, table_markdown
from polyregions.io.results.regions import regions_about, regions_npz, regions_of_npz, union_about
from polyregions.io.results.report import FORMATS, SUFFIXES
from polyregions.io.results.thin import thin_npz, thin_parquet
from polyregions.io.results.unsafe import violations_json, violations_npz, violations_parquet
from polyregions.io.store.regions import open_store
from polyregions.io.tables.csv_files import graph_of_csv, table_csv
from polyregions.io.tables.gexf import graph_gexf, graph_of_gexf
from polyregions.io.tables.graph_tables import graph_edge_table, graph_node_table
from polyregions.io.tables.graphml import graph_graphml, graph_of_graphml
from polyregions.io.tables.json_graph import graph_json, graph_of_json
from polyregions.io.tables.parquet import EDGES, graph_of_parquet, graph_parquet, table_parquet
from polyregions.networks.network import Network
from polyregions.polyhedra.polytope import HPolytope
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.drawn_graphs import graph_attributes
from polyregions.regions.region_set import RegionSet
from polyregions.regions.union import UnionRegions

Writer: TypeAlias = Callable[[Any], "bytes | Iterable[bytes]"]


PAPER: dict[str, Writer] = {".tex": table_latex, ".md": table_markdown, ".csv": paper_csv}

WRITERS: dict[type, dict[str, Writer]] = {
    RegionSet: {".npz": regions_npz, ".json": hrep_json, ".mat": hrep_mat},
    UnionRegions: {},
    LowerDimensionalRegions: {".npz": thin_npz, ".parquet": thin_parquet},
    DecisionCells: {".npz": cells_npz, ".json": cells_json},
    DecisionBoundary: {".npz": boundary_npz, ".json": boundary_json},
    Adjacency: {
        ".csv": lambda adjacency: table_csv(edge_table(adjacency)),
        ".parquet": lambda adjacency: table_parquet(edge_table(adjacency), {"schema": EDGES}),
    },
    nx.Graph: {".graphml": graph_graphml, ".gexf": graph_gexf, ".json": graph_json},
    Certificate: {".npz": certificate_npz},
    Checkpoints: {**PAPER, ".json": checkpoints_json},
    CountTable: {**PAPER, ".json": table_json},
    Report: {suffix: FORMATS[name] for suffix, name in SUFFIXES.items()},
    DecisionTree: {
        ".txt": lambda tree: tree.to_text().encode(),
        ".json": lambda tree: tree.to_json().encode(),
        ".npz": lambda tree: npz_bytes(tree.to_arrays()),
    },
    HPolytope: {".ine": lambda polytope: polytope.to_cdd().encode()},
    FaceComplex: {".npz": complex_npz, ".parquet": complex_parquet},
    Network: {".npz": lambda network: npz_bytes(network_arrays(network))},
    ShallowNetwork: {".npz": lambda shallow: npz_bytes(shallow.to_arrays())},
    LocalModels: {".csv": lambda models: models.to_csv().encode()},
    Violations: {
        ".npz": violations_npz,
        ".json": violations_json,
        ".parquet": lambda found: violations_parquet([found], lambda: found),
    },
}
TABLES = (".csv", ".parquet")
HREPS = (".npz", ".parquet")
"""The formats to which H-representations are added on request."""
WITH_OPTIONS: dict[type, tuple[str, ...]] = dict.fromkeys(
    (RegionSet, UnionRegions, DecisionCells, nx.Graph), TABLES
)
"""What is written by functions of their own: tables of regions and cells, and the pair of tables of a graph."""
CELL_GRAPHS = (".graphml", ".gexf")
"""The formats in which the command line writes the graph of cells instead of the cells."""
READERS: dict[str, Callable[[bytes, str], nx.Graph]] = {
    ".graphml": graph_of_graphml,
    ".gexf": graph_of_gexf,
    ".json": graph_of_json,
    ".csv": graph_of_csv,
}


Result: TypeAlias = (
    "RegionSet | UnionRegions | LowerDimensionalRegions |"
    "DecisionCells | DecisionBoundary | Adjacency | nx.Graph | Certificate | Checkpoints | CountTable | "
    "Report | DecisionTree | FaceComplex | LocalModels | ShallowNetwork | Network | HPolytope | "
    "Violations"
)


def save(
    result: Result,
    path: str | os.PathLike[str],
    *,
    classes: str | None = None,
    volume: bool = False,
    hrep: bool = False,
    vertices: bool = False,
) -> None:
    """Write a result; the suffix of the name says in which format. docs/graphs.md has the columns and attributes.

    Regions: ``.npz`` (`load_regions` reads it back), ``.json`` and ``.mat`` (with minimal H-representations and affine
    maps, which ``hrep=True`` adds to ``.npz`` and ``.parquet``, see docs/hrep.md), or as a table ``.csv`` or
    ``.parquet``; those of several input sets as a table, with ``hrep`` too. Lower-dimensional regions, with
    H-representations: ``.npz`` or ``.parquet``. A polytope: ``.ine``, exactly, as cddlib reads it.
    Decision cells: ``.npz``, ``.json``, ``.csv`` or ``.parquet``. Decision
    boundaries: ``.npz`` or ``.json``. Graphs: ``.graphml``, ``.gexf``, ``.json`` (node-link data), ``.csv``, which
    makes a table of edges ``x.csv`` and one of nodes ``x.nodes.csv``, or ``.parquet``, which makes
    ``x.nodes.parquet`` and ``x.edges.parquet`` of ``x.parquet``; `load_graph` reads all of these back, of ``.csv``
    the edges. The arrays of `adjacency_arrays`: a table of edges, ``.csv``
    or ``.parquet``. Certificates: ``.npz`` (`load_certificate` reads it back). Tables of counts and of
    checkpoints: ``.tex`` (booktabs), ``.md``, ``.csv`` or ``.json``. Reports: ``.txt``, ``.md``, ``.tex``, ``.json``
    or ``.csv``. Decision trees: ``.txt``, ``.json`` or ``.npz``. Complexes: ``.npz`` or ``.parquet``, see
    docs/topology.md. Local models: ``.csv``. Violations: ``.parquet``, ``.npz`` or ``.json``, see docs/verify.md.
    Shallow forms: ``.npz``. Networks: ``.npz``, with exact numbers, slopes, maxima and the final
    function (`load_network` reads it back).
    A file appears under its name only once it is complete.

    Args:
        result: what to write.
        path: the file.
        classes: only for tables of regions: a rule as in `decision_cells` for a column of the classes that win.
        volume: only for tables of regions or decision cells: whether to add a column of volumes.
        hrep: only for regions as ``.npz`` or ``.parquet``: whether to add minimal H-representations and affine maps.
        vertices: only with `hrep` in ``.parquet``: whether to add vertices.

    Raises:
        OptionError: no such format for this kind of result, or a graph that could not be read back.
        FormatError: the file cannot be written.
        MissingExtraError: a ``.parquet`` file without pyarrow.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("regions.npz", "regions.json", "regions.csv"):
    ...         pr.save(regions, f"{folder}/{name}")
    ...     pr.save(pr.adjacency_graph(regions), f"{folder}/graph.graphml")
    ...     pr.load_regions(f"{folder}/regions.npz")
    <RegionSet: 4 regions of network>
    """
    suffix = as_path(path).suffix.lower()
    if hrep or vertices:
        _check_hrep(result, str(path), suffix, hrep, vertices)
    if isinstance(result, (RegionSet, UnionRegions)) and suffix in TABLES:
        save_region_table(result, path, classes, volume, hrep, vertices)
        return
    if isinstance(result, DecisionCells) and suffix in TABLES and classes is None:
        save_cell_table(result, path, volume)
        return
    if classes is not None or volume:
        raise OptionError(
            f"{path}: classes and volume are options of region tables ({' or '.join(TABLES)}), volume of tables of "
            "decision cells too"
        )
    if isinstance(result, nx.Graph) and suffix in TABLES:
        tables = (graph_node_table(result), graph_edge_table(result))
        _save_pair(path, *tables, result.is_directed(), dict(result.graph))
        return
    if hrep and isinstance(result, RegionSet):
        write_whole(path, hrep_npz(result))
        return
    formats = next((f for kind, f in WRITERS.items() if isinstance(result, kind)), None)
    if formats is None:
        raise OptionError(
            f"save: a {type(result).__name__}, expected regions, decision cells or their boundary, a graph or its "
            "arrays, a certificate, a table of counts or checkpoints, a report, a decision tree, a complex, local "
            "models, a shallow form, a network, a polytope, violations or lower-dimensional regions"
        )
    if suffix not in formats:
        names = suffixes_of(next(kind for kind in WRITERS if isinstance(result, kind)))
        raise OptionError(f"{path}: expected a name that ends in one of {', '.join(names)}")
    write_whole(path, formats[suffix](result))


def _check_hrep(result: Result, path: str, suffix: str, hrep: bool, vertices: bool) -> None:
    has_place = (isinstance(result, RegionSet) and suffix in HREPS) or (
        isinstance(result, UnionRegions) and suffix == ".parquet"
    )
    if not has_place:
        raise OptionError(
            f"{path}: hrep and vertices are options of regions as {' or '.join(HREPS)}, those of several input sets "
            "as .parquet"
        )
    if vertices and not (hrep and suffix == ".parquet"):
        raise OptionError(f"{path}: vertices are written with hrep as .parquet")


def suffixes_of(kind: type) -> tuple[str, ...]:
    """The endings of file names in which `save` writes a kind of result.

    >>> suffixes_of(RegionSet)
    ('.npz', '.json', '.mat', '.csv', '.parquet')
    """
    return (*WRITERS[kind], *WITH_OPTIONS.get(kind, ()))


def save_region_table(
    regions: RegionSet | UnionRegions,
    path: str | os.PathLike[str],
    classes: str | None,
    volume: bool,
    hrep: bool = False,
    vertices: bool = False,
) -> None:
    """Regions as a table, ``.csv`` or ``.parquet``, the latter with H-representations and vertices if wanted."""
    if hrep:
        columns = partial(region_table, classes=classes, volume=volume)
        write_whole(path, hrep_parquet(regions, columns, vertices))
        return
    if isinstance(regions, UnionRegions):
        table, about = union_table(regions, classes=classes, volume=volume), union_about(regions)
    else:
        table, about = region_table(regions, classes=classes, volume=volume), regions_about(regions)
    table = table.numbered("region")
    if Path(path).suffix.lower() == ".csv":
        write_whole(path, table_csv(table))
    else:
        write_whole(path, table_parquet(table, {"schema": "polyregions region table 1", **about}))


def save_cell_table(cells: DecisionCells, path: str | os.PathLike[str], volume: bool = False) -> None:
    """Decision cells as a table, ``.csv`` or ``.parquet``."""
    table = cell_table(cells, volume=volume).numbered("cell")
    if Path(path).suffix.lower() == ".csv":
        write_whole(path, table_csv(table))
        return
    about = {"schema": "polyregions cell table 1", "rule": cells.rule, **regions_about(cells.regions)}
    write_whole(path, table_parquet(table, about))


def save_region_graph(
    regions: RegionSet,
    adjacency: Adjacency,
    path: str | os.PathLike[str],
    *,
    classes: str | None = None,
    volume: bool = False,
    measure: bool = False,
) -> None:
    """What ``save(adjacency_graph(regions, ...), path)`` writes as tables, without making the graph in memory."""
    nodes = node_table(regions, classes=classes, volume=volume)
    _save_pair(path, nodes, edges_of(regions, adjacency, measure), False, graph_attributes(regions))


def parquet_pair(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The files of nodes and edges that a graph ``x.parquet`` consists of.

    >>> [file.name for file in parquet_pair("x.parquet")]
    ['x.nodes.parquet', 'x.edges.parquet']
    """
    whole = Path(path)
    return whole.with_suffix(f".nodes{whole.suffix}"), whole.with_suffix(f".edges{whole.suffix}")


def csv_pair(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The files of nodes and edges that a graph ``x.csv`` consists of.

    >>> [file.name for file in csv_pair("x.csv")]
    ['x.nodes.csv', 'x.csv']
    """
    return Path(path).with_suffix(f".nodes{Path(path).suffix}"), Path(path)


def _save_pair(
    path: str | os.PathLike[str], nodes: Table, edges: Table, directed: bool, attributes: dict[str, Any]
) -> None:
    if Path(path).suffix.lower() == ".csv":
        if "id" in nodes.columns:
            raise OptionError(f"{path}: an attribute is named id, as the column of nodes")
        listed = Table({"id" if name == "node" else name: column for name, column in nodes.columns.items()})
        write_together(dict(zip(csv_pair(path), (table_csv(listed), table_csv(edges)), strict=True)))
        return
    contents = graph_parquet(nodes, edges, directed, attributes)
    write_together(dict(zip(parquet_pair(path), contents, strict=True)))


def load_graph(path: str | os.PathLike[str]) -> nx.Graph:
    """Read a graph that `save` wrote: nodes, edges and all attributes with their types; of ``.csv`` the edges only.

    Args:
        path: the name that was given to `save`; ``x.parquet`` for ``x.nodes.parquet`` and ``x.edges.parquet``.

    Raises:
        OptionError: the name ends in none of the formats.
        FormatError: anything but such a file.
        MissingExtraError: a ``.parquet`` file without pyarrow.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pr.save(pr.adjacency_graph(regions), f"{folder}/graph.gexf")
    ...     sorted(pr.load_graph(f"{folder}/graph.gexf").edges)
    [(0, 1), (0, 2), (1, 3), (2, 3)]
    """
    suffix = suffix_of(path)
    if suffix == ".parquet":
        nodes, edges = parquet_pair(path)
        return graph_of_parquet(read_bytes(nodes), read_bytes(edges), (str(nodes), str(edges)))
    if suffix not in READERS:
        raise OptionError(f"{path}: expected a name that ends in one of {', '.join([*READERS, '.parquet'])}")
    return READERS[suffix](read_bytes(path), str(path))


def load_regions(path: str | os.PathLike[str]) -> RegionSet:
    """Read the regions that `save` wrote to a ``.npz`` file, or those of a store, finished or not.

    Each interior point is checked against its pattern; of a store all is read and checked when first asked for, see
    also `region_blocks`.

    Raises:
        OptionError: the name is no folder and does not end in ``.npz``, or a store that a run has open.
        MissingFileError: there is no file or folder of that name; FormatError: anything but such a file or folder.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pr.save(regions, f"{folder}/regions.npz")
    ...     len(pr.load_regions(f"{folder}/regions.npz"))
    4
    """
    if as_path(path).is_dir():
        return open_store(path)
    if not Path(path).exists():
        raise MissingFileError(path, "no such file or folder")
    if suffix_of(path) != ".npz":
        raise OptionError(f"{path}: expected a name that ends in .npz, or a store of regions")
    return regions_of_npz(read_bytes(path), str(path))


def load_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read the certificate that `save` wrote to a ``.npz`` file; `check` says whether it proves anything.

    Raises:
        OptionError: the name does not end in ``.npz``.
        FormatError: anything but such a file.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pr.save(pr.certify(regions), f"{folder}/proof.npz")
    ...     pr.check(pr.load_certificate(f"{folder}/proof.npz"), net).ok
    True
    """
    if suffix_of(path) != ".npz":
        raise OptionError(f"{path}: expected a name that ends in .npz")
    return certificate_of_npz(read_bytes(path), str(path))
