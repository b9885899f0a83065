"""One command at work: the main thread looks at the clock and at Ctrl-C, another thread works.

So a command stops where it is, whatever it does: reading, compiling, solving one large linear program, writing.
First it is asked to stop, and answers with what it has if it can; a moment later the main thread answers instead.
"""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from math import inf
from threading import Event, Lock, Thread, current_thread, main_thread
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from polyregions.cli.progress import Display, display_for
from polyregions.errors import StoppedError
from polyregions.progress import Progress, Stage, tell

LOOK_EVERY: Final = 0.05  # seconds
GRACE: Final = 0.6  # seconds after which a command that was asked to stop is left to itself
CLEAN_UP: Final = 0.1  # seconds more to remove what is half written

if TYPE_CHECKING:
    from polyregions.engine.estimate import Estimate

Verb = Callable[[Namespace], int]
Answer = Callable[[str], int]


class TimeIsUp(BaseException):
    """Raised in the thread that works once its answer is not wanted; nothing takes it for an error of a file."""


class Session:
    """What the thread that works and the one that watches say to each other.

    Args:
        limit: seconds from now that the command may take; None for no limit.
        display: shows what is being done, until there is an answer.
        otherwise: answers if the command cannot, given why it was stopped; gives the exit status.

    Attributes:
        stage: what is being done.
        latest: the last progress that was told.
        expected: an estimate of the regions, if there is one.
        reason: why the command is to stop; None if it is not.
        known: what the answer has so far.
        otherwise: as above; a verb may put a better one.
        patience: seconds that the command has to stop by itself.
    """

    def __init__(self, limit: float | None, display: Display, otherwise: Answer) -> None:
        self._start, self._limit, self._display = monotonic(), limit, display
        self.stage, self.latest = Stage(), Progress(0, 0.0, 0.0)
        self.expected: Estimate | None = None
        self.known: dict[str, Any] = {}
        self.reason: str | None = None
        self.otherwise, self.patience = otherwise, GRACE
        self._lock, self._is_answering, self._is_given_up = Lock(), False, False
        self._stopped_at = self._since = 0.0
        self._shown = ""

    def left(self) -> float | None:
        """Seconds until the limit, 0 after it; None for no limit."""
        return None if self._limit is None else max(0.0, self._limit - self.seconds)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._start

    def progress(self, progress: Progress) -> bool:
        """A progress function for whatever is done."""
        self.latest = progress
        if not progress.stage and progress.regions > self.known.get("regions", inf):
            self.note(regions=progress.regions)
        return self.reason is None

    def note(self, **known: Any) -> None:
        """What the answer will say in any case."""
        self.known |= known

    def answering(self) -> None:
        """The thread that works is about to write or print what it has: that takes the time it takes.

        Raises:
            TimeIsUp: the other thread has answered.
        """
        with self._lock:
            if self._is_given_up:
                raise TimeIsUp
            if not self._is_answering:
                self._show()
                self._is_answering = True
                self._display.close()

    def stop(self, reason: str) -> None:
        """Ask the command to stop."""
        if self.reason is None:
            doing = self.stage.name or ("enumerating" if "regions" in self.known else "starting")
            self.reason, self._stopped_at = f"{reason}, while {doing}", monotonic()

    def look(self) -> None:
        """Stop if the time is over."""
        if self.left() == 0.0:
            self.stop(f"time limit of {self._limit:g} s")

    def show(self) -> None:
        """Show what is being done to those who wait."""
        with self._lock:
            if not self._is_answering:
                self._show()

    def _show(self) -> None:
        name, now = self.stage.name, self.seconds
        if name != self._shown:
            self._shown, self._since = name, now
        self._display(name, self.latest, now, now - self._since, self.expected)

    def gives_up(self) -> bool:
        """Whether the command had time enough to stop, and does not answer."""
        if self.reason is None or monotonic() - self._stopped_at < self.patience:
            return False
        with self._lock:
            self._is_given_up = not self._is_answering
        return self._is_given_up


def run(arguments: Namespace, verb: Verb, otherwise: Answer) -> int:
    """Run a verb in a thread of its own, with a session among its arguments; its exit status.

    Raises:
        Whatever the verb raises; StoppedError only if nobody asked it to stop.
    """
    limit, display = getattr(arguments, "time_limit", None), display_for(getattr(arguments, "quiet", False))
    session = arguments.session = Session(limit, display, otherwise)
    work = _Work(session, lambda: verb(arguments))
    with _interrupts(session):
        try:
            work.thread.start()
            while not work.ended.wait(LOOK_EVERY):
                session.look()
                session.show()
                if session.gives_up():
                    display.close()
                    work.abandon()
                    return _instead(session)
            session.show()
        finally:
            display.close()
    session.look()  # what looks at the clock itself may have been first
    if session.reason is not None and isinstance(work.error, StoppedError):
        return _instead(session)
    if work.error is not None:
        raise work.error
    return work.status


def _instead(session: Session) -> int:
    assert session.reason is not None
    return session.otherwise(session.reason)


class _Work:
    """The thread that works."""

    def __init__(self, session: Session, verb: Callable[[], int]) -> None:
        self._verb = verb
        self.status = 0
        self.error: BaseException | None = None
        self.ended = Event()
        context = copy_context()
        context.run(tell, session.stage)
        self.thread = Thread(target=context.run, args=(self._run,), name="polyregions verb", daemon=True)

    def _run(self) -> None:
        try:
            self.status = self._verb()
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()

    def abandon(self) -> None:
        """End the thread as soon as it is back in Python, and wait a moment for it to put away what is half done."""
        import ctypes  # no help needs it

        hook = sys.unraisablehook
        sys.unraisablehook = lambda found: None if found.exc_type is TimeIsUp else hook(found)
        thread, error = ctypes.c_ulong(self.thread.ident or 0), ctypes.py_object(TimeIsUp)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)
        self.ended.wait(CLEAN_UP)


@contextmanager
def _interrupts(session: Session) -> Iterator[None]:
    """Ctrl-C asks the command to stop; the second time it ends it."""

    def stop(number: int, frame: FrameType | None) -> None:
        if session.reason is not None:
            raise KeyboardInterrupt
        session.stop("interrupted")
        print("stopping; what is finished is kept (again to abort)", file=sys.stderr)

    if current_thread() is not main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
