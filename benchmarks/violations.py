"""What share of their input sets do networks of the corpus violate their properties in, and how long does that take?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/violations.py [--time-limit SECONDS]`` (some minutes). Prints the
second Markdown table of docs/verify.md; processor seconds are those of this process, which has one worker.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from time import process_time

from polyregions import Violations, load_network, load_property, violations

ACASXU = "acasxu45/ACASXU_run2a_{}_batch_2000.onnx"
INSTANCES = (
    ("tllverifybench/tllBench_n=2_N=M=8_m=1_instance_0_0.onnx", "tllverifybench/property_N=8_0.vnnlib"),
    ("rl_benchmarks/lunarlander.onnx", "rl_benchmarks/lunarlander_case_safe_10.vnnlib"),
    ("rl_benchmarks/lunarlander.onnx", "rl_benchmarks/lunarlander_case_safe_17.vnnlib"),
    (ACASXU.format("2_1"), "acasxu/prop_2.vnnlib"),
    (ACASXU.format("5_3"), "acasxu/prop_2.vnnlib"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-limit", type=float, default=100.0, help="seconds for each instance (100)")
    limit = parser.parse_args().time_limit
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    head = (
        "network",
        "property",
        "inputs",
        "polytopes",
        "regions",
        "parts",
        "violating share",
        "CPU seconds",
    )
    print(line(head))
    print(line("---" for _ in head))
    for network, prop in INSTANCES:
        net, spec = load_network(Path(folder) / network), load_property(Path(folder) / prop)
        start = process_time()
        found = violations(net, spec, time_limit=limit)
        seconds = process_time() - start
        names = (Path(network).stem, Path(prop).stem)
        counts = (found.hull.dim, found.listed, found.regions, found.parts)
        print(line([*names, *map(str, counts), shown(found), f"{seconds:.1f}"]), flush=True)


def shown(found: Violations) -> str:
    """The share, or what it lies between."""
    if found.share is not None:
        return f"{found.share:.9g}"
    low, high = map(float, found.interval)
    return f"{low:.3e} to {high:.3e}"


def line(cells: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
