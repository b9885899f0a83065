"""Starts of tasks as named arrays, to be stored, and back again, checked.

A start that was changed on the way may give wrong regions, but no access outside of the engine's arrays.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from polyregions.engine.job import Job
from polyregions.engine.readable import CellPath
from polyregions.errors import FormatError
from polyregions.exact.numbers import Point, rational_of_text, rational_text

Arrays: TypeAlias = dict[str, Any]


def start_arrays(start: Any) -> Arrays:
    """A task's start as arrays of numbers, truth values and texts."""
    if isinstance(start, int):
        return {"piece": np.array(start)}
    if isinstance(start[0], CellPath):
        return _path_arrays(start)
    return {name: np.asarray(value) for name, value in start._asdict().items()}


def start_of_arrays(arrays: Arrays, job: Job, where: str) -> Any:
    """The start of one of a job's tasks.

    Raises:
        FormatError: not what `start_arrays` gives for a task of this job.
    """
    try:
        if "approx" in arrays and not job.is_compiled:
            return _paths(
                arrays, job.reduction.problem.network.n_neurons, job.reduction.problem.solid.hull.dim
            )
        return job.checked_start(arrays)
    except (KeyError, ValueError, IndexError, TypeError, OverflowError) as error:
        raise FormatError(f"{where}: not the start of a task of this run ({error})") from None


def _path_arrays(paths: tuple[CellPath, ...]) -> Arrays:
    """Cells of the readable tree: bits and cuts one after the other, with offsets."""
    exact = [rational_text(path.point.rational) if path.point.rational else "" for path in paths]
    return {
        "bits": np.array([bit for path in paths for bit in path.bits], dtype=np.bool_),
        "bit_offsets": np.cumsum([0, *(len(path.bits) for path in paths)]),
        "cuts": np.array([cut for path in paths for cut in path.cuts], dtype=np.int64),
        "cut_offsets": np.cumsum([0, *(len(path.cuts) for path in paths)]),
        "approx": np.array([path.point.approx for path in paths], dtype=np.float64),
        "rational": np.array(exact, dtype=np.str_),
        "share": np.array([path.share for path in paths]),
    }


def _paths(arrays: Arrays, n_neurons: int, dim: int) -> tuple[CellPath, ...]:
    approx, share = arrays["approx"], arrays["share"]
    bits = _lists(arrays["bits"], arrays["bit_offsets"], len(share))
    cuts = _lists(arrays["cuts"], arrays["cut_offsets"], len(share))
    if approx.shape != (len(share), dim) or approx.dtype != np.float64 or not len(share):
        raise ValueError("points of the wrong shape")
    paths = []
    for i, (own_bits, own_cuts) in enumerate(zip(bits, cuts, strict=True)):
        if len(own_bits) > n_neurons or any(not 0 <= cut < len(own_bits) for cut in own_cuts):
            raise ValueError("more bits than neurons, or cuts beyond the bits")
        text = str(arrays["rational"][i])
        point = Point(approx[i], rational_of_text(text, dim) if text else None)
        paths.append(CellPath(tuple(map(bool, own_bits)), tuple(own_cuts), point, float(share[i])))
    return tuple(paths)


def _lists(values: Any, offsets: Any, n: int) -> list[list[Any]]:
    ends = offsets.tolist()
    if len(ends) != n + 1 or ends[0] != 0 or ends[-1] != len(values) or sorted(ends) != ends:
        raise ValueError("offsets that do not fit")
    listed = values.tolist()
    return [listed[a:b] for a, b in zip(ends, ends[1:], strict=False)]
