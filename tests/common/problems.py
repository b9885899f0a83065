"""Problems for many workers, and executors to do them."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from randoms import float_layers, generator, integer_layers


def file_of(regions: pr.RegionSet, folder: Path) -> bytes:
    path = folder / "regions.npz"
    pr.save(regions, path)
    return path.read_bytes()


def generic() -> pr.Network:
    return pr.Network.from_layers(float_layers(generator(1), (3, 8, 5, 1)))


def degenerate(seed: int) -> pr.Network:
    """Zero, equal and opposite neurons: most questions are settled by exact arithmetic, and points are rational."""
    return pr.Network.from_layers(integer_layers(generator(seed), (3, 6, 6, 1)))


CUBE, SPACE = pr.Box.cube(-2, 2, 3), pr.WholeSpace(3)


PROBLEMS = {
    "generic": (generic(), CUBE),
    "generic, whole space": (generic(), SPACE),
    **{f"degenerate {seed}": (degenerate(seed), CUBE) for seed in range(4)},
    "degenerate, whole space": (degenerate(4), SPACE),
    "flat": (generic(), pr.Box([-2, 1, -2], [2, 1, 2])),
}


def names(*left_out: str) -> list[Any]:
    """The problems as parameters of a test; two of the degenerate ones are left to the long run."""
    long_run = {name: pytest.mark.slow for name in ("degenerate 1", "degenerate 3")}
    return [pytest.param(name, marks=long_run.get(name, ())) for name in PROBLEMS if name not in left_out]


EVERY = pytest.mark.parametrize("name", names())


class Reversed(Executor):
    """Does the newest task first, and only when nothing else is asked of it."""

    def __init__(self) -> None:
        self.submitted = 0
        self._waiting: list[tuple[Future[Any], Any, Any]] = []
        self._wakes = threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._wakes:
            self.submitted += 1
            self._waiting.append((future, function, arguments))
            self._wakes.notify()
        return future

    def _work(self) -> None:
        while True:
            with self._wakes:
                self._wakes.wait_for(lambda: self._waiting)
                future, function, arguments = self._waiting.pop()
            future.set_result(pickle.loads(pickle.dumps(function(*arguments))))


def wait_until(condition: Any) -> None:
    """What a cluster lets go of takes it a moment."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("still waiting after ten seconds")


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def same_regions(a: pr.RegionSet, b: pr.RegionSet) -> bool:
    arrays = [(r.packed, r.packed_cuts, r.local_points) for r in (a, b)]
    equal = all(np.array_equal(x, y) for x, y in zip(*arrays, strict=True))
    return equal and dict(a.rational_points) == dict(b.rational_points) and a.complete == b.complete
