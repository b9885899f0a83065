"""Every file of the corpus loads and agrees with its source, or is refused by operator and node."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from corpus import corpus
from onnx_models import onnx
from polyregions import Box
from polyregions.errors import UnsupportedError
from polyregions.io.models.load import load_network
from polyregions.io.specs.load import load_domain
from polyregions.io.specs.vnnlib.boxes import load_vnnlib_domains

LOADED = {
    "acasxu/ACASXU_run2a_1_1_batch_2000.onnx": "5-50-50-50-50-50-50-5, 300",
    "acasxu/ACASXU_run2a_3_3_batch_2000.onnx": "5-50-50-50-50-50-50-5, 300",
    "archcomp/controller_5_20.onnx": "5-20-20-20-20-20-1, 100",
    "archcomp/controller_double_pendulum_less_robust.onnx": "4-25-25-2, 50",
    "archcomp/controller_single_pendulum.onnx": "2-25-25-1, 50",
    "collins_rul/NN_rul_small_window_20.onnx": "400-1600-2400-800-600-100-1, 5500",
    "linearizenn/AllInOne_10_10.onnx": "4-257-257-257-257-17-9-9-2, 1056",
    "marabou/KJ_TinyTaxiNet.onnx": "128-16-8-8-2, 32",
    "marabou/cnn_max_mninst2.onnx": "784-5000-1936-1936-968-32-10, 8420",
    "marabou/constant_slice_test.onnx": "3-3, 0",
    "marabou/conv_mp1.onnx": "192-512-512-256-32-5, 928",
    "marabou/fc1.onnx": "2-25-25-25-2, 75",
    "marabou/fc_2-2-3.onnx": "2-2-3, 2",
    "marabou/fc_matMul.onnx": "125-50-5, 50",
    "marabou/layer-zoo/add.onnx": "4-4, 0",
    "marabou/layer-zoo/batchnorm.onnx": "6-6, 0",
    "marabou/layer-zoo/cast_int_to_float.onnx": "4-4, 0",
    "marabou/layer-zoo/constant.onnx": "1-4, 0",
    "marabou/layer-zoo/conv.onnx": "25-25, 0",
    "marabou/layer-zoo/dropout.onnx": "4-4, 0",
    "marabou/layer-zoo/dropout_training_mode_false.onnx": "4-4, 0",
    "marabou/layer-zoo/flatten.onnx": "8-8, 0",
    "marabou/layer-zoo/gemm.onnx": "4-4, 0",
    "marabou/layer-zoo/identity.onnx": "4-4, 0",
    "marabou/layer-zoo/leakyRelu.onnx": "4-4, 4",
    "marabou/layer-zoo/matmul.onnx": "6-4, 0",
    "marabou/layer-zoo/maxpool.onnx": "16-21-15-9-8-4, 19",
    "marabou/layer-zoo/relu.onnx": "4-4, 4",
    "marabou/layer-zoo/reshape.onnx": "4-4, 0",
    "marabou/layer-zoo/reshape_with_dimension_inference.onnx": "4-4, 0",
    "marabou/layer-zoo/squeeze.onnx": "6-6, 0",
    "marabou/layer-zoo/squeeze_with_axes.onnx": "6-6, 0",
    "marabou/layer-zoo/sub.onnx": "4-4, 0",
    "marabou/layer-zoo/transpose.onnx": "6-6, 0",
    "marabou/layer-zoo/unsqueeze.onnx": "6-6, 0",
    "marabou/linear2-3_bn1-linear3-1.onnx": "2-1, 0",
    "marabou/mnist2x10.onnx": "784-10-10-10, 20",
    "marabou/mnist5x20_leaky_relu.onnx": "784-20-20-20-20-20-20-10, 120",
    "marabou/multiInput_add.onnx": "10-10-10, 10",
    "marabou/oneInput_twoBranches.onnx": "12-12-24-24, 36",
    "marabou/slice_test.onnx": "5-3, 0",
    "marabou/softmax-last-layer.onnx": "784-32-32-10, 64",
    "marabou/test_dropout.onnx": "784-5-5-10, 10",
    "marabou/test_sub.onnx": "1-1, 0",
    "mnistfc/mnist-net_256x2.onnx": "784-256-256-10, 512",
    "reach_prob_density/robot.onnx": "5-64-64-64-5, 192",
    "reach_prob_density/vdp.onnx": "3-32-32-3, 64",
    "rl_benchmarks/cartpole.onnx": "4-64-64-2, 128",
    "rl_benchmarks/lunarlander.onnx": "8-64-64-4, 128",
    "safenlp/perturbations_0.onnx": "30-128-2, 128",
    "tllverifybench/tllBench_n=2_N=M=8_m=1_instance_0_0.onnx": "2-128-64-32-16-8-4-1, 252",
    "verivital/Convnet_avgpool.onnx": "784-23328-10, 23328",
    "verivital/Convnet_maxpool.onnx": "784-23328-18432-9216-4608-2304-10, 40608",
    "vnncomp_test/test_nano.onnx": "1-1, 1",
    "vnncomp_test/test_small.onnx": "1-2-2-1, 4",
    "vnncomp_test/test_tiny.onnx": "1-1-1, 1",
}

REFUSED = {
    "lsnc/quadrotor2d_state.onnx": "operator Sin (node '/Sin')",
    "marabou/fc_2-2sigmoids-3.onnx": "operator Sigmoid (node 'Sigmoid')",
    "marabou/layer-zoo/dropout_training_mode_true.onnx": "operator Dropout (node 0 -> 'y')",
    "marabou/layer-zoo/sigmoid.onnx": "operator Sigmoid (node 0 -> 'y')",
    "marabou/layer-zoo/tanh.onnx": "operator Tanh (node 0 -> 'y')",
}

BEFORE_OPSET_7 = {"archcomp/controller_5_20.onnx"}

SEVERAL_BOXES = {"acasxu/prop_6.vnnlib": 2}


def test_tables_name_every_onnx_file_of_the_corpus() -> None:
    folder = corpus(".")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.onnx")}
    others = {name for name in found if name.startswith("acasxu45/")}  # one shape, one exporter: see below
    assert found - others == LOADED.keys() | REFUSED.keys()
    assert len(others) == 43


def test_the_other_networks_of_acas_xu_load() -> None:
    for name in ("1_2", "5_9"):
        net = load_network(corpus(f"acasxu45/ACASXU_run2a_{name}_batch_2000.onnx"))
        assert (net.n_inputs, net.widths, net.n_outputs) == (5, (50,) * 6, 5)


@pytest.mark.parametrize("name", LOADED)
def test_onnx_loads(name: str) -> None:
    net = load_network(corpus(name))
    assert repr(net) == f"<Network {Path(name).name}: {LOADED[name]} neurons>"


@pytest.mark.parametrize("name", REFUSED)
def test_onnx_is_refused_by_name(name: str) -> None:
    file = corpus(name)
    with pytest.raises(UnsupportedError) as caught:
        load_network(file)
    assert str(file) in str(caught.value)
    assert REFUSED[name] in str(caught.value)


@pytest.mark.parametrize("name", LOADED)
def test_onnx_agrees_with_onnxruntime_on_other_points(name: str) -> None:
    """Run on the file itself, not on the pruned copy that the loader compares with."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    file = corpus(name)
    net = load_network(file, check=False)
    if name in BEFORE_OPSET_7:  # onnxruntime does not take it
        session = onnx.reference.ReferenceEvaluator(str(file))
        shapes = {"input": [1, 1, 1, 5]}
    else:
        session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        shapes = {v.name: [n if isinstance(n, int) else 1 for n in v.shape] for v in session.get_inputs()}
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    for x in np.random.default_rng(5).uniform(-1, 1, (3, net.n_inputs)).astype(np.float32):
        parts = zip(shapes.items(), np.split(x, ends[:-1]), strict=True)
        found = session.run(None, {key: part.reshape(shape) for (key, shape), part in parts})
        y, expected = np.concatenate([np.ravel(part) for part in found]), net(x)
        if "softmax" in name:  # taken off by the loader
            expected = np.exp(expected - expected.max()) / np.exp(expected - expected.max()).sum()
        np.testing.assert_allclose(expected, y, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(y).max()))


@pytest.mark.parametrize("name", ["controller_double_pendulum_less_robust", "controller_single_pendulum"])
def test_nnet_is_the_onnx_beside_it_to_five_decimals(name: str) -> None:
    text = load_network(corpus(f"archcomp/{name}.nnet"))
    binary = load_network(corpus(f"archcomp/{name}.onnx"))
    for a, b in zip(text.layers, binary.layers, strict=True):
        assert np.abs(a.weight - b.weight).max() < 0.51e-5
        assert np.abs(a.bias - b.bias).max() < 0.51e-5
        assert np.array_equal(a.slopes, b.slopes)


def test_nnet_of_marabou_is_the_onnx_beside_it() -> None:
    text, binary = (
        load_network(corpus("marabou/fc_2-2-3.nnet")),
        load_network(corpus("marabou/fc_2-2-3.onnx")),
    )
    for a, b in zip(text.layers, binary.layers, strict=True):
        assert np.array_equal(a.weight, b.weight)
        assert np.array_equal(a.bias, b.bias)


def test_every_vnnlib_file_is_one_set_or_says_how_many() -> None:
    folder = corpus(".")
    files = sorted(folder.rglob("*.vnnlib"))
    assert len(files) > 30
    for file in files:
        expected = SEVERAL_BOXES.get(str(file.relative_to(folder)), 1)
        assert len(load_vnnlib_domains(file)) == expected
        if expected > 1:
            with pytest.raises(UnsupportedError, match=f"{expected} different sets"):
                load_domain(file)


def test_a_property_and_its_network_have_the_same_inputs() -> None:
    domain = load_domain(corpus("acasxu/prop_3.vnnlib"))
    assert domain.dim == load_network(corpus("acasxu/ACASXU_run2a_1_1_batch_2000.onnx")).n_inputs
    rows = (domain.polytope() if isinstance(domain, Box) else domain).exact_rows
    ends = {Fraction(-row[-1], row[0]) for row in rows if row[0]}
    assert ends == {Fraction("-0.303531156"), Fraction("-0.298552812")}
    assert load_domain(corpus("mnistfc/prop_0_0.03.vnnlib")).dim == 784
