"""Attributes of graphs in formats that hold only truth values, numbers and strings.

As in CSV, a point becomes a number for each coordinate (``point_0``, ``point_1``, ...) and a list of integers a string
of numbers joined by spaces (``3 7``); a mark beside the declaration, which other programs do not look at, says so.

Other lists and dictionaries become JSON. So that reading turns exactly those back, a string is written as a JSON
string, in quotes, if it could be taken for JSON (it begins with ``[``, ``{`` or ``"``), is empty, has white space
around it, or holds what XML cannot (control characters).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import networkx as nx
import numpy as np

from polyregions.errors import FormatError, OptionError
from polyregions.io.files import shortened

BOOLEAN: Final = "boolean"
LONG: Final = "long"
DOUBLE: Final = "double"
STRING: Final = "string"

KINDS: Final[dict[type, str]] = {
    **{bool: BOOLEAN, int: LONG, float: DOUBLE},
    **dict.fromkeys((str, list, tuple, dict), STRING),
}

_FOREIGN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LIST, _ENTRY = (
    re.compile(r"list of (long|double)"),
    re.compile(r"entry (0|[1-9]\d{0,5}) of (\d{1,6}) of (.+)"),
)
_LOOKS_LIKE_JSON = ("[", "{", '"')
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,4000})")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(INF|inf|Infinity)|NaN|nan")


def check_graph(graph: nx.Graph) -> None:
    """Refuse graphs that the formats of this package would not give back as they are.

    Raises:
        OptionError: parallel edges, or nodes other than integers and strings that do not look like one.
    """
    if graph.is_multigraph():
        raise OptionError(f"a {type(graph).__name__}, expected a graph without parallel edges")
    for node in graph:
        is_name = type(node) is str and not _INTEGER.fullmatch(node) and not _FOREIGN.search(node)
        if type(node) is not int and not is_name:
            raise OptionError(f"node {shortened(repr(node))}, expected a number or a name that is none")


def plain(value: Any) -> Any:
    """A numpy scalar as the Python number it is; anything else unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def kinds(records: Iterable[dict[Any, Any]], what: str) -> dict[str, str]:
    """The type of each attribute of nodes or edges, in order of appearance.

    Raises:
        OptionError: a name that is no string, a value of another type, or values of several types.
    """
    found: dict[str, str] = {}
    for record in records:
        for name, value in record.items():
            kind = KINDS.get(type(plain(value)))
            if type(name) is not str or _FOREIGN.search(name):
                raise OptionError(f"{what} attribute {shortened(repr(name))}, expected a plain string")
            if kind is None:
                raise OptionError(
                    f"{what} attribute {shortened(name)} is a {type(value).__name__}, expected a number or a list"
                )
            if found.setdefault(name, kind) != kind:
                raise OptionError(
                    f"{what} attribute {shortened(name)} is a {kind} in one place, a {found[name]} in another"
                )
    return found


@dataclass(frozen=True)
class Field:
    """What a file declares: an attribute, or one entry of one.

    Attributes:
        name: as other programs see it.
        kind: BOOLEAN, LONG, DOUBLE or STRING.
        mark: "list of long", "list of double" or "entry 0 of 2 of point"; empty for the attribute itself.
    """

    name: str
    kind: str
    mark: str = ""


@dataclass(frozen=True)
class Plan:
    """How the attributes of nodes or edges are written.

    Attributes:
        fields: what is declared, in order.
        places: attribute -> the numbers of its fields.
    """

    fields: tuple[Field, ...]
    places: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, records: Sequence[dict[Any, Any]], what: str) -> Plan:
        """The plan for some records.

        Raises:
            OptionError: as `kinds`.
        """
        typed = kinds(records, what)
        fields: list[Field] = []
        places: dict[str, tuple[int, ...]] = {}
        for name, kind in typed.items():
            values = [record[name] for record in records if name in record] if kind == STRING else []
            taken = {*typed, *(field.name for field in fields)}
            own = _list_fields(name, values, taken) if values else [Field(name, kind)]
            places[name] = tuple(range(len(fields), len(fields) + len(own)))
            fields += own
        return cls(tuple(fields), places)

    def texts(self, record: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """The number of each field that a record has, and its text."""
        for name, value in record.items():
            own = self.places[name]
            if self.fields[own[0]].mark.startswith("entry"):
                yield from zip(own, map(encoded, value), strict=True)
            elif self.fields[own[0]].mark:
                yield own[0], " ".join(map(encoded, value))
            else:
                yield own[0], encoded(value)


def _list_fields(name: str, values: list[Any], taken: set[str]) -> list[Field]:
    """The fields of an attribute of kind STRING: points by their entries, numbers joined, else one text."""
    plain_field = [Field(name, STRING)]
    if not all(isinstance(value, (list, tuple)) for value in values):
        return plain_field
    types, sizes = {type(plain(entry)) for value in values for entry in value}, set(map(len, values))
    if types == {float} and len(sizes) == 1:
        n = sizes.pop()
        names = [f"{name}_{i}" for i in range(n)]
        if taken.isdisjoint(names):
            return [Field(own, DOUBLE, f"entry {i} of {n} of {name}") for i, own in enumerate(names)]
    if types <= {int} or types == {float}:
        return [Field(name, STRING, f"list of {DOUBLE if types == {float} else LONG}")]
    return plain_field


def assembled(found: Iterable[tuple[Field, str]], what: str, where: str) -> dict[str, Any]:
    """The attributes that were written as some texts.

    Args:
        found: each field with its text, the entries of a list in order.
        what: "graph", "node" or "edge", for messages.
        where: the file.

    Raises:
        FormatError: texts that are none of their kind, fields that are there twice or not all there.
    """
    record: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for field, text in found:
        place = f"{where}, {what} attribute {shortened(field.name)}"
        entry, listed = _ENTRY.fullmatch(field.mark), _LIST.fullmatch(field.mark)
        if entry is not None:
            sizes[entry[3]] = max(int(entry[2]), sizes.get(entry[3], 0))
            entries = record.setdefault(entry[3], [])
            if not isinstance(entries, list) or len(entries) != int(entry[1]):
                raise FormatError(f"{place}: two values, or entries out of order")
            entries.append(decoded(text, field.kind, place))
        elif field.name in record:
            raise FormatError(f"{where}: a {what} has two values of {shortened(field.name)}")
        elif listed is not None:
            record[field.name] = [decoded(part, listed[1], place) for part in text.split(" ") if text]
        else:
            record[field.name] = decoded(text, field.kind, place)
    for name, size in sizes.items():
        if len(record[name]) != size:
            raise FormatError(f"{where}: {what} attribute {shortened(name)} has not all its {size} entries")
    return record


def is_mark(text: str) -> bool:
    """Whether a text beside a declaration is a mark of ours."""
    return bool(_LIST.fullmatch(text) or _ENTRY.fullmatch(text))


def encoded(value: Any) -> str:
    """A value as text; floats with all their digits, infinity in the spelling that C, Java and Python read.

    Raises:
        OptionError: a value that JSON cannot hold.
    """
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).replace("inf", "Infinity").replace("nan", "NaN")
    if isinstance(value, str):
        return json.dumps(value) if _needs_quotes(value) else value
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise OptionError(f"an attribute holds {shortened(repr(value))}: {error}") from None


def decoded(text: str, kind: str, where: str) -> Any:
    """The value that was encoded as text.

    Raises:
        FormatError: text that is none of its kind.
    """
    if kind == BOOLEAN and text in ("true", "false"):
        return text == "true"
    if kind == LONG and _INTEGER.fullmatch(text):
        return int(text)
    if kind == DOUBLE and len(text) < 1000 and _NUMBER.fullmatch(text):
        return float(text)
    if kind == STRING:
        return json_value(text, where) if text.startswith(_LOOKS_LIKE_JSON) else text
    raise FormatError(f"{where}: {shortened(repr(text))}, expected a {kind}")


def node_of(text: str) -> int | str:
    """The node of a name: a number if it is one."""
    return int(text) if _INTEGER.fullmatch(text) else text


def json_value(text: str, where: str) -> Any:
    """A JSON text.

    Raises:
        FormatError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError(f"{where}: {shortened(repr(text))}, expected JSON") from None


def _needs_quotes(text: str) -> bool:
    return (
        not text or text.startswith(_LOOKS_LIKE_JSON) or bool(_FOREIGN.search(text)) or text != text.strip()
    )
