"""Iterated networks against theorems, brute force and walking along."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from corpus import corpus
from polyregions import Box, HPolytope, Network
from polyregions.analysis.dynamics.stability import stability_of
from polyregions.errors import InputError, NetworkError, OptionError, StoppedError
from polyregions.networks.germs import ExactNetwork
from randoms import float_layers, generator, integer_layers

TENT = Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])], name="tent")  # 2 x, from 1/2 on 2 - 2 x
UNIT = Box([0], [1])
RELU = Network.from_layers([([[1]], [0])], "relu")


def made(seed: int, widths: list[int]) -> Network:
    make = integer_layers if seed % 2 else float_layers
    return Network.from_layers(make(generator(seed), widths), name=f"random {seed}")


def linear(W: Any, b: Any = None) -> Network:
    return Network.from_layers([(W, [0] * len(W) if b is None else b)])


def fixed(net: Network, domain: Any) -> tuple[Any, ...]:
    return pr.fixed_points(pr.enumerate_regions(net, domain))


# ---------------------------------------------------------------- stability


def fractions(W: Any) -> list[list[Fraction]]:
    return [[Fraction(w) for w in row] for row in W]


@pytest.mark.parametrize(
    "W, counts",
    [
        ([[Fraction(1, 2)]], (1, 0, 0)),
        ([[1]], (0, 1, 0)),
        ([[-1]], (0, 1, 0)),
        ([[Fraction(10**30 - 1, 10**30)]], (1, 0, 0)),
        ([[Fraction(10**30 + 1, 10**30)]], (0, 0, 1)),
        ([[Fraction(3, 5), Fraction(-4, 5)], [Fraction(4, 5), Fraction(3, 5)]], (0, 2, 0)),  # a rotation
        ([[2, 1], [1, 1]], (1, 0, 1)),  # golden, its factor equal to its reverse up to signs
        ([[1, 1], [0, 1]], (0, 2, 0)),
        ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], (0, 3, 0)),  # a permutation: roots of unity
        ([[0, 0, 0, -1], [1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]], (1, 2, 1)),  # Salem's number of degree 4
        ([[0, 5], [0, 0]], (2, 0, 0)),
    ],
)
def test_eigenvalues_against_the_unit_circle(W: Any, counts: tuple[int, int, int]) -> None:
    found = stability_of(fractions(W))
    assert (found.inside, found.on, found.outside) == counts
    expected = "unstable" if counts[2] else "neither" if counts[1] else "stable"
    assert found.verdict == expected


@pytest.mark.parametrize("seed", range(5))
def test_moduli_are_those_of_numpy(seed: int) -> None:
    W = generator(seed).normal(size=(4, 4)) / 2
    found = stability_of(fractions(W.tolist()))
    moduli = np.sort(np.abs(np.linalg.eigvals(W)))[::-1]
    assert np.allclose(found.moduli, moduli)
    assert found.outside == np.count_nonzero(moduli > 1)


# ---------------------------------------------------------------- fixed points


@pytest.mark.parametrize("k", range(1, 7))
def test_the_tent_map_has_as_many_fixed_points_as_its_iterate_has_regions(k: int) -> None:
    """They are 2 j / (2^k - 1) and 2 j / (2^k + 1), all unstable."""
    found = fixed(pr.iterate(TENT, k), UNIT)
    n = 2**k
    known = {Fraction(2 * j, n - 1) for j in range((n - 1) // 2 + 1)} | {
        Fraction(2 * j, n + 1) for j in range(1, n // 2 + 1)
    }
    assert {x for f in found for x in f.point} == known
    assert len(found) == n
    assert {f.verdict for f in found} == {"unstable"}
    assert all(f.stability[0].moduli.tolist() == [n] for f in found)


@pytest.mark.parametrize("seed", range(8))
def test_fixed_points_against_brute_force(seed: int) -> None:
    """On each region the system by numpy, the point held against the rows."""
    net = made(seed, [2, 6, 2])
    regions = pr.enumerate_regions(net, Box(-2, 2, dim=2))
    found = pr.fixed_points(regions)
    exact = ExactNetwork(net)
    for f in found:
        assert exact.germ(f.point).value == f.point
        assert all(regions[i].polytope.closed().contains([f.point]).all() for i in f.regions)
        holding = [i for i, r in enumerate(regions) if r.polytope.closed().contains([f.point])[0]]
        assert f.dim or list(f.regions) == holding
    for region in regions:
        W, b = region.affine_map
        if abs(np.linalg.det(W - np.eye(2))) < 1e-9:
            continue
        x = np.linalg.solve(W - np.eye(2), -b)
        inside = np.all(region.polytope.A @ x <= region.polytope.b - 1e-9)
        if inside:
            assert any(np.allclose([float(c) for c in f.point], x) for f in found)


def test_a_continuum_is_a_polytope_and_what_lies_in_it_is_there_once() -> None:
    (found,) = fixed(RELU, Box([-2], [3]))
    assert (found.dim, found.polytope.vertices().ravel().tolist()) == (1, [0.0, 3.0])
    assert found.regions == (1,)  # in the other only 0 is fixed, which is an end of this
    assert found.verdict == "neither"


def test_the_identity_is_fixed_everywhere() -> None:
    net = Network.from_layers([([[1, 0], [-1, 0]], [0, 0]), ([[1, -1], [0, 0]], [0, 0])])  # (x, y) -> (x, 0)
    found = fixed(net, Box(-1, 1, dim=2))
    assert sorted(f.polytope.vertices().tolist() for f in found) == [[[-1, 0], [0, 0]], [[0, 0], [1, 0]]]
    (all_of_it,) = fixed(linear([[1, 0], [0, 1]]), Box(-1, 1, dim=2))
    assert (all_of_it.dim, all_of_it.polytope.volume()) == (2, 4.0)


def test_a_continuum_on_a_common_face_is_there_once_with_both_regions() -> None:
    """(x, y) -> (|x| / 2, y): the line x = 0 is fixed, and lies in both regions."""
    net = Network.from_layers(
        [([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[0.5, 0.5, 0, 0], [0, 0, 1, -1]], [0, 0])]
    )
    found = fixed(net, Box([-1, 1], [1, 2]))
    assert [(f.dim, f.regions, f.verdict) for f in found] == [(1, (0, 1), "undecided")]


def test_no_fixed_points() -> None:
    assert fixed(linear([[1]], [1]), pr.WholeSpace(1)) == ()
    assert fixed(linear([[2]], [0]), Box([1], [2])) == ()


@pytest.mark.parametrize(
    "slopes, verdict", [((0.5, 0.25), "stable"), ((0.5, 2), "undecided"), ((0.5, 0.5), "stable")]
)
def test_a_point_between_two_regions(slopes: tuple[float, float], verdict: str) -> None:
    """Slopes a on the left and b on the right of 0."""
    a, b = slopes
    net = Network.from_layers([([[1], [-1]], [0, 0]), ([[b, -a]], [0])])
    (found,) = fixed(net, Box([-1], [1]))
    assert (found.point, found.regions, found.verdict) == ((0,), (0, 1), verdict)


def test_stable_and_unstable_systems() -> None:
    (stable,) = fixed(linear([[0.5, 0.25], [0, 0.5]], [1, 1]), pr.WholeSpace(2))
    assert (stable.point, stable.verdict) == ((3, 2), "stable")
    (saddle,) = fixed(linear([[2, 0], [0, 0.5]]), pr.WholeSpace(2))
    assert saddle.verdict == "unstable"
    (centre,) = fixed(linear([[0, -1], [1, 0]]), pr.WholeSpace(2))
    assert centre.verdict == "neither"


def test_fixed_points_of_a_flat_domain() -> None:
    (found,) = fixed(linear([[0.5, 0], [0, 3]]), Box([-1, 0], [1, 0]))
    assert (found.point, found.stability, found.verdict) == ((0, 0), (), "undecided")


# ---------------------------------------------------------------- trajectories and cycles


@pytest.mark.parametrize("seed", range(3))
def test_the_regions_of_fewer_steps_are_those_that_are_enumerated(seed: int) -> None:
    net, box = made(seed, [2, 4, 2]), Box(-1, 1, dim=2)
    found = pr.trajectories(net, box, 3)
    for step in (1, 2, 3):
        again = pr.enumerate_regions(pr.iterate(net, step), box)
        own = found.after(step)
        assert np.array_equal(own.patterns, again.patterns)
        assert own.network.fingerprint() == again.network.fingerprint()
        assert step == 3 or pr.audit(own)
    assert len(found.after(0)) == 1


@pytest.mark.parametrize("k", range(1, 7))
def test_the_cycles_of_the_tent_map(k: int) -> None:
    """By Moebius inversion sum over d | k of mu(k / d) 2^d / k of them."""
    count = {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9}[k]
    found = pr.cycles(pr.trajectories(TENT, UNIT, 6), k)
    assert len(found) == count
    tent = ExactNetwork(TENT)
    for cycle in found:
        assert len(set(cycle.points)) == len(cycle) == k
        images = [tent.germ(x).value for x in cycle.points]
        assert images == [*cycle.points[1:], cycle.points[0]]
        assert cycle.points[0] == min(cycle.points)
        assert cycle.verdict == "unstable"


def test_points_that_come_back_sooner_are_no_part_of_a_cycle() -> None:
    """-x: all points but 0 come back after two steps; the identity's all after one."""
    two = pr.trajectories(linear([[-1]]), Box([-1], [1]), 2)
    (family,) = pr.cycles(two)
    assert (family.at.dim, family.at.polytope.vertices().ravel().tolist()) == (1, [-1, 1])
    assert [c.points for c in pr.cycles(two, 1)] == [((0,),)]
    assert pr.cycles(pr.trajectories(linear([[1]]), Box([-1], [1]), 2)) == ()


def test_a_cycle_that_leaves_the_domain_is_found_from_inside() -> None:
    swap = linear([[0, 0.5], [2, 0]])  # (x, y) -> (y / 2, 2 x)
    net = Network.from_layers([*((layer.weight, layer.bias) for layer in swap.layers)])
    (family,) = pr.cycles(pr.trajectories(net, Box([1, 0], [1, 0]), 2))
    assert family.points == ((1, 0), (0, 2))


# ---------------------------------------------------------------- reach


def starts(dim: int, n: int, seed: int = 0) -> list[list[Fraction]]:
    rng = generator(seed)
    return [[Fraction(int(v), 997) for v in rng.integers(-997, 998, dim)] for _ in range(n)]


def first_step(
    net: Network, x: Any, steps: int, target: list[HPolytope], avoid: list[HPolytope]
) -> int | None:
    exact, at = ExactNetwork(net), tuple(x)
    for step in range(steps + 1):
        if any(p.contains([at])[0] for p in avoid):
            return None
        if any(p.contains([at])[0] for p in target):
            return step
        at = exact.germ(at).value
    return None


def square(x: float, y: float, r: float) -> HPolytope:
    return Box([x - r, y - r], [x + r, y + r]).polytope()


@pytest.mark.parametrize("seed", range(3))
def test_reach_against_walking_along(seed: int) -> None:
    net = made(2 * seed, [2, 4, 2])
    target, avoid = [square(0.5, 0.5, 0.75), square(-1, 0.25, 0.5)], [square(0, -1, 0.5)]
    found = pr.reach(pr.trajectories(net, Box(-1, 1, dim=2), 2), target, avoid)
    assert {piece.step for piece in found} <= {0, 1, 2}
    for x in starts(2, 60, seed):
        steps = {piece.step for piece in found if piece.polytope.contains([x])[0]}
        expected = first_step(net, x, 2, target, avoid)
        assert steps == (set() if expected is None else {expected})


def test_what_is_never_reached() -> None:
    half = linear([[0.5, 0], [0, 0.5]])
    four = pr.trajectories(half, Box(-1, 1, dim=2), 4)
    assert pr.reach(four, square(3, 3, 1)) == ()
    assert [(p.step, p.dim) for p in pr.reach(four, square(2, 2, 1))] == [(0, 0)]  # the corner


def test_forward_reach_sets_are_images() -> None:
    two = pr.trajectories(TENT, Box([0.125], [0.375]), 2)
    ends = [sorted(piece.points.ravel().tolist()) for piece in pr.image(two.after(1))]
    assert ends == [[0.25, 0.75]]
    assert [sorted(p.points.ravel().tolist()) for p in pr.image(two.after(2))] == [[0.5, 1.0], [0.5, 1.0]]


def test_the_preimage_of_a_union() -> None:
    regions = pr.enumerate_regions(TENT, UNIT)
    parts = [HPolytope([[1], [-1]], [0.25, 0]), HPolytope([[1], [-1]], [1, -0.75])]
    both = pr.preimage(regions, parts)
    assert [p.polytope.vertices().tolist() for p in both] == [
        p.polytope.vertices().tolist() for part in parts for p in pr.preimage(regions, part)
    ]
    assert sum(p.polytope.exact_volume() for p in both) == Fraction(1, 2)
    assert pr.preimage(regions, []) == ()


# ---------------------------------------------------------------- invariance


def test_invariance() -> None:
    held = pr.invariance(pr.enumerate_regions(TENT, UNIT))
    assert (held.holds, held.violation, set(held.slack)) == (True, None, {0})
    left = pr.invariance(pr.enumerate_regions(TENT, Box([0], [1.25])))
    assert not left
    assert left.violation == (Fraction(5, 4),)
    assert pr.invariance(pr.enumerate_regions(linear([[2]]), pr.WholeSpace(1))).holds


@pytest.mark.parametrize("seed", range(6))
def test_invariance_is_that_all_images_of_vertices_are_inside(seed: int) -> None:
    net, box = made(seed, [2, 4, 2]), Box(-1, 1, dim=2)
    smaller = pr.compose(linear([[Fraction(1, 6), 0], [0, Fraction(1, 6)]]), net)
    regions = pr.enumerate_regions(smaller, box)
    points = [p for piece in pr.image(regions) for p in piece.exact_points]
    inside = bool(box.polytope().contains(points).all())
    found = pr.invariance(regions)
    assert found.holds == inside
    if found.violation is not None:
        assert not box.polytope().contains([ExactNetwork(smaller).germ(found.violation).value])[0]


def test_a_half_space_that_is_left_without_bound() -> None:
    regions = pr.enumerate_regions(linear([[-1]]), Box([0], [np.inf]))
    found = pr.invariance(regions)
    assert not found.holds
    assert None in found.slack
    assert found.violation is not None
    assert -found.violation[0] < 0
    assert pr.invariance(regions, HPolytope([[1]], [0])).holds


# ---------------------------------------------------------------- refusals


def test_refusals() -> None:
    regions = pr.enumerate_regions(made(0, [2, 3, 1]), Box(-1, 1, dim=2))
    with pytest.raises(NetworkError, match="1 outputs, expected 2"):
        pr.fixed_points(regions)
    with pytest.raises(NetworkError, match="1 outputs, expected 2"):
        pr.invariance(regions)
    with pytest.raises(InputError, match="complete"):
        pr.fixed_points(pr.enumerate_regions(TENT, UNIT, max_regions=1))
    two = pr.trajectories(TENT, UNIT, 2)
    for wrong in (0, 3, True, "1"):
        with pytest.raises(OptionError):
            pr.cycles(two, wrong)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="from 0 to 2"):
        two.after(3)
    with pytest.raises(InputError, match="expected Trajectories"):
        pr.cycles(regions)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected Trajectories"):
        pr.reach(regions, HPolytope([[1]], [1]))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"expected an HPolytope in R\^1"):
        pr.reach(two, HPolytope([[1, 0]], [1]))
    with pytest.raises(InputError, match=r"expected an HPolytope in R\^1"):
        pr.preimage(two.regions, 3)  # type: ignore[arg-type]
    with pytest.raises(StoppedError):
        pr.trajectories(made(2, [6, 40, 6]), Box(-1, 1, dim=6), 3, time_limit=0)


# ---------------------------------------------------------------- published systems


def published(name: str) -> Network:
    """x' = net(x) of the corpus: inputs (x - X_mean) / X_std, outputs y * Y_std + Y_mean, exactly."""
    with np.load(corpus(f"rpm/{name}_weights.npz")) as file:
        arrays = [file[f"arr_{i}"] for i in range(len(file.files))]
    with np.load(corpus(f"rpm/{name}_norm_params.npz")) as file:
        scales = {key: [Fraction(float(v)) for v in file[key].ravel()] for key in file.files}
    net = Network.from_layers(list(zip(arrays[::2], arrays[1::2], strict=True)))
    into, out = _affine(scales, "X", True), _affine(scales, "Y", False)
    return pr.compose(out, pr.compose(net, into))


def _affine(scales: dict[str, list[Fraction]], side: str, inverse: bool) -> Network:
    mean, std = scales[f"{side}_mean"], scales[f"{side}_std"]
    d = len(mean)
    factor = [1 / s if inverse else s for s in std]
    bias = [-m / s for m, s in zip(mean, std, strict=True)] if inverse else mean
    return linear([[factor[i] if i == j else Fraction(0) for j in range(d)] for i in range(d)], bias)


@pytest.mark.parametrize(
    "name, box, count",
    [
        ("vanderpol", Box([-2.5, -3], [2.5, 3]), 248),
        ("vanderpol", Box(-7, 7, dim=2), 534),
        ("pendulum_controlled", Box([-np.pi, -np.pi, -5], [np.pi, np.pi, 5]), 217),
    ],
)
def test_the_published_numbers_of_regions(name: str, box: Box, count: int) -> None:
    assert pr.count_regions(published(name), box) == count
