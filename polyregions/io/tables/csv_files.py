"""Tables as CSV, and the edges of a graph read back.

One line for each row under a line of names. Floats have all the digits that give them back; truth values are ``true``
and ``false``; a list of integers is one field, joined by spaces (``3 7``); a point is a field for each coordinate
(``point_0``, ``point_1``, ...).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from math import inf
from typing import Any

import networkx as nx
import numpy as np

from polyregions.analysis.tables import Table
from polyregions.errors import FormatError
from polyregions.io.files import parse_decimal, shortened
from polyregions.io.tables.attributes import node_of
from polyregions.io.tables.json_graph import add_edge

_COORDINATE = re.compile(r"(.+)_(0|[1-9][0-9]{0,5})")
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")
_INTEGERS = re.compile(r"(-?[0-9]{1,18}( -?[0-9]{1,18})*)?")


def table_csv(table: Table) -> Iterator[bytes]:
    """A table as CSV, some rows at a time."""
    flat = flattened(table)
    yield _lines([list(flat.columns)])
    for block in flat.blocks():
        texts = [_texts(values) for values in block.values()]
        yield _lines(zip(*texts, strict=True))


def graph_of_csv(data: bytes, where: str) -> nx.Graph:
    """The graph with the edges of a CSV file, ``flipped`` and points as lists; columns that are not ours are texts.

    Raises:
        FormatError: not CSV with columns source and target, or fields that are not what their column holds.
    """
    graph = nx.Graph()
    for number, record in enumerate(_records(data, where), start=2):
        place = f"{where}, line {number}"
        source, target = node_of(record.pop("source")), node_of(record.pop("target"))
        graph.add_nodes_from([source, target])
        add_edge(graph, (source, target), _values(record, place), place)
    return graph


def flattened(table: Table) -> Table:
    """The same with a column for each coordinate of a point."""
    columns: dict[str, Any] = {}
    for name, column in table.columns.items():
        if isinstance(column, np.ndarray) and column.ndim == 2 and column.dtype.kind == "f":
            columns |= {f"{name}_{i}": column[:, i] for i in range(column.shape[1])}
        else:
            columns[name] = column
    return Table(columns)


def _texts(values: list[Any]) -> list[Any]:
    """Fields of one column; the csv module writes numbers with all their digits."""
    if values and isinstance(values[0], bool):
        return ["true" if value else "false" for value in values]
    if values and isinstance(values[0], list):
        return [" ".join(map(repr, value)) for value in values]
    return values


def _lines(rows: Any) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8", errors="surrogatepass")


def _records(data: bytes, where: str) -> Iterator[dict[str, str]]:
    reader = csv.reader(io.StringIO(data.decode("utf-8", errors="replace"), newline=""), strict=True)
    try:
        names = next(reader, [])
        if len(set(names)) != len(names) or not {"source", "target"} <= set(names):
            raise FormatError(
                f"{where}: begins with {shortened(','.join(names))!r}, expected different names of columns, "
                "source and target among them"
            )
        for row in reader:
            if len(row) != len(names):
                raise FormatError(
                    f"{where}, line {reader.line_num}: {len(row)} fields, expected {len(names)}"
                )
            yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise FormatError(f"{where}, line {reader.line_num}: damaged CSV ({error})") from None


def _values(record: dict[str, str], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in record.items():
        coordinate = _COORDINATE.fullmatch(name)
        if name == "flipped":
            if not _INTEGERS.fullmatch(text):
                raise FormatError(
                    f"{where}: flipped is {shortened(text)!r}, expected integers joined by spaces"
                )
            values[name] = [int(part) for part in text.split()]
        elif coordinate is not None:
            point = values.setdefault(coordinate[1], [])
            if not isinstance(point, list) or len(point) != int(coordinate[2]):
                raise FormatError(f"{where}: column {shortened(name)}, expected its coordinates in order")
            point.append(parse_decimal(text, f"{where}, {shortened(name)}"))
        elif name == "hamming" and _INTEGER.fullmatch(text):
            values[name] = int(text)
        elif name == "measure":
            values[name] = inf if text == "inf" else parse_decimal(text, f"{where}, measure")
        else:
            values[name] = text
    return values
