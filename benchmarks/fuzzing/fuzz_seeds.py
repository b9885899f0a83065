"""Valid files of every kind that polyregions reads, and what reads them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

import polyregions as pr
from fuzz_mutations import mutated
from polyregions.engine import tally as engine
from polyregions.io.store import shards
from polyregions.io.store.regions import region_blocks

Files = dict[str, bytes]

NNET = """// a comment
2,2,1,3,
2,3,1,
0,
-1.0,-1.0,
1.0,1.0,
0.0,0.5,0.0,
1.0,2.0,1.0,
1.0,-2.0,
0.5,0.25,
-1.0,3.0,
0.0,
1.0,
-0.5,
1.0,2.0,-1.0,
0.125,
"""
VNNLIB = """; a comment
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (>= X_0 -0.5))
(assert (<= X_0 0.5))
(assert (and (>= X_1 -1) (<= X_1 1.0e0)))
(assert (or (and (>= Y_0 0.25)) (and (<= Y_0 -3))))
"""


class Target(NamedTuple):
    """A loader: its name, seeds (each one or several files), and what is called with the folder of a damaged one."""

    name: str
    seeds: list[Files]
    load: Callable[[Path], object]

    def damaged(self, seed: int) -> Files:
        """The files of one input."""
        rng = random.Random(seed)
        files = dict(rng.choice(self.seeds))
        name = rng.choice(sorted(files))
        others = [seed[name] for seed in self.seeds if name in seed]
        files[name] = mutated(files[name], rng, others)
        return _with_digests(files) if rng.random() < 0.7 else files


def targets(scratch: Path) -> dict[str, Target]:
    """All loaders by name."""
    found = [*_network_targets(), *_domain_targets(), *_result_targets(scratch), *_store_targets(scratch)]
    return {target.name: target for target in found}


def _file(name: str, load: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: load(folder / name)


def _network_targets() -> list[Target]:
    pairs = _layers()
    arrays = {
        f"{kind}{i}": array for i, pair in enumerate(pairs, 1) for kind, array in zip("Wb", pair, strict=True)
    }
    npz = [_npz(arrays), _npz({**arrays, "S1": np.tile([0.25, 1.0], (3, 1))})]
    npz.append((Path(pr.__file__).parent / "io" / "models" / "data" / "two-moons.npz").read_bytes())
    gz = [gzip.compress(NNET.encode(), mtime=0)]
    return [
        Target("network .npz", [{"a.npz": data} for data in npz], _file("a.npz", pr.load_network)),
        Target("network .nnet", [{"a.nnet": NNET.encode()}], _file("a.nnet", pr.load_network)),
        Target("network .nnet.gz", [{"a.nnet.gz": data} for data in gz], _file("a.nnet.gz", pr.load_network)),
        Target("network .onnx", [{"a.onnx": data} for data in onnx_models()], _file("a.onnx", pr.load_network)),
    ]  # fmt: skip


def _domain_targets() -> list[Target]:
    box = _npz({"lower": np.array([-1.0, 0.0]), "upper": np.array([1.0, 2.0])})
    rows = _npz({"A": np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]), "b": np.array([1.0, 0.0, 0.0])})
    return [
        Target("domain .npz", [{"d.npz": box}, {"d.npz": rows}], _file("d.npz", pr.load_domain)),
        Target("domain .vnnlib", [{"p.vnnlib": VNNLIB.encode()}], _file("p.vnnlib", pr.load_domain)),
    ]


def _result_targets(scratch: Path) -> list[Target]:
    regions = _regions()
    graph = pr.adjacency_graph(regions)
    certified = pr.enumerate_regions(regions.network, regions.problem.domain, certify=True)
    assert certified.certificate is not None
    graphs = [
        Target(f"graph {suffix}", [_saved(graph, scratch, f"g{suffix}")], _file(f"g{suffix}", pr.load_graph))
        for suffix in (".graphml", ".gexf", ".json", ".csv", ".parquet")
    ]
    return [
        Target("regions .npz", [_saved(regions, scratch, "r.npz")], _file("r.npz", pr.load_regions)),
        Target(
            "certificate .npz",
            [_saved(certified.certificate, scratch, "c.npz")],
            _file("c.npz", pr.load_certificate),
        ),
        *graphs,
    ]


def _store_targets(scratch: Path) -> list[Target]:
    """A store of several shards, and one whose run was stopped, with finished and open tasks in its book."""
    rng = np.random.default_rng(4)
    sizes = [(6, 2), (5, 6), (2, 5)]
    network = pr.load_network([(rng.standard_normal(s), rng.standard_normal(s[0])) for s in sizes])
    domain, finished, stopped = pr.Box([-2, -2], [2, 2]), scratch / "finished", scratch / "stopped"
    with (
        patch.multiple(engine, COMPILED_BUDGET=(1, 4), READABLE_BUDGET=(1, 4)),
        patch.multiple(shards, SHARD_ROWS=10, FEWEST_ROWS=10),
    ):
        pr.enumerate_regions(network, domain, store=finished, workers=1)
        pr.enumerate_regions(network, domain, store=stopped, workers=1, max_regions=15)
    assert (finished / "regions-000001.parquet").exists()
    assert (stopped / "tasks.sqlite").exists()
    return [
        Target("store", [_folder(finished)], _read_store),
        Target("unfinished store", [_folder(stopped)], _read_store),
    ]


def _read_store(folder: Path) -> object:
    """All of it, in both ways."""
    regions = pr.load_regions(folder)
    return regions.packed, sum(len(block) for block in region_blocks(folder))


def _regions() -> pr.RegionSet:
    return pr.enumerate_regions(pr.load_network(_layers()), pr.Box([-2, -2], [2, 2]))


def _layers() -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(3)
    sizes = [(3, 2), (4, 3), (2, 4)]
    return [(np.round(rng.standard_normal(s), 3), np.round(rng.standard_normal(s[0]), 3)) for s in sizes]


def _npz(arrays: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _saved(result: Any, scratch: Path, name: str) -> Files:
    folder = scratch / name.replace(".", "-")
    folder.mkdir()
    pr.save(result, folder / name)
    return _folder(folder)


def _folder(folder: Path) -> Files:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def _with_digests(files: Files) -> Files:
    """A store whose manifest has the digests of its damaged shards, so that these are opened at all."""
    try:
        manifest = json.loads(files["manifest.json"])
        shards = sorted(name for name in files if name.endswith(".parquet"))
        manifest["result"]["shards"] = [
            {"size": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()} for name in shards
        ]
        del manifest["sha256"]
        manifest["sha256"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    except (KeyError, TypeError, ValueError, RecursionError):
        return files
    return files | {"manifest.json": json.dumps(manifest).encode()}


def onnx_models() -> list[bytes]:
    """Small graphs in which every family of operators occurs."""
    from onnx import TensorProto, helper, numpy_helper

    def model(nodes: list[Any], shape: list[int], constants: dict[str, Any], opset: int = 17) -> bytes:
        values = [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
        graph = helper.make_graph(nodes, "g", inputs, outputs, values)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        made.ir_version = 8
        return bytes(made.SerializeToString())

    make, rng = helper.make_node, np.random.default_rng(1)
    f = lambda *shape: rng.standard_normal(shape).astype("f4")  # noqa: E731 - short on purpose, used a lot below
    dense = [
        make("Gemm", ["x", "W", "b"], ["h"], transB=1),
        make("LeakyRelu", ["h"], ["r"], alpha=0.125),
        make("MatMul", ["r", "V"], ["m"]),
        make("Add", ["m", "c"], ["s"]),
        make("Softmax", ["s"], ["y"], axis=-1),
    ]
    image = [
        make("Sub", ["x", "mean"], ["a"]),
        make("Conv", ["a", "W"], ["c"], pads=[1, 0, 0, 1], strides=[2, 1]),
        make("BatchNormalization", ["c", "g", "g", "g", "v"], ["n"]),
        make("Relu", ["n"], ["r"]),
        make("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], ceil_mode=1),
        make("AveragePool", ["p"], ["q"], kernel_shape=[1, 2], count_include_pad=1, pads=[0, 1, 0, 0]),
        make("Resize", ["q", "", "scales"], ["u"], mode="nearest"),
        make("Reshape", ["u", "shape"], ["f"]),
        make("ReduceMean", ["f"], ["y"], axes=[1], keepdims=1),
    ]
    moves = [
        make("Split", ["x", "parts"], ["a", "b"], axis=1),
        make("Max", ["a", "b"], ["m"]),
        make("Clip", ["b", "low", "high"], ["k"]),
        make("Concat", ["m", "k"], ["j"], axis=1),
        make("Gather", ["j", "index"], ["g"], axis=1),
        make("Slice", ["g", "starts", "ends", "axes", "steps"], ["s"]),
        make("Pad", ["s", "pads"], ["p"]),
        make("Transpose", ["p"], ["t"], perm=[1, 0]),
        make("Tile", ["t", "repeats"], ["e"]),
        make("Unsqueeze", ["e", "first"], ["z"]),
        make("ReduceSum", ["z", "first"], ["w"], keepdims=0),
        make("Abs", ["w"], ["q"]),
        make("Mul", ["q", "half"], ["y"]),
    ]
    ints = lambda *n: np.array(n, dtype=np.int64)  # noqa: E731
    dense_constants = {"W": f(4, 3), "b": f(4), "V": f(4, 2), "c": f(2)}
    return [
        model(dense, [1, 3], dense_constants),
        model([*dense[:3], make("Add", ["m", "c"], ["y"])], [1, 3], dense_constants, 9),
        model(
            image,
            [1, 1, 4, 4],
            {"mean": f(1), "W": f(2, 1, 2, 2), "g": f(2), "v": np.array([1, 2.25], "f4"), "shape": ints(1, -1),
             "scales": np.array([1, 1, 2, 2], "f4")},
        ),
        model(
            moves,
            [1, 6],
            {"parts": ints(3, 3), "low": np.float32(-1), "high": np.float32(1), "index": ints(0, 2, 4, 5),
             "starts": ints(0), "ends": ints(4), "axes": ints(1), "steps": ints(2), "pads": ints(0, 1, 0, 0),
             "repeats": ints(2, 1),
             "first": ints(0), "half": np.float32(0.5)},
        ),
    ]  # fmt: skip
