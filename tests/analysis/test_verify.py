"""Verdicts against brute force, exact ties, disjunctions, thin and unbounded input sets, and the corpus."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
import polyregions as pr
from corpus import corpus
from polyregions import Box, HPolytope, Network, Property
from polyregions.analysis.verification.property import Case, Violation
from polyregions.errors import DomainError, InputError, NetworkError, OptionError
from polyregions.io.specs.vnnlib.property import property_of_vnnlib
from random_networks import network_of, networks
from randoms import float_layers, generator, integer_layers, integers

ABS = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])], name="abs")
"""|x|."""
HAT = Network.from_layers(
    [([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])], name="hat"
)
"""|x + y| + |x - y| = 2 max(|x|, |y|)."""


def at_least(t: Any) -> HPolytope:
    """The outputs y_0 >= t, for a rational t."""
    t = Fraction(t)
    return HPolytope.of_exact_rows([[t.denominator, -t.numerator]], [1], 1, None, ["y0"])


def check_counterexample(network: Network, prop: Property, found: pr.Verification) -> None:
    """By the naive forward pass: inputs in the case's set, outputs in the violation."""
    example = found.counterexample
    assert example is not None
    layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in network.layers]
    assert naive.forward(layers, example.inputs) == example.outputs
    case = prop.cases[example.case]
    assert case.violations[example.violation].holds(example.inputs, example.outputs)
    rows = case.domain.polytope().exact_rows if isinstance(case.domain, Box) else case.domain.exact_rows
    assert all(naive.dot(row, [*example.inputs, Fraction(1)]) >= 0 for row in rows)


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize(
    ("t", "verdict"),
    [(0, "violated"), (2, "violated"), (Fraction(2) + Fraction(1, 10**30), "holds"), (3, "holds")],
)
def test_a_maximum_that_is_met_exactly(t: Any, verdict: str) -> None:
    prop = Property.avoid(Box([-1], [2]), at_least(t))
    found = pr.verify(ABS, prop)
    assert found.verdict == verdict
    if verdict == "violated":
        check_counterexample(ABS, prop, found)


@pytest.mark.parametrize(("strict", "verdict"), [(False, "violated"), (True, "holds")])
def test_a_minimum_at_a_kink_is_met_exactly(strict: bool, verdict: str) -> None:
    """|x| <= 0 at one point, |x| < 0 nowhere."""
    unsafe = HPolytope([[1]], [0], strict=[strict])
    assert pr.verify(ABS, Property.avoid(Box([-1], [2]), unsafe)).verdict == verdict


def test_a_minimum_at_a_rational_point_that_is_no_float() -> None:
    """|3 x - 1| <= 0 only at 1/3."""
    net = Network.from_layers([([[3], [-3]], [-1, 1]), ([[1, 1]], [0])])
    found = pr.verify(net, Property.avoid(Box([0], [1]), HPolytope([[1]], [0])))
    assert found.counterexample is not None
    assert found.counterexample.inputs == (Fraction(1, 3),)
    assert not found.counterexample.is_float64
    assert found.counterexample.outputs == (0,)


def test_bounds_are_the_decimals_of_the_file() -> None:
    """0.1 as a float is above one tenth: the largest output is one tenth, not the float."""
    text = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 0.1))(assert (>= X_0 0))"
    exact = property_of_vnnlib(f"{text}(assert (>= Y_0 0.1))", "p")
    found = pr.verify(ABS, exact)
    assert found.counterexample is not None
    assert found.counterexample.inputs == (Fraction(1, 10),)
    above = Fraction(0.1)
    assert above > Fraction(1, 10)
    prop = Property(
        (Case(exact.cases[0].domain, (Violation(((0, above.denominator, -above.numerator),), (False,)),)),),
        1,
        1,
    )
    assert pr.verify(ABS, prop).verdict == "holds"


def test_within_says_that_the_boundary_is_safe() -> None:
    assert (
        pr.verify(HAT, Property.within(Box([-1, -1], [1, 1]), HPolytope([[1], [-1]], [2, 0]))).verdict
        == "holds"
    )
    closed = HPolytope([[1], [-1]], [2, 0], strict=[True, False])
    assert pr.verify(HAT, Property.within(Box([-1, -1], [1, 1]), closed)).verdict == "violated"


def test_one_of_several_violations_is_enough() -> None:
    prop = Property.avoid(Box([-1], [2]), at_least(5), HPolytope([[1]], [-1]), at_least(2))
    found = pr.verify(ABS, prop)
    assert found.counterexample is not None
    assert found.counterexample.violation == 2


def test_a_union_of_input_sets() -> None:
    sets = "(or (and (>= X_0 -1) (<= X_0 1)) (and (>= X_0 5) (<= X_0 6)))"
    text = f"(declare-const X_0 Real)(declare-const Y_0 Real)(assert {sets})"
    safe = property_of_vnnlib(text + "(assert (and (>= Y_0 2) (<= Y_0 4)))", "p")
    assert len(safe.cases) == 2
    assert pr.verify(ABS, safe).verdict == "holds"
    unsafe = property_of_vnnlib(text + "(assert (>= Y_0 6))", "p")
    found = pr.verify(ABS, unsafe)
    assert found.counterexample is not None
    assert (found.counterexample.case, found.counterexample.inputs) == (1, (6,))


def test_inputs_and_outputs_in_one_row() -> None:
    """|x| >= x + 1/2 where x <= -1/4, |x| > 2 - x nowhere on [-1, 1]."""
    text = (
        "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))(assert (>= X_0 -1))"
        "(assert (>= Y_0 (+ X_0 0.5)))"
    )
    prop = property_of_vnnlib(text, "p")
    found = pr.verify(ABS, prop)
    check_counterexample(ABS, prop, found)
    assert pr.verify(ABS, property_of_vnnlib(text + "(assert (>= X_0 -0.25))", "p")).verdict == "violated"
    assert pr.verify(ABS, property_of_vnnlib(text + "(assert (> X_0 -0.25))", "p")).verdict == "holds"
    never = text.replace("(+ X_0 0.5)", "(- 2.01 X_0)")
    assert pr.verify(ABS, property_of_vnnlib(never, "p")).verdict == "holds"


def test_affine_input_constraints() -> None:
    """2 max(|x|, |y|) on the triangle x, y >= 0, x + y <= 1 is 2 at two corners only."""
    text = (
        "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)"
        "(assert (>= X_0 0))(assert (>= X_1 0))(assert (<= (+ X_0 X_1) 1))"
    )
    for t, verdict in (("2", "violated"), ("2.000000000000000000001", "holds")):
        prop = property_of_vnnlib(f"{text}(assert (>= Y_0 {t}))", "p")
        assert pr.verify(HAT, prop).verdict == verdict


@pytest.mark.parametrize(("x1", "verdict"), [("0.5", "violated"), ("0.4", "holds")])
def test_fixed_inputs(x1: str, verdict: str) -> None:
    text = (
        "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)"
        f"(assert (>= X_0 0))(assert (<= X_0 0.3))(assert (= X_1 {x1}))(assert (>= Y_0 1))"
    )
    assert pr.verify(HAT, property_of_vnnlib(text, "p")).verdict == verdict


def test_a_single_point() -> None:
    assert pr.verify(ABS, Property.avoid(Box([-2], [-2]), at_least(2))).verdict == "violated"
    assert pr.verify(ABS, Property.avoid(Box([-2], [-2]), at_least(3))).verdict == "holds"


def test_a_slice_of_the_input_space() -> None:
    """2 max(|x|, |y|) on the line through (1/3, 0) in direction (0, 1) is least at (1/3, 0)."""
    line = pr.Slice([Fraction(1, 3), 0], [[0, 1]], Box([-1], [1]))
    assert pr.verify(HAT, Property.avoid(line, HPolytope([[3]], [2]))).verdict == "violated"
    assert pr.verify(HAT, Property.avoid(line, HPolytope([[3]], [2], strict=[True]))).verdict == "holds"


def test_the_whole_space() -> None:
    assert pr.verify(ABS, Property.avoid(pr.WholeSpace(1), HPolytope([[1]], [-1]))).verdict == "holds"
    assert pr.verify(ABS, Property.avoid(pr.WholeSpace(1), HPolytope([[1]], [0]))).verdict == "violated"
    assert pr.verify(ABS, Property.avoid(pr.WholeSpace(1), at_least(10**40))).verdict == "violated"


@pytest.mark.parametrize(("factor", "upper"), [(1e-200, 2.0), (1e200, 2e-100)])
def test_weights_too_wild_for_floats(factor: float, upper: float) -> None:
    net = Network.from_layers([([[factor], [-factor]], [0, 0]), ([[factor, factor]], [0])])
    assert not net.is_tame
    top = Fraction(factor) ** 2 * Fraction(upper)
    box = Box([-upper / 2], [upper])
    assert pr.verify(net, Property.avoid(box, at_least(top))).verdict == "violated"
    assert pr.verify(net, Property.avoid(box, at_least(top + Fraction(1, 10**900)))).verdict == "holds"


def test_a_final_relu_and_a_network_without_hidden_layer() -> None:
    clipped = Network.from_layers([([[1], [-1]], [0, 0])], final_activation="relu")
    both = HPolytope([[-1, 0], [0, -1]], [-0.5, -0.5])
    assert pr.verify(clipped, Property.avoid(Box([-1], [1]), both)).verdict == "holds"
    either = HPolytope([[-1, -1]], [-1])
    assert pr.verify(clipped, Property.avoid(Box([-1], [1]), either)).verdict == "violated"
    affine = Network.from_layers([([[2]], [1])])
    assert pr.verify(affine, Property.avoid(Box([-1], [1]), at_least(3))).verdict == "violated"
    assert pr.verify(affine, Property.avoid(Box([-1], [1]), at_least(4))).verdict == "holds"


def test_leaky_and_concave_units() -> None:
    """Slopes (off, on) in any order of size."""
    from polyregions.networks.network import Layer

    for off, on in ((0.25, 1.0), (-1.0, 1.0), (1.0, 0.25), (2.0, -1.0), (1.0, 0.0)):
        unit = Layer(np.eye(1), np.zeros(1), np.array([[off, on]]))
        net = Network.from_units([unit, Layer(np.eye(1), np.zeros(1), np.array([[1.0, 1.0]]))])
        top = max(-off, 0.0, 2 * on)
        assert pr.verify(net, Property.avoid(Box([-1], [2]), at_least(top))).verdict == "violated"
        assert (
            pr.verify(net, Property.avoid(Box([-1], [2]), HPolytope([[-1]], [-top], strict=[True]))).verdict
            == "holds"
        )


def test_a_violation_without_output_rows_is_met_anywhere() -> None:
    text = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))(assert (>= X_0 0))"
    assert pr.verify(ABS, property_of_vnnlib(text, "p")).verdict == "violated"


# ---------------------------------------------------------------- brute force


@settings(max_examples=150, deadline=None, derandomize=True)
@given(layers=networks(), data=st.data())
def test_verdicts_agree_with_a_search_of_all_regions(layers: Any, data: st.DataObject) -> None:
    """Rows with small integers, so that outputs often just touch them."""
    d, c = len(layers[0][0][0]), len(layers[-1][1])
    entries = st.integers(-2, 2)
    n_rows = data.draw(st.integers(1, 2))
    rows = [
        [*data.draw(st.lists(entries, min_size=d + c, max_size=d + c)), data.draw(st.integers(-6, 6))]
        for _ in range(n_rows)
    ]
    mixed = data.draw(st.booleans())
    rows = [row if mixed else [0] * d + row[d:] for row in rows]
    strict = data.draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
    prop = Property((Case(Box.cube(-1, 2, d), (Violation(tuple(map(tuple, rows)), tuple(strict)),)),), d, c)
    expected = naive.violation(
        layers,
        naive.box([-1] * d, [2] * d),
        [naive.make_row([-a for a in row[:-1]], row[-1], s) for row, s in zip(rows, strict, strict=True)],
    )
    net = network_of(layers)
    found = pr.verify(net, prop)
    assert found.verdict == ("holds" if expected is None else "violated")
    if expected is not None:
        check_counterexample(net, prop, found)


@pytest.mark.parametrize("seed", range(12))
def test_larger_networks_agree_with_the_exact_range_over_all_regions(seed: int) -> None:
    """The least output over all vertices of all regions is the least output: met there, and never passed."""
    rng = generator(seed)
    layers = integer_layers(rng, [2, 6, 5, 1]) if seed % 2 else float_layers(rng, [3, 8, 6, 1])
    net = Network.from_layers(layers)
    box = Box.cube(-1, 1, net.n_inputs)
    regions = pr.enumerate_regions(net, box)
    least = min(_exact_minimum(region) for region in regions)
    met = HPolytope.of_exact_rows([[-least.denominator, least.numerator]], [1], 1, None, ["y0"])
    prop = Property.avoid(box, met)
    found = pr.verify(net, prop)
    assert found.verdict == "violated"
    check_counterexample(net, prop, found)
    passed = HPolytope.of_exact_rows([[-least.denominator, least.numerator]], [1], 1, [True], ["y0"])
    assert pr.verify(net, Property.avoid(box, passed)).verdict == "holds"


def _exact_minimum(region: pr.Region) -> Fraction:
    """By the vertices of the region in rationals."""
    affine = region.exact_affine_map
    points = region.polytope._generators.coordinates()
    weight, bias = affine.fractions()
    return min(naive.dot(weight[0], point) + bias[0] for point in points)


@pytest.mark.parametrize("seed", range(4))
def test_many_random_rows_on_wide_networks(seed: int) -> None:
    """Four inputs and forty neurons, with thresholds around what random points reach; counterexamples are checked."""
    rng = generator(100 + seed)
    net = Network.from_layers(float_layers(rng, [4, 20, 20, 2]))
    box = Box.cube(-1, 1, 4)
    outputs = net(rng.uniform(-1, 1, (2000, 4)))
    for beyond in (-0.5, -0.01, 0.0, 0.05, 0.2, 100.0):
        direction = np.array([float(v) for v in integers(rng, 2)]) + 0.5
        values = outputs @ direction
        top = values.max() + beyond * (values.max() - values.min())
        prop = Property.avoid(box, HPolytope([-direction], [-top]))
        found = pr.verify(net, prop)
        if beyond <= 0:
            assert found.verdict == "violated"
        if found.verdict == "violated":
            check_counterexample(net, prop, found)
    assert found.verdict == "holds"


# ---------------------------------------------------------------- stopping, and bad input


def hard() -> tuple[Network, Property]:
    """Six inputs, 120 neurons, and a threshold that bounds do not decide for long."""
    rng = generator(0)
    net = Network.from_layers(float_layers(rng, [6, 40, 40, 40, 1]))
    top = net(rng.uniform(-1, 1, (20_000, 6))).max()
    return net, Property.avoid(Box.cube(-1, 1, 6), HPolytope([[-1]], [-2.0 * top]))


def test_a_timeout_gives_no_verdict() -> None:
    found = pr.verify(*hard(), timeout=0.3)
    assert (found.verdict, found.counterexample) == ("unknown", None)
    assert 0 <= found.done < 1


def test_progress_is_told_and_may_stop_the_search() -> None:
    told: list[pr.Progress] = []

    def stop(progress: pr.Progress) -> bool:
        told.append(progress)
        return len(told) < 3

    assert pr.verify(*hard(), progress=stop).verdict == "unknown"
    assert len(told) == 4  # the last call is that of the end
    assert all(a.regions <= b.regions for a, b in zip(told, told[1:], strict=False))


def test_verdicts_are_repeatable() -> None:
    net, prop = ABS, Property.avoid(Box([-1], [2]), at_least(1))
    one, two = pr.verify(net, prop), pr.verify(net, prop)
    assert one.counterexample == two.counterexample


@pytest.mark.parametrize(
    ("network", "prop", "timeout", "kind", "match"),
    [
        (
            None,
            Property.avoid(Box([-1], [2]), at_least(1)),
            None,
            NetworkError,
            "NoneType, expected a Network",
        ),
        (ABS, "prop.vnnlib", None, InputError, "str, expected a Property"),
        (HAT, Property.avoid(Box([-1], [2]), at_least(1)), None, InputError, "is about 1 inputs, expected 2"),
        (ABS, Property.avoid(Box([-1], [2]), HPolytope([[1, 1]], [0])), None, InputError, "about 2 outputs"),
        (ABS, Property.avoid(Box([-1], [2]), at_least(1)), 0, OptionError, "timeout is 0"),
        (ABS, Property.avoid(Box([-1], [2]), at_least(1)), float("nan"), OptionError, "timeout is nan"),
    ],
)
def test_bad_input(network: Any, prop: Any, timeout: Any, kind: type[Exception], match: str) -> None:
    with pytest.raises(kind, match=match):
        pr.verify(network, prop, timeout=timeout)


def test_properties_that_do_not_fit_together() -> None:
    with pytest.raises(DomainError, match="dimension 1 and 2"):
        Property.avoid(Box([-1], [1]), at_least(1), HPolytope([[1, 1]], [0]))
    with pytest.raises(DomainError, match="no polytope"):
        Property.avoid(Box([-1], [1]))
    with pytest.raises(InputError, match="int, expected an HPolytope"):
        Property.avoid(Box([-1], [1]), 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected 1 inputs and 1 outputs everywhere"):
        Property((Case(Box([-1], [1]), (Violation(((1, 2),), (False,)),)),), 1, 1)


# ---------------------------------------------------------------- the corpus

CARTPOLE = ["safe_14", *(f"unsafe_{i}" for i in (10, 11, 12, 13, 15, 16, 17, 18, 19))]
LUNARLANDER = {
    **dict.fromkeys(["safe_12", "safe_17", "safe_19"], "holds"),
    **dict.fromkeys([f"safe_{i}" for i in (10, 11, 13, 14, 15, 18)], "violated"),
    "unsafe_16": "violated",
}
INSTANCES = [
    *(("rl_benchmarks/cartpole.onnx", f"rl_benchmarks/cartpole_case_{n}.vnnlib", "holds") for n in CARTPOLE),
    *(
        ("rl_benchmarks/lunarlander.onnx", f"rl_benchmarks/lunarlander_case_{n}.vnnlib", verdict)
        for n, verdict in LUNARLANDER.items()
    ),
    *(
        (f"acasxu/ACASXU_run2a_{n}_batch_2000.onnx", f"acasxu/prop_{i}.vnnlib", "holds")
        for i in (3, 4)
        for n in ("1_1", "3_3")
    ),
    *(("safenlp/perturbations_0.onnx", f"safenlp/hyperrectangle_{i}.vnnlib", "holds") for i in range(3)),
    *(
        (f"vnncomp_test/test_{n}.onnx", f"vnncomp_test/test_{n}.vnnlib", "holds")
        for n in ("nano", "tiny", "small")
    ),
    (
        "tllverifybench/tllBench_n=2_N=M=8_m=1_instance_0_0.onnx",
        "tllverifybench/property_N=8_0.vnnlib",
        "violated",
    ),
]


def sampled_margin(network: Network, prop: Property) -> float:
    """How far inside a violation the best of many random points is, in float64."""
    (case,) = prop.cases
    domain = case.domain.polytope() if isinstance(case.domain, Box) else case.domain
    lower, upper = domain.bounding_box()  # type: ignore[union-attr]
    rng = generator(1)
    X = np.concatenate([rng.uniform(lower, upper, (2000, len(lower))), rng.choice([0, 1], (500, len(lower)))])
    X[2000:] = lower + X[2000:] * (upper - lower)
    points = np.column_stack([X, network(X), np.ones(len(X))])
    margins = []
    for violation in case.violations:
        rows = np.array([[float(Fraction(e, max(map(abs, row)))) for e in row] for row in violation.rows])
        margins.append((points @ rows.T).min(axis=1))
    return float(np.max(margins))


@pytest.mark.parametrize(
    ("network", "prop", "verdict"), INSTANCES, ids=[p.split("/")[1] + n[-20:-11] for n, p, _ in INSTANCES]
)
def test_instances_of_the_corpus(network: str, prop: str, verdict: str) -> None:
    """The verdicts follow from what the files assert, whatever they are called: random points agree, clearly."""
    net, spec = pr.load_network(corpus(network)), pr.load_property(corpus(prop))
    found = pr.verify(net, spec)
    assert found.verdict == verdict
    margin = sampled_margin(net, spec)
    assert margin > 0 if verdict == "violated" else margin < 0
    if verdict == "violated":
        check_counterexample(net, spec, found)


@pytest.mark.parametrize(
    "prop", ["cartpole_case_safe_14", "cartpole_case_unsafe_10", "lunarlander_case_unsafe_16"]
)
def test_verdicts_of_the_corpus_agree_with_the_regions(prop: str) -> None:
    """Decision cells: the unsafe command wins in some cell of the box or in none."""
    spec = pr.load_property(corpus(f"rl_benchmarks/{prop}.vnnlib"))
    net = pr.load_network(corpus(f"rl_benchmarks/{prop.split('_')[0]}.onnx"))
    (case,) = spec.cases
    row = case.violations[0].rows[0][net.n_inputs : -1]
    unsafe, other = row.index(1), row.index(-1)
    found = pr.verify(net, spec)
    if found.verdict == "holds":
        regions = pr.enumerate_regions(net, case.domain)
        assert unsafe not in pr.decision_cells(regions).per_class()
    else:
        assert found.counterexample is not None
        assert found.counterexample.outputs[unsafe] >= found.counterexample.outputs[other]


EMPTY = HPolytope([[1], [-1]], [0, -1])


def test_empty_input_sets_have_nothing_to_violate() -> None:
    found = pr.verify(ABS, Property.avoid(EMPTY, at_least(-5)))
    assert (found.verdict, found.done, found.parts) == ("holds", 1.0, 0)
    (notice,) = found.notices
    assert "the input set is empty" in notice
    none = property_of_vnnlib(
        "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (and (>= X_0 1) (<= X_0 0)))", "p"
    )
    found = pr.verify(ABS, none, timeout=5)
    assert (found.verdict, found.done) == ("holds", 1.0)
    assert "no input satisfies any of 1 disjuncts" in found.notices[0]


def test_empty_input_sets_beside_others() -> None:
    cases = [Property.avoid(domain, at_least(1)).cases[0] for domain in (EMPTY, pr.Box([0], [1]))]
    found = pr.verify(ABS, Property(tuple(cases), 1, 1))
    assert (found.verdict, len(found.notices)) == ("violated", 1)
    assert found.counterexample is not None
    assert found.counterexample.case == 1
