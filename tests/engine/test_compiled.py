"""Compiled code is kept where that is possible, read wherever it is, used only if it is fresh, and announced truly."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import polyregions
from polyregions.cli import main
from polyregions.engine.kernels import cache, compiled

ONE_KERNEL = """
import numpy as np
from polyregions.engine.kernels.simplex import value
print(value(np.array([2.0, 1.0]), np.array([3.0])), value.stats.cache_path)
"""


READ_ONLY = """
from polyregions.engine.kernels import cache
cache.is_writable = lambda folder: False
"""
TELL = """
print(sum(value.stats.cache_hits.values()), sum(value.stats.cache_misses.values()))
"""


def run_one_kernel(folder: Path, home: str, code: str = ONE_KERNEL, **more: str) -> str:
    """What a fresh process prints that uses the copy of the package in a folder."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    env |= {"PYTHONPATH": str(folder), "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"} | more
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def copy_of_the_package(folder: Path) -> Path:
    source = Path(polyregions.__file__).parent
    target = folder / "polyregions"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """Files stand where the folders should be, which stops even the superuser."""
    package = copy_of_the_package(tmp_path)
    (package / "engine" / "kernels" / "__pycache__").write_text("")
    nowhere = tmp_path / "home"
    nowhere.write_text("")
    assert run_one_kernel(tmp_path, str(nowhere)) == "7.0 None"


def test_compiled_code_is_cached_beside_the_package(tmp_path: Path) -> None:
    package = copy_of_the_package(tmp_path)
    printed = run_one_kernel(tmp_path, str(tmp_path))
    assert printed == f"7.0 {package / 'engine' / 'kernels' / '__pycache__'}"
    assert list((package / "engine" / "kernels" / "__pycache__").glob("simplex.value*.nbi"))


def test_a_cache_that_can_only_be_read_is_used(tmp_path: Path) -> None:
    copy_of_the_package(tmp_path)
    run_one_kernel(tmp_path, str(tmp_path))
    printed = run_one_kernel(tmp_path, str(tmp_path), READ_ONLY + ONE_KERNEL + TELL)
    assert printed == "7.0 None\n1 0"
    given = {"NUMBA_CACHE_DIR": str(tmp_path / "missing")}
    assert run_one_kernel(tmp_path, str(tmp_path), READ_ONLY + ONE_KERNEL + TELL, **given) == "7.0 None\n1 0"


def test_a_folder_that_is_named_becomes_whole(tmp_path: Path) -> None:
    """What was compiled elsewhere is copied there, so that it can be used alone."""
    package = copy_of_the_package(tmp_path)
    run_one_kernel(tmp_path, str(tmp_path))
    given = {"NUMBA_CACHE_DIR": str(tmp_path / "given")}
    assert run_one_kernel(tmp_path, str(tmp_path), ONE_KERNEL + TELL, **given).endswith("\n1 0")
    shutil.rmtree(package / "engine" / "kernels" / "__pycache__")
    assert run_one_kernel(tmp_path, str(tmp_path), ONE_KERNEL + TELL, **given).endswith("\n1 0")


@pytest.mark.parametrize("changed", ["engine/kernels/simplex.py", "engine/kernels/codes.py"])
def test_what_was_compiled_of_other_sources_is_not_used(changed: str, tmp_path: Path) -> None:
    """Not even if what is other is a file from which a kernel takes something."""
    package = copy_of_the_package(tmp_path)
    run_one_kernel(tmp_path, str(tmp_path))
    with (package / changed).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert run_one_kernel(tmp_path, str(tmp_path), ONE_KERNEL + TELL).endswith("\n0 1")


def test_what_is_stamped_is_what_kernels_are_made_of() -> None:
    """Nothing that prepares or settles problems: who changes that does not compile again."""
    waiting, seen = [Path(cache.__file__).parents[1] / "cells" / "machine.py"], set[Path]()
    while waiting:
        seen.add(source := waiting.pop())
        waiting += [
            p for p in cache._imported(source.read_text()) if p not in seen and p not in cache.NO_KERNELS
        ]
    names = {path.relative_to(cache.PACKAGE).as_posix() for path in seen}
    assert {"engine/cells/cut.py", "engine/cells/state.py", "engine/kernels/state.py"} < names
    assert names & {"engine/cells/driver.py", "engine/cells/settle.py", "progress.py"} == set()


def test_a_notice_is_given_once_and_only_if_something_is_compiled(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_ready", set())
    monkeypatch.setattr(compiled, "Timer", AtOnce)

    def double(x: float) -> float:
        return 2 * x

    kernel = compiled.njit(double)  # kept nowhere
    with compiled.announced("nothing"):
        pass
    for _ in range(2):
        with compiled.announced("a double", len(compiled._ready)):
            assert kernel(np.float64(2.0)) == 4.0
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.records[0].getMessage().startswith(f"{compiled.NOTICE} a double; ")


class AtOnce:
    """A timer whose time is over as soon as it starts."""

    ident: int | None = None

    def __init__(self, seconds: float, function: object, arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def start(self) -> None:
        self.ident = 1
        self.function(*self.arguments)  # type: ignore[operator, misc]

    def cancel(self) -> None:
        pass


# ---------------------------------------------------------------- warmup


def test_warmup_refuses_a_folder_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert main(["warmup", "--into", str(file)]) == 2
    assert "expected a folder, or where to make one" in capsys.readouterr().err


def test_warmup_says_what_it_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def triple(x: float) -> float:
        return 3 * x

    kernel = compiled.njit(triple)
    problems = [("triples", lambda: kernel(1.0)), ("the same", lambda: kernel(2.0))]
    monkeypatch.setattr("polyregions.cli.warmup.problems", lambda: iter(problems))
    assert main(["warmup"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["triples", "compiled"]
    assert lines[1].startswith("compiled: 1 kernel in ")
    assert main(["warmup", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kernels"], found["compiled"]) == (0, [])


USE_ALL = """
import logging
logging.getLogger("polyregions").setLevel(logging.ERROR)
from numba.core import event
import numpy as np
import polyregions as pr
with event.install_recorder("numba:compile") as compiled:
    for dim in (1, 2, 3, 4, 5, 6):
        rng = np.random.default_rng(dim)
        layers = [(rng.normal(size=(8, dim)), rng.normal(size=8)), (rng.normal(size=(3, 8)), [0, 0, 0])]
        net, box = pr.Network.from_layers(layers), pr.Box.cube(-1, 1, dim)
        regions = pr.enumerate_regions(net, box)
        assert pr.count_regions(net, box) == len(regions)
        pr.adjacency_graph(regions)
        pr.hrep_arrays(regions)
        pr.boundary_facets(regions)
        pr.decision_cells(regions)
        pr.output_range(regions)
        pr.region_volumes(regions)
        pr.audit(regions, volumes=False)
        pr.estimate_regions(net, box)
print(len(compiled.buffer))
"""


@pytest.mark.slow
def test_after_warmup_another_process_compiles_nothing(tmp_path: Path) -> None:
    """Nor can it write: that of a folder that can only be read is as good."""
    given = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    root = Path(polyregions.__file__).parents[1]
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")} | {"PYTHONPATH": str(root)}
    warmup = [
        sys.executable,
        "-m",
        "polyregions",
        "warmup",
        "--into",
        given["NUMBA_CACHE_DIR"],
        "--json",
        "-q",
    ]
    first = subprocess.run(warmup, env=env, capture_output=True, text=True, check=True)
    assert first.stderr == ""
    assert list((tmp_path / "cache").rglob("*.nbc"))
    again = subprocess.run(warmup, env=env, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["kernels"] == 0
    code = READ_ONLY + USE_ALL
    used = subprocess.run(
        [sys.executable, "-c", code], env=env | given, capture_output=True, text=True, check=True
    )
    assert used.stdout.strip() == "0"
