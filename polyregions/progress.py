"""How far a long run has come, told to whoever wants to know, who may stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

REPORT_EVERY = 0.1  # seconds between two calls of a progress function


@dataclass(frozen=True)
class Progress:
    """How far a run over regions has come.

    Attributes:
        regions: regions found (or looked at) so far.
        fraction: the part of the work that is done; of an enumeration the part of the split tree, if every split
            halved what lies below it.
        seconds: time since the start.
    """

    regions: int
    fraction: float
    seconds: float

    @property
    def rate(self) -> float:
        """Regions a second."""
        return self.regions / self.seconds if self.seconds > 0 else 0.0


ProgressFunction: TypeAlias = Callable[[Progress], bool | None]


class Watch:
    """Calls a progress function now and then.

    Args:
        progress: the function, which may return False to stop; None for nobody.
    """

    def __init__(self, progress: ProgressFunction | None) -> None:
        self._progress = progress
        self._start = self._reported = monotonic()

    def goes_on(self, regions: int, fraction: float) -> bool:
        """Report if it is time to; whether the run may go on."""
        now = monotonic()
        if self._progress is None or now - self._reported < REPORT_EVERY:
            return True
        self._reported = now
        return self._progress(Progress(regions, min(fraction, 1.0), now - self._start)) is not False

    def ends(self, regions: int, fraction: float) -> None:
        """Report for the last time."""
        if self._progress is not None:
            self._progress(Progress(regions, fraction, monotonic() - self._start))
