"""Writing files: whole or not at all, through no link, by several writers at a time."""

from __future__ import annotations

import gzip
import io
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from polyregions.errors import FormatError
from polyregions.io import files
from polyregions.io.files import read_bytes, write_together, write_whole
from polyregions.io.npz import arrays_of_npz


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


ZEROS = 2**28


def test_small_compressed_files_do_not_fill_the_memory(tmp_path: Path) -> None:
    """A quarter of a gigabyte of zeros, compressed to a thousandth, by either kind of archive."""
    packed = tmp_path / "bomb.onnx.gz"
    packed.write_bytes(gzip.compress(bytes(ZEROS)))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        member = io.BytesIO()
        np.save(member, np.zeros(ZEROS // 8))
        z.writestr("W1.npy", member.getvalue())
    data = archive.getvalue()
    del member
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="decompresses to more than 134217728 bytes"):
            read_bytes(packed)
        with pytest.raises(FormatError, match="declares 268435584 bytes, expected at most 134217728"):
            arrays_of_npz(data, "bomb.npz")
        assert tracemalloc.get_traced_memory()[1] < 3 * 2**27
    finally:
        tracemalloc.stop()


def test_regular_data_of_usual_size_is_read(tmp_path: Path) -> None:
    """Compressed to a thousandth, too, but no burden."""
    packed = tmp_path / "zeros.gz"
    packed.write_bytes(gzip.compress(bytes(2**24)))
    assert read_bytes(packed) == bytes(2**24)
