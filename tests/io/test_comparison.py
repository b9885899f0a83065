"""Imports compared with their sources: rounding is no difference, a difference is none of rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from onnx_models import FLOAT, helper, model, node, onnx
from polyregions.errors import FormatError
from polyregions.io.models.comparison import comparison_points, rounding_tolerance
from polyregions.io.models.onnx import check
from polyregions.io.models.onnx.read import network_of_onnx
from polyregions.io.models.runtime import process
from polyregions.io.models.runtime.process import Feed, RuntimeFailed, run_model
from polyregions.networks.graph import GraphBuilder

DTYPES = {np.float16: 10, np.float32: FLOAT, np.float64: 11}


def read(m: Any) -> pr.Network:
    return network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx")


def averages(n: int, dtype: Any) -> Any:
    """2-n-2, all weights 1/n: sums of equal terms, which float arithmetic rounds all in one direction."""
    constants = {
        "A": np.full((n, 2), 1 / n, dtype),
        "a": np.full(n, 1 / n, dtype),
        "B": np.full((2, n), 1 / n, dtype),
    }
    nodes = [
        node("Gemm", ["x", "A", "a"], "h", transB=1),
        node("Relu", ["h"], "r"),
        node("Gemm", ["r", "B"], "y", transB=1),
    ]
    return model(nodes, ["N", 2], constants, element_type=DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [500, 3000])
def test_sums_rounded_in_one_direction_are_no_difference(dtype: Any, n: int) -> None:
    network = read(averages(n, dtype))
    assert (network.n_neurons, network.notices) == (n, ())


@pytest.mark.parametrize("runtime", ["onnxruntime", "onnx.reference"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_either_runtime_alone_is_enough(dtype: Any, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    only(runtime, monkeypatch)
    assert read(averages(500, dtype)).notices == ()


def only(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the other runtime away."""
    original = check.run_model

    def run(name: str, *given: Any) -> Any:
        if name != runtime:
            raise RuntimeFailed("is not installed")
        return original(name, *given)

    monkeypatch.setattr(check, "run_model", run)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("runtime", ["onnxruntime", "onnx.reference"])
def test_one_weight_that_differs_is_found(dtype: Any, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a thousand weights of 1/500: 1 % off, or doubled where float32 has to be enough."""
    factor = 2.0 if (dtype, runtime) == (np.float32, "onnxruntime") else 1.01
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    original = check.pruned_model

    def changed(*given: Any) -> Any:
        pruned = original(*given)
        for tensor in pruned.graph.initializer:
            if tensor.name == "B":
                array = onnx.numpy_helper.to_array(tensor).copy()
                array[0, 7] *= factor
                tensor.CopyFrom(onnx.numpy_helper.from_array(array, "B"))
        return pruned

    monkeypatch.setattr(check, "pruned_model", changed)
    only(runtime, monkeypatch)
    with pytest.raises(FormatError, match=f"differs from its source: .*{runtime}"):
        read(averages(500, dtype))


def test_constants_that_cancel_are_no_difference() -> None:
    """The file adds 10^6 and takes it off again; here the two are one constant, which is 0."""
    for element_type, dtype in ((FLOAT, np.float32), (11, np.float64)):
        nodes = [node("Add", ["x", "c"], "h"), node("Sub", ["h", "c"], "s"), node("Relu", ["s"], "y")]
        read(model(nodes, [1, 2], {"c": np.full(2, 1e6, dtype)}, element_type=element_type))


def test_the_tolerance_covers_every_order_of_summation() -> None:
    """Sums in float32, forwards, backwards, in pairs, of numbers of one sign."""
    n = 2000
    rng = np.random.default_rng(5)
    weight = rng.uniform(0.5, 1.5, (1, n)).astype(np.float32)
    build = GraphBuilder(n, "sum")
    graph = build.graph(build.dense(0, weight.astype(np.float64), np.zeros(1)))
    points = comparison_points(graph)
    tolerance = rounding_tolerance(graph, points, np.float32)
    exact = points @ weight[0].astype(np.float64)
    for order in (slice(None), slice(None, None, -1), rng.permutation(n)):
        terms = points.astype(np.float32)[:, order] * weight[0, order]
        total = np.zeros(len(points), dtype=np.float32)
        for term in terms.T:
            total = total + term
        assert np.all(np.abs(total - exact) <= tolerance[:, 0])


def test_modules_of_torch_and_models_of_averages() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    nn = torch.nn
    for dtype in (torch.float32, torch.float64):
        module = nn.Sequential(nn.Linear(2, 500), nn.ReLU(), nn.Linear(500, 2)).to(dtype).eval()
        for parameter in module.parameters():
            parameter.data.fill_(1 / 500)
        assert pr.load_network(module).n_neurons == 500


# ---- the child process


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[process._Child]:
    """A child of this test alone."""
    own = process._Child()
    monkeypatch.setattr(process, "_CHILD", own)
    yield own
    own.end()


@pytest.fixture
def does(child: process._Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put another program in the place of the child's."""
    file = tmp_path / "child.py"
    monkeypatch.setattr(process, "CHILD", file)

    def write(program: str) -> None:
        file.write_text("import os, sys, time\nsys.stdin.buffer.readline()\n" + program)

    return write


ONCE = ("onnxruntime", b"model", [Feed("x", "<f4", (1, 1))], np.zeros((1, 1)))

ENDS = {
    "os.kill(os.getpid(), 11)": r"onnxruntime ends its process \(signal 11\)",
    "sys.stdin.buffer.read(4); os._exit(139)": r"onnxruntime ends its process \(exit status 139\)",
    "os.write(1, b'xxxxxxxxxxxxxxxx'); time.sleep(60)": "onnxruntime ends its process",
    "os.write(1, bytes([0, 0, 0, 2]) + b'{}'); time.sleep(60)": "onnxruntime ends its process",
    "os.write(1, bytes([0, 0, 0, 18]) + b'{\"shape\": [1, -3]}'); time.sleep(60)": "onnxruntime ends its process",
    "os.write(1, bytes([0, 0, 0, 28]) + b'{\"shape\": [1, 999999999999]}'); time.sleep(60)": "ends its process",
    "time.sleep(60)": "onnxruntime takes longer than 5 s",
}


@pytest.mark.parametrize(("program", "match"), ENDS.items())
def test_whatever_becomes_of_the_child_is_one_error(
    program: str, match: str, does: Callable[[str], None]
) -> None:
    does(program)
    with pytest.raises(RuntimeFailed, match=match):
        run_model(*ONCE, limit=5.0)


def test_a_file_that_kills_its_runtime_loads_with_a_notice(does: Callable[[str], None]) -> None:
    does("os.kill(os.getpid(), 11)")
    network = read(averages(3, np.float32))
    assert network.n_neurons == 3
    assert (
        "not compared with its source, which cannot run (onnxruntime ends its process" in network.notices[0]
    )


def test_the_child_is_started_again_after_it_has_ended(child: process._Child) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    m = averages(3, np.float32).SerializeToString()
    given = ("onnxruntime", m, [Feed("x", "<f4", (1, 2))], np.ones((1, 2)))
    first = run_model(*given)
    process = child.process
    assert process is not None
    process.kill()
    process.wait()
    assert np.array_equal(run_model(*given), first)
    assert child.process is not process


@pytest.mark.usefixtures("child")
def test_the_child_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "onnxruntime", "onnx", "json"):
        (tmp_path / f"{name}.py").write_text("import os; os.mkdir('executed')")
    monkeypatch.chdir(tmp_path)
    assert read(averages(3, np.float32)).notices == ()
    assert not (tmp_path / "executed").exists()


def test_memory_of_a_run_is_bounded() -> None:
    """16 GB by 1 kB of nodes that are never read as a network: the runtime's own error, not the machine's."""
    pytest.importorskip("resource", reason="no limits of memory on this system")
    size = helper.make_tensor("s", 7, [2], [2**16, 2**15])
    value = helper.make_tensor("v", FLOAT, [1], [1.0])
    nodes = [
        node("ConstantOfShape", ["s"], "c", value=value),
        node("ReduceSum", ["c"], "t"),
        node("Add", ["x", "t"], "y"),
    ]
    m = model(nodes, [1, 1])
    m.graph.initializer.append(size)
    for runtime in ("onnxruntime", "onnx.reference"):
        with pytest.raises(RuntimeFailed):
            run_model(runtime, m.SerializeToString(), [Feed("x", "<f4", (1, 1))], np.zeros((1, 1)))
