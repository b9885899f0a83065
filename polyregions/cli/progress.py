"""Progress on stderr for runs of more than a moment, and Ctrl-C that keeps what is finished."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from polyregions.engine.estimate import Estimate
from polyregions.progress import Progress, ProgressFunction

SHOW_AFTER = 1.0  # seconds; shorter runs need no progress
LINE_EVERY = 10.0  # seconds between lines where stderr is not a terminal


@contextmanager
def watched(quiet: bool, expected: Estimate | None = None) -> Iterator[ProgressFunction]:
    """A progress function for a run inside the with block; Ctrl-C stops that run instead of killing it.

    Args:
        quiet: whether to say nothing.
        expected: an estimate of the run, which says how much is left; the part of the tree that is done does not,
            for the parts that are left are often the ones with most regions.
    """
    stopped: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)
        print("stopping; what is finished is kept (again to abort)", file=sys.stderr)

    show = _Silent() if quiet else _Bar(expected) if sys.stderr.isatty() else _Lines(expected)
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda progress: not (show(progress) or stopped)
    finally:
        signal.signal(signal.SIGINT, before)
        show.close()


class _Silent:
    def __call__(self, progress: Progress) -> None:
        pass

    def close(self) -> None:
        pass


class _Lines:
    """A line now and then, for log files."""

    def __init__(self, expected: Estimate | None) -> None:
        self._next, self._expected = LINE_EVERY, expected

    def __call__(self, progress: Progress) -> None:
        if progress.seconds >= self._next:
            self._next = progress.seconds + LINE_EVERY
            print(summary(progress, self._expected), file=sys.stderr)

    def close(self) -> None:
        pass


class _Bar:
    """A bar, on a terminal."""

    def __init__(self, expected: Estimate | None) -> None:
        self._expected = expected
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, progress: Progress) -> None:
        if self._bar is None:
            if progress.seconds < SHOW_AFTER:
                return
            self._open()
        done, text = _done(progress, self._expected), summary(progress, self._expected)
        self._bar.update(self._task, completed=done, text=text)

    def _open(self) -> None:
        from rich.console import Console  # takes 50 ms to import: only for runs that show a bar
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(), TextColumn("{task.fields[text]}"))
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("regions", total=1.0, text="")
        self._bar.start()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _done(progress: Progress, expected: Estimate | None) -> float:
    return progress.fraction if expected is None else min(1.0, progress.regions / expected.regions)


def summary(progress: Progress, expected: Estimate | None = None) -> str:
    """A line about a run, with what is left of it if there is an estimate.

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
