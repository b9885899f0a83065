"""`load_network` and `load_domain`: dispatch, compression, packaged examples and unreadable files."""

from __future__ import annotations

import gzip
import os
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from onnx_models import mlp
from polyregions.errors import FormatError, MissingExtraError, NetworkError, OptionError, UnsupportedError
from polyregions.io.files import read_bytes, suffix_of
from polyregions.io.models.load import load_network
from polyregions.io.models.npz import save_network_npz
from polyregions.io.specs.load import load_domain
from polyregions.networks.network import Network
from small_files import NNET, PROPERTY

PAIRS = [([[1, 2], [3, 4]], [0, 1]), ([[1, -1]], [0.5])]


def test_objects() -> None:
    net = load_network(PAIRS)
    assert net.widths == (2,)
    assert load_network(net) is net
    with pytest.raises(NetworkError):
        load_network([([[1]], [1, 2])])
    for other in (None, 3, {"W1": 1}, b"a.onnx", np.ones(2)):
        with pytest.raises(OptionError, match=f"from a {type(other).__name__}, expected a path"):
            load_network(other)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("suffix", [".onnx", ".nnet", ".npz", ".NPZ"])
def test_suffixes(tmp_path: Path, suffix: str, compressed: bool) -> None:
    save_network_npz(Network.from_layers(PAIRS), tmp_path / "made.npz")
    content = {
        ".onnx": mlp().SerializeToString(),
        ".nnet": NNET.encode(),
        ".npz": (tmp_path / "made.npz").read_bytes(),
    }[suffix.lower()]
    file = tmp_path / (f"net{suffix}" + (".gz" if compressed else ""))
    file.write_bytes(gzip.compress(content) if compressed else content)
    assert load_network(file).name == file.name
    assert load_network(str(file)).n_inputs == 2


def test_compressed_property(tmp_path: Path) -> None:
    file = tmp_path / "p.vnnlib.gz"
    file.write_bytes(gzip.compress(PROPERTY.encode()[:10]) + gzip.compress(PROPERTY.encode()[10:]))
    assert load_domain(file).upper.tolist() == [1]


@pytest.mark.parametrize(
    ("name", "expected"), [("a.onnx", ".onnx"), ("a.tar.NNET.Gz", ".nnet"), ("a", ""), ("gz", "")]
)
def test_suffix_of(name: str, expected: str) -> None:
    assert suffix_of(name) == expected


@pytest.mark.parametrize("suffix", [".onnx", ".nnet", ".npz"])
def test_unreadable_files(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"net{suffix}"
    with pytest.raises(FormatError, match=f"net{suffix}: no such file"):
        load_network(file)
    file.mkdir()
    with pytest.raises(FormatError, match=f"net{suffix}: is a directory, expected a file"):
        load_network(file)
    file.rmdir()
    file.write_bytes(b"")
    with pytest.raises(FormatError, match=f"net{suffix}: the file is empty"):
        load_network(file)
    file.write_bytes(b"//" + bytes(200))
    with pytest.raises(FormatError, match="larger than 100 bytes"):
        load_network(file, max_bytes=100)
    with pytest.raises(FormatError, match="cannot be read"):
        load_network(f"null\0{suffix}")


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nnet")
    with pytest.raises(FormatError, match="not a regular file"):
        load_network(tmp_path / "pipe.nnet")
    (tmp_path / "zero.nnet").symlink_to("/dev/zero")
    with pytest.raises(FormatError, match="not a regular file"):
        load_network(tmp_path / "zero.nnet")


def test_gzip_bombs_and_damaged_gzip(tmp_path: Path) -> None:
    file = tmp_path / "net.nnet.gz"
    bomb = gzip.compress(bytes(20_000_000))
    file.write_bytes(bomb)
    with pytest.raises(FormatError, match="decompresses to more than 1000000 bytes"):
        load_network(file, max_bytes=1_000_000)
    file.write_bytes(bomb * 3)
    with pytest.raises(FormatError, match="decompresses to more than 30000000 bytes"):
        load_network(file, max_bytes=30_000_000)
    for damaged in (bomb[:-4], bomb[:100], bomb[:30] + b"\xff" * 30 + bomb[60:], bomb + b"trailing"):
        file.write_bytes(damaged)
        with pytest.raises(FormatError, match="net.nnet.gz: damaged gzip data"):
            load_network(file)
    file.write_bytes(NNET.encode())
    with pytest.raises(FormatError, match="expected gzip data"):
        load_network(file)
    file.write_bytes(gzip.compress(b""))
    with pytest.raises(FormatError, match="decompresses to nothing"):
        load_network(file)


def test_other_suffixes_and_pickles(tmp_path: Path) -> None:
    for name in ("net.txt", "net", "net.gz", "", "."):
        with pytest.raises(FormatError, match="unknown kind of network file"):
            load_network(tmp_path / name if name else "")
        with pytest.raises(FormatError, match="unknown kind of domain file"):
            load_domain(tmp_path / name if name else "")
    for name in ("net.pt", "net.pth.gz", "net.pkl"):
        with pytest.raises(UnsupportedError, match="is a pickle, which may execute anything"):
            load_network(tmp_path / name)


def test_packaged_examples() -> None:
    names = [
        f.name for f in resources.files("polyregions.io.models.data").iterdir() if f.name.endswith(".npz")
    ]
    for name in names:
        net = load_network("example:" + name.removesuffix(".npz"))
        assert net.name == "example:" + name.removesuffix(".npz")
    for unknown in ("", "moons", "../secret", "two-moons.npz"):
        with pytest.raises(OptionError, match="unknown example .*, there are: ") as caught:
            load_network("example:" + unknown)
        assert all(name.removesuffix(".npz") in str(caught.value) for name in names)


def test_a_missing_onnx_says_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.onnx").write_bytes(mlp().SerializeToString())
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "polyregions\[onnx\]"'):
        load_network(tmp_path / "net.onnx")


def test_reading_returns_what_was_written(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(content)
    assert read_bytes(tmp_path / "a", len(content)) == content
