"""How far apart are a controller of the corpus and its copies: its export in float32, and 8-bit weights?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/difference.py``. The text file has decimals, the ONNX file the
nearest float32 of them. Printed are the exact largest difference of any output, where it is, and processor seconds.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import process_time

import numpy as np

from polyregions import Box, Network, difference, load_network

CASES = {
    "archcomp/controller_single_pendulum": Box(-2, 2, dim=2),
    "archcomp/controller_double_pendulum_less_robust": Box(-0.3, 0.3, dim=4),
}


def main() -> None:
    """Compare, print."""
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    for name, box in CASES.items():
        decimals = load_network(Path(folder) / f"{name}.nnet")
        for what, other in (
            ("float32", load_network(Path(folder) / f"{name}.onnx")),
            ("8 bits", eight_bits(decimals)),
        ):
            started = process_time()
            found = difference(decimals, other, box, workers=1)
            seconds = process_time() - started
            worst = max(found.outputs, key=lambda output: output.value)
            at = ", ".join(f"{float(x):.4g}" for x in worst.point)
            print(
                f"{name}, {what}: {len(found.both)} regions of both, {worst.value:.3g} at ({at}); {seconds:.2f} s"
            )


def eight_bits(net: Network) -> Network:
    """A copy whose weights are multiples of a 127th of each layer's largest."""
    layers = []
    for layer in net.layers:
        scale = np.abs(layer.weight).max() / 127
        layers.append((np.round(layer.weight / scale) * scale, layer.bias))
    return Network.from_layers(layers, name="8 bits")


if __name__ == "__main__":
    main()
