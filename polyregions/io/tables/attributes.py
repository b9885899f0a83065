"""Attributes of graphs in formats that hold only truth values, numbers and strings.

Lists and dictionaries become JSON. So that reading turns exactly those back, a string is written as a JSON string, in
quotes, if it could be taken for JSON (it begins with ``[``, ``{`` or ``"``), is empty, has white space around it, or
holds what XML cannot (control characters).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
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
