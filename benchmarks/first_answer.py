"""How long is it until the first answer where nothing is compiled yet? Processor seconds, with an empty cache.

Run with: ``python benchmarks/first_answer.py`` (two minutes). Each line is a process of its own: the packaged network's
regions, its adjacency graph and decision cells after that, and the first count of a network of seven inputs. First the
help, which compiles and imports nothing, the best of five.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile

START = "import time; start = time.process_time()\nimport polyregions as pr\npr.load_network, pr.enumerate_regions\n"
TELL = (
    "print(f'{name} {time.process_time() - start:.1f}', end='  ', flush=True); start = time.process_time()\n"
)
MOONS = """
name = 'import'; TELL
regions = pr.enumerate_regions(pr.load_network('example:two-moons'), pr.Box([-2, -1.5], [3, 2]), workers=1)
name = 'regions'; TELL
pr.adjacency_arrays(regions)
name = 'adjacency'; TELL
pr.decision_cells(regions, 'sign' if regions.network.n_outputs == 1 else 'argmax')
name = 'decision cells'; TELL
"""
SEVEN = """
import numpy as np
rng = np.random.default_rng(0)
layers = [(rng.normal(size=(12, 7)), rng.normal(size=12)), (rng.normal(size=(1, 12)), [0])]
name = 'import'; TELL
pr.count_regions(pr.Network.from_layers(layers), pr.Box.cube(-1, 1, 7), workers=1)
name = 'count'; TELL
"""


def help_seconds() -> float:
    """Processor seconds of ``polyregions --help``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "polyregions", "--help"], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line for each program."""
    print(f"--help: {min(help_seconds() for _ in range(5)):.2f}")
    for title, program in (("two-moons", MOONS), ("7, 12 (count)", SEVEN)):
        with tempfile.TemporaryDirectory() as empty:
            code = START + program.replace("; TELL", "\n" + TELL)
            run = subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "NUMBA_CACHE_DIR": empty},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                check=True,
            )
            print(f"{title}: {run.stdout}")


if __name__ == "__main__":
    main()
