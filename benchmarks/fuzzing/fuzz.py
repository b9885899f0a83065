"""Damaged files of every kind against their loaders, in processes with a limit of memory and of time for each file.

Run with: ``python benchmarks/fuzzing/fuzz.py [--inputs N] [--minutes M] [--only NAME] [--seed S]``.

Each input is a valid file
damaged at random (fuzz_mutations.py), reproducible from its number: ``--replay NUMBER --only NAME`` loads it again in
this process. A loader may give a result or an error of polyregions; anything else is reported: another exception, the
end of the process (a crash), or no answer within the time limit (a hang). Prints the table of docs/networks.md.
"""

from __future__ import annotations

import argparse
import resource
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_seeds import Target, targets
from polyregions.errors import PolyregionsError

MEMORY = 2**31  # bytes that a loader may reserve beyond what the warmed-up process has
SECONDS = 60.0  # without an answer to one input: a hang
START_SECONDS = 300.0


@dataclass
class Tally:
    """What happened to the inputs of one loader."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: float = 0.0

    def note(self, kind: str, what: str, number: int) -> None:
        """Count a problem, and keep the first input of each."""
        self.counts[kind] += 1
        self.problems.setdefault(f"{kind}: {what}", number)


def main() -> None:
    """Fuzz the chosen loaders, and print the table."""
    options = _options()
    if options.worker:
        _work(options.only, options.first, options.inputs)
        return
    with tempfile.TemporaryDirectory() as scratch:
        names = [name for name in targets(Path(scratch)) if options.only in (None, name)]
    if options.replay is not None:
        _replay(options.only, options.replay)
        return
    print("| loader | inputs | loaded | refused | other exceptions | crashes | hangs | seconds | slowest |")
    print("|---|---|---|---|---|---|---|---|---|")
    problems: list[str] = []
    for name in names:
        tally = fuzz(name, options.seed, options.inputs, 60 * options.minutes)
        c = tally.counts
        row = (c["input"], c["loaded"], c["refused"], c["exception"], c["crash"], c["hang"])
        print(
            f"| {name} | {' | '.join(map(str, row))} | {tally.seconds:.0f} | {tally.slowest:.2f} |",
            flush=True,
        )
        problems += [f"{name}: input {number}: {what}" for what, number in tally.problems.items()]
        for line in problems[len(problems) - len(tally.problems) :]:
            print(line, file=sys.stderr, flush=True)
    sys.exit(1 if problems else 0)


def fuzz(name: str, first: int, n_inputs: int, seconds: float) -> Tally:
    """Damaged inputs for one loader, from number `first` on, until there are enough or the time is over."""
    tally, started, number = Tally(), time.monotonic(), first
    while number < first + n_inputs and time.monotonic() < started + seconds:
        number = _watch(name, number, first + n_inputs - number, started + seconds, tally)
    tally.seconds = time.monotonic() - started
    return tally


def _watch(name: str, first: int, n_inputs: int, end: float, tally: Tally) -> int:
    """One process, until it is done, dies or hangs; the number of the next input."""
    command = [
        sys.executable,
        __file__,
        "--worker",
        "--only",
        name,
        "--first",
        str(first),
        "--inputs",
        str(n_inputs),
    ]
    current, limit = first - 1, START_SECONDS
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1) as process,
        selectors.DefaultSelector() as selector,
    ):
        assert process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(limit):
                process.kill()
                tally.note("hang", f"no answer within {limit} s", current)
                return current + 1
            line = process.stdout.readline()
            if not line:
                break
            limit = SECONDS
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "begin":
                current = int(rest)
                tally.counts["input"] += 1
                begun = time.monotonic()
                if begun > end:
                    process.kill()
                    tally.counts["input"] -= 1
                    return current
            else:
                tally.slowest = max(tally.slowest, time.monotonic() - begun)
                if kind == "exception":
                    tally.note(kind, rest, current)
                else:
                    tally.counts[kind] += 1
        if process.wait() != 0:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["nothing said"])[-1]
            if current < first:
                sys.exit(f"{name}: the process cannot start: {last}")
            tally.note("crash", f"exit code {process.returncode}: {last}", current)
    return current + 1


def _work(name: str, first: int, n_inputs: int) -> None:
    """Load inputs one after the other, saying what happens; a line before each, so that its end is known, too."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "seeds").mkdir()
        target = targets(Path(scratch) / "seeds")[name]
        for files in target.seeds:  # everything is imported and compiled before memory is limited
            target.load(_written(files, Path(scratch)))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        for number in range(first, first + n_inputs):
            print(f"begin {number}", flush=True)
            print(_outcome(target, number, Path(scratch)), flush=True)


def _outcome(target: Target, number: int, scratch: Path) -> str:
    folder = _written(target.damaged(number), scratch)
    try:
        target.load(folder)
    except PolyregionsError:
        return "refused"
    except BaseException as error:  # reported, whatever it is
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "polyregions" in f.filename]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside"
        return f"exception {type(error).__name__} at {place}: {error!s:.100}".replace("\n", " ")
    return "loaded"


def _written(files: dict[str, bytes], scratch: Path) -> Path:
    folder = scratch / "input"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def _replay(name: str, number: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "seeds").mkdir()
        target = targets(Path(scratch) / "seeds")[name]
        print(target.load(_written(target.damaged(number), Path(scratch))))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs for each loader")
    parser.add_argument("--minutes", type=float, default=60.0, help="at most, for each loader")
    parser.add_argument("--only", help="one loader, by its name in the table")
    parser.add_argument("--seed", type=int, default=0, help="number of the first input")
    parser.add_argument("--replay", type=int, help="load the input of this number in this process")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
