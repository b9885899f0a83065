"""Work in a thread of its own, so that whoever wants it can look at the clock meanwhile.

Compiling, composing a layer exactly or one linear program may take longer than somebody has time for, and none of them
looks at a clock. Where a run has a limit or is watched, the thread that asked for it only waits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from contextvars import copy_context
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from polyregions.progress import Watch, tell

Item = TypeVar("Item")

LOOK_EVERY: Final = 0.05  # seconds
GRACE: Final = 0.25  # seconds that work has to come to an end after it was stopped
AHEAD: Final = 2  # items made and not yet taken

_END: Final[Any] = object()


class Apart(Generic[Item]):
    """The items of a generator that runs in another thread, and None now and then while there are none.

    Args:
        make: gives the generator; it is called in the other thread, with an event that is set to stop it.
        watch: of the run, which is told what the thread is doing.

    Attributes:
        is_abandoned: whether the thread did not come to its end in time; it ends when it next looks at the event.
    """

    def __init__(self, make: Callable[[Event], Generator[Item, None, None]], watch: Watch) -> None:
        self._make, self._stop = make, Event()
        self._items: Queue[Any] = Queue(AHEAD)
        self._error: BaseException | None = None
        self._stopped_at = 0.0
        self.is_abandoned = False
        context = copy_context()
        context.run(tell, watch.stage)
        self._thread = Thread(target=context.run, args=(self._work,), name="polyregions")

    def stop(self) -> None:
        """Nothing more is wanted than what is finished; that still comes."""
        if not self._stop.is_set():
            self._stopped_at = monotonic()
            self._stop.set()

    def items(self) -> Generator[Item | None, None, None]:
        """The items until the end, or until the time is over that work has after it was stopped."""
        self._thread.start()
        try:
            yield from self._taken()
        finally:  # also if the caller is interrupted
            self.stop()
            self._thread.join(max(0.0, self._stopped_at + GRACE - monotonic()))
        if self._error is not None:
            raise self._error

    def _taken(self) -> Iterator[Item | None]:
        while True:
            try:
                item = self._items.get(timeout=LOOK_EVERY)
            except Empty:
                if self._stop.is_set() and monotonic() - self._stopped_at > GRACE:
                    self.is_abandoned = True
                    return
                yield None
                continue
            if item is _END:
                return
            yield item

    def _work(self) -> None:
        try:
            with closing(self._make(self._stop)) as items:
                for item in items:
                    self._hand_over(item)
                    if self._stop.is_set():
                        break
        except BaseException as error:
            self._error = error
        self._hand_over(_END)

    def _hand_over(self, item: Any) -> None:
        """Give an item to the other thread, unless that has gone."""
        while not (self._stop.is_set() and monotonic() - self._stopped_at > GRACE):
            try:
                self._items.put(item, timeout=LOOK_EVERY)
                return
            except Full:
                continue
