"""Tensors in files beside an ONNX file: read when they are what they claim to be, refused when they lead elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from onnx_models import mlp, onnx
from polyregions.cli.main import main
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx.read import network_of_onnx

Change = Callable[[dict[str, str]], None]


def saved(folder: Path, location: str = "m.onnx.data", m: Any = None) -> Path:
    """The model 2-3-2 whose tensors lie in another file, as onnx and torch write it."""
    path = folder / "m.onnx"
    model = mlp() if m is None else m
    onnx.save_model(model, str(path), save_as_external_data=True, location=location, size_threshold=0)
    return path


def changed(path: Path, change: Change, name: str = "W1") -> Path:
    """The same file with other entries at one tensor."""
    m = onnx.ModelProto.FromString(path.read_bytes())
    (tensor,) = [t for t in m.graph.initializer if t.name == name]
    entries = {entry.key: entry.value for entry in tensor.external_data}
    change(entries)
    del tensor.external_data[:]
    tensor.external_data.extend(onnx.StringStringEntryProto(key=k, value=v) for k, v in entries.items())
    path.write_bytes(m.SerializeToString())
    return path


def same(network: pr.Network) -> bool:
    inside = network_of_onnx(mlp().SerializeToString(), "m.onnx", "m.onnx")
    return network.fingerprint() == inside.fingerprint()


@pytest.mark.parametrize("location", ["m.onnx.data", "weights", "sub/w.bin"])
def test_tensors_beside_the_file_are_read_and_it_is_said(tmp_path: Path, location: str) -> None:
    (tmp_path / "sub").mkdir()
    network = pr.load_network(saved(tmp_path, location))
    assert same(network)
    assert network.notices == (f"{tmp_path / 'm.onnx'}: tensors read from {location} beside it",)


def test_the_command_line_reads_them_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", str(saved(tmp_path)), "--box", "-1", "1", "--json"]) == 0
    assert "tensors read from m.onnx.data beside it" in capsys.readouterr().err


def test_tensors_of_nodes_are_read(tmp_path: Path) -> None:
    m = mlp()
    for tensor in m.graph.initializer:
        m.graph.node.insert(0, onnx.helper.make_node("Constant", [], [tensor.name], value=tensor))
    del m.graph.initializer[:]
    path = tmp_path / "m.onnx"
    onnx.save_model(
        m, str(path), save_as_external_data=True, location="w", size_threshold=0, convert_attribute=True
    )
    assert same(pr.load_network(path))


def test_an_open_length_is_the_rest_of_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path)
    m = onnx.ModelProto.FromString(path.read_bytes())
    last = m.graph.initializer[-1]
    kept = [entry for entry in last.external_data if entry.key != "length"]
    del last.external_data[:]
    last.external_data.extend(kept)
    path.write_bytes(m.SerializeToString())
    assert same(pr.load_network(path))


def put(**entries: str) -> Change:
    return lambda found: found.update(entries)


HOSTILE: list[tuple[Change, str]] = [
    (put(location="../outside"), "in the model's own folder"),
    (put(location="sub/../../outside"), "in the model's own folder"),
    (put(location="..\\outside"), "in the model's own folder"),
    (put(location="/etc/hostname"), "in the model's own folder"),
    (put(location="C:\\outside"), "in the model's own folder"),
    (put(location="\\\\host\\share\\outside"), "in the model's own folder"),
    (put(location="."), "in the model's own folder"),
    (put(location="a\0b"), "in the model's own folder"),
    (put(location=""), "entries length, location, offset"),
    (put(location="missing"), "no such file"),
    (put(location="sub"), "is a directory"),
    (put(location="link"), "links are not followed"),
    (put(location="folder/outside"), "links are not followed"),
    (put(location="pipe"), "not a regular file"),
    (put(length="0"), "of 0 bytes, expected 24 by its shape"),
    (put(length=str(2**59)), "bytes, expected 24 by its shape"),
    (put(length="-24"), "length of external data is '-24'"),
    (put(length="9" * 400), "length of external data is '9"),
    (put(offset="-1"), "offset of external data is '-1'"),
    (put(offset="1e3"), "offset of external data"),
    (put(offset=str(2**40)), "external data from byte 1099511627776"),
    (put(basepath="/"), "entries basepath, length"),
    (lambda entries: entries.clear(), "entries none, expected location"),
]


@pytest.mark.skipif(os.name == "nt", reason="pipes and links")
@pytest.mark.parametrize(("change", "match"), HOSTILE)
def test_hostile_entries(tmp_path: Path, change: Change, match: str) -> None:
    (tmp_path / "outside").write_bytes(b"\0" * 100)
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (home / "link").symlink_to(tmp_path / "outside")
    (home / "folder").symlink_to(tmp_path)
    os.mkfifo(home / "pipe")
    with pytest.raises(FormatError, match=match):
        pr.load_network(changed(saved(home), change))


def test_a_shape_larger_than_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path)
    m = onnx.ModelProto.FromString(path.read_bytes())
    m.graph.initializer[0].dims[:] = [2**20, 2**20]
    path.write_bytes(m.SerializeToString())
    with pytest.raises(FormatError, match="more than 1073741824 bytes"):
        pr.load_network(path)
    m.graph.initializer[0].dims[:] = [2**10, 2**10]
    m.graph.initializer[0].external_data[2].value = str(2**22)
    path.write_bytes(m.SerializeToString())
    with pytest.raises(FormatError, match="external data from byte 0 to 4194304, but m.onnx.data has"):
        pr.load_network(path)


def test_many_tensors_of_one_range_count_together(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with pytest.raises(FormatError, match=r"external data of more than 60 bytes \(max_bytes\)"):
        network_of_onnx(path.read_bytes(), "m.onnx", "m.onnx", folder=tmp_path, max_bytes=60)


def test_the_same_entry_twice_and_data_on_both_sides(tmp_path: Path) -> None:
    for spoil in (
        lambda t: t.external_data.append(onnx.StringStringEntryProto(key="offset", value="0")),
        lambda t: setattr(t, "raw_data", b"\0" * 24),
        lambda t: setattr(t, "data_location", 0),
    ):
        path = saved(tmp_path)
        m = onnx.ModelProto.FromString(path.read_bytes())
        spoil(m.graph.initializer[0])
        path.write_bytes(m.SerializeToString())
        with pytest.raises(FormatError, match="external data"):
            pr.load_network(path)
        (tmp_path / "m.onnx.data").unlink()


def test_bytes_without_a_folder_have_no_other_files(tmp_path: Path) -> None:
    data = saved(tmp_path).read_bytes()
    with pytest.raises(UnsupportedError, match="the model comes from no file"):
        network_of_onnx(data, "m.onnx", "m.onnx")


def test_values_that_are_not_finite_are_found_there(tmp_path: Path) -> None:
    path = saved(tmp_path)
    data = path.with_name("m.onnx.data")
    content = bytearray(data.read_bytes())
    content[:4] = np.float32(np.nan).tobytes()
    data.write_bytes(content)
    with pytest.raises(FormatError, match="nan, expected a finite number"):
        pr.load_network(path)
