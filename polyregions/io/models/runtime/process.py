"""Running a model in a foreign runtime, in a child process: a file that kills the runtime kills only that."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions._types import Floats
from polyregions.io.files import shortened

CHILD: Final = Path(__file__).with_name("child.py")

SECONDS: Final = 10.0
"""After so long the child takes no further point."""

HARD_SECONDS: Final = 60.0
"""After so long it is ended."""

MAX_HEADER: Final = 2**16
MAX_NUMBERS: Final = 2**26
"""Most numbers that an answer may hold."""

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class RuntimeFailed(Exception):
    """A runtime that gives no outputs; `died` says that its process ended over it."""

    def __init__(self, reason: str, died: bool = False) -> None:
        super().__init__(shortened("".join(c if c.isprintable() else " " for c in reason), 200))
        self.died = died


@dataclass(frozen=True)
class Feed:
    """One input of a model.

    Attributes:
        name: its name.
        dtype: numpy's name of the type it is given in.
        shape: its shape.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]


def run_model(
    runtime: str, model: bytes, feeds: Sequence[Feed], points: Floats, limit: float = HARD_SECONDS
) -> Floats:
    """Outputs (k, c) of a model at the first k of some points, at least at one.

    Args:
        runtime: ``"onnxruntime"`` or ``"onnx.reference"``.
        model: an ONNX file, everything it needs included.
        feeds: its inputs; a point holds them one after the other.
        points: (m, d), m >= k.
        limit: seconds after which the process is ended.

    Raises:
        RuntimeFailed: it is not installed, refuses the model, dies over it or takes too long.
    """
    inputs = [(feed.name, feed.dtype, feed.shape) for feed in feeds]
    header = {"runtime": runtime, "inputs": inputs, "seconds": min(SECONDS, limit / 2)}
    with _CHILD.lock:
        return _CHILD.answer(header, model, points, limit)


def start_early() -> None:
    """Start the child now, so that it is ready when it is needed."""
    with _CHILD.lock, suppress(RuntimeFailed):
        _CHILD.started()


class _Child:
    """The one child of this process, started when it is needed and again after it has ended."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None

    def started(self) -> subprocess.Popen[bytes]:
        """The process, a new one if there is none, or if it has ended for want of work."""
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.process = _start()
        return self.process

    def answer(self, header: dict[str, Any], model: bytes, points: Floats, limit: float) -> Floats:
        """What the child answers to one request.

        Raises:
            RuntimeFailed: an answer that is an error, or none.
        """
        was_idle = self.process is not None
        process = self.started()
        timer = threading.Timer(limit, process.kill)
        timer.daemon = True
        timer.start()
        try:
            _ask(process, header, model, points)
            return _read(process, len(points))
        except (OSError, EOFError, ValueError, TypeError, KeyError):  # it is gone, or answers nonsense
            code, late = self.end(), timer.finished.is_set()
            if code == 0 and was_idle:  # it ended for want of work just as the request came
                return self.answer(header, model, points, limit)
            reason = f"takes longer than {limit:g} s" if late else f"ends its process ({_named(code)})"
            raise RuntimeFailed(f"{header['runtime']} {reason}", died=True) from None
        except RuntimeFailed:
            raise
        except BaseException:  # interrupted in the middle of an answer
            self.end()
            raise
        finally:
            timer.cancel()

    def forget(self) -> None:
        """In a forked process: the child is the parent's."""
        self.lock = threading.Lock()
        process, self.process = self.process, None
        if process is not None:
            process.returncode = 0  # not this process's to wait for
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]

    def end(self) -> int:
        """End the process if there is one; its exit status."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        with suppress(OSError):
            process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return code


def _start() -> subprocess.Popen[bytes]:
    if not sys.executable or getattr(sys, "frozen", False) or not CHILD.is_file():
        raise RuntimeFailed("there is no Python interpreter to run it in a process of its own")
    command = [sys.executable, "-I", "-S", str(CHILD)]  # isolated: nothing in the current folder is imported
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=nowhere, env=os.environ | ONE_THREAD
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps([path for path in sys.path if path]).encode() + b"\n")
        process.stdin.flush()
    except OSError as error:
        raise RuntimeFailed(f"no process can be started ({error})") from None
    return process


def _ask(process: subprocess.Popen[bytes], header: dict[str, Any], model: bytes, points: Floats) -> None:
    body = np.ascontiguousarray(points, dtype="<f8").tobytes()
    header = header | {"model_bytes": len(model), "points_bytes": len(body), "points_shape": points.shape}
    text = json.dumps(header).encode()
    stream = process.stdin
    assert stream is not None
    stream.write(len(text).to_bytes(4, "big") + text)
    stream.write(model)
    stream.write(body)
    stream.flush()


def _read(process: subprocess.Popen[bytes], n_points: int) -> Floats:
    """The answer; a process that has run a hostile file is not trusted with sizes."""
    length = int.from_bytes(_exactly(process, 4), "big")
    if length > MAX_HEADER:
        raise EOFError
    header = json.loads(_exactly(process, length))
    if "error" in header:
        raise RuntimeFailed(str(header["error"]))
    rows, columns = (int(n) for n in header["shape"])
    if not 0 < rows <= n_points or not 0 <= columns <= MAX_NUMBERS // rows:
        raise EOFError
    return np.frombuffer(_exactly(process, 8 * rows * columns), "<f8").reshape(rows, columns)


def _exactly(process: subprocess.Popen[bytes], n_bytes: int) -> bytes:
    assert process.stdout is not None
    data = process.stdout.read(n_bytes)
    if len(data) < n_bytes:
        raise EOFError
    return data


def _named(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


_CHILD: Final = _Child()
atexit.register(_CHILD.end)
if hasattr(os, "register_at_fork"):  # a forked process must not speak with its parent's child
    os.register_at_fork(after_in_child=_CHILD.forget)
