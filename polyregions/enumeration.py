"""Enumerating and counting: what users call, in memory or into a store."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import replace

from polyregions.analysis.counting.one_layer import tally_of_arrangement
from polyregions.engine.options import STALL_LIMIT, RunOptions
from polyregions.engine.tally import Tally, tally_in_memory
from polyregions.errors import OptionError, StoppedError
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.progress import ProgressFunction, Watch
from polyregions.regions.collect import enumerate_in_memory
from polyregions.regions.region_set import RegionSet
from polyregions.streaming import enumerate_to_store, tally_to_store


def enumerate_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    stall_limit: float = STALL_LIMIT,
    certify: bool = False,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
    store: str | os.PathLike[str] | None = None,
) -> RegionSet:
    """Every full-dimensional linear region of a network on a domain, proved complete.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine: ``"cells"`` (at most 8 inputs that are not fixed) and ``"walk"`` (at most 32), which are compiled,
            ``"highs"``, the readable reference, or ``"auto"``: the fastest that can take the problem, cells up to
            five inputs. They give the same regions.
        workers: how many subtrees to enumerate at a time; 1 for one after the other. None: as many as there are
            processors, once a run has taken half a second. Threads, for ``"highs"`` new processes (which import the
            main script; unasked they are started only where that does nothing).
        executor: any `concurrent.futures.Executor` to do it instead, such as a Dask client's, see ``docs/cluster.md``.
        stall_limit: stop if no task came back from such an executor for that many seconds; ``math.inf``: never.
        certify: whether to write the proof down too, see `certify`; it is found after the regions, and no run that
            was stopped has one.
        progress: called now and then with a `Progress`; returning False stops the run.
        max_regions: stop after this many regions, which one worker finds; with a store after the subtree that
            holds the last of them.
        store: a folder to stream the regions to, as Parquet shards; memory stays flat whatever their number. Subtrees
            that are finished are kept there whatever happens: the same call goes on with them, and gives the same bytes
            as one that was never stopped. The result reads them when they are first asked for; see
            ``docs/store.md``.
        time_limit: stop after this many seconds, with what was found by then.

    Returns:
        The regions in lexicographic order of their patterns, the same to the last bit for any number of workers;
        `complete` is False if the run was stopped.

    Raises:
        DomainError: the domain is empty or of another dimension.
        OptionError: an unknown engine, one that cannot take the problem, a negative limit, no worker, the store of
            another run.
        FormatError: the store cannot be written, or is damaged.
        StoppedError: there is no room left for the store, or an executor fails, gives nothing, or what is no outcome
            of its task; what is finished is kept, in the store or as the error's `finished`.

    >>> from polyregions import Box, Network, enumerate_regions
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> enumerate_regions(net, Box([-1], [1])).patterns.astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    options = RunOptions(engine, workers, executor, progress, max_regions, time_limit, stall_limit)
    if store is None:
        return enumerate_in_memory(pose(network, domain), options, certify)
    if certify:
        raise OptionError(
            "certify: not together with a store; call certify(...) with the regions of the finished one"
        )
    return enumerate_to_store(pose(network, domain), store, options)


def count_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    stall_limit: float = STALL_LIMIT,
    progress: ProgressFunction | None = None,
    time_limit: float | None = None,
    store: str | os.PathLike[str] | None = None,
) -> int:
    """The number of full-dimensional linear regions, in memory that does not grow with it.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine, workers, executor, stall_limit: as in `enumerate_regions`.
        store: a folder that remembers the counts of finished subtrees, so that the same call goes on with them.
        progress: called now and then with a `Progress`; returning False stops the run.
        time_limit: stop after this many seconds.

    Raises:
        StoppedError: the run was stopped (`tally_regions` gives the partial count), or as in `enumerate_regions`.
        DomainError, OptionError: as in `enumerate_regions`.

    >>> from polyregions import Box, Network, count_regions
    >>> count_regions(Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])]), Box([-2], [2]))
    3
    """
    tally = tally_regions(
        network,
        domain,
        engine=engine,
        workers=workers,
        executor=executor,
        stall_limit=stall_limit,
        progress=progress,
        time_limit=time_limit,
        store=store,
    )
    if not tally.complete:
        raise StoppedError(f"stopped after {tally.regions} regions; there are more")
    return tally.regions


def tally_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    stall_limit: float = STALL_LIMIT,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
    store: str | os.PathLike[str] | None = None,
) -> Tally:
    """Count the regions, in all and after each layer, in constant memory; a stopped run says so.

    One hidden layer over all of R^d is an arrangement: it is counted by its characteristic polynomial
    (`count_by_characteristic_polynomial`) unless an engine, a store, an executor or `max_regions` is given.

    Args and Raises as in `enumerate_regions`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> tally = pr.tally_regions(net, pr.Box(-1, 1, dim=2))
    >>> tally.regions, tally.after_each_layer, tally.complete
    (4, (4,), True)
    """
    options = RunOptions(engine, workers, executor, progress, max_regions, time_limit, stall_limit)
    problem = pose(network, domain)
    if engine == "auto" and store is None and max_regions is None and executor is None:
        watch = Watch(progress, time_limit)
        found = tally_of_arrangement(problem, watch)
        if found is not None:
            return found
        if time_limit is not None:  # what the attempt took is gone
            options = replace(options, time_limit=max(0.0, -watch.seconds_late))
    return tally_in_memory(problem, options) if store is None else tally_to_store(problem, store, options)
