"""How far a long run has come, told to whoever wants to know, who may stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Final, TypeAlias

from polyregions.errors import OptionError

REPORT_EVERY = 0.1  # seconds between two calls of a progress function


@dataclass(frozen=True)
class Progress:
    """How far a run over regions has come.

    Attributes:
        regions: regions found (or looked at) so far.
        fraction: the part of the work that is done; of an enumeration the part of the split tree, if every split
            halved what lies below it.
        seconds: time since the start.
        regions_before, fraction_before: what of both an earlier run had done already, see `enumerate_regions`'s store.
        stage: what is being done, such as "compiling cells of 2 dimensions"; "" for the work itself.
    """

    regions: int
    fraction: float
    seconds: float
    regions_before: int = 0
    fraction_before: float = 0.0
    stage: str = ""

    @property
    def rate(self) -> float:
        """Regions a second."""
        return (self.regions - self.regions_before) / self.seconds if self.seconds > 0 else 0.0


@dataclass
class Stage:
    """What a run is doing, told by those who do it to those who watch."""

    name: str = ""


_stage: Final[ContextVar[Stage | None]] = ContextVar("polyregions_stage", default=None)


def tell(stage: Stage) -> None:
    """Let the work in this context tell a stage what it is doing."""
    _stage.set(stage)


@contextmanager
def stage(name: str) -> Iterator[Stage]:
    """Say what the with block does, if anybody watches; the name may be changed on the way."""
    now = _stage.get() or Stage()
    before, now.name = now.name, name
    try:
        yield now
    finally:
        now.name = before


ProgressFunction: TypeAlias = Callable[[Progress], bool | None]


class Watch:
    """Calls a progress function now and then, and knows when time is up.

    Args:
        progress: the function, which may return False to stop; None for nobody.
        time_limit: seconds after which to stop; None for no limit.
        regions, fraction: what an earlier run had done already.
        start: when the run began, on the clock `time.monotonic`; None for now.

    Attributes:
        stage: what is being done, as far as those who do it say.
    """

    def __init__(
        self,
        progress: ProgressFunction | None,
        time_limit: float | None = None,
        regions: int = 0,
        fraction: float = 0.0,
        start: float | None = None,
    ) -> None:
        self._progress = progress
        self._start = self._reported = monotonic() if start is None else start
        self._limit = inf if time_limit is None else time_limit
        self._before = (regions, fraction)
        self.stage = _stage.get() or Stage()

    @property
    def is_idle(self) -> bool:
        """Whether nobody is told of the run, and nothing limits it."""
        return self._progress is None and self._limit == inf

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the time limit, 0 after it; None for no limit."""
        return None if self._limit == inf else max(0.0, -self.seconds_late)

    @property
    def is_late(self) -> bool:
        """Whether the time limit has passed."""
        return self.seconds_late > 0

    @property
    def seconds_late(self) -> float:
        """Seconds since the time limit passed; negative before."""
        return monotonic() - self._start - self._limit

    def goes_on(self, regions: int, fraction: float) -> bool:
        """Report if it is time to; whether the run may go on."""
        return self.is_wanted(regions, fraction) and not self.is_late

    def is_wanted(self, regions: int, fraction: float) -> bool:
        """Report if it is time to; whether whoever is told wants the run to go on."""
        now = monotonic()
        if self._progress is None or now - self._reported < REPORT_EVERY:
            return True
        self._reported = now
        return self._progress(self._state(regions, fraction)) is not False

    def ends(self, regions: int, fraction: float) -> None:
        """Report for the last time."""
        if self._progress is not None:
            self._progress(self._state(regions, fraction))

    def _state(self, regions: int, fraction: float) -> Progress:
        return Progress(
            regions, min(fraction, 1.0), monotonic() - self._start, *self._before, self.stage.name
        )


def check_limits(max_regions: object, time_limit: object) -> None:
    """Refuse limits that are none.

    Raises:
        OptionError: anything but None and numbers of at least 0.
    """
    if max_regions is not None and (not isinstance(max_regions, int) or max_regions < 0):
        raise OptionError(f"max_regions is {max_regions!r}, expected a whole number of at least 0")
    if time_limit is not None and not (isinstance(time_limit, int | float) and time_limit >= 0):
        raise OptionError(f"time_limit is {time_limit!r}, expected a number of seconds of at least 0")
