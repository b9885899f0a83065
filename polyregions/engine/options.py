"""How a run is made: which engine, who does it, when it stops."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from polyregions.engine.parallel import check_workers
from polyregions.progress import ProgressFunction, check_limits


@dataclass(frozen=True)
class RunOptions:
    """What `enumerate_regions` and `tally_regions` may be told; each option is explained there.

    Raises:
        OptionError: a negative limit, no worker, an executor that is none.
    """

    engine: str = "auto"
    workers: int | None = None
    executor: Executor | None = None
    progress: ProgressFunction | None = None
    max_regions: int | None = None
    time_limit: float | None = None

    def __post_init__(self) -> None:
        check_workers(self.executor, self.workers)
        check_limits(self.max_regions, self.time_limit)
