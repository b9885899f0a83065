"""Which neurons are never on, always on, mixed, or repeat another, against the naive twin and by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import naive
from checks import is_ever_negative
from polyregions import Box, Network, WholeSpace, enumerate_regions, neuron_status, simplify
from polyregions.errors import InputError
from polyregions.regions.neurons import Proof, Status
from randoms import generator, integer_layers

SHAPES = [(1, 3, 1), (2, 4, 2), (2, 3, 3, 1), (3, 3, 2), (1, 2, 2, 2)]


@pytest.mark.parametrize("seed", range(30))
def test_a_sign_occurs_iff_the_naive_twin_finds_a_point_of_it(seed: int) -> None:
    """On all activation patterns, those of lower-dimensional sets included: never on means nowhere z > 0.

    Always on means nowhere z < 0, which a network with that neuron negated shows, and somewhere z > 0.
    """
    sizes = SHAPES[seed % len(SHAPES)]
    layers = integer_layers(generator(seed), sizes)
    box = Box.cube(-1, 2, sizes[0])
    status = neuron_status(enumerate_regions(Network.from_layers(layers), box))
    patterns = np.array(naive.activation_patterns(layers, naive.box([-1] * sizes[0], [2] * sizes[0])))
    assert np.array_equal(status.status == Status.NEVER_ON, ~patterns.any(axis=0).astype(bool))
    inner = np.array(naive.regions(layers, naive.box([-1] * sizes[0], [2] * sizes[0])))
    box_rows = naive.box([-1] * sizes[0], [2] * sizes[0])
    ever_negative = [
        is_ever_negative(layers, int(i), int(unit), box_rows)
        for i, unit in zip(status.layer, status.unit, strict=True)
    ]
    positive = patterns.any(axis=0)
    assert np.array_equal(status.status == Status.ALWAYS_ON, positive & ~np.array(ever_negative, dtype=bool))
    assert np.array_equal(status.on_count, inner.sum(axis=0))


def test_a_neuron_of_a_neuron_is_always_on() -> None:
    """relu(relu(x)): z = relu(x) is nowhere negative, though its bit is off where it is 0."""
    net = Network.from_layers([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
    regions = enumerate_regions(net, Box([-1], [1]))
    status = neuron_status(regions)
    assert [row["status"] for row in status.rows()] == ["mixed", "always on"]
    assert status.reason(1) == "nowhere negative in all 2 regions, and 0 where it is off"
    smaller, report = simplify(net, regions)
    assert (smaller.n_neurons, report.regions_checked) == (1, 2)


@pytest.mark.parametrize("seed", range(10))
def test_twins_are_the_rows_of_rank_one(seed: int) -> None:
    """Two rows are proportional iff together they have rank one, zero rows (equal to each other) apart."""
    layers = integer_layers(generator(seed), (2, 8, 1), most=1)
    status = neuron_status(enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, 2)))
    rows = [[*w, c] for w, c in zip(*layers[0], strict=True)]
    for i, row in enumerate(rows):
        same = [
            j for j in range(i) if (naive.rank([row, rows[j]]) == 1) == any(row) and any(row) == any(rows[j])
        ]
        assert status.twin[i] == (same[0] if same else -1)
        if same:
            factor = status.factors[i]
            assert [factor * e for e in rows[same[0]]] == row


def test_each_kind_of_proof() -> None:
    """x in [-1, 1]: x + 5 by bounds; x by two regions; |x| - 1 only by all regions, for it touches 0."""
    net = Network.from_layers([([[1], [1], [-1]], [5, 0, 0]), ([[0, 1, 1]], [-1]), ([[1]], [0])])
    status = neuron_status(enumerate_regions(net, Box([-1], [1])))
    assert [Proof(p) for p in status.proof] == [
        Proof.BOUNDS, Proof.TWO_REGIONS, Proof.TWO_REGIONS, Proof.ALL_REGIONS,
    ]  # fmt: skip
    assert [Status(s).name for s in status.status] == ["ALWAYS_ON", "MIXED", "MIXED", "NEVER_ON"]
    assert status.reason(0) == "bounds on the domain"
    assert status.reason(1) == "off in region 0, on in region 1"
    assert status.reason(3) == "the same in all 2 regions"
    assert (status.layer.tolist(), status.unit.tolist()) == ([0, 0, 0, 1], [0, 1, 2, 0])
    assert status.factors == {2: Fraction(-1)}
    assert repr(status) == "<NeuronStatus: 1 never on, 1 always on, 2 mixed; 1 repeat another one>"


def test_rows_are_one_record_for_each_neuron() -> None:
    net = Network.from_layers([([[1], [2]], [0, 0]), ([[1, 1]], [0])])
    records = list(neuron_status(enumerate_regions(net, Box([-1], [1]))).rows())
    assert records[1] == {
        "neuron": 1,
        "layer": 0,
        "unit": 1,
        "status": "mixed",
        "proof": "off in region 0, on in region 1",
        "on_count": 1,
        "twin": 0,
        "factor": Fraction(2),
    }


def test_a_partial_set_proves_only_what_it_shows() -> None:
    net = Network.from_layers([([[1], [1], [1]], [9, 0, -0.5]), ([[1, 1, 1]], [0])])
    partial = enumerate_regions(net, Box([-1], [1]), max_regions=2)
    assert not partial.complete
    with pytest.raises(InputError, match=r"expected a complete set: 1 neurons \(the first is neuron 2\)"):
        neuron_status(partial)
    enough = Network.from_layers([([[1], [1]], [9, 0]), ([[1, 1], [-1, -1]], [0, 0]), ([[1, 1]], [0])])
    assert neuron_status(enumerate_regions(enough, Box([-1], [1]))).status.tolist()[:2] == [1, 2]


def test_unbounded_domains_are_proved_by_regions() -> None:
    net = Network.from_layers([([[1], [0]], [0, 3]), ([[1, 1]], [0])])
    status = neuron_status(enumerate_regions(net, WholeSpace(1)))
    assert [Proof(p) for p in status.proof] == [Proof.TWO_REGIONS, Proof.ALL_REGIONS]


def test_no_neurons() -> None:
    status = neuron_status(enumerate_regions(Network.from_layers([([[1]], [0])]), Box([-1], [1])))
    assert (len(status), list(status.rows())) == (0, [])
