"""``polyregions verify``: what it prints, its exit status, its files, its complaints."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest

from corpus import corpus
from polyregions.analysis.verification import Verification
from polyregions.analysis.verification.property import Property
from polyregions.cli import main
from polyregions.io.specs.vnnlib.property import load_property

SPEC = """
(declare-const X_0 Real) (declare-const Y_0 Real)
(assert (>= X_0 -1)) (assert (<= X_0 2)) (assert {})
"""


@pytest.fixture
def network(tmp_path: Path) -> str:
    """|x|."""
    file = tmp_path / "abs.npz"
    np.savez(file, W1=np.array([[1.0], [-1.0]]), b1=np.zeros(2), W2=np.ones((1, 2)), b2=np.zeros(1))
    return str(file)


def spec(tmp_path: Path, condition: str) -> str:
    file = tmp_path / "p.vnnlib"
    file.write_text(SPEC.format(condition))
    return str(file)


def test_holds(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", network, spec(tmp_path, "(>= Y_0 2.5)"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["done"], found["network"], found["property"]) == (
        "holds", 1.0, "abs.npz", "p.vnnlib",
    )  # fmt: skip
    assert "counterexample" not in found


def test_violated(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", network, spec(tmp_path, "(>= Y_0 2)"), "--json"]) == 1
    example = json.loads(capsys.readouterr().out)["counterexample"]
    assert (example["inputs"], example["outputs"]) == ([2.0], [2.0])
    assert (example["runtime"], example["runtime_outputs"]) == ("polyregions in float64", [2.0])


def test_a_rational_counterexample_is_written_out(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prop = spec(tmp_path, "(and (>= (* 3 X_0) 1) (<= (* 3 Y_0) 1))")
    assert main(["verify", network, prop, "--json"]) == 1
    example = json.loads(capsys.readouterr().out)["counterexample"]
    assert (example["exact_inputs"], example["inputs_are_float64"]) == (["1/3"], False)
    assert main(["verify", network, prop]) == 1
    assert "exact inputs: 1/3\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("condition", "status", "first"), [("(>= Y_0 2)", 1, "sat"), ("(>= Y_0 3)", 0, "unsat")]
)
def test_the_style_of_the_competition(
    condition: str, status: int, first: str, network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "result.txt"
    assert main(["verify", network, spec(tmp_path, condition), "--vnncomp", "-o", str(out)]) == status
    text = capsys.readouterr().out
    assert text == out.read_text()
    assert text == ("sat\n((X_0 2.0)\n(Y_0 2.0))\n" if first == "sat" else "unsat\n")


def test_a_json_file(network: str, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    assert main(["verify", network, spec(tmp_path, "(>= Y_0 3)"), "-q", "-o", str(out)]) == 0
    assert json.loads(out.read_text())["verdict"] == "holds"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{network}", "none.vnnlib"], "none.vnnlib: no such file"),
        (["{network}", "{spec}", "--timeout", "0"], "expected a positive number of seconds"),
        (["{network}", "{spec}", "--timeout", "soon"], "expected a number of seconds"),
        (["{network}", "{spec}", "-o", "x.csv"], "expected a name that ends in .json or .txt"),
        (["{network}", "{spec}", "-o", "/nowhere/x.json"], "in a folder that is there"),
        (["example:two-moons", "{spec}"], "is about 1 inputs, expected 2"),
        (["{network}"], "the following arguments are required: SPEC"),
    ],
)
def test_complaints_are_one_line(
    words: list[str], message: str, network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prop = spec(tmp_path, "(>= Y_0 3)")
    assert main(["verify", *(w.format(network=network, spec=prop) for w in words)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_an_instance_that_times_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, prop = corpus("acasxu/ACASXU_run2a_3_3_batch_2000.onnx"), corpus("acasxu/prop_2.vnnlib")
    assert main(["verify", str(net), str(prop), "--timeout", "0.5", "--vnncomp", "-q"]) == 3
    assert capsys.readouterr().out == "timeout\n"


def test_what_the_runtime_makes_of_a_counterexample(capsys: pytest.CaptureFixture[str]) -> None:
    """float32 is near the exact outputs, and says who ran it."""
    folder = "rl_benchmarks/lunarlander"
    words = [
        "verify",
        str(corpus(f"{folder}.onnx")),
        str(corpus(f"{folder}_case_unsafe_16.vnnlib")),
        "--json",
    ]
    assert main(words) == 1
    example = json.loads(capsys.readouterr().out)["counterexample"]
    assert re.fullmatch(r"onnxruntime|onnx\.reference", example["runtime"])
    assert example["runtime_outputs"] == pytest.approx(example["outputs"], rel=1e-5)
    assert example["runtime_outputs"] != example["outputs"]


# ---------------------------------------------------------------- the limit of time, and what is vacuous


def test_contradictory_inputs_hold_with_a_notice(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prop = spec(tmp_path, "(and (>= X_0 3) (>= Y_0 0))")
    assert main(["verify", network, prop, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["verdict"] == "holds"
    assert re.search(
        "no input satisfies any of 1 disjuncts .the first: X_0 >= 3 against X_0 <= 2", found["notices"][0]
    )
    assert err.startswith("note: ")
    assert main(["verify", network, prop, "--vnncomp", "-q"]) == 0
    assert capsys.readouterr() == ("unsat\n", "")
    assert main(["count", network, "--domain", prop]) == 2
    assert "no input satisfies the constraints on X" in capsys.readouterr().err


def test_counting_and_verifying_speak_of_the_same_set(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prop = spec(
        tmp_path, "(and (or (<= X_0 -2) (>= X_0 0.1)) (>= Y_0 0))"
    )  # [0.1, 2]: |x| has one region there
    assert main(["count", network, "--domain", prop, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regions"] == 1
    smallest = spec(tmp_path, "(and (or (<= X_0 -2) (>= X_0 0.1)) (<= Y_0 0.1))")
    assert main(["verify", network, smallest, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["counterexample"]["exact_inputs"] == ["1/10"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signal here")
@pytest.mark.parametrize("slow", ["network_of", "load_property", "verify"])
def test_whatever_takes_too_long_ends_at_the_limit(
    slow: str,
    network: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def hangs(*_: object, **__: object) -> None:
        while True:
            sum(range(1000))

    monkeypatch.setattr(f"polyregions.cli.verify.{slow}", hangs)
    before = signal.getsignal(signal.SIGALRM)
    result = tmp_path / "result.txt"
    words = [
        "verify",
        network,
        spec(tmp_path, "(>= Y_0 3)"),
        "--timeout",
        "0.2",
        "--vnncomp",
        "-o",
        str(result),
    ]
    assert main(words) == 3
    assert capsys.readouterr().out == result.read_text() == "timeout\n"
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_time_that_reading_took_is_no_longer_there(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given, clock = [], [0.0]

    def verify(*_: object, timeout: float, **__: object) -> Verification:
        given.append(timeout)
        return Verification("unknown", None, 0, 0, 0.0, 0.0)

    def read(_: object) -> Property:
        clock[0] += 5.0
        return load_property(prop)

    prop = spec(tmp_path, "(>= Y_0 3)")
    monkeypatch.setattr("polyregions.cli.session.monotonic", lambda: clock[0])
    monkeypatch.setattr("polyregions.cli.verify.load_property", read)
    monkeypatch.setattr("polyregions.cli.verify.verify", verify)
    assert main(["verify", network, prop, "--timeout", "30", "-q"]) == 3
    assert given == [25.0]


# ---------------------------------------------------------------- all violations


def test_all_violations_have_a_share(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """|x| >= 1/2 on [-1, 2]."""
    assert main(["verify", network, spec(tmp_path, "(>= Y_0 0.5)"), "--all", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["polytopes"], found["exact_share"]) == ("violated", 2, "2/3")
    assert found["share_at_least"] <= 2 / 3 <= found["share_at_most"]
    assert found["complete"]
    assert main(["verify", network, spec(tmp_path, "(>= Y_0 2.5)"), "--all"]) == 0
    assert "exact share: 0" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".json"])
def test_all_violations_are_written(
    suffix: str, network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    file = tmp_path / f"v{suffix}"
    prop = spec(tmp_path, "(>= Y_0 0.5)")
    assert main(["verify", network, prop, "--all", "-o", str(file), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["file"], report["polytopes"]) == (str(file), 2)
    if suffix == ".parquet":
        from pyarrow import parquet

        assert sorted(parquet.read_table(file)["volume"].to_pylist()) == [0.5, 1.5]
    elif suffix == ".npz":
        assert sorted(np.load(file)["volume"].tolist()) == [0.5, 1.5]
    else:
        assert sorted(p["volume"] for p in json.loads(file.read_text())["polytopes"]) == [0.5, 1.5]


def test_all_violations_stopped_early_are_partial(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "v.json"
    asked = ["verify", network, spec(tmp_path, "(>= Y_0 0.5)"), "--all", "--max-regions", "0"]
    assert main([*asked, "-o", str(file), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["complete"], report["share_at_least"], report["share_at_most"]) == (False, 0.0, 1.0)
    assert json.loads(file.read_text())["polytopes"] == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--workers", "2"], "only with --all"),
        (["--max-regions", "2"], "only with --all"),
        (["--all", "--vnncomp"], "--vnncomp"),
        (["--all", "-o", "v.txt"], "v.txt: expected a name that ends in one of .npz, .json, .parquet"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str], complaint: str, network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", network, spec(tmp_path, "(>= Y_0 0.5)"), *options]) == 2
    assert complaint in capsys.readouterr().err
