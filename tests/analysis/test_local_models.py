"""The table of local linear models."""

from __future__ import annotations

import csv
import sys
from io import StringIO

import numpy as np
import pytest

from polyregions import Box, Network, WholeSpace, enumerate_regions, local_models, merged_regions
from polyregions.errors import InputError, MissingExtraError, OptionError
from randoms import generator, integer_layers

# relu(x), relu(y) and the outputs relu(x) + 1/4, relu(y), the kink of a third neuron changing nothing
NET = Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, 0]), ([[1, 0, 0], [0, 1, 0]], [0.25, 0])])


def test_lines_are_regions_with_their_maps_classes_and_volumes() -> None:
    regions = enumerate_regions(NET, Box.cube(-1, 1, 2))
    table = local_models(regions)
    assert table.region.tolist() == list(range(len(regions))) == table.model_of.tolist()
    for i, region in enumerate(regions):
        weight, bias = region.affine_map
        assert np.array_equal(table.coefficients[i], weight) and np.array_equal(table.bias[i], bias)
        assert table.label[i] == np.argmax(NET(region.point))
        assert table.share[i] == pytest.approx(region.polytope.volume() / 4)


def test_merged_lines_are_the_four_quadrants() -> None:
    regions = enumerate_regions(NET, Box.cube(-1, 3, 2))
    table = local_models(regions, merged=True)
    assert (len(table), table.size.sum()) == (4, 6)
    assert table.share.tolist() == pytest.approx([1 / 16, 3 / 16, 3 / 16, 9 / 16])
    assert np.array_equal(table.model_of, merged_regions(regions))


def test_the_class_of_a_whole_line_is_the_one_that_wins_everywhere() -> None:
    """Where y > 0 both may win: y against 1/4, or against x + 1/4; elsewhere class 0 has 1/4 more."""
    regions = enumerate_regions(NET, Box.cube(-1, 1, 2))
    table = local_models(regions, merged=True, classes="whole")
    quadrants = [tuple(np.sign(regions.points[i]).astype(int)) for i in table.region]
    assert dict(zip(quadrants, table.label.tolist(), strict=True)) == {
        (-1, -1): 0, (1, -1): 0, (-1, 1): -1, (1, 1): -1,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_shares_of_data_count_points(seed: int) -> None:
    rng = generator(seed)
    regions = enumerate_regions(Network.from_layers(integer_layers(rng, (2, 4, 3, 2))), Box.cube(-1, 1, 2))
    X = rng.uniform(-1, 1, size=(50, 2))
    table = local_models(regions, X, merged=True)
    where = table.model_of[regions.locate(X)]
    assert table.share.tolist() == pytest.approx([np.mean(where == k) for k in range(len(table))])
    assert local_models(regions, [[5, 5], [0.1, 0.2]]).share.sum() == 0.5  # one point is outside


def test_the_shares_of_an_unbounded_domain_are_unknown() -> None:
    assert np.all(np.isnan(local_models(enumerate_regions(NET, WholeSpace(2))).share))


def test_csv_reads_back_equal() -> None:
    rng = generator(0)
    net = Network.from_layers(
        [(rng.normal(size=(3, 2)), rng.normal(size=3)), (rng.normal(size=(2, 3)), [0, 0])]
    )
    table = local_models(enumerate_regions(net, Box.cube(-1, 1, 2)))
    names, *lines = csv.reader(StringIO(table.to_csv()))
    assert names == ["region", "size", "class", "share", "a_0_0", "a_0_1", "a_1_0", "a_1_1", "b_0", "b_1"]
    read = np.array(lines, dtype=np.float64)
    assert np.array_equal(read[:, 4:8].reshape(-1, 2, 2), table.coefficients)
    assert np.array_equal(read[:, 8:], table.bias) and np.array_equal(read[:, 3], table.share)


def test_pandas_has_the_same_table() -> None:
    pytest.importorskip("pandas")
    table = local_models(enumerate_regions(NET, Box.cube(-1, 1, 2)))
    frame = table.to_pandas()
    assert list(frame.columns) == table.columns and frame.to_numpy().tolist() == table.rows()


def test_without_pandas_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r'pip install "polyregions\[pandas\]"'):
        local_models(enumerate_regions(NET, Box.cube(-1, 1, 2))).to_pandas()


def test_bad_input_is_refused() -> None:
    regions = enumerate_regions(NET, Box.cube(-1, 1, 2))
    with pytest.raises(OptionError, match="expected one of point, whole"):
        local_models(regions, classes="best")
    with pytest.raises(InputError, match="no points in the data"):
        local_models(regions, np.empty((0, 2)))


def test_rules_are_those_of_decision_cells() -> None:
    """2 relu(x) - 1 is positive from 1/2 on; by default one output decides by its sign."""
    ramp = enumerate_regions(Network.from_layers([([[1]], [0]), ([[2]], [0])]), Box([-1], [2]))
    assert local_models(ramp).label.tolist() == local_models(ramp, rule="sign").label.tolist() == [0, 1]
    one = enumerate_regions(Network.from_layers([([[1]], [0]), ([[2]], [-1])]), Box([-1], [2]))
    assert local_models(one, classes="whole").label.tolist() == [0, -1]
    assert local_models(one, rule="argmax").label.tolist() == [0, 0]
    several = enumerate_regions(NET, Box.cube(-1, 1, 2))
    for i, region in enumerate(several):
        assert local_models(several, rule="argmin").label[i] == np.argmin(NET(region.point))
    for rule, regions in (("sign", several), ("best", several)):
        with pytest.raises(OptionError, match="rule"):
            local_models(regions, rule=rule)
