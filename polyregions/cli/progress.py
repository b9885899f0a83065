"""Progress on stderr for runs of more than a moment: what is being done, and how far it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

from polyregions.progress import Progress

if TYPE_CHECKING:
    from polyregions.engine.estimate import Estimate

SHOW_AFTER = 1.0  # seconds; shorter runs need no progress
LINE_EVERY = 10.0  # seconds between lines where stderr is not a terminal


class Display(Protocol):
    """Shows what a command does."""

    def __call__(
        self, stage: str, latest: Progress, seconds: float, since: float, expected: Estimate | None
    ) -> None:
        """Show it, if it is time to.

        Args:
            stage: what is being done, "" for enumerating.
            latest: the last progress told, perhaps that of another stage.
            seconds: since the start.
            since: seconds since the stage began.
            expected: an estimate of the regions, if there is one.
        """

    def close(self) -> None:
        """Remove what is shown."""


def display_for(quiet: bool) -> Display:
    """A bar on a terminal, lines elsewhere, or nothing."""
    return _Silent() if quiet else _Bar() if sys.stderr.isatty() else _Lines()


class _Silent:
    def __call__(
        self, stage: str, latest: Progress, seconds: float, since: float, expected: Estimate | None
    ) -> None:
        pass

    def close(self) -> None:
        pass


class _Lines:
    """A line now and then, for log files."""

    def __init__(self) -> None:
        self._next = LINE_EVERY

    def __call__(
        self, stage: str, latest: Progress, seconds: float, since: float, expected: Estimate | None
    ) -> None:
        text = status(stage, latest, since, expected)
        if text and seconds >= self._next:
            self._next = seconds + LINE_EVERY
            print(text, file=sys.stderr)

    def close(self) -> None:
        pass


class _Bar:
    """A bar, on a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __call__(
        self, stage: str, latest: Progress, seconds: float, since: float, expected: Estimate | None
    ) -> None:
        text = status(stage, latest, since, expected)
        if self._bar is None:
            if seconds < SHOW_AFTER or not text:
                return
            self._open()
        self._bar.update(self._task, completed=_done(stage, latest, expected), text=text)

    def _open(self) -> None:
        from rich.console import Console  # takes 50 ms to import: only for runs that show a bar
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(), TextColumn("{task.fields[text]}"))
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
        self._task = self._bar.add_task("regions", total=1.0, text="")
        self._bar.start()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _done(stage: str, latest: Progress, expected: Estimate | None) -> float:
    """The part that is done of what is being done: of an enumeration by the estimate, if there is one.

    The part of the tree that is done says little: the parts that are left are often the ones with most regions.
    """
    if latest.stage != stage:
        return 0.0
    return latest.fraction if expected is None or stage else min(1.0, latest.regions / expected.regions)


def status(stage: str, latest: Progress, since: float, expected: Estimate | None) -> str:
    """A line about what is being done; nothing where there is nothing to be said yet.

    >>> status("compiling cells of 2 dimensions", Progress(0, 0.0, 0.0), 12.0, None)
    'compiling cells of 2 dimensions, 12 s'
    >>> status("looking for neighbours", Progress(80, 0.25, 3.0, stage="looking for neighbours"), 12.0, None)
    'looking for neighbours, 25.0%, 12 s'
    """
    is_told = latest.stage == stage and latest.seconds > 0
    if not stage and is_told and latest.regions:
        return summary(latest, expected)
    if not stage and is_told:
        stage = "enumerating, no region yet"
    if not stage:
        return ""
    done = f", {latest.fraction:.1%}" if is_told and latest.fraction > 0 else ""
    return f"{stage}{done}, {duration(since)}" if since >= SHOW_AFTER else ""


def summary(progress: Progress, expected: Estimate | None = None) -> str:
    """A line about an enumeration, with what is left of it if there is an estimate.

    >>> summary(Progress(5000, 0.75, 2.0))
    '5000 regions, 2500/s, 75.0% of the tree, 2.0 s'
    """
    text = f"{progress.regions} regions, {progress.rate:.0f}/s, {progress.fraction:.1%} of the tree"
    if expected is not None:
        text += f", of {short(expected.low)} to {short(expected.high)}"
    text += f", {duration(progress.seconds)}"
    if expected is None or progress.rate <= 0:
        return text
    left = (expected.regions - progress.regions) / progress.rate
    return f"{text}, about {duration(left)} left" if left > 0 else f"{text}, more than was expected"


def short(value: float) -> str:
    """A count in three digits, which is more than is known of an estimated one.

    >>> [short(v) for v in (442.0, 1234567.0, 2.5e12)]
    ['442', '1,230,000', '2,500,000,000,000']
    """
    return f"{float(f'{value:.3g}'):,.0f}"


def duration(seconds: float) -> str:
    """A time span in one or two units.

    >>> [duration(s) for s in (0.25, 42, 200, 9000, 500000)]
    ['0.2 s', '42 s', '3 min 20 s', '2 h 30 min', '5 d 18 h']
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{int(seconds) // 60} min {int(seconds) % 60} s"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
