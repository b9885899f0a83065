"""How many linear regions do real networks have, by each definition, beside the bounds of the literature?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/counting.py`` (a minute or two). Prints the Markdown table of
docs/counting.md: the networks of the corpus and the boxes that ``tests/common/ground_truth/networks.json`` names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from polyregions import Box, bounds, count_by_definition, enumerate_regions, load_network

TRUTH = Path(__file__).parent.parent / "tests" / "common" / "ground_truth" / "networks.json"
SHOWN = ("trivial", "montufar_2017_upper", "serra_2018_upper", "serra_ramalingam_2020")


def main() -> None:
    """Print the table."""
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    heads = ("network", "inputs", "neurons", "R1", "R2", "R3", "R4", "R5", "R6", *SHOWN)
    print(line(heads))
    print(line("---" for _ in heads))
    for entry in json.loads(TRUTH.read_text(encoding="utf-8"))["real_networks"]:
        network = load_network(Path(folder) / entry["network"])
        regions = enumerate_regions(network, Box(entry["lo"], entry["hi"]))
        counts = count_by_definition(regions)
        known = {bound.name: bound.value for bound in bounds(network)}
        name = f"{Path(entry['network']).stem} on [{entry['lo'][0]:g}, {entry['hi'][0]:g}]"
        numbers = [network.n_inputs, network.n_neurons, *counts.values(), *(known[name] for name in SHOWN)]
        print(line([name, *map(text, numbers)]), flush=True)


def line(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def text(value: object) -> str:
    """A count, an interval, or a bound, large ones rounded."""
    if isinstance(value, tuple):
        return f"{value[0]} to {value[1]}"
    if isinstance(value, int) and value >= 10**9:
        return f"{value:.2e}"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
