"""All violations: by hand, against complements, samples and `verify`; overlapping input sets; stopped early."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from corpus import corpus
from polyregions import Box, HPolytope, Network, Property, Slice
from polyregions.analysis.verification.property import Case, Violation
from polyregions.analysis.verification.unsafe import look
from polyregions.analysis.verification.unsafe.shares import BITS, Share, exact_sum
from polyregions.errors import DomainError, InputError, OptionError, UnsupportedError
from random_networks import random_network
from randoms import random_layers

ABS = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])], name="abs")
"""|x|."""
HAT = Network.from_layers(
    [([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])], name="hat"
)
"""|x + y| + |x - y| = 2 max(|x|, |y|)."""
SQUARE = Box([-1, -1], [1, 1])


def at_least(t: Fraction | int | float) -> HPolytope:
    """The outputs y_0 >= t."""
    t = Fraction(t)
    return HPolytope.of_exact_rows([[t.denominator, -t.numerator]], [1], 1, None, ["y0"])


def complement(prop: Property) -> Property:
    """Violated exactly where the property is not, by multiplying out."""
    cases = []
    for case in prop.cases:
        rows = [
            [(tuple(-e for e in row), not s) for row, s in zip(v.rows, v.strict, strict=True)]
            for v in case.violations
        ]
        choices = [
            Violation(tuple(r for r, _ in chosen), tuple(s for _, s in chosen)) for chosen in product(*rows)
        ]
        cases.append(Case(case.domain, tuple(choices)))
    return Property(tuple(cases), prop.n_inputs, prop.n_outputs)


def with_cases(*pairs: tuple[Any, HPolytope]) -> Property:
    """Several input sets, each with one thing to avoid."""
    cases = tuple(Property.avoid(domain, unsafe).cases[0] for domain, unsafe in pairs)
    return Property(cases, pairs[0][0].dim, pairs[0][1].dim)


def is_violated(layers: Any, prop: Property, x: list[Fraction]) -> bool:
    """By the naive forward pass in fractions."""
    y = naive.forward(layers, x)
    return any(v.holds(x, y) for case in prop.cases for v in case.violations)


# ---------------------------------------------------------------- by hand


def test_a_ring_is_what_is_left_of_a_square() -> None:
    found = pr.violations(HAT, Property.avoid(SQUARE, at_least(1)))
    assert (found.exact_share, found.volume, found.verdict) == (Fraction(3, 4), 3.0, "violated")
    assert found.complete
    assert sum(piece.exact_share for piece in found) == Fraction(3, 4)
    assert {piece.violation for piece in found} == {0}


def test_a_maximum_that_is_only_touched_has_no_share() -> None:
    found = pr.violations(ABS, Property.avoid(Box([-1], [2]), at_least(2)))
    assert (found.verdict, len(found), found.exact_share, found.touching) == ("violated", 0, 0, 1)
    strict = Property.avoid(Box([-1], [2]), HPolytope([[-1]], [-2], strict=[True]))
    assert pr.violations(ABS, strict).verdict == "holds"


@pytest.mark.parametrize("n", [1, 2, 20])
def test_a_minimum_at_a_kink_is_touched_from_both_sides(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """|x| <= 0 at one point, |x| < 0 nowhere; also where the input set is halved there, or before."""
    monkeypatch.setattr(look, "FIRST", n)
    for domain in (Box([-1], [2]), Box([-1], [1])):
        found = pr.violations(ABS, Property.avoid(domain, HPolytope([[1]], [0])))
        assert (found.verdict, len(found), found.exact_share) == ("violated", 0, 0)
        assert found.touching >= 2
        assert (
            pr.violations(ABS, Property.avoid(domain, HPolytope([[1]], [0], strict=[True]))).verdict
            == "holds"
        )
    half = HPolytope([[1], [-1]], [1, 0], strict=[False, True])  # 0 < x: the point is left out
    assert pr.violations(ABS, Property.avoid(half, HPolytope([[1]], [0]))).verdict == "holds"


def test_overlapping_disjuncts_are_cut_into_disjoint_pieces() -> None:
    """x >= 0, y >= 0 on the identity: three quarters of the square."""
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0])])
    unsafe = [HPolytope([[-1, 0]], [0]), HPolytope([[0, -1]], [0])]
    found = pr.violations(net, Property.avoid(SQUARE, *unsafe))
    assert found.exact_share == Fraction(3, 4)
    assert sorted((piece.violation, piece.volume) for piece in found) == [(0, 2.0), (1, 1.0)]
    second = next(piece.polytope for piece in found if piece.violation == 1)
    assert second.contains([[-0.5, 0.5], [0.0, 0.5], [-0.5, 0.0]]).tolist() == [True, False, True]


def test_what_input_sets_have_in_common_counts_once() -> None:
    """[0, 2] is to stay below 1, [1, 3] below 5/2: the first's violations are [1, 2], the second's [5/2, 3]."""
    prop = with_cases((Box([0], [2]), at_least(1)), (Box([1], [3]), at_least(2.5)))
    found = pr.violations(ABS, prop)
    assert found.exact_share == Fraction(1, 2)
    assert sorted((piece.case, piece.volume) for piece in found) == [(0, 1.0), (1, 0.5)]
    same = pr.violations(ABS, with_cases((Box([0], [2]), at_least(1)), (Box([0], [2]), at_least(1.5))))
    assert same.exact_share == Fraction(1, 2)


@pytest.mark.parametrize("seed", range(4))
def test_the_share_in_overlapping_boxes_is_that_of_a_grid(seed: int) -> None:
    """|x + y| + |x - y| on boxes with corners on a grid of 1/4, thresholds on it: squares of the grid are whole."""
    rng = np.random.default_rng(seed)
    pairs, cells = [], {}
    for _ in range(4):
        low = rng.integers(-8, 5, 2)
        high, t = low + rng.integers(1, 8, 2), int(rng.integers(0, 12))
        pairs.append((Box(low / 4, high / 4), at_least(Fraction(t, 2))))
        for i, j in product(range(low[0], high[0]), range(low[1], high[1])):
            least = max(
                min(abs(i), abs(i + 1)), min(abs(j), abs(j + 1))
            )  # 2 max(|x|, |y|) >= t / 2, in quarters
            cells[i, j] = cells.get((i, j), False) or least >= t
    share = pr.violations(HAT, with_cases(*pairs)).exact_share
    assert share == Fraction(sum(cells.values()), len(cells))


def test_an_oblique_line_has_an_exact_share() -> None:
    """On the diagonal of the square 2 |u|."""
    diagonal = Slice([0, 0], [[1, 1]], Box([-1], [1]))
    found = pr.violations(HAT, Property.avoid(diagonal, at_least(1)))
    assert found.exact_share == Fraction(1, 2)
    assert found.volume == pytest.approx(2**0.5)
    assert all(found[0].polytope.contains([found[0].point]))


def test_fixed_inputs_and_sets_without_volume() -> None:
    prop = with_cases((Box([0.75, -1], [0.75, 1]), at_least(1.75)))
    assert pr.violations(HAT, prop).exact_share == Fraction(1, 8)
    both = with_cases((Box([0, 0], [0.25, 0.25]), at_least(1)), (Box([0.75, -1], [0.75, 1]), at_least(1)))
    found = pr.violations(HAT, both)
    assert (found.exact_share, found.verdict, len(found.notices)) == (0, "violated", 1)


def test_a_softmax_is_seen_through_where_its_rows_are_rational() -> None:
    net = replace(Network.from_layers([([[1], [-1]], [0, 0])]), final_function="Softmax")
    rows = HPolytope([[-1, 1]], [0])  # the first probability is the larger one
    assert pr.violations(net, Property.avoid(Box([-1], [3]), rows)).exact_share == Fraction(3, 4)
    with pytest.raises(UnsupportedError, match="logarithms"):
        sigmoid = replace(net, final_function="Sigmoid")
        pr.violations(sigmoid, Property.avoid(Box([-1], [3]), HPolytope([[-1, 0]], [-0.75])))


# ---------------------------------------------------------------- random networks


def random_question(seed: int) -> tuple[Network, Property, Any]:
    """A network of at most four inputs, a property of it, its input set."""
    rng = np.random.default_rng(seed)
    while (net := random_network(rng)).n_inputs > 4:
        pass
    d, c = net.n_inputs, net.n_outputs
    domain: Any = Box.cube(-1, 1.5, d)
    if seed % 3 == 0:
        A = np.vstack([np.eye(d), -np.eye(d), rng.normal(size=(2, d))])
        domain = HPolytope(A, np.concatenate([np.ones(2 * d), [0.5, 0.5]]))
    outputs = net(rng.uniform(-1, 1, (64, d)))
    unsafe = []
    for _ in range(int(rng.integers(1, 4))):
        W = rng.integers(-2, 3, (int(rng.integers(1, 3)), c))
        unsafe.append(HPolytope(-W, [-float(np.round(np.median(outputs @ w), 2)) for w in W]))
    return net, Property.avoid(domain, *unsafe), domain


LONG = 15  # two hundred polytopes in four dimensions


@pytest.mark.parametrize("seed", [pytest.param(i, marks=[pytest.mark.slow] * (i == LONG)) for i in range(31)])
def test_the_unsafe_and_the_safe_make_up_the_input_set(seed: int) -> None:
    net, prop, domain = random_question(seed)
    found, safe = pr.violations(net, prop), pr.violations(net, complement(prop))
    assert found.exact_share is not None
    assert safe.exact_share is not None
    assert found.exact_share + safe.exact_share == 1
    assert found.verdict == pr.verify(net, prop).verdict
    whole = domain.polytope() if isinstance(domain, Box) else domain
    volumes = [sum((p.polytope.exact_volume() for p in some), Fraction(0)) for some in (found, safe)]
    assert sum(volumes) == whole.exact_volume()
    layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in net.layers]
    points = whole.random_points(40, rng=seed)
    member = np.array([piece.polytope.contains(points) for piece in found]).reshape(-1, 40).sum(axis=0)
    truth = [is_violated(layers, prop, list(map(Fraction, x))) for x in points.tolist()]
    assert member.tolist() == list(map(int, truth))  # in one polytope, or in none
    for piece in found[:5]:
        assert is_violated(layers, prop, list(piece.exact_point))
        if piece.pattern is not None:
            assert np.array_equal(naive_pattern(net, piece.exact_point), piece.pattern)


@pytest.mark.parametrize("seed", range(100, 124))
def test_a_threshold_at_the_exact_maximum_has_the_verdict_of_verify(seed: int) -> None:
    net = random_network(np.random.default_rng(seed))
    if net.n_inputs > 2:
        return
    box, c = Box.cube(-1, 1.5, net.n_inputs), net.n_outputs
    top = pr.maximize(pr.enumerate_regions(net, box), [1] + [0] * (c - 1)).exact
    assert top is not None
    row = [top.denominator] + [0] * (c - 1) + [-top.numerator]
    for strict, verdict in ((False, "violated"), (True, "holds")):
        prop = Property.avoid(box, HPolytope.of_exact_rows([row], [1], c, [strict], ["y0"]))
        assert pr.violations(net, prop).verdict == pr.verify(net, prop).verdict == verdict


def naive_pattern(net: Network, x: Any) -> list[bool]:
    """The signs of the pre-activations of all units with a kink, in fractions."""
    bits, values = list[bool](), list(map(Fraction, x))
    for layer in net.layers:
        z = [
            naive.dot(list(map(Fraction, w)), values) + Fraction(b)
            for w, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        ]
        bits += [value > 0 for value, kinked in zip(z, layer.splitting, strict=True) if kinked]
        slopes = layer.slopes.tolist()
        values = [value * Fraction(s[1] if value > 0 else s[0]) for value, s in zip(z, slopes, strict=True)]
    return bits


def test_the_share_is_that_of_many_samples() -> None:
    net = Network.from_layers(random_layers(5, 3, 8, 8, 1))
    cut = float(np.round(np.median(net(np.random.default_rng(1).uniform(-1, 1, (500, 3)))), 2))
    share = pr.violations(net, Property.avoid(Box.cube(-1, 1, 3), at_least(cut + 0.1))).share
    assert share is not None
    n = 200_000
    hits = np.count_nonzero(net(np.random.default_rng(2).uniform(-1, 1, (n, 3)))[:, 0] >= cut + 0.1)
    assert abs(hits - share * n) < 8 * (n * share * (1 - share)) ** 0.5


# ---------------------------------------------------------------- halving, stopping, workers


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input sets are halved after a few regions."""
    monkeypatch.setattr(look, "FIRST", 20)
    monkeypatch.setattr(look, "MOST", 10)
    monkeypatch.setattr(look, "MOST_UNKNOWN", 4)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("seed", [3, 12, 20])
def test_halves_have_the_share_of_the_whole(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, prop, _ = random_question(seed)
    halved = pr.violations(net, prop)
    monkeypatch.undo()
    assert halved.exact_share == pr.violations(net, prop).exact_share


def a_long_hunt() -> tuple[Network, Property]:
    net = Network.from_layers(random_layers(7, 2, 10, 10, 1))
    return net, Property.avoid(Box.cube(-1, 1, 2), at_least(0.25))


@pytest.mark.usefixtures("small_parts")
def test_a_stopped_hunt_has_bounds_that_hold_the_share() -> None:
    net, prop = a_long_hunt()
    whole = pr.violations(net, prop)
    assert whole.parts > 20
    assert whole.exact_share is not None
    assert 0 < whole.exact_share < 1
    widths = []
    for n in (0, 22, 30, 45):
        part = pr.violations(net, prop, max_regions=n)
        low, high = part.interval
        assert low <= whole.exact_share <= high
        assert (part.complete, part.exact_share, part.share) == (False, None, None)
        widths.append(high - low)
    assert widths[0] == 1
    assert widths == sorted(widths, reverse=True)
    low, high = whole.interval
    assert low <= whole.exact_share <= high
    assert high - low < Fraction(1, 2**200)


def test_no_time_and_nobody_who_wants_it_stop_it() -> None:
    net, prop = a_long_hunt()
    for stopped in (
        pr.violations(net, prop, time_limit=0),
        pr.violations(net, prop, progress=lambda _: False, max_regions=0),
    ):
        assert (stopped.verdict, stopped.interval) == ("unknown", (0, 1))


def test_two_workers_find_the_same() -> None:
    net, prop = a_long_hunt()
    assert pr.violations(net, prop, workers=2).pieces == pr.violations(net, prop).pieces


def test_sums_are_exact_and_bounds_hold_them() -> None:
    terms = [Fraction(1, n) for n in range(1, 60)]
    share, total = Share(Fraction(7, 3)), sum(terms)
    for term in terms:
        share.add(term)
    assert exact_sum(terms) == total
    assert Fraction(share.low, 2**BITS) <= total / Fraction(7, 3) <= Fraction(share.high, 2**BITS)
    assert share.high - share.low <= len(terms)
    assert exact_sum([]) == 0


# ---------------------------------------------------------------- what is given back, and refused


def test_the_answer_travels_and_says_what_it_is() -> None:
    found = pr.violations(HAT, Property.avoid(SQUARE, at_least(1)))
    assert pickle.loads(pickle.dumps(found)) == found
    assert repr(found).startswith("<Violations: violated, ")
    assert repr(found[0]).startswith("<UnsafePolytope 0: region 0, ")
    assert found.points.shape == (len(found), 2)
    assert found.contains(found.points).all()
    assert found.volumes.sum() == 3.0


@pytest.mark.parametrize("suffix", [".json", ".npz", ".parquet"])
def test_files_hold_the_rows(suffix: str, tmp_path: Any) -> None:
    found = pr.violations(HAT, Property.avoid(SQUARE, at_least(1)))
    file = tmp_path / f"v{suffix}"
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    pr.save(found, file)
    if suffix == ".json":
        import json

        listed = json.loads(file.read_text())
        assert (len(listed["polytopes"]), listed["exact_share"]) == (len(found), "3/4")
        A = listed["polytopes"][0]["hrep_A"]
    elif suffix == ".npz":
        data = np.load(file)
        A = data["hrep_A"][: data["hrep_offsets"][1]].tolist()
        assert data["volume"].sum() == 3.0
    else:
        from pyarrow import parquet

        rows = parquet.read_table(file).to_pylist()
        A = rows[0]["hrep_A"]
        exact = [[int(entry, 16) for entry in row.split()] for row in rows[0]["hrep_exact"]]
        assert exact == found[0].polytope.exact_rows
    assert found[0].polytope.A.tolist() == A


@pytest.mark.parametrize(
    ("domain", "error"),
    [
        (pr.WholeSpace(1), DomainError),
        (HPolytope([[1], [-1]], [0, -1]), DomainError),
    ],
)
def test_input_sets_without_a_volume_are_refused(domain: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="input"):
        pr.violations(ABS, Property.avoid(domain, at_least(1)))


def test_what_it_cannot_take_is_refused() -> None:
    wide = Network.from_layers([(np.ones((1, 11)), [0])])
    with pytest.raises(UnsupportedError, match="11 inputs that are not fixed, expected at most 10"):
        pr.violations(wide, Property.avoid(Box.cube(-1, 1, 11), at_least(1)))
    with pytest.raises(OptionError):
        pr.violations(ABS, Property.avoid(Box([-1], [1]), at_least(1)), workers=0)
    with pytest.raises(OptionError):
        pr.violations(ABS, Property.avoid(Box([-1], [1]), at_least(1)), max_regions=-1)
    with pytest.raises(InputError):
        pr.violations(ABS, "p")  # type: ignore[arg-type]
    flat = with_cases((Box([0, 0], [0, 1]), at_least(1)), (Box([1, 0], [1, 1]), at_least(1)))
    with pytest.raises(UnsupportedError, match="different affine subspaces"):
        pr.violations(HAT, flat)


# ---------------------------------------------------------------- the corpus

CARTPOLE = ["safe_14", *(f"unsafe_{n}" for n in (*range(10, 14), *range(15, 20)))]
LUNARLANDER = [*(f"safe_{n}" for n in (*range(11, 16), 17, 18, 19)), "unsafe_16"]


@pytest.mark.parametrize("name", [*(f"cartpole_case_{n}" for n in CARTPOLE), "lunarlander_case_safe_12"])
def test_small_properties_of_the_corpus(name: str) -> None:
    check_of_corpus(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"lunarlander_case_{n}" for n in (*LUNARLANDER, "safe_10")])
def test_larger_properties_of_the_corpus(name: str) -> None:
    check_of_corpus(name)


def check_of_corpus(name: str) -> None:
    net = pr.load_network(corpus(f"rl_benchmarks/{name.split('_')[0]}.onnx"))
    prop = pr.load_property(corpus(f"rl_benchmarks/{name}.vnnlib"))
    found = pr.violations(net, prop)
    # tens of thousands of safe regions in eight dimensions are too many to measure one by one
    safe = pr.violations(net, complement(prop), max_regions=1000 if name.endswith("safe_17") else None)
    assert found.exact_share is not None
    low, high = safe.interval
    assert low <= 1 - found.exact_share <= high
    assert safe.exact_share == (1 - found.exact_share if safe.complete else None)
    assert safe.complete or name.endswith("safe_17")
    assert found.verdict == pr.verify(net, prop).verdict
    box = prop.cases[0].domain.solid_domain()
    points = np.random.default_rng(0).uniform(box.bounds.lower, box.bounds.upper, (200, box.hull.dim))
    inside = box.hull.lift_floats(points)
    outputs = net(inside)
    truth = [
        any(v.holds(list(map(Fraction, x)), list(map(Fraction, y))) for v in prop.cases[0].violations)
        for x, y in zip(inside.tolist(), outputs.tolist(), strict=True)
    ]
    assert abs(np.mean(truth) - float(found.exact_share)) < 0.3  # eight sigmas of 200 samples


@pytest.mark.slow
def test_a_violated_property_of_acas_xu_between_bounds() -> None:
    net = pr.load_network(corpus("acasxu45/ACASXU_run2a_2_1_batch_2000.onnx"))
    prop = pr.load_property(corpus("acasxu/prop_2.vnnlib"))
    found = pr.violations(net, prop, max_regions=22_000)
    low, high = map(float, found.interval)
    assert found.verdict == "violated"
    assert 0 < low < high < 0.1
    box = prop.cases[0].domain
    assert isinstance(box, Box)
    outputs = net(np.random.default_rng(0).uniform(box.lower, box.upper, (100_000, 5)))
    rate = float(np.mean(outputs.argmax(axis=1) == 0))  # the property: clear of conflict is not the largest
    assert low - 0.003 < rate < high + 0.003
