"""One changed byte in a store: refused, or without consequence; for long see benchmarks/fuzzing/corruption.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "fuzzing"))
import corruption  # noqa: E402

KINDS = [f"{how} {what}" for how in ("finished", "stopped", "killed") for what in ("regions", "counts")]
FEW = 20  # damages of each kind


def kind_of(name: str, scratch: Path) -> corruption.Kind:
    return next(kind for kind in corruption.kinds(scratch) if kind.name == name)


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_byte_is_refused_or_without_consequence(name: str, tmp_path: Path) -> None:
    with corruption.small_tasks():
        kind = kind_of(name, tmp_path)
        step = sum(map(len, kind.files.values())) // FEW
        found, bad = corruption.counted(kind, tmp_path / "damaged", step, seed=5)
    assert bad == []
    assert found.total() >= FEW // 2
    assert found[corruption.REFUSED] > 0


@pytest.mark.parametrize("what", ["regions", "counts"])
def test_every_digit_of_a_manifest_counts(what: str, tmp_path: Path) -> None:
    """Also with another digest in its place: the digest is one of the values that must be right."""
    with corruption.small_tasks():
        kind = kind_of(f"finished {what}", tmp_path)
        intact = corruption.answers(kind, tmp_path / "damaged")
        data = kind.files["manifest.json"]
        for at in [at for at, byte in enumerate(data) if chr(byte).isdigit()][::3]:
            digit = b"1" if data[at : at + 1] != b"1" else b"7"
            damaged = {**kind.files, "manifest.json": data[:at] + digit + data[at + 1 :]}
            assert corruption.judged(kind, damaged, intact, tmp_path / "damaged") == corruption.REFUSED


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_byte(name: str, tmp_path: Path) -> None:
    with corruption.small_tasks():
        kind = kind_of(name, tmp_path)
        step = 1 if name.startswith("finished") else 17
        found, bad = corruption.counted(kind, tmp_path / "damaged", step)
    assert bad == []
    assert found.total() > 1000
