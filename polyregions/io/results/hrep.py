"""Regions with their minimal H-representations and affine maps, streamed: archives, Parquet, JSON, MATLAB files.

The schema is in docs/hrep.md.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.tables import Ragged, Table, pattern_texts
from polyregions.io.files import import_extra
from polyregions.io.results.regions import regions_about, regions_arrays, union_about
from polyregions.io.spool import Sink, Spool, npz_pieces
from polyregions.io.store.regions import parts_of
from polyregions.io.tables.parquet import KEY, PURPOSE, arrow_array, lists
from polyregions.regions.hrep import HRepresentations, hrep_arrays, hrep_blocks
from polyregions.regions.region_set import RegionSet
from polyregions.regions.union import UnionRegions

SCHEMA: Final = "polyregions regions with H-representations 1"


@dataclass(frozen=True, eq=False)
class Block:
    """Some regions that follow each other: their rows, and their affine maps.

    Attributes:
        rows: the H-representations.
        weight: (r, c, d) the nearest floats of the exact maps.
        bias: (r, c).
    """

    rows: HRepresentations
    weight: Floats
    bias: Floats

    @property
    def regions(self) -> slice:
        """Which regions they are."""
        return slice(self.rows.first, self.rows.first + len(self.rows))


def blocks_of(regions: RegionSet) -> Iterator[Block]:
    """All regions, some at a time."""
    for rows, affine in hrep_blocks(regions, maps=True):
        yield Block(rows, affine[:, :, :-1], affine[:, :, -1])


def blocks_of_parts(regions: RegionSet) -> Iterator[tuple[RegionSet, Block]]:
    """The same of each part of a set, see `parts_of`, with the part, to which the numbers in a block refer."""
    for _, part in parts_of(regions):
        for block in blocks_of(part):
            yield part, block


# ---------------------------------------------------------------- archives


def hrep_npz(regions: RegionSet) -> Iterator[bytes]:
    """All that an archive of regions holds, with points in the inputs, H-representations and affine maps."""
    d, c = regions.network.n_inputs, regions.network.n_outputs
    with ExitStack() as opened:
        spools = {
            name: opened.enter_context(Spool(dtype, shape))
            for name, dtype, shape in (
                *(("hrep_A", np.float64, (d,)), ("hrep_b", np.float64, ()), ("hrep_strict", np.bool_, ())),
                *(("hrep_wall", np.int64, ()), ("hrep_neurons", np.int64, ())),
                *(("map_weight", np.float64, (c, d)), ("map_bias", np.float64, (c,))),
            )
        }
        offsets = _spooled(regions, list(spools.values()))
        arrays = [*regions_arrays(regions).items(), ("points", regions.points), *offsets, *spools.items()]
        yield from npz_pieces(arrays)


def _spooled(regions: RegionSet, spools: list[Spool]) -> list[tuple[str, Any]]:
    """Put the arrays of all blocks into spools; where the rows of regions and the neurons of rows start."""
    sizes, neurons = [np.zeros(1, dtype=np.int64)], [np.zeros(1, dtype=np.int64)]
    for _, block in blocks_of_parts(regions):
        rows = block.rows
        found = rows.A, rows.b, rows.strict, rows.wall, rows.neurons, block.weight, block.bias
        for spool, part in zip(spools, found, strict=True):
            spool.append(part)
        sizes.append(np.diff(rows.offsets))
        neurons.append(np.diff(rows.neuron_offsets))
    return [
        ("hrep_offsets", np.cumsum(np.concatenate(sizes))),
        ("hrep_neuron_offsets", np.cumsum(np.concatenate(neurons))),
        ("hrep_wall_labels", np.array(regions.problem.solid.labels, dtype=np.str_)),
    ]


# ---------------------------------------------------------------- Parquet


def hrep_parquet(
    regions: RegionSet | UnionRegions, table_of: Callable[[RegionSet], Table], vertices: bool = False
) -> Iterator[bytes]:
    """A row a region: its number, the columns of a table, the H-representation, the affine map, perhaps vertices.

    Args:
        regions: the regions; those of a large store take the memory of one shard. Those of several input sets have
            the number of the set in a column ``box``.
        table_of: makes the table of some of them.
        vertices: whether to add vertices.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa, pq = import_extra("pyarrow", "parquet", PURPOSE), import_extra("pyarrow.parquet", "parquet", PURPOSE)
    about = {"schema": SCHEMA, **_about(regions)}
    sink, writer = Sink(), None
    for first, part, table, block in _with_tables(regions, table_of):
        numbers = np.arange(first, first + len(block.rows))
        columns = {"region": pa.array(numbers)}
        columns |= {name: arrow_array(column[block.regions], pa) for name, column in table.columns.items()}
        columns |= _hrep_columns(block, pa)
        if vertices:
            columns["vertices"] = _vertices(part, block.regions, pa)
        arrow = pa.table(columns).replace_schema_metadata({KEY: json.dumps(about, allow_nan=False)})
        if writer is None:
            writer = pq.ParquetWriter(pa.PythonFile(sink, mode="w"), arrow.schema, compression="zstd")
        writer.write_table(arrow)
        yield from sink.taken()
    assert writer is not None
    writer.close()
    yield from sink.taken()


def _about(regions: RegionSet | UnionRegions) -> dict[str, Any]:
    """What the file says of all of them, with the names of the domain's rows."""
    if isinstance(regions, UnionRegions):
        return {
            **union_about(regions),
            "walls": [list(part.problem.solid.labels) for part in regions.parts],
        }
    return {**regions_about(regions), "walls": list(regions.problem.solid.labels)}


def _with_tables(
    regions: RegionSet | UnionRegions, table_of: Callable[[RegionSet], Table]
) -> Iterator[tuple[int, RegionSet, Table, Block]]:
    """The blocks with the number of their first region, the part that they are of, and its table."""
    if isinstance(regions, UnionRegions):
        for box, (first, set_) in enumerate(zip(regions.offsets.tolist(), regions.parts, strict=False)):
            for start, part, table, block in _with_tables(set_, table_of):
                boxes = np.full(len(table), box, dtype=np.int64)
                yield first + start, part, Table({"box": boxes, **table.columns}), block
        return
    for start, part in parts_of(regions):
        table = table_of(part)
        for block in _blocks_or_none(part):
            yield start + block.rows.first, part, table, block


def _blocks_or_none(regions: RegionSet) -> Iterator[Block]:
    """The blocks; of no regions one without any, for the columns."""
    if len(regions):
        yield from blocks_of(regions)
        return
    c, d = regions.network.n_outputs, regions.network.n_inputs
    yield Block(hrep_arrays(regions), np.zeros((0, c, d)), np.zeros((0, c)))


def _hrep_columns(block: Block, pa: Any) -> dict[str, Any]:
    rows = block.rows
    d, (r, c) = rows.A.shape[1], block.bias.shape
    per_row, per_output = np.arange(len(rows.A) + 1) * d, np.arange(r * c + 1) * d
    outputs = np.arange(r + 1) * c
    return {
        "hrep_A": lists(rows.offsets, lists(per_row, rows.A.ravel(), pa), pa),
        "hrep_b": lists(rows.offsets, rows.b, pa),
        "hrep_strict": lists(rows.offsets, rows.strict, pa),
        "hrep_wall": lists(rows.offsets, rows.wall, pa),
        "hrep_neurons": lists(rows.offsets, lists(rows.neuron_offsets, rows.neurons, pa), pa),
        "map_weight": lists(outputs, lists(per_output, np.ascontiguousarray(block.weight).ravel(), pa), pa),
        "map_bias": lists(outputs, np.ascontiguousarray(block.bias).ravel(), pa),
    }


def _vertices(regions: RegionSet, which: slice, pa: Any) -> Any:
    found = [region.vertices for region in regions[which]]
    ends = np.cumsum([0, *map(len, found)])
    points = np.concatenate([np.zeros((0, regions.network.n_inputs)), *found])
    return lists(ends, lists(np.arange(len(points) + 1) * points.shape[1], points.ravel(), pa), pa)


# ---------------------------------------------------------------- JSON and MATLAB


def hrep_json(regions: RegionSet) -> Iterator[bytes]:
    """One object with the counts and, for each region, pattern, point, minimal H-representation and affine map."""
    about = json.dumps(regions_about(regions), indent=1, allow_nan=False)
    yield about[:-2].encode() + b',\n "regions": ['
    before = b"\n"
    for part, block in blocks_of_parts(regions):
        for record in _records(part, block):
            yield before + json.dumps(record, allow_nan=False).encode()
            before = b",\n"
    yield b"\n ]\n}"


def _records(regions: RegionSet, block: Block) -> Iterator[dict[str, Any]]:
    rows, labels = block.rows, _labels(regions, block.rows)
    texts, points = pattern_texts(regions.patterns[block.regions]), regions.points[block.regions].tolist()
    for i, (start, end) in enumerate(zip(rows.offsets.tolist(), rows.offsets[1:].tolist(), strict=False)):
        yield {
            "pattern": texts[i],
            "point": points[i],
            "A": rows.A[start:end].tolist(),
            "b": rows.b[start:end].tolist(),
            "strict": rows.strict[start:end].tolist(),
            "rows": labels[start:end],
            "weight": block.weight[i].tolist(),
            "bias": block.bias[i].tolist(),
        }


def _labels(regions: RegionSet, rows: HRepresentations) -> list[str]:
    """What each row is: the names of its neurons, and of its wall."""
    walls, neurons = regions.problem.solid.labels, Ragged(rows.neuron_offsets, rows.neurons).tolist()
    names = (
        [*(f"neuron {n}" for n in own), *([walls[wall]] if wall >= 0 else [])]
        for own, wall in zip(neurons, rows.wall.tolist(), strict=True)
    )
    return [", ".join(own) or "equation of the domain" for own in names]


def hrep_mat(regions: RegionSet) -> bytes:
    """A MATLAB file: cells ``A`` and ``b`` (1, R), ``points`` (R, d), ``patterns`` (R, N), ``weight``, ``bias``.

    In MPT3, ``cellfun(@(A, b) Polyhedron(A, b), A, b)`` are the regions.
    """
    from scipy.io import savemat

    cells: dict[str, list[Any]] = {"A": [], "b": [], "strict": [], "weight": [], "bias": []}
    for block in blocks_of(regions):
        ends = block.rows.offsets
        for i, (start, end) in enumerate(zip(ends.tolist(), ends[1:].tolist(), strict=False)):
            cells["A"].append(block.rows.A[start:end])
            cells["b"].append(block.rows.b[start:end, None])
            cells["strict"].append(block.rows.strict[start:end, None])
            cells["weight"].append(block.weight[i])
            cells["bias"].append(block.bias[i][:, None])
    columns = {name: _cell_array(values) for name, values in cells.items()}
    buffer = io.BytesIO()
    savemat(buffer, {**columns, "points": regions.points, "patterns": regions.patterns}, do_compression=True)
    return buffer.getvalue()


def _cell_array(values: list[Any]) -> Any:
    cells = np.empty((1, len(values)), dtype=object)
    for i, value in enumerate(values):
        cells[0, i] = value
    return cells
