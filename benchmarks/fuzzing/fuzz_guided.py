"""Fuzzing guided by coverage (atheris) of one loader: inputs that reach new code are damaged further.

Run with: ``python benchmarks/fuzzing/fuzz_guided.py NAME [INPUTS]``, a name of the table of `fuzz.py`
(needs ``pip install atheris``). Prints a row of that kind: inputs, loaded, refused, other exceptions. A crash, a hang
(60 seconds) or more than 3 GB of memory end the process with libFuzzer's report.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["polyregions"], exclude=["polyregions.engine"]):
    import polyregions  # noqa: F401 - instrumented before anything else imports it
    from polyregions.errors import PolyregionsError
from fuzz_mutations import mutated
from fuzz_seeds import Target, targets


class Guided:
    """A loader under libFuzzer. An input is the number of a file, one byte, and the damaged content of that file."""

    def __init__(self, target: Target, n_inputs: int, folder: Path) -> None:
        self.target, self.n_inputs, self.folder = target, n_inputs, folder
        self.names = sorted(target.seeds[0])
        self.counts: Counter[str] = Counter()
        self.problems: set[str] = set()
        folder.mkdir()
        for files in target.seeds:
            self._write(files)
            target.load(folder)

    def corpus(self) -> list[bytes]:
        """The valid files."""
        return [bytes([i]) + files[name] for files in self.target.seeds for i, name in enumerate(self.names)]

    def one_input(self, data: bytes) -> None:
        """Load one input, and end the process after the last."""
        number, content = (data[0] if data else 0) % len(self.names), data[1:]
        self._write(self.target.seeds[0] | {self.names[number]: content})
        try:
            self.target.load(self.folder)
            self.counts["loaded"] += 1
        except PolyregionsError:
            self.counts["refused"] += 1
        except Exception as error:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if "polyregions/" in f.filename]
            self.counts["exception"] += 1
            self.problems.add(f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}: {error}")
        if self.counts.total() == self.n_inputs:
            c = self.counts
            print(f"| {self.target.name} | {c.total()} | {c['loaded']} | {c['refused']} | {c['exception']} |")
            print(*sorted(self.problems), sep="\n", file=sys.stderr)
            sys.stdout.flush()
            os._exit(1 if self.problems else 0)

    def mutator(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Half by libFuzzer, half by what knows archives and numbers."""
        rng = random.Random(seed)
        if rng.random() < 0.5 or len(data) < 2:
            return bytes(atheris.Mutate(data, max_size))
        return (data[:1] + mutated(data[1:], rng, [data[1:]]))[:max_size]

    def _write(self, files: dict[str, bytes]) -> None:
        for old in self.folder.iterdir():
            old.unlink()
        for name, data in files.items():
            (self.folder / name).write_bytes(data)


def main() -> None:
    """Fuzz one loader."""
    name, n_inputs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    scratch = Path(tempfile.mkdtemp())
    for folder in ("seeds", "corpus"):
        (scratch / folder).mkdir()
    guided = Guided(targets(scratch / "seeds")[name], n_inputs, scratch / "input")
    for i, data in enumerate(guided.corpus()):
        (scratch / "corpus" / str(i)).write_bytes(data)
    options = [
        "-timeout=60",
        "-rss_limit_mb=3000",
        "-max_len=100000",
        "-verbosity=0",
        f"-artifact_prefix={scratch}/",
    ]
    atheris.Setup(
        [sys.argv[0], *options, str(scratch / "corpus")], guided.one_input, custom_mutator=guided.mutator
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
