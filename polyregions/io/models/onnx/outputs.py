"""Which tensors of an ONNX graph are its outputs: a classifier's labels are left out, final functions are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from polyregions.errors import OptionError
from polyregions.io.files import shortened
from polyregions.io.models.onnx.node import ML_DOMAIN, Node
from polyregions.io.models.onnx.order import Dependencies

MONOTONE: Final = ("Softmax", "LogSoftmax", "Sigmoid", "ArgMax")
"""Operators that keep which output is the largest, or say which it is."""

SHAPES_ONLY: Final = ("Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")


LABELLING: Final = frozenset({"ArgMax", f"{ML_DOMAIN}:ArrayFeatureExtractor", f"{ML_DOMAIN}:LabelEncoder"})
"""Operators that look up which class is the largest."""

LABEL_TYPES: Final = frozenset({3, 6, 7, 8})
"""Element types of labels: int8, int32, int64, string."""

ZIPMAP: Final = f"{ML_DOMAIN}:ZipMap"


def chosen_outputs(
    declared: Sequence[Any], depends: Dependencies, wanted: str | None
) -> tuple[list[str], list[str]]:
    """The names of the outputs that are read, and notices about those that are not.

    A classifier's label is not read where its scores are an output as well; a ZipMap is read as the tensor whose
    entries it names.

    Raises:
        OptionError: the one wanted is not there.
    """
    names = [value.name for value in declared]
    if wanted is not None and wanted not in names and wanted not in depends.producers:
        listed = ", ".join(shortened(name) for name in names)
        raise OptionError(f"{depends.where}: has no output {shortened(wanted)!r}, there are: {listed}")
    kept = [wanted] if wanted is not None else _without_labels(declared, depends)
    left_out = [] if wanted is not None else [name for name in names if name not in kept]
    notices = [f"{depends.where}: output {shortened(name)!r} is a label, and left out" for name in left_out]
    return [_in_front_of_names(name, depends, notices) for name in kept], notices


def _without_labels(declared: Sequence[Any], depends: Dependencies) -> list[str]:
    names = [value.name for value in declared]
    scores = [value.name for value in declared if not _is_label(value, depends)]
    return scores or names


def _is_label(value: Any, depends: Dependencies) -> bool:
    """Whether an output says which class is the largest."""
    if value.type.tensor_type.elem_type not in LABEL_TYPES or value.name not in depends.producers:
        return False
    return any(node.op in LABELLING for node in depends.of([value.name]))


def _in_front_of_names(name: str, depends: Dependencies, notices: list[str]) -> str:
    node = depends.producers.get(name)
    if node is None or node.op != ZIPMAP or len(node.inputs) != 1:
        return name
    attributes = node.attributes()
    labels = attributes.get("classlabels_int64s") or attributes.get("classlabels_strings")
    notices.append(f"{node.where}: the outputs are the entries of its map, {shortened(str(labels))}")
    return node.inputs[0]


def final_operator(nodes: list[Node], outputs: list[str], producers: dict[str, Node]) -> Node | None:
    """A monotone operator at the very end of a graph with one output, behind nothing but changes of shape.

    None if what it takes is used elsewhere too, or if nothing of the graph is before it.
    """
    if len(outputs) != 1:
        return None
    uses = Counter(name for node in nodes for name in node.inputs)
    name = outputs[0]
    while name in producers and uses[name] == (0 if name == outputs[0] else 1):
        node = producers[name]
        if not node.inputs or name != node.output:
            return None
        if node.op in MONOTONE:
            before = producers.get(node.inputs[0])
            return node if before is not None and uses[node.inputs[0]] == 1 else None
        if node.op not in SHAPES_ONLY:
            return None
        name = node.inputs[0]
    return None
