"""Compiled code is cached where that is possible, and works where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polyregions

ONE_KERNEL = """
import numpy as np
from polyregions.engine.kernels.simplex import value
print(value(np.array([2.0, 1.0]), np.array([3.0])), value.stats.cache_path)
"""


def run_one_kernel(folder: Path, home: str) -> str:
    """What a fresh process prints that uses the copy of the package in a folder."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    env |= {"PYTHONPATH": str(folder), "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ONE_KERNEL], env=env, cwd=folder, capture_output=True, text=True, check=False
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
