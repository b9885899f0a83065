"""Entry point: parse, run, and turn every foreseen error into one line and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn

from polyregions.cli.parser import make_parser, protect_negative_lists
from polyregions.cli.partial import partial_answer
from polyregions.cli.session import Verb, run
from polyregions.cli.status import BAD_INPUT, DONE, STOPPED
from polyregions.cli.terminal import escaping_streams
from polyregions.errors import InternalError, PolyregionsError, StoppedError, visible


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 2 bad input, 3 stopped at a limit or by Ctrl-C (the partial result is marked partial).
    """
    with escaping_streams():
        status = _guarded(protect_negative_lists(sys.argv[1:] if argv is None else argv))
    if argv is None and status == STOPPED:
        _leave(status)
    return status


def _leave(status: int) -> NoReturn:
    """End the process of a command that was stopped, without waiting for what its threads are doing."""
    from multiprocessing import active_children, util  # no help needs it

    for process in active_children():
        process.kill()
    put_away: Any = vars(util)["_run_finalizers"]
    put_away(0)  # semaphores: of what is left of them their keeper would complain
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _guarded(words: Sequence[str]) -> int:
    """The same, with every foreseen error turned into one line."""
    try:
        status = _run(words)
        sys.stdout.flush()
        return status
    except InternalError:
        raise  # a bug: the traceback is wanted
    except KeyboardInterrupt:
        return _complain("interrupted before there was a result", STOPPED)
    except StoppedError as error:
        return _complain(str(error), STOPPED)
    except PolyregionsError as error:
        if "--debug" in words:
            raise
        return _complain(str(error), BAD_INPUT)
    except MemoryError:
        return _complain("out of memory; try count, or a smaller domain", BAD_INPUT)
    except (
        OverflowError
    ):  # patterns are exact whatever the size; the nearest floats of a map or corner may not exist
        return _complain("a number of the result is beyond the range of float64", BAD_INPUT)
    except BrokenPipeError:  # whoever reads stdout, such as head, has seen enough
        _forget_stdout()
        return DONE
    except OSError as error:  # stdout on a full disk
        _forget_stdout()
        return _complain(f"cannot write: {error.strerror or error}", BAD_INPUT)


def _run(words: Sequence[str]) -> int:
    try:
        arguments = make_parser().parse_args(words or ["--help"])
    except SystemExit as stop:  # --help and --version
        return int(stop.code or DONE)
    arguments.words = [word.strip() for word in words]
    return run(arguments, _verb_of(arguments.run), lambda reason: partial_answer(arguments, reason))


def _verb_of(name: str) -> Verb:
    """The function of a verb, "module:function" of this folder: what does the work is imported only for work."""

    def verb(arguments: Namespace) -> int:
        module, function = name.split(":")
        with _notices(not getattr(arguments, "quiet", False)):
            return int(getattr(import_module(f"polyregions.cli.{module}"), function)(arguments))

    return verb


@contextmanager
def _notices(wanted: bool) -> Iterator[None]:
    """Whether the package says on stderr what takes long; errors are no notices."""
    logger = logging.getLogger("polyregions")
    before = logger.level
    logger.setLevel(before if wanted else logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _complain(message: str, status: int) -> int:
    print(f"polyregions: {visible(message)}", file=sys.stderr)
    return status


def _forget_stdout() -> None:
    """Let what is still buffered for stdout go nowhere, so that the end of the process does not try again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
