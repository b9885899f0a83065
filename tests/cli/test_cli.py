"""The command line: each verb, each exit status, each kind of bad input, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import naive
import polyregions as pr
from corpus import corpus
from polyregions.cli import main, problem, running
from polyregions.cli.parser import make_parser, protect_negative_lists
from polyregions.cli.progress import _Bar
from polyregions.engine.kernels import compiled
from polyregions.errors import FormatError, InternalError
from polyregions.io.models.npz import save_network_npz
from polyregions.networks.graph import GraphBuilder, lower

VERBS = ("count", "enumerate", "graph", "cells", "report", "plot", "query")
BOX = ("--box", "-1", "1")
PENDULUM = "archcomp/controller_single_pendulum.onnx"
ACAS = "acasxu/ACASXU_run2a_1_1_batch_2000.onnx"
MIDDLE_OF_PROP_3 = (
    "-0.3012909012,-0.0009549297,0.4963591782,0.39,0.39",
    "-0.30079306680000006,0.0009549297,0.4970211458,0.41000000000000003,0.41000000000000003",
)
VNNLIB = """
(declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real) (declare-const Y_1 Real)
(assert (>= X_0 -1.0)) (assert (<= X_0 1.0)) (assert (>= X_1 -1.0)) (assert (<= X_1 1.0))
(assert (>= Y_0 Y_1))
"""


@pytest.fixture(autouse=True)
def quiet_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said on stderr does not depend on what other runs have left in a cache of compiled code."""
    monkeypatch.setattr(compiled, "ANNOUNCE_AFTER", 3600.0)


@pytest.fixture
def quadrants(tmp_path: Path) -> str:
    """A file of the network (relu(x), relu(y)): on [-1, 1]^2 its regions are the four quadrants."""
    file = tmp_path / "quadrants.npz"
    np.savez(file, W1=np.eye(2), b1=np.zeros(2), W2=np.eye(2), b2=np.zeros(2))
    return str(file)


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A file of a random network of ten inputs and 80 neurons, which has many millions of regions."""
    rng, file = np.random.default_rng(0), tmp_path / "endless.npz"
    shapes = {"W1": (40, 10), "b1": (40,), "W2": (40, 40), "b2": (40,), "W3": (1, 40), "b3": (1,)}
    arrays: dict[str, Any] = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    np.savez(file, **arrays)
    return str(file)


def python(*words: str, **options: Any) -> subprocess.Popen[str]:
    """A Python process that finds the package."""
    path = os.pathsep.join([str(Path(pr.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    env = os.environ | {"PYTHONPATH": path, "TERM": "xterm"}
    return subprocess.Popen([sys.executable, *words], env=env, **options)


def run(*words: str, **options: Any) -> tuple[int, str, str]:
    """Status, stdout and stderr of ``python -m polyregions`` as a process of its own.

    Without the notice that kernels are compiled, see `quiet_compiler`.
    """
    with python("-m", "polyregions", *words, **options) as process:
        out, err = process.communicate(timeout=600)
    return (
        process.returncode,
        out,
        "".join(line for line in err.splitlines(True) if not line.startswith(compiled.NOTICE)),
    )


def one_object(text: str) -> dict[str, Any]:
    """The JSON object that is the whole of a text of one line."""
    assert text.endswith("\n")
    assert text.count("\n") == 1
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def report(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict[str, Any]:
    """What a command prints with --json, given its exit status."""
    assert main([*words, "--json"]) == status
    return one_object(capsys.readouterr().out)


# ---------------------------------------------------------------- what each verb answers


def test_count_by_hand(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "count", quadrants, *BOX) == {
        "regions": 4,
        "after_each_layer": [4],
        "complete": True,
        "network": "quadrants.npz",
    }


def test_enumerate_by_hand(quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "regions.npz")
    found = report(capsys, "enumerate", quadrants, *BOX, "-o", out)
    assert (found["regions"], found["file"], found["complete"]) == (4, out, True)
    assert pr.load_regions(out).patterns.astype(int).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_enumerate_without_a_file_still_counts(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "enumerate", quadrants, *BOX)["regions"] == 4


def test_graph_by_hand(quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "quadrants.graphml"
    assert report(capsys, "graph", quadrants, *BOX, "-o", str(out))["edges"] == 4
    graph = nx.read_graphml(out, node_type=int)
    patterns = nx.get_node_attributes(graph, "pattern")
    edges = {tuple(sorted((patterns[a], patterns[b]))) for a, b in graph.edges}
    assert edges == {("00", "01"), ("00", "10"), ("01", "11"), ("10", "11")}


@pytest.mark.parametrize(("options", "per_class"), [([], {"0": 3, "1": 2}), (["--argmin"], {"0": 3, "1": 2})])
def test_cells_by_hand(
    quadrants: str, options: list[str], per_class: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The diagonal cuts the quadrant where both are on; where both are off they tie and the first class wins."""
    found = report(capsys, "cells", quadrants, *BOX, *options)
    assert (found["regions"], found["cells"], found["ties"]) == (4, 5, 1)
    assert found["per_class"] == per_class


def test_argmin_is_not_argmax(quadrants: str, tmp_path: Path) -> None:
    files = [tmp_path / "max.json", tmp_path / "min.json"]
    assert main(["cells", quadrants, *BOX, "-q", "-o", str(files[0])]) == 0
    assert main(["cells", quadrants, *BOX, "-q", "--argmin", "-o", str(files[1])]) == 0
    where_only_y_is_on = [
        [c["label"] for c in json.loads(f.read_text())["cells"] if c["pattern"] == "01"] for f in files
    ]
    assert where_only_y_is_on == [[1], [0]]


def test_graph_of_cells_by_hand(quadrants: str, tmp_path: Path) -> None:
    """Five cells in a ring: through the axes by a neuron, across the diagonal by a decision."""
    out = tmp_path / "cells.graphml"
    assert main(["cells", quadrants, *BOX, "-o", str(out)]) == 0
    graph = nx.read_graphml(out, node_type=int)
    kinds = sorted(kind for *_, kind in graph.edges(data="kind"))
    assert kinds == ["decision", "neuron", "neuron", "neuron", "neuron"]
    assert sorted(degree for _, degree in graph.degree) == [2, 2, 2, 2, 2]


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_plot_writes_the_format_of_the_suffix(
    quadrants: str, tmp_path: Path, suffix: str, magic: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / f"picture{suffix}"
    found = report(capsys, "plot", quadrants, *BOX, "-o", str(out), "--colour", "slope")
    assert (found["regions"], found["file"]) == (4, str(out))
    assert out.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    "options",
    [
        ["--color", "layer", "--boundary", "--graph"],
        ["--colour", "region", "--no-boundary", "--view", "-0.5", "0,0.5"],
        ["--layers"],
        ["--surface", "1", "--colour", "class"],
        ["--surface", "--argmin"],
    ],
    ids=" ".join,
)
def test_plot_has_other_pictures(
    quadrants: str, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    files = [tmp_path / "p.svg", tmp_path / "plain.svg"]
    for file, extra in zip(files, (options, []), strict=True):
        assert report(capsys, "plot", quadrants, *BOX, "-o", str(file), *extra)["regions"] == 4
    assert files[0].read_bytes() != files[1].read_bytes()


def test_plot_says_that_an_unbounded_set_goes_on(
    quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert main(["plot", quadrants, "--whole-space", "-o", str(tmp_path / "p.png")]) == 0
    assert (
        "note: the input set is unbounded; the picture shows a part of it (--view LO HI)"
        in capsys.readouterr().err
    )
    words = ["plot", quadrants, "--whole-space", "-o", str(tmp_path / "q.png"), "--view", "-2", "2"]
    assert main(words) == 0
    assert "note" not in capsys.readouterr().err


def test_without_json_the_same_facts_are_lines(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cells", quadrants, *BOX]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "regions: 4", "rule: argmax", "cells: 5", "per class: 0: 3, 1: 2", "ties: 1", "complete: yes",
        "network: quadrants.npz",
    ]  # fmt: skip
    assert err == ""


# ---------------------------------------------------------------- the numbers the issue asks for


def test_the_pendulum_controller_has_1266_regions() -> None:
    status, out, err = run("count", str(corpus(PENDULUM)), "--box", "-2", "2", "--json", "--quiet")
    assert (status, err) == (0, "")
    assert out.startswith('{"regions": 1266, ')
    assert one_object(out)["complete"] is True


def test_the_pendulum_graph_is_read_by_networkx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pendulum.graphml"
    found = report(capsys, "graph", str(corpus(PENDULUM)), "--box", "-2", "2", "-o", str(out))
    assert (found["regions"], found["edges"]) == (1266, 2481)
    graph = nx.read_graphml(out)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (1266, 2481)
    assert nx.is_connected(graph)


def test_acas_xu_has_19_regions_in_the_middle_of_prop_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "count", str(corpus(ACAS)), "--box", *MIDDLE_OF_PROP_3)["regions"] == 19


# ---------------------------------------------------------------- input sets


@pytest.mark.parametrize(
    ("box", "regions"),
    [
        (("-1", "1"), 4),
        (("-1,-1", "1,1"), 4),
        (("-.5,-5e-1", "inf,1"), 4),
        (("-inf", "0"), 1),
        (("0,-1", "1,1"), 2),
        (("-2,-3", "-1,-1"), 1),
        (("+1,-1", "2,1"), 2),
    ],
)
def test_boxes(
    quadrants: str, box: tuple[str, str], regions: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(capsys, "count", quadrants, "--box", *box)["regions"] == regions


def test_two_corners_after_an_equals_sign(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", quadrants, "--box=-1", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regions"] == 4


def test_the_bare_command_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "enumerate" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["enumerte", "x.onnx"], "enumerate"),
        (["count", "x.onnx", "--box", "0", "1", "--enginee=cells"], "--engine"),
        (["count", "x.onnx", "--box", "0", "1", "--engine", "cels"], "cells"),
    ],
)
def test_misspelt_words_are_guessed_at(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_options_may_stand_anywhere(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "count", "--box", "-1,-1", "1,1", "--max-regions", "9", quadrants)["regions"] == 4


def test_domain_of_a_vnnlib_file(quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "square.vnnlib"
    file.write_text(VNNLIB)
    assert report(capsys, "count", quadrants, "--domain", str(file))["regions"] == 4


def test_domain_of_an_npz_file(quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "half.npz"
    np.savez(file, lower=[0.0, -1.0], upper=[1.0, 1.0])
    assert report(capsys, "count", quadrants, "--domain", str(file))["regions"] == 2


def test_whole_space(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, "graph", quadrants, "--whole-space")
    assert (found["regions"], found["edges"]) == (4, 4)


def test_fixed_inputs_are_said_on_stderr_unless_quiet(
    quadrants: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["enumerate", quadrants, "--box", "-1,0.5", "1,0.5", "--json"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert one_object(out)["regions"] == 2
    assert "1-dimensional in R^2" in err
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- stopping early


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_a_limit_gives_a_partial_result_that_says_so(
    quadrants: str, tmp_path: Path, limit: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "part.npz")
    found = report(capsys, "enumerate", quadrants, *BOX, "--max-regions", str(limit), "-o", out, status=3)
    assert (found["regions"], found["complete"]) == (limit, False)
    partial = pr.load_regions(out)
    assert not partial.complete
    assert partial.patterns.astype(int).tolist() == [[0, 0], [0, 1], [1, 0]][:limit]


def test_a_limit_that_is_just_enough_is_complete(quadrants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "count", quadrants, *BOX, "--max-regions", "4")["complete"] is True


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("limit", ["0", "2"])
def test_every_verb_takes_a_limit(
    quadrants: str, tmp_path: Path, verb: str, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [verb, quadrants, *BOX, "--max-regions", limit]
    if verb == "plot":
        pytest.importorskip("matplotlib")
        words += ["-o", str(tmp_path / "part.png")]
    found = report(capsys, *words, status=3)
    assert (found["regions"], found["complete"]) == (int(limit), False)
    assert found.get("edges", 0) == (1 if (verb, limit) == ("graph", "2") else 0)


TOLD = r"[1-9]\d* regions, \d+/s, [\d.]+% of the tree, [\d.]+ s\n|enumerating, no region yet, |(reading|looking) "


def interrupted(*words: str) -> tuple[int, str, str]:
    """Run a command whose progress is told at every step; interrupt it when it tells of a first region."""
    script = (
        "import sys\nfrom polyregions.cli import main, progress\nprogress.LINE_EVERY = 0.0\nsys.exit(main())"
    )
    with python("-c", script, *words) as process:
        assert process.stderr is not None
        line = ""
        while not re.match(r"[1-9]", line):
            line = process.stderr.readline()
            assert re.match(TOLD, line), line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_ctrl_c_keeps_what_is_finished_and_marks_it_partial(endless: str, tmp_path: Path) -> None:
    file = tmp_path / "part.npz"
    status, out, err = interrupted("enumerate", endless, *BOX, "--engine", "highs", "--json", "-o", str(file))
    assert status == 3
    assert "Traceback" not in err
    assert "stopping; what is finished is kept" in err
    found = one_object(out)
    assert (found["complete"], found["file"]) == (False, str(file))
    partial = pr.load_regions(file)
    assert not partial.complete
    assert len(partial) == found["regions"] > 0
    layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in partial.network.layers]
    for i in range(0, len(partial), 1 + len(partial) // 5):
        assert naive.pattern_at(layers, partial.points[i].tolist()) == tuple(partial.patterns[i])


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
def test_ctrl_c_at_a_terminal_reaches_workers_too_and_loses_nothing(endless: str) -> None:
    """A terminal interrupts the whole group of processes."""
    words = ("enumerate", endless, *BOX, "--engine", "highs", "--workers", "2", "--json")
    script = (
        "import sys\nfrom polyregions.cli import main, progress\nprogress.LINE_EVERY = 0.0\nsys.exit(main())"
    )
    with python("-c", script, *words, start_new_session=True) as process:
        assert process.stderr is not None and process.stdout is not None
        while not re.match(r"[1-9]\d* regions", process.stderr.readline()):
            pass
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 3, err
    found = one_object(out)
    assert not found["complete"] and found["regions"] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_ctrl_c_ends_a_count_with_the_count_so_far(endless: str) -> None:
    status, out, err = interrupted("count", endless, "--whole-space", "--engine", "highs", "--json")
    assert status == 3
    assert "Traceback" not in err
    found = one_object(out)
    assert found["complete"] is False
    assert found["regions"] == found["after_each_layer"][-1] > 0


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (KeyboardInterrupt(), 3, "interrupted before there was a result"),
        (MemoryError(), 2, "out of memory; try count, or a smaller domain"),
        (OverflowError(), 2, "a number of the result is beyond the range of float64"),
    ],
)
def test_what_may_happen_anywhere_is_one_line(
    error: BaseException,
    status: int,
    line: str,
    quadrants: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(path: str, output: str | None) -> None:
        raise error

    monkeypatch.setattr(problem, "load_network", fail)
    assert main(["count", quadrants, *BOX]) == status
    assert capsys.readouterr() == ("", f"polyregions: {line}\n")


def test_ctrl_c_handler_is_put_back(quadrants: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main(["count", quadrants, *BOX]) == 0
    assert signal.getsignal(signal.SIGINT) is before


# ---------------------------------------------------------------- bad input

Case = tuple[Callable[[str, Path], list[str]], list[str]]


def box(verb: str, low: str, high: str, *more: str) -> Callable[[str, Path], list[str]]:
    return lambda net, folder: [verb, net, "--box", low, high, *more]


def written(name: str, data: bytes) -> Callable[[str, Path], list[str]]:
    def words(net: str, folder: Path) -> list[str]:
        (folder / name).write_bytes(data)
        return ["count", str(folder / name), *BOX]

    return words


def with_directory(name: str, *words: str) -> Callable[[str, Path], list[str]]:
    """Words in which NET is the network and PATH a directory of the given name."""

    def made(net: str, folder: Path) -> list[str]:
        (folder / name).mkdir()
        return [{"NET": net, "PATH": str(folder / name)}.get(word, word) for word in words]

    return made


def npz_domain(**arrays: Any) -> Callable[[str, Path], list[str]]:
    def words(net: str, folder: Path) -> list[str]:
        np.savez(folder / "domain.npz", **arrays)
        return ["count", net, "--domain", str(folder / "domain.npz")]

    return words


def output(verb: str, name: str) -> Callable[[str, Path], list[str]]:
    return lambda net, folder: [verb, net, *BOX, "-o", str(folder / name)]


def wide(*options: str) -> Callable[[str, Path], list[str]]:
    """A plot of a network of four inputs."""

    def words(net: str, folder: Path) -> list[str]:
        np.savez(folder / "wide.npz", W1=np.eye(4), b1=np.zeros(4), W2=np.eye(4), b2=np.zeros(4))
        return ["plot", str(folder / "wide.npz"), "-o", str(folder / "p.png"), *options]

    return words


BAD: dict[str, Case] = {
    "unknown verb": (lambda net, folder: ["cuont", net], ["cuont", "'count'"]),
    "unknown option": (box("count", "-1", "1", "--bx"), ["--bx"]),
    "no input set": (lambda net, folder: ["count", net], ["--box", "--domain", "--whole-space"]),
    "two input sets": (box("count", "-1", "1", "--whole-space"), ["--whole-space", "not allowed", "--box"]),
    "unknown engine": (box("count", "-1", "1", "--engine", "warp"), ["--engine", "warp", "highs"]),
    "missing file": (lambda net, folder: ["count", str(folder / "no.onnx"), *BOX], ["no.onnx", "no such file"]),
    "directory": (
        lambda net, folder: ["count", str(folder), *BOX],
        ["unknown kind of network file", ".onnx, .nnet or .npz"],
    ),
    "directory with a suffix": (
        with_directory("d.onnx", "count", "PATH", *BOX),
        ["d.onnx", "is a directory", "expected a file"],
    ),
    "empty file": (written("void.onnx", b""), ["void.onnx", "empty"]),
    "corrupted onnx": (written("bad.onnx", b"\x08\x07\xff\xff not a model"), ["bad.onnx"]),
    "corrupted npz": (written("bad.npz", b"PK\x03\x04 not an archive"), ["bad.npz", "damaged zip archive"]),
    "corrupted nnet": (written("bad.nnet", b"// comment\n2,x,2,2,\n"), ["bad.nnet"]),
    "pickle": (written("bad.pt", b"\x80\x04N."), ["bad.pt", "never opened"]),
    "unknown suffix": (written("bad.xyz", b"x"), ["bad.xyz", "expected .onnx, .nnet or .npz"]),
    "unknown example": (
        lambda net, folder: ["count", "example:three-moons", *BOX],
        ["three-moons", "example:two-moons"],
    ),
    "too many bounds": (box("count", "-1,-1,-1", "1"), ["--box LO", "3", "1 or 2"]),
    "too few bounds": (box("count", "-1", "1,1,1,1"), ["--box HI", "4", "1 or 2"]),
    "one bound": (lambda net, folder: ["count", net, "--box", "-1"], ["--box", "2 arguments"]),
    "bound that is no number": (box("count", "-1,two", "1"), ["--box LO", "-1,two", "expected a number"]),
    "bound left out": (box("count", "-1,", "1"), ["--box LO", "'-1,'", "expected a number"]),
    "lower above upper": (box("count", "0,2", "1,-2"), ["--box", "input 1", "2.0", "-2.0", "lower <= upper"]),
    "bound that is nan": (box("count", "nan", "1"), ["--box LO", "'nan'", "expected a number"]),
    "upper bound that is nan": (box("count", "-1", "1,nan"), ["--box HI", "'1,nan'", "expected a number"]),
    "box at infinity": (box("count", "inf", "inf"), ["--box", "inf", "lower <= upper"]),
    "missing domain": (
        lambda net, folder: ["count", net, "--domain", str(folder / "no.vnnlib")],
        ["no.vnnlib", "no such file"],
    ),
    "domain of another dimension": (
        npz_domain(lower=np.zeros(3), upper=np.ones(3)), ["domain.npz", "3 inputs", "expected 2", "quadrants.npz"],
    ),
    "domain with crossed bounds": (
        npz_domain(lower=np.ones(2), upper=np.zeros(2)), ["domain.npz", "1.0", "0.0", "lower <= upper"],
    ),
    "domain with nan": (npz_domain(lower=[0, np.nan], upper=np.ones(2)), ["domain.npz", "input 1"]),
    "domain without bounds": (npz_domain(low=np.zeros(2)), ["domain.npz", "low", "lower and upper"]),
    "negative limit": (box("count", "-1", "1", "--max-regions", "-5"), ["--max-regions", "'-5'", "at least 0"]),
    "limit that is no number": (box("count", "-1", "1", "--max-regions", "1.5"), ["--max-regions", "'1.5'"]),
    "count takes no -o": (output("count", "r.npz"), ["-o"]),
    "regions into a picture": (output("enumerate", "r.png"), ["r.png", ".npz, .json"]),
    "regions into a gzip file": (output("enumerate", "r.npz.gz"), ["r.npz.gz", ".npz, .json"]),
    "graph into an unknown suffix": (output("graph", "g.gml"), ["g.gml", ".graphml, .gexf, .json"]),
    "cells without a suffix": (output("cells", "cells"), ["cells", ".npz, .json, .csv, .parquet, .graphml, .gexf"]),
    "picture into an unknown suffix": (output("plot", "p.bmp"), ["p.bmp", ".png, .svg, .pdf"]),
    "picture without a file": (box("plot", "-1", "1"), ["-o FILE", ".png, .svg, .pdf"]),
    "unknown colouring": (box("plot", "-1", "1", "-o", "p.png", "--colour", "red"), ["--colour", "red", "slope"]),
    "missing folder": (output("enumerate", "no/where/r.npz"), ["r.npz", "no folder"]),
    "output is a directory": (
        with_directory("r.npz", "enumerate", "NET", *BOX, "-o", "PATH"),
        ["r.npz", "is a directory", "expected the name of a file"],
    ),
    "picture of four dimensions": (wide(*BOX), ["dimension 4", "expected 1 or 2", "fix all other inputs"]),
    "picture of a line as a surface": (
        box("plot", "-1,0", "1,0", "-o", "p.png", "--surface"),
        ["dimension 1", "expected 2"],
    ),
    "picture of a line's graph": (box("plot", "-1,0", "1,0", "-o", "p.png", "--graph"), ["dimension 1", "expected 2"]),
    "picture of no output": (box("plot", "-1", "1", "-o", "p.png", "--surface", "5"), ["output 5", "2 outputs"]),
    "picture of a surface in layers": (
        box("plot", "-1", "1", "-o", "p.png", "--surface", "--layers"),
        ["--layers", "--surface"],
    ),
    "picture of a view upside down": (
        box("plot", "-1", "1", "-o", "p.png", "--view", "1", "-1"),
        ["view", "lower < upper"],
    ),
    "picture of a view of three": (
        box("plot", "-1", "1", "-o", "p.png", "--view", "0", "1,2,3"),
        ["--view HI", "3 numbers"],
    ),
    "picture of layers by class": (
        box("plot", "-1", "1", "-o", "p.png", "--layers", "--colour", "class"),
        ["--colour", "not together with --layers"],
    ),
    "picture of a surface with its graph": (
        box("plot", "-1", "1", "-o", "p.png", "--surface", "--graph"),
        ["--graph", "not together with --surface"],
    ),
    "picture of a surface by layer": (
        box("plot", "-1", "1", "-o", "p.png", "--surface", "--colour", "layer"),
        ["--colour layer", "not together with --surface"],
    ),
    "picture of the sign of two": (box("plot", "-1", "1", "-o", "p.png", "--sign"), ["'sign'", "expected 1"]),
}  # fmt: skip
NEEDS_MATPLOTLIB = {name for name in BAD if name.startswith("picture of")}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_status_2(
    name: str, quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name in NEEDS_MATPLOTLIB:
        pytest.importorskip("matplotlib")
    words, needles = BAD[name]
    assert main(words(quadrants, tmp_path)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("polyregions: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    for needle in needles:
        assert needle in err


def onnx_model(folder: Path, kind: str) -> str:
    pytest.importorskip("onnx")
    from onnx_models import mlp, model, node

    made = {
        "operator": lambda: model([node("Sigmoid", ["x"], "y", "squash")], [1, 2]).SerializeToString(),
        "truncated": lambda: mlp().SerializeToString()[:-40],
    }
    file = folder / f"{kind}.onnx"
    file.write_bytes(made[kind]())
    return str(file)


@pytest.mark.parametrize(("kind", "needles"), [("operator", ["Sigmoid", "squash"]), ("truncated", [])])
def test_bad_onnx_is_named(
    kind: str, needles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = onnx_model(tmp_path, kind)
    assert main(["count", file, *BOX]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    for needle in [file, *needles]:
        assert needle in err


def test_bad_input_of_a_process_is_one_line_too(tmp_path: Path) -> None:
    status, out, err = run("count", str(tmp_path / "no.onnx"), *BOX, "--json")
    assert (status, out) == (2, "")
    assert err == f"polyregions: {tmp_path / 'no.onnx'}: no such file\n"


def test_a_missing_plot_extra_is_said_before_the_work(
    quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(running, "enumerate_regions", None)  # would fail if it were reached
    assert main(["plot", quadrants, *BOX, "-o", str(tmp_path / "p.png")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert 'pip install "polyregions[plot]"' in err


def test_a_missing_onnx_extra_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "n.onnx").write_bytes(b"\x08\x07")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["count", str(tmp_path / "n.onnx"), *BOX]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert 'pip install "polyregions[onnx]"' in err


def test_nothing_is_written_when_the_input_is_bad(quadrants: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert main(["enumerate", quadrants, "--box", "1", "-1", "-o", str(tmp_path / "r.npz")]) == 2
    assert sorted(tmp_path.iterdir()) == before


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such file"):
        main(["count", str(tmp_path / "no.onnx"), *BOX, "--debug"])


def test_a_bug_is_not_hidden(quadrants: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str, output: str | None) -> None:
        raise InternalError("a self-check failed")

    monkeypatch.setattr(problem, "load_network", fail)
    with pytest.raises(InternalError):
        main(["count", quadrants, *BOX])


# ---------------------------------------------------------------- help and streams


@pytest.mark.parametrize("verb", (*VERBS, "table"))
def test_help_of_every_verb_shows_an_example_that_parses(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    program, *words = shlex.split(out.split("example:\n")[1])
    assert (program, words[0]) == ("polyregions", verb)
    assert make_parser().parse_args(protect_negative_lists(words)).run is not None


def test_help_lists_every_verb_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for word in (*VERBS, "0 done", "2 bad input", "3 stopped", "--whole-space", ".onnx"):
        assert word in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"polyregions {pr.__version__}\n"


@pytest.mark.parametrize(
    "words", [["count", "NET", *BOX, "--json", "--quiet"], ["--help"], ["count", "--help"]]
)
def test_a_closed_stdout_is_no_traceback(quadrants: str, words: list[str]) -> None:
    """As behind ``| head``, whose end of the pipe may be gone before anything is written."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        status, _, err = run(*(quadrants if word == "NET" else word for word in words), stdout=write_end)
    finally:
        os.close(write_end)
    assert (status, err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_behind_stdout_is_one_line(quadrants: str) -> None:
    with open("/dev/full", "w") as full:
        status, _, err = run("count", quadrants, *BOX, "--json", "--quiet", stdout=full)
    assert status == 2
    assert err.startswith("polyregions: cannot write: ")
    assert err.count("\n") == 1


def test_a_terminal_sees_a_bar_and_stdout_stays_clean(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    rng, net = np.random.default_rng(1), tmp_path / "lines.npz"
    np.savez(net, W1=rng.normal(size=(30, 2)), b1=rng.normal(size=30), W2=np.ones((1, 30)), b2=[0.0])
    script = (
        "import sys\nfrom polyregions.cli import main, progress\nprogress.SHOW_AFTER = 0.0\nsys.exit(main())"
    )
    controller, terminal = pty.openpty()
    with python("-c", script, "count", str(net), *BOX, "--json", stderr=terminal) as process:
        os.close(terminal)
        seen = everything(controller)
        out, _ = process.communicate(timeout=600)
    os.close(controller)
    assert process.returncode == 0
    assert one_object(out)["complete"] is True
    assert b"of the tree" in seen


def everything(terminal: int) -> bytes:
    """All that is written to a terminal until its other end closes."""
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux says end of file in this way
            return seen
        if not piece:
            return seen
        seen += piece


def test_no_bar_for_a_short_run() -> None:
    bar = _Bar()
    bar("", pr.Progress(10, 0.5, 0.9), 0.9, 0.9, None)
    assert bar._bar is None
    bar.close()


# ---------------------------------------------------------------- certificates


def test_a_certificate_is_written_and_checked(
    quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = str(tmp_path / "proof.npz")
    assert main(["enumerate", quadrants, *BOX, "--certificate", proof]) == 0
    capsys.readouterr()
    assert main(["check", quadrants, proof, "--json"]) == 0
    verdict = one_object(capsys.readouterr().out)
    assert (verdict["ok"], verdict["regions"]) == (True, 4)


@pytest.mark.parametrize("geometry", [False, True])
def test_check_names_the_input_set_and_says_no_to_another_one(
    geometry: bool, quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(tmp_path / name) for name in ("regions.npz", "proof.npz")]
    box = ["--box", "-1,-0.1", "0.3,1"]
    assert main(["enumerate", quadrants, *box, "-o", files[0], "--certificate", files[1]]) == 0
    words = ["check", "--geometry", quadrants, files[0]] if geometry else ["check", quadrants, files[1]]
    for meant in ([], box):
        capsys.readouterr()
        assert main([*words, *meant]) == 0
        assert "input set: in R^2 where -1.0 <= x0 <= 0.3, -0.1 <= x1 <= 1.0\n" in capsys.readouterr().out
        assert main([*words, *meant, "--json"]) == 0
        found = one_object(capsys.readouterr().out)
        assert found["input_set"] == "in R^2 where -1.0 <= x0 <= 0.3, -0.1 <= x1 <= 1.0"
    as_rows = str(tmp_path / "rows.npz")
    np.savez(as_rows, A=[[2, 0], [-1, 0], [0, 1], [0, -1]], b=[0.6, 1, 1, 0.1])
    assert main([*words, "--domain", as_rows]) == 0
    for other in (["--box", "-1,-0.1", "0.30000000000000004,1"], ["--whole-space"]):
        capsys.readouterr()
        assert main([*words, *other, "--json"]) == 1
        found = one_object(capsys.readouterr().out)
        assert (found["ok"], found["regions"]) == (False, 0)
        assert found["reason"].startswith("another input set: found the one in R^2 where -1.0 <= x0 <= 0.3")
    assert main([*words, "--box", "1,2,3", "4"]) == 2


def test_a_certificate_of_another_network_is_no_proof(
    quadrants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = str(tmp_path / "proof.npz")
    assert main(["enumerate", "example:two-moons", "--box", "0", "0.1", "--certificate", proof]) == 0
    assert main(["check", quadrants, proof]) == 1
    assert "not proved: " in capsys.readouterr().out


def test_count_says_regions_and_regions_by_winners(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """max(x, y, 1/2) on the unit square: who is second cuts the cell of 1/2 in two, the winner does not."""
    build = GraphBuilder(2, "max")
    three = build.join([0, build.constant(np.array([0.5]))])
    largest = build.maxima(three, np.arange(3), np.array([0, 3]))
    file = tmp_path / "max.npz"
    save_network_npz(lower(build.graph(largest), "max"), file)
    found = report(capsys, "count", str(file), "--box", "0", "1")
    assert (found["regions"], found["winner_regions"]) == (4, 3)
    assert report(capsys, "enumerate", str(file), "--box", "0", "1")["winner_regions"] == 3
    assert main(["count", str(file), "--box", "0", "1"]) == 0
    assert "regions: 4\nwinner regions: 3\n" in capsys.readouterr().out


def test_what_was_taken_off_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(corpus("marabou/softmax-last-layer.onnx"))
    assert main(["count", file, "--box", "0", "0.001", "--max-regions", "1", "--json"]) in (0, 3)
    out, err = capsys.readouterr()
    assert "operator Softmax (node 'Softmax_7'): taken off" in err
    assert "taken off" in json.loads(out)["notices"][0]
