"""One network at several checkpoints of its training: what each of them has on one input set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.checkpoints import LAYER_COLUMN, OWN_COLUMNS, Checkpoints, plain_steps
from polyregions.analysis.counting.count import Count, count_by_definition, wanted_definitions
from polyregions.analysis.counting.definitions import DEFINITIONS
from polyregions.analysis.counting.literature_bounds import BOUND_NAMES, Bound, bounds_of, wanted_bounds
from polyregions.engine.options import RunOptions
from polyregions.errors import InputError, NetworkError, OptionError
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.regions.adjacency import adjacency_arrays
from polyregions.regions.collect import enumerate_in_memory
from polyregions.regions.neurons import Status, neuron_status
from polyregions.regions.region_set import RegionSet


def compare_checkpoints(
    networks: Iterable[Network],
    domain: Domain,
    names: Sequence[str] | None = None,
    *,
    edges: bool = True,
    engine: str = "auto",
    measures: Mapping[str, Callable[[Network], Any]] | None = None,
    steps: Sequence[float] | None = None,
    definitions: Iterable[str] | str = (),
    bounds: Iterable[str] | str = (),
) -> Checkpoints:
    """Enumerate the regions of each checkpoint of a network and put their counts side by side.

    One set of regions is held at a time; an iterable that loads its networks one by one keeps one of them too.

    Args:
        networks: K networks with the same inputs, outputs and widths.
        domain: the input set, the same for all.
        names: K names; else the steps, the networks' own names if they differ, or "0", "1", ...
        edges: whether to count the edges of the adjacency graph, which takes longer than the regions.
        engine: as in `enumerate_regions`.
        measures: column name -> function of a network, for what else should stand in the table, such as a loss.
        steps: (K,) when each checkpoint was taken, ascending; plots space the checkpoints by them.
        definitions: some of "R1" to "R6", see `count_by_definition`.
        bounds: names as in `polyregions.bounds`.

    Raises:
        NetworkError: no networks, or networks that differ in shape.
        OptionError: names or steps that are not one for each network, steps that do not ascend, a measure with the
            name of another column, an unknown definition or bound.
        DomainError: the domain is empty or of another dimension.

    >>> from polyregions import Box
    >>> first = Network.from_layers([([[1], [1]], [0, 0]), ([[1, 1]], [0])])
    >>> second = Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    >>> compare_checkpoints([first, second], Box([-2], [2])).regions.tolist()
    [2, 3]
    """
    if not isinstance(networks, Iterable):
        raise InputError(f"networks: {type(networks).__name__}, expected Networks, as in a list")
    wanted, limits = wanted_definitions(definitions), wanted_bounds(bounds)
    chosen, rows, known, first = _measures(measures), [], [], None
    for i, network in enumerate(networks):
        first = _same_shape(i, network, first)
        regions = enumerate_in_memory(pose(network, domain), RunOptions(engine))
        rows.append(_row(regions, edges, chosen, wanted, limits))
        known.append(network.name)
    if first is None:
        raise NetworkError("checkpoints: no networks, expected at least one")
    times = _steps(steps, len(known))
    if names is None and times is not None:
        names = [str(step) for step in plain_steps(times)]
    return Checkpoints(
        _names(known, names),
        np.array([row.regions for row in rows], dtype=np.int64),
        np.array([row.after_each_layer for row in rows], dtype=np.int64).reshape(len(rows), -1),
        np.array([row.edges for row in rows], dtype=np.int64) if edges else None,
        np.array([row.never_on for row in rows], dtype=np.bool_),
        np.array([row.always_on for row in rows], dtype=np.bool_),
        {name: tuple(row.measures[name] for row in rows) for name in chosen},
        times,
        {name: tuple(row.counts[name] for row in rows) for name in wanted},
        {name: tuple(row.bounds[name] for row in rows) for name in limits},
    )


@dataclass(frozen=True, eq=False)
class _CheckpointRow:
    """What one checkpoint has; the attributes are those of `Checkpoints` for it."""

    regions: int
    after_each_layer: list[int]
    edges: int
    never_on: Bools
    always_on: Bools
    measures: dict[str, Any]
    counts: dict[str, Count]
    bounds: dict[str, Bound]


def _row(
    regions: RegionSet,
    edges: bool,
    measures: Mapping[str, Callable[[Network], Any]],
    definitions: Sequence[str],
    bounds: Sequence[str],
) -> _CheckpointRow:
    status = neuron_status(regions).status
    return _CheckpointRow(
        len(regions),
        regions.regions_after_each_layer(),
        len(adjacency_arrays(regions)) if edges else 0,
        status == Status.NEVER_ON,
        status == Status.ALWAYS_ON,
        {name: measure(regions.network) for name, measure in measures.items()},
        count_by_definition(regions, definitions),
        bounds_of(regions.network) if bounds else {},
    )


def _measures(measures: Mapping[str, Callable[[Network], Any]] | None) -> dict[str, Callable[[Network], Any]]:
    chosen = dict(measures or {})
    for name in chosen:
        taken = name in OWN_COLUMNS or name in DEFINITIONS or name in BOUND_NAMES
        if taken or name.startswith(LAYER_COLUMN):
            raise OptionError(f"measures: {name!r} is the name of another column")
    return chosen


def _same_shape(i: int, network: Any, first: Network | None) -> Network:
    """The first network, with which the i-th must agree."""
    if not isinstance(network, Network):
        raise NetworkError(f"checkpoint {i}: {type(network).__name__}, expected a Network")
    found, expected = _shape(network), _shape(first or network)
    if found != expected:
        raise NetworkError(f"checkpoint {i}: widths {found}, expected {expected}, those of checkpoint 0")
    return first or network


def _shape(network: Network) -> str:
    return "-".join(str(n) for n in (network.n_inputs, *network.widths, network.n_outputs))


def _steps(steps: Sequence[float] | None, n: int) -> Floats | None:
    if steps is None:
        return None
    try:
        times = np.array(steps, dtype=np.float64)
    except (TypeError, ValueError):
        times = np.zeros((0, 0))
    if times.shape != (n,) or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
        raise OptionError(f"steps: {steps!r}, expected {n} ascending numbers, one for each network")
    return times


def _names(known: list[str], names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        distinct = len(set(known)) == len(known)
        return tuple(known) if distinct else tuple(str(i) for i in range(len(known)))
    if isinstance(names, str) or len(names) != len(known):
        raise OptionError(f"names: {names!r}, expected {len(known)}, one for each network")
    return tuple(str(name) for name in names)
