"""How a run is made: which engine, who does it, when it stops."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from polyregions.engine.pools import check_workers
from polyregions.progress import ProgressFunction, check_limits

STALL_LIMIT: Final = 3600.0
"""Seconds without any finished task after which nobody waits for somebody else's executor any longer."""


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
    stall_limit: float = STALL_LIMIT

    def __post_init__(self) -> None:
        check_workers(self.executor, self.workers, self.stall_limit)
        check_limits(self.max_regions, self.time_limit)
