"""``polyregions warmup``: everything that can be compiled, compiled beforehand."""

from __future__ import annotations

import logging
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final, NamedTuple

import numpy as np
from numba.core import config
from numba.core import event as ev

import polyregions as pr
from polyregions.cli.answers import print_report
from polyregions.cli.status import DONE
from polyregions.errors import OptionError

DIMENSIONS: Final = (1, 2, 3, 4, 5)
"""Up to which the engine is "cells", which is compiled for each, see `engine.choose`."""
WALKED: Final = 6
TINY: Final = 1e-30
MANY_ROWS: Final = 100
"""Of a domain: more than the cells of its dimension begin with room for."""


class Warmed(NamedTuple):
    """What was compiled for one purpose: how many kernels, and in how many processor seconds."""

    what: str
    kernels: int
    seconds: float


def warmup(arguments: Namespace) -> int:
    """Solve small problems of every kind, so that all later runs find compiled code.

    Raises:
        OptionError: the folder to be filled cannot be made or written.
    """
    if arguments.into is not None:
        _use(Path(arguments.into))
    logging.getLogger("polyregions").setLevel(logging.ERROR)  # what is compiled is said here
    done = []
    for what, solve in problems():
        done.append(_warmed(what, solve))
        if not arguments.json and done[-1].kernels:
            print(f"{what}: {done[-1].seconds:.1f} s", flush=True)
    report, lines = _report(done)
    print_report(arguments, report, lines)
    return DONE


def _use(folder: Path) -> None:
    """Keep compiled code in a folder; none may have been imported before."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"--into {folder}: {error.strerror}, expected a folder, or where to make one"
        ) from None
    if not os.access(folder, os.W_OK):
        raise OptionError(f"--into {folder}: is not writable")
    config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(folder.resolve())


def _report(warmed: list[Warmed]) -> tuple[dict[str, Any], list[str]]:
    from polyregions.engine.kernels import cache  # which asks at once where it may write

    folder = cache.folder_kept(cache.__file__)
    kernels, seconds = sum(w.kernels for w in warmed), sum(w.seconds for w in warmed)
    report = {
        "compiled": [w._asdict() for w in warmed if w.kernels],
        "kernels": kernels,
        "seconds": round(seconds, 1),
        "folder": None if folder is None else str(_root(folder)),
    }
    if not kernels:
        return report, ["nothing was left to compile", _where(folder)]
    what = "1 kernel" if kernels == 1 else f"{kernels} kernels"
    return report, [f"compiled: {what} in {seconds:.1f} processor seconds", _where(folder)]


def _root(folder: Path) -> Path:
    """What holds the folders of all source folders, where these are not beside the sources."""
    return folder if folder.name == "__pycache__" else folder.parent


def _where(folder: Path | None) -> str:
    """Where it is, and who finds it there."""
    if folder is None:
        return "kept nowhere: no folder can be written; name one with --into"
    root = _root(folder)
    if config.CACHE_DIR:
        return f"kept in {root}, for all who set NUMBA_CACHE_DIR={root}"
    if root == folder:
        return f"kept beside the package ({root}, ...), for all who use this installation"
    return f"kept in {root}, for this user only; --into DIR is for others too"


class _Clock(ev.Listener):  # type: ignore[misc]  # numba is partly typed
    """Counts what numba compiles and does not find in a cache, and the seconds; what a kernel calls is part of it."""

    def __init__(self) -> None:
        self.kernels, self.seconds = 0, 0.0
        self._depth, self._start = 0, 0.0

    def on_start(self, event: Any) -> None:
        """A kernel begins to be compiled."""
        if self._depth == 0:
            self._start = process_time()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        """It is compiled."""
        self._depth -= 1
        if self._depth == 0:
            self.kernels, self.seconds = self.kernels + 1, self.seconds + process_time() - self._start


def _warmed(what: str, solve: Callable[[], None]) -> Warmed:
    clock = _Clock()
    with ev.install_listener("numba:compile", clock):
        solve()
    return Warmed(what, clock.kernels, round(clock.seconds, 2))


def problems() -> Iterator[tuple[str, Callable[[], None]]]:
    """What to solve, by the name of what is compiled for it."""
    for dim in DIMENSIONS:
        yield f"cells of {dim} dimension{'s' if dim > 1 else ''}", partial(_few_inputs, dim)
    yield "the walk engine", partial(_many_inputs, WALKED)
    yield "adjacency, H-representations and decision cells", partial(_views, WALKED)
    yield "faces, homology, levels and volumes", _faces
    for dim in DIMENSIONS[1:]:
        yield f"cells of {dim} dimensions with many facets", partial(_many_facets, dim)


def _network(dim: int, gap: float = 1.0) -> pr.Network:
    """Two layers; what is between two parallel planes of the first, floats cannot tell if the gap is tiny."""
    rng = np.random.default_rng(dim)
    first, second = rng.normal(size=(6, dim)), rng.normal(size=(4, 6))
    first[1] = first[0]
    offsets = np.array([0, gap, *rng.normal(size=4) / 4])
    return pr.Network.from_layers(
        [(first, offsets), (second, rng.normal(size=4) / 4), (second[:2, :4], [0, 0])]
    )


def _few_inputs(dim: int) -> None:
    network = _network(dim, TINY)
    regions = pr.enumerate_regions(network, pr.Box.cube(-1, 1, dim), engine="cells", workers=1)
    pr.count_regions(network, pr.WholeSpace(dim), engine="cells", workers=1)
    pr.facet_arrays(regions)
    pr.decision_cells(regions)


def _many_inputs(dim: int) -> None:
    network, box = _network(dim, TINY), pr.Box.cube(-1, 1, dim)
    pr.enumerate_regions(network, box, engine="walk", workers=1)
    pr.count_regions(network, box, engine="walk", workers=1)


def _views(dim: int) -> None:
    regions = pr.enumerate_regions(_network(dim), pr.Box.cube(-1, 1, dim), engine="walk", workers=1)
    pr.adjacency_arrays(regions)
    pr.hrep_arrays(regions)
    pr.boundary_facets(regions)
    pr.facet_arrays(regions)
    pr.decision_cells(regions)


def _faces() -> None:
    regions = pr.enumerate_regions(_network(2), pr.Box.cube(-1, 1, 2), workers=1)
    complex = pr.face_complex(regions)
    pr.betti_numbers(complex)
    pr.persistent_homology(complex)
    pr.region_volumes(regions)


def _many_facets(dim: int) -> None:
    """A domain that nearly is a ball: its cells have more facets than there is room for to begin with."""
    normals = np.random.default_rng(dim).normal(size=(MANY_ROWS, dim))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ball = pr.HPolytope(normals, np.ones(MANY_ROWS))
    pr.enumerate_regions(_network(dim), ball, engine="cells", workers=1)
