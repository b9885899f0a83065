"""The regions of several input sets: each set's own, and together those of a box that the sets cover."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from polyregions import errors
from polyregions.cli.main import main
from polyregions.progress import Progress

HALVES = [pr.Box([-1, -1], [0, 1]), pr.Box([0, -1], [1, 1])]


def layers(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng, widths = np.random.default_rng(seed), [2, 7, 5, 2]
    return [
        (rng.normal(size=(n, k)), rng.normal(size=n) / 2) for k, n in zip(widths, widths[1:], strict=False)
    ]


def network(seed: int) -> pr.Network:
    return pr.Network.from_layers(layers(seed))


@pytest.mark.parametrize("seed", range(6))
def test_two_halves_have_the_patterns_of_the_whole(seed: int) -> None:
    """A region with an interior meets one of the halves in an interior, for the cut between them has none."""
    net = network(seed)
    union, whole = pr.enumerate_union(net, HALVES), pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    assert union.count_patterns() == len(whole)
    assert [len(part) for part in union.parts] == [pr.count_regions(net, half) for half in HALVES]
    found = {region.pattern.tobytes() for region in union}
    assert found == {pattern.tobytes() for pattern in whole.patterns}
    volumes = union.to_pandas(volume=True).volume.sum()
    assert volumes == pytest.approx(4, rel=1e-12)  # the halves do not overlap


def test_a_region_knows_its_number_and_its_box() -> None:
    union = pr.enumerate_union(network(1), HALVES)
    first = len(union.parts[0])
    assert [union[i].number for i in (0, first, -1)] == [0, first, len(union) - 1]
    assert union.box.tolist() == [0] * first + [1] * len(union.parts[1])
    assert all((region.point[0] > 0) == bool(box) for region, box in zip(union, union.box, strict=True))
    assert pickle.loads(pickle.dumps(union)) == union


def test_overlapping_sets_list_a_region_once_for_each() -> None:
    union = pr.enumerate_union(network(2), [HALVES[0], HALVES[0]])
    assert len(union) == 2 * union.count_patterns()


def test_limits_are_for_the_whole() -> None:
    net, seen = network(3), list[Progress]()
    first = pr.count_regions(net, HALVES[0])
    stopped = pr.enumerate_union(net, HALVES, max_regions=first + 2, workers=1)
    assert (len(stopped), stopped.complete) == (first + 2, False)
    assert pr.enumerate_union(net, HALVES, progress=seen.append).complete
    assert seen[-1].fraction == 1
    assert seen[-1].regions == sum(pr.count_regions(net, half) for half in HALVES)


def test_what_is_wrong_is_named() -> None:
    net = network(0)
    with pytest.raises(errors.InputError, match="domains: none, expected at least one"):
        pr.enumerate_union(net, [])
    with pytest.raises(errors.DomainError, match="input set 1: "):
        pr.enumerate_union(net, [HALVES[0], pr.Box(-1, 1)])


def test_files_have_the_box_of_each_region(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    union = pr.enumerate_union(network(4), HALVES)
    pr.save(union, tmp_path / "u.parquet", hrep=True, classes="argmax")
    table = parquet.read_table(tmp_path / "u.parquet").to_pydict()
    assert table["box"] == union.box.tolist()
    for i, region in enumerate(union):
        A, b = np.array(table["hrep_A"][i]), np.array(table["hrep_b"][i])
        assert np.all(A @ region.point < b)
    about = json.loads(parquet.read_schema(tmp_path / "u.parquet").metadata[b"polyregions"])
    assert [box["domain"]["lower"] for box in about["boxes"]] == [[-1, -1], [0, -1]]
    pr.save(union, tmp_path / "u.csv")
    lines = (tmp_path / "u.csv").read_text().splitlines()
    assert lines[0].split(",")[:3] == ["region", "box", "pattern"]
    assert len(lines) == 1 + len(union)
    with pytest.raises(errors.OptionError, match="expected a name that ends in one of .csv, .parquet"):
        pr.save(union, tmp_path / "u.npz")


# ---------------------------------------------------------------- files with several sets


@pytest.fixture
def boxes(tmp_path: Path) -> str:
    file = tmp_path / "boxes.npz"
    np.savez(file, lower=[[-1.0, -1], [0, -1]], upper=[[0.0, 1], [1, 1]])
    return str(file)


def test_load_domains_reads_rows_of_boxes_and_the_sets_of_a_property(boxes: str, tmp_path: Path) -> None:
    assert [box.lower.tolist() for box in pr.load_domains(boxes)] == [[-1, -1], [0, -1]]
    with pytest.raises(errors.UnsupportedError, match="2 different sets, expected one; load_domains"):
        pr.load_domain(boxes)
    spec = tmp_path / "p.vnnlib"
    spec.write_text(
        "(declare-const X_0 Real) (declare-const Y_0 Real) (assert (>= Y_0 0))"
        "(assert (or (and (>= X_0 0) (<= X_0 1)) (and (>= X_0 2) (<= X_0 3))))"
    )
    assert pr.load_domains(spec) == [pr.Box(0.0, 1.0), pr.Box(2.0, 3.0)]
    np.savez(tmp_path / "bad.npz", lower=[[0.0], [1.0]], upper=[[1.0], [0.0]])
    with pytest.raises(errors.DomainError, match=r"bad\.npz, box 1"):
        pr.load_domains(tmp_path / "bad.npz")


def test_the_command_line_takes_all_sets_or_one(
    boxes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = str(tmp_path / "n.npz"), str(tmp_path / "u.csv")
    net = network(5)
    pr.save(net, model)
    counts = [pr.count_regions(net, half) for half in HALVES]
    for verb in (["count"], ["enumerate", "-o", out]):
        assert main([*verb, model, "--domain", boxes, "--json", "-q"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["regions"], told["regions_of_sets"]) == (sum(counts), counts)
    assert main(["count", model, "--domain", boxes, "--domain-set", "1", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["regions"] == counts[1]
    refused = {
        ("graph",): "choose one with --domain-set 0 to 1",
        ("count", "--domain-set", "2"): "--domain-set 2: ",
        (
            "enumerate",
            "-o",
            str(tmp_path / "u.npz"),
        ): "has 2 input sets, expected a name that ends in .csv or .parquet",
        ("enumerate", "--certificate", str(tmp_path / "c.npz")): "--certificate: for one input set",
    }
    for arguments, message in refused.items():
        assert main([*arguments, model, "--domain", boxes, "-q"]) == 2
        assert message in capsys.readouterr().err


# ---------------------------------------------------------------- other parts of a set


def test_the_regions_after_a_layer_can_be_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, model, out = network(6), str(tmp_path / "n.npz"), str(tmp_path / "after.npz")
    pr.save(net, model)
    assert main(["enumerate", model, "--box=-1", "1", "-o", out, "--after-layer", "1", "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    one_layer = pr.Network.from_layers([layers(6)[0], (np.ones((1, 7)), [0.0])])
    assert (
        told["stored_regions"]
        == len(pr.load_regions(out))
        == pr.count_regions(one_layer, pr.Box(-1, 1, dim=2))
    )


def test_lower_dimensional_regions_can_be_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of |x|, |y| and x + y in the square: the two axes' cells on which a neuron vanishes and no other is on."""
    net = pr.Network.from_layers([([[1, 0], [-1, 0], [0, 1], [1, 1]], [0, 0, 0, 0]), ([[1, 1, 1, 1]], [0])])
    model, out = str(tmp_path / "n.npz"), str(tmp_path / "thin.npz")
    pr.save(net, model)
    assert main(["enumerate", model, "--box=-1", "1", "-o", out, "--lower-dimensional", "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    data = np.load(out)
    assert told["lower_dimensional"] == len(data["dims"])
    r1 = pr.count_by_definition(pr.enumerate_regions(net, pr.Box(-1, 1, dim=2)), ["R1", "R2"])
    assert len(data["dims"]) == int(r1["R1"]) - int(r1["R2"])
    for i, (start, end) in enumerate(zip(data["hrep_offsets"], data["hrep_offsets"][1:], strict=False)):
        gaps = data["hrep_b"][start:end] - data["hrep_A"][start:end] @ data["points"][i]
        assert np.all(gaps >= 0)
        assert np.count_nonzero(gaps == 0) == 2 * (2 - data["dims"][i])  # the equations of its hull
    pytest.importorskip("pyarrow")
    assert (
        main(
            [
                "enumerate",
                model,
                "--box=-1",
                "1",
                "-o",
                out.replace("npz", "parquet"),
                "--lower-dimensional",
                "-q",
            ]
        )
        == 0
    )
    assert (
        main(
            ["enumerate", model, "--box=-1", "1", "-o", str(tmp_path / "t.csv"), "--lower-dimensional", "-q"]
        )
        == 2
    )
