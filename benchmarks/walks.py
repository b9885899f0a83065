"""The first hour of three users in an environment that is new: what it costs until they have what they came for.

Run with: ``python benchmarks/walks.py``. It makes a virtual environment, installs the project there as
docs/notebooks.md says, with nothing compiled, and runs the README's commands and the three notebooks, each as a program
of its own. Printed are processor seconds (user and system, of all processes) and the size of what was installed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOONS = ["example:two-moons", "--box", "-2,-1.5", "3,2"]
EXTRAS = "plot,pandas,parquet"


def main() -> None:
    """Install, walk, print."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        python = home / "env" / "bin" / "python"
        environment = new_environment(home)
        told("make the environment", [sys.executable, "-m", "venv", str(home / "env")], home, environment)
        # a copy, for building in a checkout would leave files there
        subprocess.run(["git", "clone", "-q", str(ROOT), str(home / "checkout")], check=True)
        project = f"{home / 'checkout'}[{EXTRAS}]"
        told(
            f"pip install .[{EXTRAS}]",
            [str(python), "-m", "pip", "install", "-q", project],
            home,
            environment,
        )
        print(f"{size_of(home / 'env') / 1e6:8.0f} MB installed")
        walk(home, python, environment)


def new_environment(home: Path) -> dict[str, str]:
    """Variables with which nothing of this machine's own caches of compiled code is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NUMBA"))}
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "MPLBACKEND": "agg"}


def walk(home: Path, python: Path, environment: Mapping[str, str]) -> None:
    """The README's commands, then the notebooks."""
    command = str(python.parent / "polyregions")
    told("polyregions --help", [command, "--help"], home, environment)
    told(
        "polyregions plot, the first answer",
        [command, "plot", *MOONS, "-o", "moons.png", "-q"],
        home,
        environment,
    )
    told("polyregions graph", [command, "graph", *MOONS, "-o", "moons.graphml", "-q"], home, environment)
    for notebook in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        script = home / f"{notebook.stem}.py"
        script.write_text(code_of(notebook), encoding="utf-8")
        for time in ("first", "second"):
            told(f"notebook {notebook.stem}, {time} time", [str(python), str(script)], home, environment)


def code_of(notebook: Path) -> str:
    """The code cells as one program."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def told(what: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a command and print what it took."""
    before = used()
    subprocess.run(command, cwd=folder, env=dict(environment), check=True, stdout=subprocess.DEVNULL)
    print(f"{used() - before:8.2f} s  {what}", flush=True)


def used() -> float:
    """Processor seconds of all processes that were waited for."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder, links not followed."""
    return sum(file.lstat().st_size for file in folder.rglob("*"))


if __name__ == "__main__":
    main()
