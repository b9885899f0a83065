"""What a network's own runtime makes of a point, in floats: shown beside exact results, never believed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.io.files import read_bytes, suffix_of
from polyregions.network import Network


@dataclass(frozen=True, eq=False)
class FloatRun:
    """One run of a network in floating point.

    Attributes:
        runtime: who ran it.
        outputs: (c,) what came out.
    """

    runtime: str
    outputs: Floats


def run_in_floats(source: str, network: Network, point: Floats) -> FloatRun:
    """Run a network file at a point (d,).

    ONNX files by onnxruntime, or else by onnx's reference evaluator, at the point rounded to the type of their
    input; anything else, and what these cannot run, by this package in float64.

    Args:
        source: the file, which `load_network` has accepted.
        network: what it gave.
        point: (d,) float64.
    """
    if suffix_of(source) == ".onnx" and Path(source).is_file():
        model = read_bytes(source)
        for name, run in (("onnxruntime", _onnxruntime), ("onnx.reference", _reference)):
            try:
                outputs = np.ravel(run(importlib.import_module(name), model, point)).astype(np.float64)
            except (
                Exception
            ):  # not installed, or it lacks operators and versions: then it raises nearly anything
                continue
            if outputs.shape == (network.n_outputs,):
                return FloatRun(name, outputs)
    return FloatRun("polyregions in float64", network(point))


def _onnxruntime(module: Any, model: bytes, point: Floats) -> Any:
    options = module.SessionOptions()
    options.log_severity_level = 3
    session = module.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    dtype = np.float64 if "double" in given.type else np.float32
    return session.run(None, {given.name: _shaped(point, given.shape).astype(dtype)})[0]


def _reference(module: Any, model: bytes, point: Floats) -> Any:
    evaluator = module.ReferenceEvaluator(model)
    (name,) = evaluator.input_names
    (kind,) = evaluator.input_types
    shape = [d.dim_value or None for d in kind.tensor_type.shape.dim]
    dtype = np.float64 if kind.tensor_type.elem_type == 11 else np.float32
    return evaluator.run(None, {name: _shaped(point, shape).astype(dtype)})[0]


def _shaped(point: Floats, shape: list[Any]) -> Floats:
    """A point in the shape of a model's input, sizes that are left open being 1."""
    return point.reshape([size if isinstance(size, int) and size > 0 else 1 for size in shape])
