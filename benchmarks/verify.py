"""Which properties do the networks of the corpus have, and how long does it take to prove?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/verify.py [--timeout SECONDS]`` (some minutes). Prints the
Markdown table of docs/verify.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import process_time

from polyregions import Verification, load_network, load_property, verify
from polyregions.io.models.runtime.run import run_in_floats

ACASXU = "acasxu/ACASXU_run2a_{}_batch_2000.onnx"
LARGER = (
    ("mnistfc/mnist-net_256x2.onnx", "mnistfc/prop_0_0.03.vnnlib"),
    (
        "collins_rul/NN_rul_small_window_20.onnx",
        "collins_rul/robustness_16perturbations_delta5_epsilon10_w20.vnnlib",
    ),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, default=120.0)
    timeout = parser.parse_args().timeout
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    print(
        line(
            ("network", "property", "inputs", "neurons", "verdict", "parts", "CPU seconds", "counterexample")
        )
    )
    print(line("---" for _ in range(8)))
    for network, prop in instances(Path(folder)):
        net, spec = load_network(Path(folder) / network), load_property(Path(folder) / prop)
        start = process_time()
        found = verify(net, spec, timeout=timeout)
        seconds = process_time() - start
        names = (Path(network).stem, Path(prop).stem)
        cells = [*names, net.n_inputs, net.n_neurons, found.verdict, found.parts, f"{seconds:.2f}"]
        print(line([*map(str, cells), shown(found, str(Path(folder) / network), net)]), flush=True)


def instances(folder: Path) -> Iterator[tuple[str, str]]:
    """Network and property, by name."""
    for i in (3, 4, 1, 2):
        for n in ("1_1", "3_3"):
            yield ACASXU.format(n), f"acasxu/prop_{i}.vnnlib"
    yield ACASXU.format("1_1"), "acasxu/prop_6.vnnlib"
    for name in ("cartpole", "lunarlander"):
        for file in sorted((folder / "rl_benchmarks").glob(f"{name}_*.vnnlib")):
            yield f"rl_benchmarks/{name}.onnx", f"rl_benchmarks/{file.name}"
    yield (
        "tllverifybench/tllBench_n=2_N=M=8_m=1_instance_0_0.onnx",
        "tllverifybench/property_N=8_0.vnnlib",
    )
    for name in ("nano", "tiny", "small"):
        yield f"vnncomp_test/test_{name}.onnx", f"vnncomp_test/test_{name}.vnnlib"
    for name in ("vdp_11", "robot_7"):
        yield f"reach_prob_density/{name.partition('_')[0]}.onnx", f"reach_prob_density/{name}.vnnlib"
    for i in range(3):
        yield "safenlp/perturbations_0.onnx", f"safenlp/hyperrectangle_{i}.vnnlib"
    yield from LARGER


def shown(found: Verification, file: str, net: object) -> str:
    """What kind of point the counterexample is, and how far the runtime's outputs are from the exact ones."""
    example = found.counterexample
    if example is None:
        return ""
    floats = run_in_floats(file, net, example.point)  # type: ignore[arg-type]
    apart = abs(floats.outputs - example.values).max()
    return f"{'float64' if example.is_float64 else 'rational'}, {floats.runtime} {apart:.1e} off"


def line(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
