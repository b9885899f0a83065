"""Which networks of the corpus load, and do they compute what their source computes?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/corpus_coverage.py`` (half a minute; needs onnxruntime). Prints the
Markdown table of docs/networks.md: each ONNX and .nnet file with its layers and the largest deviation of its outputs
from onnxruntime's, relative to the largest output, on 16 random points; or why it is refused.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from polyregions import Network, load_network
from polyregions.errors import PolyregionsError

N_POINTS = 16


def main() -> None:
    """Print the table, and how many files there are of each kind."""
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    print(line(("file", "layers", "neurons", "maxima", "deviation")))
    print(line("---" for _ in range(5)))
    loaded = refused = 0
    for file in sorted(path for path in Path(folder).rglob("*") if path.suffix in (".onnx", ".nnet")):
        name = file.relative_to(folder).as_posix()
        try:
            network = load_network(file)
        except PolyregionsError as error:
            refused += 1
            print(line((name, f"refused: {reason(str(error))}", "", "", "")), flush=True)
            continue
        loaded += 1
        maxima = "" if network.max_groups is None else str(len(network.max_groups))
        shown = (name, widths(network), str(network.n_neurons), maxima, deviation(file, network))
        print(line(shown), flush=True)
    print(f"\n{loaded} files load, {refused} are refused.")


def widths(network: Network) -> str:
    """Inputs and units of each layer."""
    return "-".join(str(n) for n in (network.n_inputs, *(layer.n_units for layer in network.layers)))


def reason(message: str) -> str:
    """The operator and node of a refusal, without the file."""
    return re.sub(r"^.*?: ", "", message)


def deviation(file: Path, network: Network) -> str:
    """The largest deviation from onnxruntime on random points; nothing for a format without a runtime."""
    if file.suffix != ".onnx":
        return "(no runtime)"
    import onnxruntime  # an extra of the tests

    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception:  # opset 6 is before its time
        session = ReferenceSession(file)
    points = np.random.default_rng(1).uniform(-1, 1, (N_POINTS, network.n_inputs)).astype(np.float32)
    found = np.array([outputs(session, x) for x in points])
    expected = network(points)
    if network.notices and "oftmax" in " ".join(network.notices):
        expected = np.exp(expected - expected.max(axis=1, keepdims=True))
        expected /= expected.sum(axis=1, keepdims=True)
    return f"{np.abs(found - expected).max() / max(1e-30, np.abs(found).max()):.0e}"


class ReferenceSession:
    """onnx's reference evaluator in the place of onnxruntime."""

    def __init__(self, file: Path) -> None:
        from onnx import load
        from onnx.reference import ReferenceEvaluator

        graph = load(str(file)).graph
        constants = {tensor.name for tensor in graph.initializer}
        self._inputs = [
            SimpleNamespace(name=v.name, shape=[d.dim_value or 1 for d in v.type.tensor_type.shape.dim])
            for v in graph.input
            if v.name not in constants
        ]
        self.run = ReferenceEvaluator(str(file)).run

    def get_inputs(self) -> list[SimpleNamespace]:
        """Names and shapes."""
        return self._inputs


def outputs(session: Any, x: Any) -> Any:
    """All outputs at one point, one after the other."""
    feed, start = {}, 0
    for tensor in session.get_inputs():
        shape = [n if isinstance(n, int) else 1 for n in tensor.shape]
        end = start + int(np.prod(shape))
        feed[tensor.name], start = x[start:end].reshape(shape), end
    return np.concatenate([np.ravel(y) for y in session.run(None, feed)])


def line(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
