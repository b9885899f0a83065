"""One node of an ONNX graph, with its place for messages and its attributes as Python values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import import_extra, shortened
from polyregions.io.models.onnx.tensors import array_of_tensor

STANDARD_DOMAINS: Final = ("", "ai.onnx")
ML_DOMAIN: Final = "ai.onnx.ml"
"""Of the operators that scikit-learn's pipelines are made of."""

INFINITE_ATTRIBUTES: Final = {
    ("Clip", "min"),
    ("Clip", "max"),
    ("Constant", "value_float"),
    ("Constant", "value_floats"),
}
"""Attributes that may be infinite: no bound, or a constant that may be used as none."""

MISSING_VALUES: Final = {("Imputer", "imputed_value_floats"), ("Imputer", "replaced_value_float")}
"""Attributes that may be NaN."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node with its place for messages.

    Attributes:
        proto: the NodeProto.
        where: file, operator and name, or index and first output where it has no name.
    """

    proto: Any
    where: str

    @property
    def op(self) -> str:
        """Name of the operator, behind that of its domain where that is another than the standard one."""
        domain = str(getattr(self.proto, "domain", ""))
        return f"{'' if domain in STANDARD_DOMAINS else domain + ':'}{self.proto.op_type}"

    @property
    def inputs(self) -> list[str]:
        """Names of the tensors it takes, "" for one left out."""
        return list(self.proto.input)

    @property
    def output(self) -> str:
        """Name of its first output."""
        return str(self.proto.output[0])

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs that it gives."""
        return [name for name in getattr(self.proto, "output", ()) if name]

    def attributes(self) -> dict[str, Any]:
        """Its attributes as Python values, tensors as arrays.

        Raises:
            FormatError: two attributes of one name.
            UnsupportedError: attributes of other types, such as subgraphs.
        """
        found: dict[str, Any] = {}
        for attribute in self.proto.attribute:
            if attribute.name in found:
                raise FormatError(f"{self.where}: attribute {shortened(attribute.name)!r} is given twice")
            found[attribute.name] = _attribute_value(attribute, str(self.proto.op_type), self.where)
        return found


def attributes_of(node: Node, opset: int) -> set[str]:
    """The attributes that a standard operator has in a version; of other domains, those that the node has."""
    defs = import_extra("onnx.defs", "onnx", "reading an ONNX file")
    if node.proto.domain in STANDARD_DOMAINS and defs.has(node.proto.op_type):
        try:
            return set(defs.get_schema(node.proto.op_type, opset).attributes)
        except defs.SchemaError:  # of a version before that of the operator
            return set()
    return {attribute.name for attribute in node.proto.attribute}


def _attribute_value(attribute: Any, op: str, where: str) -> Any:
    name = shortened(attribute.name)
    if attribute.ref_attr_name:
        raise UnsupportedError(f"{where}: attribute {name!r} refers to a function's attribute")
    match attribute.type:  # AttributeProto's FLOAT, INT, STRING, TENSOR, FLOATS, INTS, STRINGS
        case 1:
            return _number(attribute.f, op, name, where)
        case 2:
            return int(attribute.i)
        case 3:
            return attribute.s.decode("utf-8", errors="replace")
        case 4:
            return array_of_tensor(attribute.t, where)
        case 6:
            return [_number(f, op, name, where) for f in attribute.floats]
        case 7:
            return [int(i) for i in attribute.ints]
        case 8:
            return [text.decode("utf-8", errors="replace") for text in attribute.strings]
    raise UnsupportedError(f"{where}: attribute {name!r} is a subgraph or of an unknown type")


def _number(value: float, op: str, name: str, where: str) -> float:
    may_be_infinite = (op, name) in INFINITE_ATTRIBUTES and not np.isnan(value)
    if not (np.isfinite(value) or may_be_infinite or (op, name) in MISSING_VALUES):
        raise FormatError(f"{where}: attribute {name!r} is {value}, expected a finite number")
    return float(value)
