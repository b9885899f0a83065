"""The field on the same networks: how many regions each tool finds, whether that is right, and processor seconds.

Run with: ``python benchmarks/field.py [--python relucent=PATH]``; tools that are not installed are left out by name,
and a tool may have a Python of its own. Every tool gets the same weights, in a process of its own, with SECONDS to
answer; imports and compiling are not counted. regioncam takes two inputs and the square [-1, 1]^2, the others take R^d,
so those are the input sets. The truth is the count of polyregions, by its fast engine and by its linear programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from time import process_time
from typing import Any

import numpy as np

SECONDS = 120
Layers = list[tuple[list[list[float]], list[float]]]


def random_layers(seed: int, *widths: int) -> Layers:
    """A generic network."""
    rng = np.random.default_rng(seed)
    pairs = zip(widths, widths[1:], strict=False)
    return [((rng.normal(size=(n, k)) / k**0.5).tolist(), rng.normal(size=n).tolist()) for k, n in pairs]


def twins(layers: Layers) -> Layers:
    """The same with each first neuron there twice and once negated: the same hyperplanes, and more patterns."""
    (weight, bias), (after, out), *rest = layers
    first = [*weight, *weight, *([-w for w in row] for row in weight)], [*bias, *bias, *(-b for b in bias)]
    return [first, ([[*row, *row, *row] for row in after], out), *rest]


def central(layers: Layers) -> Layers:
    """The same with zero biases: cones."""
    return [(weight, [0.0] * len(bias)) for weight, bias in layers]


CASES: dict[str, Layers] = {
    "2, 16-16": random_layers(1, 2, 16, 16, 1),
    "2, 32-32": random_layers(2, 2, 32, 32, 1),
    "2, 8-8, twins": twins(random_layers(3, 2, 8, 8, 1)),
    "2, 8-8, zero biases": central(random_layers(4, 2, 8, 8, 1)),
    "3, 8-8": random_layers(5, 3, 8, 8, 1),
    "3, 6-6, twins": twins(random_layers(6, 3, 6, 6, 1)),
    "4, 8-6": random_layers(7, 4, 8, 6, 1),
    "6, 8": random_layers(8, 6, 8, 1),
    "8, 9": random_layers(9, 8, 9, 1),
}
DOMAINS = ("square", "whole space")


# ---------------------------------------------------------------- tools, each in a process of its own


def ours(layers: Layers, domain: str, engine: str = "auto") -> tuple[int, float]:
    """polyregions."""
    import polyregions as pr

    net, d = pr.Network.from_layers(layers), len(layers[0][0][0])
    where = pr.WholeSpace(d) if domain == "whole space" else pr.Box(-1, 1, dim=d)
    pr.enumerate_regions(net, where, engine=engine, workers=1)  # compiles
    started = process_time()
    return len(pr.enumerate_regions(net, where, engine=engine, workers=1)), process_time() - started


def reference(layers: Layers, domain: str) -> tuple[int, float]:
    """polyregions' linear programs."""
    return ours(layers, domain, "highs")


def regioncam(layers: Layers, domain: str) -> tuple[int, float]:
    """regioncam, float32."""
    import regioncam as peer

    if domain != "square" or len(layers[0][0][0]) != 2:
        raise NotImplementedError
    started = process_time()
    found = peer.Regioncam(size=1.0)
    for weight, bias in layers[:-1]:
        found.linear(np.array(weight).T.astype(np.float32), np.array(bias).astype(np.float32))
        found.relu()
    return int(found.num_faces), process_time() - started


def relucent(layers: Layers, domain: str) -> tuple[int, float]:
    """relucent, double precision."""
    import torch
    from relucent import Complex

    if domain != "whole space":
        raise NotImplementedError
    parts: list[Any] = []
    for weight, bias in layers:
        linear = torch.nn.Linear(len(weight[0]), len(weight))
        linear.weight.data, linear.bias.data = torch.tensor(weight), torch.tensor(bias)
        parts += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*parts[:-1]).double()
    started = process_time()
    found = Complex(model)
    found.bfs(nworkers=1, verbose=0)
    return len(found), process_time() - started


def affinitree(layers: Layers, domain: str) -> tuple[int, float]:
    """affinitree: the leaves of its tree, infeasible paths left out."""
    from affinitree import AffFunc, Architecture, builder

    if domain != "whole space":
        raise NotImplementedError
    network = Architecture(len(layers[0][0][0]))
    for weight, bias in layers[:-1]:
        network.linear(AffFunc.from_mats(np.array(weight), np.array(bias)))
        network.relu()
    network.linear(AffFunc.from_mats(np.array(layers[-1][0]), np.array(layers[-1][1])))
    started = process_time()
    return int(builder.from_layers(network).num_terminals()), process_time() - started


TOOLS: dict[str, Callable[[Layers, str], tuple[int, float]]] = {
    "polyregions": ours,
    "reference": reference,
    "regioncam": regioncam,
    "relucent": relucent,
    "affinitree": affinitree,
}
ELSEWHERE = ("parx (needs Julia)", "SplineCam", "edge subdivision", "RPM")
"""What pip alone does not install."""


# ---------------------------------------------------------------- the table


def main() -> None:
    """Print the table, or in a child the answer of one tool."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--python", nargs="*", default=[], metavar="TOOL=PATH", help="another Python for a tool"
    )
    parser.add_argument("--ask", nargs=3, metavar=("TOOL", "CASE", "DOMAIN"), help="what a child does")
    arguments = parser.parse_args()
    if arguments.ask:
        tool, case, domain = arguments.ask
        with redirect_stdout(StringIO()):
            answer = TOOLS[tool](CASES[case], domain)
        print(json.dumps(answer))
        return
    pythons = dict.fromkeys(TOOLS, sys.executable) | dict(pair.split("=") for pair in arguments.python)
    there = [tool for tool in TOOLS if is_there(tool, pythons[tool])]
    print(
        "left out, not installed:",
        ", ".join([tool for tool in TOOLS if tool not in there] + list(ELSEWHERE)),
    )
    print("| network | input set | " + " | ".join(there) + " |")
    for domain in DOMAINS:
        for case in CASES:
            answers = [asked(tool, case, domain, pythons[tool]) for tool in there]
            print(f"| {case} | {domain} | " + " | ".join(judged(answers)) + " |", flush=True)


def is_there(tool: str, python: str) -> bool:
    """Whether a Python has a tool."""
    module = "polyregions" if tool == "reference" else tool
    return not subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode


def asked(tool: str, case: str, domain: str, python: str) -> tuple[int, float] | str:
    """What a tool answers in a process of its own, or why it does not."""
    command = [python, __file__, "--ask", tool, case, domain]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"none in {SECONDS} s"
    if ran.returncode:
        reason = ran.stderr.strip().splitlines()[-1].split(":")[0] if ran.stderr.strip() else "ended"
        return "–" if reason == "NotImplementedError" else reason
    regions, seconds = json.loads(ran.stdout.strip().splitlines()[-1])
    return regions, seconds


def judged(answers: list[tuple[int, float] | str]) -> list[str]:
    """Cells of the table; a count that is not the first one's, polyregions', is marked as wrong."""
    truth = answers[0]
    told = []
    for answer in answers:
        if isinstance(answer, str):
            told.append(answer)
        else:
            wrong = "" if isinstance(truth, str) or answer[0] == truth[0] else " **wrong**"
            told.append(f"{answer[0]:,}{wrong}, {answer[1]:.4f} s")
    return told


if __name__ == "__main__":
    main()
