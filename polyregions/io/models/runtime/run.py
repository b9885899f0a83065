"""What a network's own runtime makes of a point, in floats: shown beside exact results, never believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polyregions._types import Floats
from polyregions.errors import PolyregionsError
from polyregions.io.files import read_bytes, suffix_of
from polyregions.io.models.onnx.check import REFERENCE, RUNTIME, feeds_of, pruned_model
from polyregions.io.models.onnx.read import graph_of_bytes
from polyregions.io.models.runtime.process import RuntimeFailed, run_model
from polyregions.networks.network import Network


@dataclass(frozen=True, eq=False)
class FloatRun:
    """One run of a network in floating point.

    Attributes:
        runtime: who ran it.
        outputs: (c,) what came out.
    """

    runtime: str
    outputs: Floats


def run_in_floats(source: str, network: Network, point: Floats, output: str | None = None) -> FloatRun:
    """Run a network file at a point (d,).

    ONNX files by onnxruntime, or else by onnx's reference evaluator, in a process of their own and at the point
    rounded to the type of their input; anything else, and what these cannot run, by this package in float64.

    Args:
        source: the file, which `load_network` has accepted.
        network: what it gave.
        point: (d,) float64.
        output: which output of an ONNX file it was.
    """
    found = _run_onnx(Path(source), network, point, output) if suffix_of(source) == ".onnx" else None
    return found or FloatRun("polyregions in float64", network(point))


def _run_onnx(path: Path, network: Network, point: Floats, output: str | None) -> FloatRun | None:
    try:
        graph, model = graph_of_bytes(read_bytes(path), str(path), path.parent, output)
    except PolyregionsError:  # gone or changed since it was loaded
        return None
    whole = pruned_model(graph, model, whole=True).SerializeToString()
    for runtime in (RUNTIME, REFERENCE):
        try:
            outputs = run_model(runtime, whole, feeds_of(graph), point[None])
        except RuntimeFailed:
            continue
        if outputs.shape == (1, network.n_outputs):
            return FloatRun(runtime, outputs[0])
    return None
