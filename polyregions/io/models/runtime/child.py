"""The program of the child process in which foreign runtimes run: what kills it, kills nobody else.

It is started by its path, imports nothing of this package, and speaks frames over stdin and stdout: the length of
a JSON header (4 bytes), the header, then as many bytes as the header says. See `process` for the other side.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Any

IDLE_SECONDS = 120.0
"""After so long without a request the process ends by itself."""

ROOM = 2**31
"""Memory for a run, in bytes, beside what the model itself takes several times."""

COPIES = 8
"""How often a runtime may hold the model's bytes: parsed, converted, packed for its kernels."""


def main() -> None:
    """Answer requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who then ends this process
    requests, answers = sys.stdin.buffer, _only_answers()
    sys.path[:] = json.loads(requests.readline())
    import numpy as np

    with suppress(Exception):  # while the parent is still reading the file; not installed is told later
        import onnxruntime  # noqa: F401
    while True:
        idle = threading.Timer(IDLE_SECONDS, os._exit, [0])
        idle.daemon = True
        idle.start()
        length = requests.read(4)
        idle.cancel()
        if len(length) < 4:
            return
        header = json.loads(requests.read(int.from_bytes(length, "big")))
        model, points = requests.read(header["model_bytes"]), requests.read(header["points_bytes"])
        _limit_memory(ROOM + COPIES * len(model))
        try:
            table = np.frombuffer(points, "<f8").reshape(header["points_shape"])
            found = _outputs(header, model, table, np)
            _send(answers, {"shape": found.shape}, found.astype("<f8").tobytes())
        except Exception as error:  # it lacks operators and versions, and then raises nearly anything
            _send(answers, {"error": f"{type(error).__name__}: {error}"[:500]}, b"")


def _only_answers() -> IO[bytes]:
    """The stream of answers; what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _limit_memory(n_bytes: int) -> None:
    """Bound the memory where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's limit of time is what there is
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = n_bytes if hard == resource.RLIM_INFINITY else min(n_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _outputs(header: dict[str, Any], model: bytes, points: Any, np: Any) -> Any:
    """Outputs (k, c) at the first k points, at least at one: one point at a time, until the time is over."""
    started = time.monotonic()
    run = RUNTIMES[header["runtime"]](model)
    ends = np.cumsum([int(np.prod(shape)) for _, _, shape in header["inputs"]])[:-1]
    rows: list[Any] = []
    for point in points:
        parts = zip(header["inputs"], np.split(point, ends), strict=True)
        feed = {name: part.astype(dtype).reshape(shape) for (name, dtype, shape), part in parts}
        with np.errstate(all="ignore"):
            outputs = [np.asarray(output) for output in run(feed)]
        if any(output.dtype.kind != "f" for output in outputs):
            raise TypeError("an output is not of floats")
        rows.append(np.concatenate([output.ravel().astype(np.float64) for output in outputs]))
        if time.monotonic() - started > header["seconds"]:
            break
    return np.array(rows)


def _onnxruntime(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda feed: session.run(None, feed)


def _reference(model: bytes) -> Any:
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model)
    return lambda feed: evaluator.run(None, feed)


RUNTIMES = {"onnxruntime": _onnxruntime, "onnx.reference": _reference}


def _send(answers: IO[bytes], header: dict[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    answers.write(len(text).to_bytes(4, "big") + text + body)
    answers.flush()


if __name__ == "__main__":
    main()
