"""Estimates of how many regions there are: unbiased, near the truth for nearly every seed, and honest about spread."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from corpus import corpus
from polyregions.cli import main
from polyregions.engine.estimate import Sizes, _chances, _sampling_job, sample_regions
from polyregions.errors import OptionError
from polyregions.networks.problem import pose
from randoms import float_layers, generator
from truth import FORMULA_NETWORKS, REAL_NETWORKS, formula_network, name_of


def sampled(
    network: pr.Network, domain: Any, population: int, repeats: int, engine: str = "auto"
) -> np.ndarray:
    job = _sampling_job(pose(network, domain), engine)
    sizes, found = Sizes(len(network.layers)), []
    for i in range(repeats):
        sample = sample_regions(job, population, sizes, np.random.default_rng(i))
        sizes.learn(sample.places, sample.sizes)
        found.append(sample.regions)
    return np.array(found)


@pytest.mark.parametrize("entry", [e for e in FORMULA_NETWORKS if e["cells"] <= 3000], ids=name_of)
def test_with_room_for_every_cell_the_sample_is_the_count(entry: dict[str, Any]) -> None:
    found = sampled(formula_network(entry), pr.Box(entry["lo"], entry["hi"]), 10**6, 2)
    assert found.tolist() == [entry["cells"]] * 2


@pytest.mark.parametrize("engine", ["auto", "highs"])
def test_the_mean_of_many_samples_is_the_count(engine: str) -> None:
    """Unbiased whatever the population: 2 cells side by side. The bound is five standard errors."""
    network, box = pr.Network.from_layers(float_layers(generator(1), (2, 7, 6, 1))), pr.Box.cube(-2, 2, 2)
    truth = pr.count_regions(network, box, engine="highs", workers=1)
    repeats = 400 if engine == "auto" else 40
    found = sampled(network, box, 2, repeats, engine)
    assert truth > 30
    assert np.std(found) > 0
    assert abs(found.mean() - truth) < 5 * np.std(found) / np.sqrt(repeats)


SEEDS = range(20)
MIDDLE = ([0.024475348848894, *[-0.15] * 4], [0.326959542606, *[0.15] * 4])  # 30 % of each input of ACAS Xu
ACAS = "acasxu/ACASXU_run2a_1_1_batch_2000.onnx"


def within_a_factor(network: pr.Network, domain: Any, truth: int, **options: Any) -> int:
    """For how many of the seeds the estimate is within a factor 3 of the truth."""
    found = [pr.estimate_regions(network, domain, trial=0.0, seed=seed, **options) for seed in SEEDS]
    return sum(truth / 3 <= estimate.regions <= 3 * truth for estimate in found)


def slow_where_long(entry: dict[str, Any]) -> Any:
    """Many cells; or those of the lattice network, settled by exact arithmetic, some milliseconds each."""
    return pytest.param(
        entry, marks=pytest.mark.slow if "tll" in entry["network"] or entry["cells"] > 1000 else ()
    )


@pytest.mark.parametrize("entry", [slow_where_long(e) for e in REAL_NETWORKS if e["cells"] > 15], ids=name_of)
def test_estimates_of_real_networks_with_a_few_cells_side_by_side(entry: dict[str, Any]) -> None:
    network, box = pr.load_network(corpus(entry["network"])), pr.Box(entry["lo"], entry["hi"])
    assert within_a_factor(network, box, entry["cells"], population=8, repeats=4) >= 19


@pytest.mark.slow
@pytest.mark.parametrize(("domain", "truth"), [("prop_3", 71930), ("middle", 1454653)])
def test_estimates_of_acas_xu(domain: str, truth: int) -> None:
    """The first count is that of the design; the second is in docs/benchmarks.md, where it is counted in two ways."""
    box = pr.Box(*MIDDLE) if domain == "middle" else pr.load_domain(corpus(f"acasxu/{domain}.vnnlib"))
    assert within_a_factor(pr.load_network(corpus(ACAS)), box, truth) >= 19


def test_the_same_seed_gives_the_same_estimate() -> None:
    network, box = pr.Network.from_layers(float_layers(generator(1), (3, 12, 10, 1))), pr.Box.cube(-2, 2, 3)
    options: dict[str, Any] = {"trial": 0.0, "population": 5, "repeats": 3}
    a, b, c = (pr.estimate_regions(network, box, seed=seed, **options) for seed in (0, 0, 1))
    assert a.samples == b.samples != c.samples
    assert a.low < a.regions < a.high
    assert not a.is_exact and a.spread > 0
    assert a.seconds(2) == a.seconds(1) / 2


def test_a_short_run_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["estimate", "example:two-moons", "--box", "-2,-1.5", "3,2"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["regions"], found["low"], found["high"], found["exact"]) == (442, 442, 442, True)
    assert main(words) == 0
    assert "regions: 442 (counted)" in capsys.readouterr().out


def test_chances_add_up_to_what_may_be_kept() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        size, most = np.exp(5 * rng.normal(size=50)), int(rng.integers(1, 50))
        chance = _chances(size, most)
        assert np.all((chance > 0) & (chance <= 1))
        assert chance.sum() == pytest.approx(most)
        loose = chance < 1
        assert np.allclose(chance[loose] / size[loose], (chance[loose] / size[loose]).mean())


@pytest.mark.parametrize("wrong", [{"repeats": 1}, {"population": 0}])
def test_numbers_that_make_no_sample_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="expected at least 2 and 1"):
        pr.estimate_regions(pr.load_network("example:two-moons"), pr.Box([0, 0], [1, 1]), **wrong)
