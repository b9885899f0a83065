"""Writing files: whole or not at all, through no link, by several writers at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from polyregions.errors import FormatError
from polyregions.io import files
from polyregions.io.files import write_together, write_whole


def test_a_planted_file_or_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the name of the temporary file is known beforehand."""
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: "0" * 2 * n)
    precious, out = tmp_path / "precious", tmp_path / "out.npz"
    precious.write_text("kept")
    part = tmp_path / f".out.npz.{'0' * 16}.part"
    for plant in (lambda: part.symlink_to(precious), lambda: part.symlink_to(tmp_path / "new"), part.touch):
        plant()
        with pytest.raises(FormatError, match=r"out.npz: cannot be written \(File exists\)"):
            write_whole(out, b"data")
        assert precious.read_text() == "kept"
        assert not out.exists()
        assert not (tmp_path / "new").exists()
        part.unlink()


def test_names_differ_from_writer_to_writer(tmp_path: Path) -> None:
    """One writer in the middle of another's work, both of one process and to one name."""
    out = tmp_path / "out"

    def slow() -> Iterator[bytes]:
        yield b"first "
        write_whole(out, b"second")
        yield b"writer"

    write_whole(out, slow())
    assert out.read_bytes() == b"first writer"
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_threads_that_write_one_name_never_tear_it(tmp_path: Path) -> None:
    out, found = tmp_path / "out", set()
    contents = [bytes([i]) * 100_000 for i in range(4)]

    def write(data: bytes) -> None:
        for _ in range(20):
            write_whole(out, data)
            found.add(out.read_bytes())

    threads = [threading.Thread(target=write, args=[data]) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found <= set(contents)
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise OSError("no space")

    with pytest.raises(FormatError, match="b: cannot be written"):
        write_together({tmp_path / "a": b"whole", tmp_path / "b": broken()})
    with pytest.raises(FormatError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "c", b"")
    assert list(tmp_path.iterdir()) == []


def test_long_names_of_long_characters(tmp_path: Path) -> None:
    out = tmp_path / ("\N{GRINNING FACE}" * 60)
    write_whole(out, b"data")
    assert out.read_bytes() == b"data"
