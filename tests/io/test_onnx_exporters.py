"""What exporters write around the operators: open batches, versions, classifiers, bounds that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx_models import helper, ints, mlp, model, node, onnx
from polyregions import Box, Network, count_regions, load_network
from polyregions.cli import main
from polyregions.errors import FormatError, OptionError, UnsupportedError
from polyregions.io.models.onnx.graph import graph_of_model
from polyregions.io.models.onnx.operators import graph_of_onnx
from polyregions.io.models.onnx.read import network_of_onnx
from polyregions.io.models.onnx.versions import check_other_versions

ML = "ai.onnx.ml"


def read(m: Any, **options: Any) -> Network:
    return network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx", **options)


def scalars(*values: float) -> Any:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize("size", [0, -1, "N", None])
def test_an_open_batch_however_it_is_written(size: Any) -> None:
    m = mlp()
    dim = m.graph.input[0].type.tensor_type.shape.dim[0]
    dim.Clear()
    if isinstance(size, int):
        dim.dim_value = size
    elif size is not None:
        dim.dim_param = size
    net = read(m)
    assert net.widths == (3,)
    assert net.notices == ()


def several_versions(*versions: tuple[str, int], nodes: list[Any] | None = None) -> Any:
    m = mlp() if nodes is None else model(nodes, [1, 2], {})
    del m.opset_import[:]
    m.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in versions)
    return m


@pytest.mark.parametrize(
    "versions",
    [
        [("", 13), ("", 13)],
        [("", 13), ("", 9)],
        [("ai.onnx", 9), ("", 13)],
        [("", 9), (ML, 3), ("", 11), ("", 18)],
    ],
)
def test_several_versions_that_mean_the_same(versions: list[tuple[str, int]]) -> None:
    assert read(several_versions(*versions)).widths == (3,)


def test_several_versions_that_mean_different_things_are_refused() -> None:
    """A softmax over the axes from 0 on until opset 12, over axis 0 alone since; and a range of opsets."""
    nodes = [node("Relu", ["x"], "r"), node("Softmax", ["r"], "y", axis=0)]
    assert read(several_versions(("", 12), nodes=nodes)).n_outputs == 2
    with pytest.raises(UnsupportedError, match="only a part of the outputs"):
        read(several_versions(("", 12), ("", 13), nodes=nodes))
    nodes = [node("Clip", ["x"], "y", min=0.0)]  # opset 11 has no such attribute
    assert read(several_versions(("", 13), ("", 7), nodes=nodes))([-1, 2]).tolist() == [0, 2]
    with pytest.raises(FormatError, match="operator Clip .* attribute 'min', which opset 13 does not have"):
        read(several_versions(("", 7), ("", 13), nodes=nodes))
    with pytest.raises(UnsupportedError, match="opset 40, which is newer than this reader, expected 6 to 28"):
        read(several_versions(("", 40), ("", 13)))
    with pytest.raises(FormatError, match="declares no version"):
        read(several_versions((ML, 1)))


def test_a_file_that_means_two_networks_is_refused() -> None:
    onnx_graph = graph_of_model(several_versions(("", 9), ("", 13)), "m.onnx")
    check_other_versions(onnx_graph, graph_of_onnx(onnx_graph))
    other = graph_of_onnx(
        graph_of_model(several_versions(("", 13), nodes=[node("Abs", ["x"], "y")]), "m.onnx")
    )
    with pytest.raises(UnsupportedError, match="versions 9 and 13 .* mean different networks"):
        check_other_versions(onnx_graph, other)


@pytest.mark.parametrize(
    ("op", "opset", "attributes"),
    [
        ("Clip", 11, {"min": 0.0, "max": 1.0}),
        ("ReduceSum", 13, {"axes": [0]}),
        ("ReduceMean", 18, {"axes": [0]}),
        ("Squeeze", 13, {"axes": [0]}),
        ("Pad", 11, {"pads": [0, 1, 0, 1]}),
        ("Slice", 10, {"starts": [0], "ends": [1]}),
        ("Shape", 13, {"start": 1}),
        ("Add", 7, {"broadcast": 1}),
    ],
)
def test_attributes_of_another_version_are_refused(op: str, opset: int, attributes: dict[str, Any]) -> None:
    """Left out silently, they would mean another network."""
    name = min(attributes)
    with pytest.raises(
        FormatError, match=f"operator {op} .*attribute '{name}', which opset {opset} does not have"
    ):
        read(model([node(op, ["x"], "y", **attributes)], [1, 2], {}, opset=opset))


CLIPS = [
    (-1.0, np.inf, [-1, -0.5, 3]),
    (-np.inf, 1.0, [-2, -0.5, 1]),
    (-np.inf, np.inf, [-2, -0.5, 3]),
    (2.0, 1.0, [1, 1, 1]),
    (np.inf, 1.0, [1, 1, 1]),
    (1.0, 1.0, [1, 1, 1]),
]


@pytest.mark.parametrize(("lower", "upper", "expected"), CLIPS)
@pytest.mark.parametrize("way", ["inputs", "constants", "attributes", "max and min"])
def test_bounds_that_are_none_or_cross(lower: float, upper: float, expected: list[float], way: str) -> None:
    given = {"lo": np.float32(lower), "hi": np.float32(upper)}
    clip = node("Clip", ["x", "lo", "hi"], "y")
    match way:
        case "inputs":
            m = model([clip], [3], given)
        case "constants":
            constants = [
                node("Constant", [], name, value_float=float(value)) for name, value in given.items()
            ]
            m = model([*constants, clip], [3], {})
        case "attributes":
            m = model([node("Clip", ["x"], "y", min=lower, max=upper)], [3], {}, opset=10)
        case _:
            m = model([node("Max", ["x", "lo"], "l"), node("Min", ["l", "hi"], "y")], [3], given)
    if way == "max and min" and lower == np.inf:
        return  # max(x, inf) is no number
    net = read(m)
    assert net([-2, -0.5, 3]).tolist() == expected
    if way != "max and min":
        assert net.n_neurons == (0 if lower >= upper else 3 * int(np.isfinite([lower, upper]).sum()))


@pytest.mark.parametrize(("lower", "upper"), [(np.inf, np.inf), (-np.inf, -np.inf), (np.nan, 1.0)])
def test_bounds_that_leave_no_number_are_refused(lower: float, upper: float) -> None:
    with pytest.raises(FormatError, match=r"clips to \[|expected a finite number"):
        read(
            model(
                [node("Clip", ["x", "lo", "hi"], "y")],
                [3],
                {"lo": np.float32(lower), "hi": np.float32(upper)},
            )
        )


def test_a_crossed_clip_is_one_region() -> None:
    given = {"lo": np.float32(2), "hi": np.float32(1)}
    net = read(model([node("Clip", ["x", "lo", "hi"], "y")], [4], given))
    assert count_regions(net, Box.cube(-1, 1, 4)) == 1


def test_infinite_numbers_elsewhere_are_refused() -> None:
    nodes = [node("Constant", [], "c", value_float=np.inf), node("Add", ["x", "c"], "y")]
    with pytest.raises(FormatError, match=r"tensor 'c'\[\] is inf, expected a finite number"):
        read(model(nodes, [3], {}))


@pytest.mark.parametrize("roi", [None, "constant", "empty name"])
def test_resizing_as_exporters_write_it(roi: str | None) -> None:
    attributes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    if roi is None:
        attributes |= {"antialias": 0, "exclude_outside": 0, "keep_aspect_ratio_policy": "stretch",
                       "extrapolation_value": 0.0, "cubic_coeff_a": -0.75}  # fmt: skip
    nodes = [node("Resize", ["x", "roi" if roi == "constant" else "", "s"], "y", **attributes)]
    if roi == "constant":
        nodes.insert(0, node("Constant", [], "roi", value=helper.make_tensor("roi", 1, [0], [])))
    net = read(model(nodes, [1, 1, 1, 2], {"s": scalars(1, 1, 2, 2)}, opset=18 if roi is None else 11))
    assert net([3, 4]).tolist() == [3, 3, 4, 4] * 2


def test_sizes_behind_empty_scales() -> None:
    nodes = [
        node("Constant", [], "none", value=helper.make_tensor("none", 1, [0], [])),
        node("Resize", ["x", "none", "none", "n"], "y", mode="nearest", nearest_mode="floor",
             coordinate_transformation_mode="asymmetric"),
    ]  # fmt: skip
    assert read(model(nodes, [1, 1, 2], {"n": ints(1, 1, 4)}, opset=11))([3, 4]).tolist() == [3, 3, 4, 4]


@pytest.mark.parametrize("name", ["antialias", "exclude_outside"])
def test_resizing_with_another_meaning_is_refused(name: str) -> None:
    resize = node("Resize", ["x", "", "s"], "y", mode="linear", **{name: 1})
    with pytest.raises(UnsupportedError, match=f"attribute {name} = 1, expected 0"):
        read(model([resize], [1, 1, 2, 2], {"s": scalars(1, 1, 2, 2)}, opset=18))


def classifier(n_classes: int, *, zipmap: bool) -> Any:
    """As skl2onnx writes an MLPClassifier: a label, and probabilities of two or more classes."""
    rng = np.random.default_rng(n_classes)
    n_out = 1 if n_classes == 2 else n_classes
    given = {
        "W": rng.standard_normal((2, 4)).astype(np.float32),
        "V": rng.standard_normal((4, n_out)).astype(np.float32),
        "one": np.float32(1),
        "classes": np.arange(n_classes, dtype=np.int32),
        "flat": ints(-1),
    }
    nodes = [
        node("Cast", ["x"], "f", to=1),
        node("MatMul", ["f", "W"], "h"),
        node("Relu", ["h"], "r"),
        node("MatMul", ["r", "V"], "z"),
    ]
    if n_classes == 2:
        nodes += [
            node("Sigmoid", ["z"], "p"),
            node("Sub", ["one", "p"], "q"),
            node("Concat", ["q", "p"], "probabilities", axis=1),
        ]
    else:
        nodes += [node("Softmax", ["z"], "s"), node("Identity", ["s"], "probabilities")]
    nodes += [
        node("ArgMax", ["probabilities"], "best", axis=1),
        helper.make_node("ArrayFeatureExtractor", ["classes", "best"], ["found"], domain=ML),
        node("Reshape", ["found", "flat"], "shaped"),
        node("Cast", ["shaped"], "label", to=7),
    ]
    scores = helper.make_tensor_value_info("probabilities", 1, [None, n_classes])
    if zipmap:
        nodes.append(
            helper.make_node(
                "ZipMap", ["probabilities"], ["named"], domain=ML, classlabels_int64s=list(range(n_classes))
            )
        )
        values = helper.make_tensor_type_proto(1, [])
        scores = helper.make_value_info(
            "named", helper.make_sequence_type_proto(helper.make_map_type_proto(7, values))
        )
    m = model(nodes, ["N", 2], given)
    del m.graph.output[:]
    m.graph.output.extend([helper.make_tensor_value_info("label", 7, [None]), scores])
    m.opset_import.append(helper.make_opsetid(ML, 1))
    return m


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("zipmap", [False, True])
def test_a_classifier_is_read_up_to_its_probabilities(n_classes: int, zipmap: bool) -> None:
    """The largest output is the label, and the outputs are logits of the probabilities."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    m = classifier(n_classes, zipmap=zipmap)
    net = read(m)
    assert net.n_outputs == n_classes
    assert "output 'label' is a label, and left out" in net.notices[0]
    session = runtime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    for x in np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32):
        label, scores = session.run(None, {"x": x[None]})
        probabilities = np.array(list(scores[0].values())) if zipmap else scores[0]
        logits = net(x)
        assert np.argmax(logits) == label[0]
        shares = np.exp(logits - logits.max())
        np.testing.assert_allclose(shares / shares.sum(), probabilities, atol=1e-6)


def test_an_output_is_chosen_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "classifier.onnx"
    path.write_bytes(classifier(3, zipmap=False).SerializeToString())
    assert load_network(path).n_outputs == load_network(path, output="probabilities").n_outputs == 3
    assert load_network(path, output="r").n_outputs == 4
    assert load_network(path, output="z").notices == ()
    with pytest.raises(OptionError, match=r"has no output 'other', there are: label, probabilities"):
        load_network(path, output="other")
    with pytest.raises(OptionError, match="output names an output of an ONNX file"):
        load_network([([[1.0]], [0.0])], output="y")
    assert main(["count", str(path), "--network-output", "r", "--box", "-1", "1", "--json"]) == 0
    assert "r" in capsys.readouterr().out
    assert main(["count", str(path), "--network-output", "other", "--box", "-1", "1"]) == 2


def test_an_output_that_is_no_label_is_not_left_out() -> None:
    """Two outputs of one network, one of integers that are not looked up as a label: refused, not dropped."""
    m = model([node("Relu", ["x"], "y"), node("Cast", ["y"], "n", to=7)], [1, 2], {})
    m.graph.output.append(helper.make_tensor_value_info("n", 7, None))
    with pytest.raises(UnsupportedError, match="operator Cast"):
        read(m)


def pipeline(op: str, **attributes: Any) -> Any:
    m = model(
        [helper.make_node(op, ["x"], ["s"], domain=ML, **attributes), node("Relu", ["s"], "y")], [1, 2], {}
    )
    m.opset_import.append(helper.make_opsetid(ML, 1))
    return m


def test_pipelines_of_scikit_learn() -> None:
    scaled = read(pipeline("Scaler", offset=[0.5, -1.0], scale=[2.0, 0.25]))
    assert scaled([1, 1]).tolist() == [1, 0.5]
    assert read(pipeline("Scaler", offset=[0.5], scale=[2.0]))([1, 2]).tolist() == [1, 3]
    assert read(pipeline("Imputer", imputed_value_floats=[1.0], replaced_value_float=np.nan))(
        [1, 2]
    ).tolist() == [1, 2]
    linear = {"coefficients": [1.0, 2.0, 3.0, -4.0], "intercepts": [0.5, 0.0], "targets": 2}
    assert read(pipeline("LinearRegressor", **linear))([1, 1]).tolist() == [3.5, 0]
    for op, attributes, match in [
        ("Imputer", {"imputed_value_floats": [1.0], "replaced_value_float": 0.0}, "replaces the value 0.0"),
        ("Scaler", {"offset": [1.0, 2.0, 3.0]}, "3 numbers in offset for 2 features"),
        ("LinearRegressor", linear | {"post_transform": "LOGISTIC"}, "post_transform 'LOGISTIC'"),
        ("LinearRegressor", {"coefficients": [1.0]}, "1 coefficients"),
        ("Normalizer", {"norm": "L2"}, "not supported"),
    ]:
        with pytest.raises(FormatError, match=f"operator {ML}:{op} .*{match}"):
            read(pipeline(op, **attributes))


def test_functions_of_the_file_are_refused_where_they_are_used() -> None:
    m = mlp()
    body = helper.make_function(
        "own", "Unused", ["a"], ["b"], [node("Relu", ["a"], "b")], [helper.make_opsetid("", 13)]
    )
    m.functions.append(body)
    assert read(m).widths == (3,)
    m.functions[0].domain, m.functions[0].name = "", "Relu"
    with pytest.raises(UnsupportedError, match="operator Relu .* is a function that the file defines"):
        read(m)


def test_every_version_that_the_installed_onnx_knows_is_read_or_named() -> None:
    newest = onnx.defs.onnx_opset_version()
    if newest <= 28:
        assert read(mlp(newest)).widths == (3,)
    else:
        with pytest.raises(UnsupportedError, match=f"opset {newest}, which is newer than this reader"):
            read(mlp(newest))
