"""What a store says of itself: ``manifest.json``, and the network and domain in ``problem.npz``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions.errors import DomainError, FormatError, OptionError
from polyregions.io.files import read_bytes, shortened, write_whole
from polyregions.io.models.npz import network_arrays, network_of_arrays
from polyregions.io.npz import arrays_of_npz, npz_bytes
from polyregions.io.results.domains import domain_of_arrays
from polyregions.io.store.shards import Shard, StoreSize
from polyregions.io.tables.attributes import json_value
from polyregions.networks.problem import Problem, pose

SCHEMA: Final = "polyregions store 2"
OLDER: Final = ("polyregions store 1",)  # had no digests of counts: what damage does to them cannot be seen
MANIFEST: Final = "manifest.json"
PROBLEM: Final = "problem.npz"
TASKS: Final = "tasks.sqlite"
RESULT: Final = "result"  # the key of the manifest that only a finished store has
PROBLEM_DIGEST: Final = "problem_sha256"
OWN_DIGEST: Final = "sha256"  # of everything else in the manifest


@dataclass(frozen=True)
class Result:
    """What a finished store adds to its manifest.

    Attributes:
        regions: how many there are.
        after_each_layer: how many there are after each activation layer.
        is_sorted: whether shards hold them in lexicographic order of their patterns, or only in that of the tree.
        score: how questions were settled.
        shards: what each shard is.

    Raises:
        ValueError: the counts contradict each other.
    """

    regions: int
    after_each_layer: tuple[int, ...]
    is_sorted: bool
    score: Mapping[str, int]
    shards: tuple[Shard, ...]

    def __post_init__(self) -> None:
        after = self.after_each_layer
        if after and (after[-1] != self.regions or sorted(after) != list(after)):
            raise ValueError(f"{self.regions} regions, {after} after each layer")


def identity(problem: Problem, engine: str, keeps: bool, budget: tuple[int, int]) -> dict[str, Any]:
    """What a run must share with the one that began a store, to go on with it.

    Args:
        problem: network and domain.
        engine: the engine that does it.
        keeps: whether regions are stored, or only counted.
        budget: the regions of the first task and the most of one.
    """
    return {
        "schema": SCHEMA,
        "polyregions": _own_version(),
        "network": problem.network.name,
        "network_sha256": problem.network.fingerprint(),
        "domain": problem.domain.record(),
        "domain_sha256": domain_digest(problem),
        "engine": engine,
        "keeps": "regions" if keeps else "counts",
        "tasks": list(budget),
        "neurons": problem.network.n_neurons,
        "inputs": problem.network.n_inputs,
        "dimension": problem.solid.hull.dim,
        "shard_rows": StoreSize.of(problem).shard_rows,
    }


def begin_store(folder: Path, problem: Problem, about: dict[str, Any]) -> None:
    """Write what every store has, the manifest last.

    Raises:
        FormatError: the folder cannot be written.
        OptionError: it holds other files.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(file.name for file in folder.iterdir())
    except OSError as error:
        raise FormatError(f"{folder}: cannot be a store ({error.strerror or error})") from None
    foreign = [name for name in found if name != PROBLEM and not name.startswith(".")]
    if foreign:
        raise OptionError(f"{folder}: holds {shortened(foreign[0])}, expected a store or an empty folder")
    data = npz_bytes(_problem_arrays(problem))
    write_whole(folder / PROBLEM, data, durable=True)
    _write(folder, {**about, PROBLEM_DIGEST: hashlib.sha256(data).hexdigest()})


def finish_store(folder: Path, manifest: Mapping[str, Any], result: Result) -> None:
    """Add the result to the manifest, on the disk when this returns."""
    found = {
        "regions": result.regions,
        "after_each_layer": list(result.after_each_layer),
        "sorted": result.is_sorted,
        "score": dict(result.score),
        "shards": [asdict(shard) for shard in result.shards],
    }
    _write(folder, {**manifest, RESULT: found})


def digest_of(about: Mapping[str, Any]) -> str:
    """The SHA-256 of what a run is, from its manifest, finished or not."""
    return _digest(about, (RESULT, PROBLEM_DIGEST, OWN_DIGEST))


def _digest(content: Mapping[str, Any], without: tuple[str, ...]) -> str:
    """The SHA-256 of a manifest in canonical form, some keys left out."""
    own = {key: value for key, value in content.items() if key not in without}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def forget_tasks(folder: Path) -> None:
    """Remove what only an unfinished store needs, and what a killed run left half written.

    Raises:
        FormatError: a file cannot be removed.
    """
    try:
        for file in folder.iterdir():
            if file.name.startswith(TASKS) or (file.name.startswith(".") and file.name.endswith(".part")):
                file.unlink(missing_ok=True)
    except OSError as error:
        raise FormatError(f"{folder}: cannot be cleared of tasks ({error.strerror or error})") from None


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest; None if the folder has none.

    Raises:
        FormatError: it is no manifest of a store, one of another version, or damaged.
    """
    file = folder / MANIFEST
    if not file.exists():
        return None
    found = json_value(read_bytes(file).decode("utf-8", errors="replace"), str(file))
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema in OLDER:
        why = "an older version, which kept no digests of its counts"
        raise FormatError(f"{file}: schema {schema!r} of {why}, expected {SCHEMA!r}; run it again")
    if schema != SCHEMA:
        raise FormatError(f"{file}: schema {shortened(repr(schema))}, expected {SCHEMA!r}")
    if found.get(OWN_DIGEST) != _digest(found, (OWN_DIGEST,)):
        raise FormatError(f"{file}: damaged (its content has not the SHA-256 that it names)")
    return dict(found)


def check_same(folder: Path, manifest: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Refuse to go on with the store of another run.

    Raises:
        OptionError: names what differs.
    """
    for key, expected in about.items():
        if manifest.get(key) != expected:
            found = shortened(json.dumps(manifest.get(key)), 60)
            wanted = shortened(json.dumps(expected), 60)
            raise OptionError(
                f"{folder}: the store of another run: its {key} is {found}, expected {wanted}; name another folder"
            )


def result_of(manifest: Mapping[str, Any], folder: Path) -> Result | None:
    """The result in a manifest; None while there is none.

    Raises:
        FormatError: it is none.
    """
    found = manifest.get(RESULT)
    if found is None:
        return None
    try:
        return Result(
            _count(found["regions"]),
            tuple(_count(n) for n in found["after_each_layer"]),
            bool(found["sorted"]),
            {str(name): _count(n) for name, n in found["score"].items()},
            tuple(Shard(_count(shard["size"]), str(shard["sha256"])) for shard in found["shards"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FormatError(f"{folder / MANIFEST}: {RESULT} is not that of a store") from None


def check_problem(folder: Path, manifest: Mapping[str, Any]) -> bytes:
    """The bytes of the file of network and domain, as the manifest knows them.

    Raises:
        FormatError: the file is missing, damaged or that of another store.
    """
    data = read_bytes(folder / PROBLEM)
    if hashlib.sha256(data).hexdigest() != manifest.get(PROBLEM_DIGEST):
        raise FormatError(f"{folder}: {PROBLEM} and {MANIFEST} do not belong together")
    return data


def read_problem(folder: Path, manifest: Mapping[str, Any]) -> Problem:
    """The network and the domain of a store.

    Raises:
        FormatError: the file is missing, damaged or something else.
    """
    where = str(folder / PROBLEM)
    arrays = arrays_of_npz(check_problem(folder, manifest), where)
    name = str(arrays.get("network_name", "network"))
    network = network_of_arrays(arrays, where, name)
    try:
        return pose(network, domain_of_arrays(arrays, where))
    except DomainError as error:
        raise FormatError(f"{where}: {error}") from None


def _problem_arrays(problem: Problem) -> dict[str, Any]:
    return {
        "network_name": np.array(problem.network.name),
        **network_arrays(problem.network),
        **problem.domain.arrays(),
    }


def domain_digest(problem: Problem) -> str:
    """The SHA-256 of a domain."""
    digest = hashlib.sha256()
    for name, array in problem.domain.arrays().items():
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    own = {**manifest, OWN_DIGEST: _digest(manifest, (OWN_DIGEST,))}
    write_whole(folder / MANIFEST, json.dumps(own, indent=1, allow_nan=False).encode(), durable=True)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _own_version() -> str:
    try:
        return version("polyregions")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"
