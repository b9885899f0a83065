"""ONNX files whose graph is piecewise linear.

The function read is the one in real arithmetic: constants are lifted to float64 unchanged and
folded exactly. The network's input is the input tensor flattened in C order, and so is its output; several inputs
(or outputs) follow each other in the file's order. A batch size that the file leaves open is taken as 1; a size
that it fixes belongs to the input, so an input of shape (2, 3) makes a network of 6 inputs.
"""

from __future__ import annotations

from typing import Any

from polyregions.errors import FormatError
from polyregions.graph.lower import lower
from polyregions.io.files import import_extra, network_errors_are_format_errors
from polyregions.io.onnx_check import difference_from_source
from polyregions.io.onnx_graph import graph_of_model
from polyregions.io.onnx_operators import graph_of_onnx
from polyregions.io.onnx_versions import check_other_versions
from polyregions.network import Network


def network_of_onnx(
    data: bytes, where: str, name: str, *, output: str | None = None, check: bool = True
) -> Network:
    """The network in the bytes of an ONNX file.

    Args:
        data: content of the file.
        where: the file, for messages.
        name: name of the network.
        output: name of the output that is wanted, see `graph_of_model`.
        check: compare the result with onnx's reference evaluator on random points, where it can run.

    Raises:
        FormatError: truncated or hostile files, shapes that do not fit, other results than the reference.
        UnsupportedError: anything that is not piecewise linear; names operator and node.
        OptionError: an output that the file does not have.
        MissingExtraError: onnx is not installed.
    """
    model = _parse(data, where)
    graph = graph_of_model(model, where, output)
    built = graph_of_onnx(graph)
    check_other_versions(graph, built)
    with network_errors_are_format_errors():
        network = lower(built, name)
    if check:
        difference = difference_from_source(network, built, graph, model)
        if difference is not None:
            raise FormatError(f"{where}: {difference}")
    return network


def _parse(data: bytes, where: str) -> Any:
    """The ModelProto; nothing in it is interpreted yet, and no other file is opened."""
    onnx = import_extra("onnx", "onnx", "reading an ONNX file")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's DecodeError, whose module depends on its version
        raise FormatError(f"{where}: is not an ONNX model or is truncated ({error})") from None
    _check_text(model, where)
    return model


def _check_text(message: Any, where: str) -> None:
    """Refuse text that is not UTF-8, which protobuf would hand out as bytes; depth is bounded by its parser."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if hasattr(value, "add") else (value,):
                _check_text(part, where)
        elif field.type == field.TYPE_STRING:
            for text in (value,) if isinstance(value, (str, bytes)) else value:
                if isinstance(text, bytes):
                    raise FormatError(f"{where}: {field.name} is {text[:20]!r}, expected UTF-8 text")
