"""Files that other people made, found through the environment variable POLYREGIONS_CORPUS alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "POLYREGIONS_CORPUS"


def corpus(path: str) -> Path:
    """A file of the corpus; skips the test where there is no corpus."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} is not set: it names the folder of the corpus of real networks")
    file = Path(folder) / path
    assert file.exists(), f"{file} is missing from the corpus"
    return file
