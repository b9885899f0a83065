"""A limit of time for steps that look at no clock, such as reading files."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


class TimeIsUp(BaseException):
    """Raised by `limited`; like KeyboardInterrupt nothing on its way takes it for an error of a file."""


@contextmanager
def limited(seconds: float | None, grace: float = 0.0) -> Iterator[None]:
    """Raise `TimeIsUp` in the with block once it has taken so long; the step must leave nothing half done behind.

    Without effect where the system has no such signal, or off the main thread, which alone gets signals.

    Args:
        seconds: the limit; None for no limit, and no time left if it is not positive.
        grace: seconds more, for steps that look at a clock themselves now and then.

    Raises:
        TimeIsUp: it has taken so long, or no time was left.
    """
    if seconds is not None and seconds <= 0:
        raise TimeIsUp
    if seconds is None or not hasattr(signal, "setitimer") or current_thread() is not main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds + grace)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
