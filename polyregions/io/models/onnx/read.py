"""ONNX files whose graph is piecewise linear.

The function read is the one in real arithmetic: constants are lifted to float64 unchanged and
folded exactly. The network's input is the input tensor flattened in C order, and so is its output; several inputs
(or outputs) follow each other in the file's order. A batch size that the file leaves open is taken as 1; a size
that it fixes belongs to the input, so an input of shape (2, 3) makes a network of 6 inputs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from polyregions.errors import FormatError
from polyregions.io.files import MAX_BYTES, import_extra, network_errors_are_format_errors
from polyregions.io.models.onnx.check import compared_with_source
from polyregions.io.models.onnx.external import take_in
from polyregions.io.models.onnx.graph import Graph, graph_of_model
from polyregions.io.models.onnx.operators import graph_of_onnx
from polyregions.io.models.onnx.versions import check_other_versions
from polyregions.io.models.runtime.process import start_early
from polyregions.networks.graph.lower import lower
from polyregions.networks.network import Network


def network_of_onnx(
    data: bytes,
    where: str,
    name: str,
    *,
    folder: Path | None = None,
    output: str | None = None,
    check: bool = True,
    max_bytes: int = MAX_BYTES,
) -> Network:
    """The network in the bytes of an ONNX file.

    Args:
        data: content of the file.
        where: the file, for messages.
        name: name of the network.
        folder: the folder the file lies in, where tensors that it keeps in other files are found.
        output: name of the output that is wanted, see `graph_of_model`.
        check: compare the result with onnx's reference evaluator, or onnxruntime, on random points, where they can
            run; they run in a process of their own.
        max_bytes: limit of the size of the tensors in other files.

    Raises:
        FormatError: truncated or hostile files, shapes that do not fit, other results than the reference.
        UnsupportedError: anything that is not piecewise linear; names operator and node.
        OptionError: an output that the file does not have.
        MissingExtraError: onnx is not installed.
    """
    if check:
        start_early()
    model = _parse(data, where)
    files = take_in(model, where, folder, max_bytes)
    graph = graph_of_model(model, where, output)
    built = graph_of_onnx(graph)
    check_other_versions(graph, built)
    with network_errors_are_format_errors():
        network = lower(built, name)
    if files:
        notice = f"{where}: tensors read from {', '.join(files)} beside it"
        network = replace(network, notices=(notice, *network.notices))
    return compared_with_source(network, built, graph, model) if check else network


def graph_of_bytes(
    data: bytes, where: str, folder: Path | None, output: str | None = None, max_bytes: int = MAX_BYTES
) -> tuple[Graph, Any]:
    """The graph in the bytes of an ONNX file and the model it is of, tensors in other files included.

    Raises:
        FormatError: as `network_of_onnx`.
        UnsupportedError: likewise.
        MissingExtraError: onnx is not installed.
    """
    model = _parse(data, where)
    take_in(model, where, folder, max_bytes)
    return graph_of_model(model, where, output), model


def _parse(data: bytes, where: str) -> Any:
    """The ModelProto; nothing in it is interpreted yet."""
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
