"""A final Softmax or Sigmoid that a loader took off: what is asked of the outputs is asked of them, or refused.

Expected values come from the logistic function itself, in floats of 50 digits (`decimal`), and from sampling.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal, getcontext
from fractions import Fraction
from math import exp, inf, log
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from onnx_models import model, node
from polyregions.cli import main
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.npz import network_arrays, network_of_arrays
from polyregions.networks.final_values import nearest_values

getcontext().prec = 60
TWO = pr.Network.from_layers([([[1.0], [-1.0]], [0, 0]), ([[1, 0], [0, 0]], [0, 1])])  # relu(x), 1
LOGIT = pr.Network.from_layers([([[1.0]], [0])])
THREE = pr.Network.from_layers([([[1.0], [-1.0], [0.5]], [0, 0, 1])])
BOX = pr.Box([-1], [2])


def behind(network: pr.Network, name: str) -> pr.Network:
    return replace(network, final_function=name)


def half_space(c: int, output: int, sign: int, threshold: object) -> pr.HPolytope:
    level = Fraction(threshold)  # type: ignore[arg-type]
    row = [0] * (c + 1)
    row[output], row[c] = sign * level.denominator, -sign * level.numerator
    return pr.HPolytope.of_exact_rows([row], [level.denominator], c, [False], ["threshold"])


def above(c: int, output: int, threshold: object) -> pr.HPolytope:
    """Outputs p with p[output] >= threshold."""
    return half_space(c, output, 1, threshold)


def below(c: int, output: int, threshold: object) -> pr.HPolytope:
    return half_space(c, output, -1, threshold)


def verdict(network: pr.Network, *unsafe: pr.HPolytope) -> str:
    return pr.verify(network, pr.Property.avoid(BOX, *unsafe)).verdict


def sigmoid(x: object) -> Decimal:
    return 1 / (1 + (-Decimal(str(x))).exp())


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize("threshold", ["-1", "0"])
def test_a_probability_is_always_above_zero(threshold: str) -> None:
    for name, net in (("Softmax", TWO), ("Softmax", THREE), ("Sigmoid", LOGIT)):
        assert verdict(behind(net, name), above(net.n_outputs, 0, threshold)) == "violated"
        assert verdict(behind(net, name), below(net.n_outputs, 0, threshold)) == "holds"


@pytest.mark.parametrize("threshold", ["1", "2"])
def test_a_probability_is_never_one(threshold: str) -> None:
    for name, net in (("Softmax", TWO), ("Softmax", THREE), ("Sigmoid", LOGIT)):
        assert verdict(behind(net, name), above(net.n_outputs, 0, threshold)) == "holds"
        assert verdict(behind(net, name), below(net.n_outputs, 0, threshold)) == "violated"


@pytest.mark.parametrize("name", ["Sigmoid", "Softmax"])
def test_a_threshold_is_met_to_the_last_digit(name: str) -> None:
    """The largest probability is sigmoid(2), of relu(x) - 1 on two outputs sigmoid(1)."""
    net, top = (LOGIT, sigmoid(2)) if name == "Sigmoid" else (TWO, sigmoid(1))
    step = Decimal(10) ** -40
    assert verdict(behind(net, name), above(net.n_outputs, 0, top + step)) == "holds"
    assert verdict(behind(net, name), above(net.n_outputs, 0, top - step)) == "violated"


def test_one_half_is_exact() -> None:
    """relu(x) - 1 = 0 at x = 1 and nowhere above 1/2 on [-1, 1]."""
    box = pr.Box([-1], [1])
    closed = pr.Property.avoid(box, above(2, 0, "1/2"))
    assert pr.verify(behind(TWO, "Softmax"), closed).counterexample.point.tolist() == [1.0]
    opened = pr.Property.avoid(box, pr.HPolytope([[-1, 0]], [-0.5], strict=[True]))
    assert pr.verify(behind(TWO, "Softmax"), opened).verdict == "holds"


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax", "Sigmoid"])
@pytest.mark.parametrize("net", [TWO, THREE])
def test_comparisons_are_those_of_the_logits(name: str, net: pr.Network) -> None:
    row = [1, -1] + [0] * (net.n_outputs - 2)
    for sign in (1, -1):
        unsafe = pr.HPolytope([[sign * r for r in row]], [0])
        assert verdict(behind(net, name), unsafe) == verdict(net, unsafe)


def test_thresholds_of_a_log_softmax_of_two() -> None:
    top = sigmoid(1).ln()
    step = Decimal(10) ** -40
    assert verdict(behind(TWO, "LogSoftmax"), above(2, 0, top + step)) == "holds"
    assert verdict(behind(TWO, "LogSoftmax"), above(2, 0, top - step)) == "violated"
    assert verdict(behind(TWO, "LogSoftmax"), above(2, 0, 0)) == "holds"


def test_differences_of_log_probabilities_are_differences_of_logits() -> None:
    """x - (-x) >= 3 at x = 1.5, whatever is subtracted from both."""
    unsafe = pr.HPolytope([[-1, 1, 0]], [-3])
    found = pr.verify(behind(THREE, "LogSoftmax"), pr.Property.avoid(BOX, unsafe))
    assert found.verdict == "violated" and found.counterexample.inputs[0] >= Fraction(3, 2)


def test_counterexamples_show_the_probabilities() -> None:
    found = pr.verify(behind(LOGIT, "Sigmoid"), pr.Property.avoid(BOX, above(1, 0, "0.8"))).counterexample
    assert found.values[0] == float(sigmoid(float(found.inputs[0]))) >= 0.8


def test_a_threshold_of_three_classes_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="Softmax .*is no polyhedron.*without_final_function"):
        verdict(behind(THREE, "Softmax"), above(3, 0, "0.3"))
    with pytest.raises(UnsupportedError, match="ArgMax"):
        verdict(behind(THREE, "ArgMax"), above(3, 0, "0.3"))


def test_a_row_that_never_holds_saves_the_others_from_being_refused() -> None:
    both = pr.HPolytope([[-1, 0, 0], [-1, 0, 0]], [-0.25, -2])
    assert verdict(behind(THREE, "Softmax"), both) == "holds"


def test_two_irrational_thresholds_that_touch_are_undecided() -> None:
    """p = 3/4 is reached at the logarithm of 3, which no rational input is."""
    exactly = pr.HPolytope([[-1], [1]], [-0.75, 0.75])
    found = pr.verify(behind(LOGIT, "Sigmoid"), pr.Property.avoid(BOX, exactly))
    assert found.verdict == "unknown" and "undecided" in found.reason


def test_verdicts_against_sampling() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        net = pr.Network.from_layers(
            [
                (rng.integers(-3, 4, (4, 2)), rng.integers(-2, 3, 4)),
                (rng.normal(size=(2, 4)), rng.normal(size=2)),
            ]
        )
        box = pr.Box([-1, -1], [1, 1])
        logits = net(rng.uniform(-1, 1, (4000, 2)))
        p = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
        for threshold in (p.max() - 1e-6, p.min() - 1e-3):
            if 0 < threshold < 1:
                prop = pr.Property.avoid(box, above(2, 0, threshold))
                assert pr.verify(behind(net, "Softmax"), prop).verdict == "violated"
        regions = pr.enumerate_regions(net, box)
        lead = pr.maximize(regions, [1, -1]).exact
        top = 1 / (1 + (-Decimal(lead.numerator) / Decimal(lead.denominator)).exp())
        prop = pr.Property.avoid(box, above(2, 0, top + Decimal(10) ** -30))
        assert pr.verify(behind(net, "Softmax"), prop).verdict == "holds"


# ---------------------------------------------------------------- queries


def regions_of(net: pr.Network) -> pr.RegionSet:
    return pr.enumerate_regions(net, BOX)


def test_ranges_are_those_of_the_outputs() -> None:
    ((low, high),) = pr.output_range(regions_of(behind(LOGIT, "Sigmoid")))
    assert (low.value, high.value) == (float(sigmoid(-1)), float(sigmoid(2)))
    assert low.exact is high.exact is None and high.point == (2,)
    (first, second) = pr.output_range(regions_of(behind(TWO, "Softmax")))
    assert [e.value for e in first] == [float(sigmoid(-1)), float(sigmoid(1))]
    assert [e.value for e in second] == [float(sigmoid(-1)), float(sigmoid(1))]
    (first, second) = pr.output_range(regions_of(behind(TWO, "LogSoftmax")))
    assert [e.value for e in first] == [float(sigmoid(-1).ln()), float(sigmoid(1).ln())]


def test_an_unbounded_logit_has_the_limit() -> None:
    line = pr.enumerate_regions(behind(LOGIT, "Sigmoid"), pr.WholeSpace(1))
    assert [e.value for e in pr.output_range(line)[0]] == [0.0, 1.0]


REFUSED = {
    "output_range": lambda r: pr.output_range(r),
    "maximize": lambda r: pr.maximize(r, [1, 1, 0]),
    "with inputs": lambda r: pr.maximize(r, [1, 0, 0], [1]),
    "lipschitz": lambda r: pr.lipschitz_constant(r),
    "image": lambda r: pr.image(r),
    "preimage": lambda r: pr.preimage(r, above(3, 0, "0.3")),
    "level_set": lambda r: pr.level_set(r, "0.3"),
    "local_models": lambda r: pr.local_models(r),
    "minimize_convex": lambda r: pr.minimize_convex(r, lambda x, y: y[0]),
    "maximize_concave": lambda r: pr.maximize_concave(r, lambda x, y: y[0]),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_has_no_translation_is_refused(name: str) -> None:
    regions = regions_of(behind(THREE, "Softmax"))
    with pytest.raises((UnsupportedError, pr.PolyregionsError), match="Softmax|level set"):
        REFUSED[name](regions)


def test_level_sets_of_a_probability() -> None:
    regions = regions_of(behind(TWO, "Softmax"))
    (piece,) = pr.level_set(regions, 0.5)
    assert piece.polytope.vertices().tolist() == [[1.0]]
    assert pr.level_set(regions, 2) == () == pr.level_set(regions, 0)
    with pytest.raises(UnsupportedError, match="irrational"):
        pr.level_set(regions, 0.25)


def test_preimages_of_probabilities() -> None:
    regions = regions_of(behind(TWO, "Softmax"))
    found = pr.preimage(regions, above(2, 0, "1/2"))
    assert [p.polytope.vertices().ravel().tolist() for p in found] == [[1.0, 2.0]]
    assert pr.preimage(regions, above(2, 0, 2)) == ()


def test_classes_and_radii_are_as_before() -> None:
    plain, soft = regions_of(TWO), regions_of(behind(TWO, "Softmax"))
    assert pr.decision_cells(plain).per_class() == pr.decision_cells(soft).per_class()
    assert pr.robustness_radius(pr.decision_cells(soft), [0.5]).radius == 0.5


# ---------------------------------------------------------------- the mark is kept


def test_it_is_written_with_the_network_and_the_regions(tmp_path: Path) -> None:
    net = behind(TWO, "Softmax")
    assert network_of_arrays(network_arrays(net), "x", "x").final_function == "Softmax"
    pr.save(regions_of(net), tmp_path / "r.npz")
    assert pr.load_regions(tmp_path / "r.npz").network.final_function == "Softmax"
    arrays = network_arrays(net) | {"final_function": np.array("Tanh")}
    with pytest.raises(FormatError, match="final_function is .*Tanh"):
        network_of_arrays(arrays, "x", "x")


def test_simplified_networks_keep_it() -> None:
    net = behind(TWO, "Softmax")
    assert pr.simplify(net, regions_of(net))[0].final_function == "Softmax"
    assert copy.copy(net).final_function == "Softmax"


# ---------------------------------------------------------------- files and the command line


def softmax_file(folder: Path, op: str = "Softmax") -> str:
    """relu(x) - 10 and -20 behind a Softmax: the first probability is above 0.9999 everywhere."""
    nodes = [node("Gemm", ["x", "w", "b"], "h"), node("Relu", ["h"], "r"), node("Gemm", ["r", "v", "c"], "z")]
    nodes.append(node(op, ["z"], "y"))
    weights = {"w": [[1.0]], "b": [0.0], "v": [[1.0, 0.0]], "c": [-10.0, -20.0]}
    arrays = {name: np.array(value, dtype=np.float32) for name, value in weights.items()}
    path = folder / f"{op}.onnx"
    path.write_bytes(model(nodes, [1, 1], arrays).SerializeToString())
    return str(path)


def property_file(folder: Path, *asserts: str) -> str:
    declared = "".join(f"(declare-const {v} Real)\n" for v in ("X_0", "Y_0", "Y_1"))
    text = declared + "(assert (>= X_0 -1))(assert (<= X_0 1))" + "".join(f"(assert {a})" for a in asserts)
    path = folder / "p.vnnlib"
    path.write_text(text)
    return str(path)


def test_verify_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, prop = softmax_file(tmp_path), property_file(tmp_path, "(>= Y_0 0.5)")
    assert main(["verify", file, prop, "--json", "-q"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "violated" and "taken off" in report["notices"][0]
    example = report["counterexample"]
    assert example["outputs"][0] == pytest.approx(
        1 / (1 + exp(-10 - max(example["inputs"][0], 0))), abs=1e-12
    )
    assert example["runtime_outputs"] == pytest.approx(example["outputs"], abs=1e-6)
    assert main(["verify", file, prop, "-q", "--logits", "--vnncomp"]) == 0  # the logits never are


def test_query_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = softmax_file(tmp_path)
    assert main(["query", file, "--box", "-1", "1", "--json", "-q"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["range"][0] == [1 / (1 + exp(-10)), pytest.approx(1 / (1 + exp(-11)), rel=1e-15)]
    assert main(["query", file, "--box", "-1", "1", "--json", "-q", "--logits"]) == 0
    assert json.loads(capsys.readouterr().out)["range"] == [[-10, -9], [-20, -20]]
    assert main(["query", file, "--box", "-1", "1", "--lipschitz", "-q"]) == 2
    assert "--logits" in capsys.readouterr().err


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("x", ["0", "1e-300", "-1e300", "1e300", "-745.2", "36.7", "709", "-1e30"])
def test_values_are_rounded_once(x: str) -> None:
    exact = Fraction(Decimal(x))
    (found,) = nearest_values("Sigmoid", [exact])
    expected = float(sigmoid(x)) if abs(exact) < 10**6 else float(exact > 0)
    assert found == expected
    soft, logs = (
        nearest_values("Softmax", [exact, Fraction(0)]),
        nearest_values("LogSoftmax", [exact, Fraction(0)]),
    )
    assert soft[0] == found
    if abs(exact) < 10**6:
        assert logs[0] == float(sigmoid(x).ln()) if sigmoid(x) < 1 else logs[0] > -1e-15
    assert logs[0] >= -inf and log(2) > 0.69


def test_every_source_leaves_the_mark(tmp_path: Path) -> None:
    for op in ("Softmax", "LogSoftmax", "Sigmoid", "ArgMax"):
        if op != "ArgMax":
            assert pr.load_network(softmax_file(tmp_path, op)).final_function == op
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Softmax(1)).eval()
    assert pr.load_network(module).final_function == "Softmax"
    neural = pytest.importorskip("sklearn.neural_network")
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    with np.errstate(all="ignore"):
        fitted = neural.MLPClassifier((2,), solver="lbfgs", max_iter=30, random_state=0)
        try:
            fitted.fit(X, y)
        except Warning:
            return
    assert pr.load_network(fitted).final_function == "Sigmoid"
