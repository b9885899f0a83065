"""The public names, and how the modules depend on each other."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import networkx as nx
import pytest

import polyregions as pr
from polyregions import errors

PACKAGE = Path(pr.__file__).parent
PUBLIC = [
    "Adjacency", "ArrangementCount", "Audit", "Bound", "Boundary", "BoundaryPiece", "Box", "CellFacet",
    "Certificate", "Checkpoints", "ConvexOptimum", "CountTable", "Counterexample", "CriticalPoints", "Cycle",
    "DEFINITIONS", "DecisionBoundary", "DecisionCell", "DecisionCells", "DecisionTree", "Definition",
    "Difference", "Disagreement", "Distance", "Estimate", "ExplorerPage", "Extreme", "FaceComplex", "Facets",
    "Finding", "FixedPoint", "HPolytope", "HRepresentations", "Homology", "ImagePiece", "Invariance",
    "Islands", "LinePieces", "Lipschitz", "LocalFacet", "LocalModels", "LocalRegion",
    "LowerDimensionalRegion", "LowerDimensionalRegions", "Neighbourhood", "Network", "NeuronStatus",
    "PersistenceDiagram", "PlaneSection", "PolyregionsError", "PreimagePiece", "Progress", "Property",
    "ReachPiece", "Region", "RegionSet", "Report", "Robustness", "Section", "Simplified", "Slice",
    "Stability", "Tally", "Trajectories", "UnionRegions", "Verdict", "Verification", "WholeSpace",
    "WinnerRegions", "add", "adjacency_arrays", "adjacency_graph", "along_polyline", "along_segment",
    "animate_regions", "audit", "betti_numbers", "bottleneck_distance", "boundary_facets", "bounds",
    "certify", "check", "closed_loop", "compare_checkpoints", "compose", "count_by_characteristic_polynomial",
    "count_by_definition", "count_regions", "count_table", "critical_points", "cycles", "dead_regions",
    "decision_boundary", "decision_cells", "decision_graph", "decision_tree", "difference",
    "enumerate_regions", "enumerate_union", "estimate_regions", "euler_characteristic", "explore",
    "face_complex", "face_counts", "facet_arrays", "facet_measures", "facet_neurons", "fixed_points",
    "homology", "hrep_arrays", "image", "image_dimensions", "invariance", "islands", "iterate", "layer_ranks",
    "level_set", "lipschitz_constant", "load_certificate", "load_domain", "load_domains", "load_graph",
    "load_network", "load_property", "load_regions", "local_models", "lower_dimensional_regions", "maximize",
    "maximize_concave", "maximum", "merged_regions", "minimize", "minimize_convex", "neighbourhood",
    "neuron_status", "output_range", "persistent_homology", "plane_section", "plane_through", "plot_complex",
    "plot_layers", "plot_persistence", "plot_regions", "plot_surface", "plot_training", "preimage", "reach",
    "region_at", "region_blocks", "region_volumes", "report", "robustness_radii", "robustness_radius", "save",
    "segment", "side_by_side", "simplify", "subtract", "tally_regions", "trajectories", "verify",
    "winner_regions",
]  # fmt: skip
EXTRAS = ["onnx", "torch", "matplotlib", "pyarrow", "pandas", "dask", "distributed", "cvxpy", "rich"]
EXTRAS += ["keras", "sklearn"]
COMMON = {"_types", "arrays", "errors", "places", "presentation", "progress", "read_only"}
ROOMS = [
    "exact", "polyhedra", "networks", "certificates", "engine", "regions", "analysis", "io", "plot",
    "streaming", "enumeration", "unions", "cli",
]  # fmt: skip


# ---------------------------------------------------------------- names


def test_the_public_names_are_these() -> None:
    assert sorted(pr.__all__) == PUBLIC


def test_nothing_else_is_public() -> None:
    """What stands in the package beside them is a submodule."""
    others = {name: value for name, value in vars(pr).items() if not name.startswith("_")}
    strangers = {n for n, value in others.items() if n not in PUBLIC and not isinstance(value, ModuleType)}
    assert strangers <= {"annotations"}  # of `from __future__`


def test_each_public_name_comes_from_where_type_checkers_take_it() -> None:
    typed = {
        alias.name: node.module
        for node in ast.walk(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("polyregions")
        for alias in node.names
    }
    assert {name: f"polyregions.{module}" for name, module in pr._MODULE_OF.items()} == typed
    assert sorted(typed) == PUBLIC


def test_dir_shows_the_public_names_and_no_submodule() -> None:
    assert sorted(dir(pr)) == sorted([*PUBLIC, "__version__"])


def test_submodules_are_found_and_nothing_else_is() -> None:
    found = python_says(
        "import polyregions as pr; print(pr.errors.OptionError.__name__, hasattr(pr, 'nothing'))"
    )
    assert found == "OptionError False"


def python_says(code: str) -> str:
    """What a fresh process prints."""
    words = [sys.executable, "-c", code]
    return subprocess.run(
        words, capture_output=True, text=True, cwd=PACKAGE.parent, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    "code", ["import polyregions", "from polyregions.cli import parser; parser.make_parser()"]
)
def test_whoever_wants_help_does_not_wait_for_numpy(code: str) -> None:
    heavy = ["numpy", "scipy", "networkx", "flint", "highspy", "numba", *EXTRAS]
    assert python_says(f"{code}\nimport sys; print([n for n in {heavy!r} if n in sys.modules])") == "[]"


def test_every_public_name_has_a_docstring() -> None:
    for name in PUBLIC:
        assert inspect.getdoc(getattr(pr, name)), name


def test_every_public_function_has_an_example() -> None:
    """Which the doctests run."""
    functions = [name for name in PUBLIC if inspect.isfunction(getattr(pr, name))]
    assert [name for name in functions if ">>> " not in (inspect.getdoc(getattr(pr, name)) or "")] == []


def test_help_has_every_public_name_under_one_subject() -> None:
    """The documentation takes its sections from there."""
    subjects = re.findall(r"^([A-Z].*)\n((?:    .*\n?)+)", pr.__doc__ or "", re.MULTILINE)
    names = [name for _, listed in subjects for name in re.split(r",\s+", listed.strip())]
    assert sorted(names) == PUBLIC
    assert len(subjects) > 10


def test_every_public_function_and_method_of_the_package_has_a_docstring() -> None:
    bare = []
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        bare += [
            f"{file.name}: {name}" for name, node in public_definitions(tree) if not ast.get_docstring(node)
        ]
    assert bare == []


Definition = ast.FunctionDef | ast.ClassDef


def public_definitions(tree: ast.Module | ast.ClassDef) -> list[tuple[str, Definition]]:
    found: list[tuple[str, Definition]] = []
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            found.append((node.name, node))
            if isinstance(node, ast.ClassDef):
                found += public_definitions(node)
    return found


def test_importing_the_package_imports_no_extra() -> None:
    """Not even if all public names are asked for."""
    code = f"from polyregions import *; import sys; print([n for n in {EXTRAS!r} if n in sys.modules])"
    assert python_says(code) == "[]"


# ---------------------------------------------------------------- imports


def name_of(file: Path) -> str:
    """The dotted name of a module inside the package; empty for the package itself."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in PACKAGE.rglob("*.py")}


def imports_of(name: str) -> set[str]:
    """The modules of this package that a module imports, at its top or anywhere inside."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            base = node.module or ""
            whole = {f"{base}.{alias.name}" for alias in node.names}
            inside = {w for w in whole if w.removeprefix("polyregions.") in MODULES}
            found |= inside | ({base} if whole - inside else set())
    return {
        module.removeprefix("polyregions").removeprefix(".")
        for module in found
        if module == "polyregions" or module.startswith("polyregions.")
    } - {name}


GRAPH = nx.DiGraph([(name, other) for name in MODULES for other in imports_of(name)])


def part(module: str) -> str:
    """The folder or top-level module that a module belongs to."""
    return module.split(".")[0]


def parts_used_by(*names: str) -> set[str]:
    """The parts that the modules of some parts import directly."""
    return {part(b) for a, b in GRAPH.edges if part(a) in names and part(b) not in names}


def test_the_graph_of_imports_is_not_trivial() -> None:
    assert GRAPH.has_edge("regions.region_set", "networks.problem")
    assert GRAPH.has_edge("cli.pictures", "plot.picture")
    assert set(MODULES) >= set(GRAPH.nodes)


def test_the_package_has_few_rooms() -> None:
    assert {part(name) for name in MODULES} - {"", "__main__"} == {*COMMON, *ROOMS}
    assert len(files_in(PACKAGE)) <= 12
    assert len({name.split(".")[0] for name in MODULES if "." in name}) <= 11
    assert len(files_in(PACKAGE / "io")) <= 8


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*.py")]


def test_imports_point_one_way() -> None:
    """Deferred imports included; so every module can be read after those it imports."""
    assert list(nx.simple_cycles(GRAPH)) == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_the_rooms_below_it(room: str) -> None:
    allowed = COMMON | set(ROOMS[: ROOMS.index(room)])
    assert parts_used_by(room) <= (allowed | {""} if room == "cli" else allowed)


def test_what_rooms_have_in_common_knows_no_room() -> None:
    assert parts_used_by(*COMMON) == set()


def test_certificates_are_checked_without_engine_or_solver() -> None:
    assert parts_used_by("certificates") <= COMMON | {"exact", "polyhedra", "networks"}
    assert (
        nx.descendants(GRAPH, "certificates.checker") & {m for m in MODULES if part(m) == "polyhedra"}
        == set()
    )


BRINGERS = {"regions.collect", "regions.packed"}  # they take what a run found


def test_views_of_regions_use_of_the_engine_only_the_kernels_that_look_at_regions() -> None:
    used = {b for a, b in GRAPH.edges if part(a) == "regions" and a not in BRINGERS and part(b) == "engine"}
    kernels = {f"engine.kernels.{name}" for name in ("codes", "compiled", "facets", "state")}
    cells = {
        f"engine.cells.{name}" for name in ("driver", "state", "words")
    }  # made once more, with their vertices
    assert used <= kernels | cells | {"engine.choose", "engine.reduction", "engine.walk.charts"}


def test_files_and_pictures_know_no_engine() -> None:
    assert parts_used_by("io", "plot") & {"engine"} == set()


def test_only_the_entry_points_know_the_command_line() -> None:
    assert {a for a, b in GRAPH.edges if part(b) == "cli" and part(a) != "cli"} == {"__main__"}


def test_extras_are_imported_only_inside_functions() -> None:
    """And only at the edge: readers of files, pictures, the progress bar, cvxpy's programmes, a pandas table.

    The engine asks a Dask client that it was handed for Dask's own classes.
    """
    places = set()
    for name, file in MODULES.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert not extras_in(tree.body), name
        if extras_in(ast.walk(tree)):
            places.add(name)
    beside = {
        "polyhedra.convert",
        "analysis.paper_table",
        "analysis.queries.convex",
        "analysis.rewriting.local_models",
        "engine.cluster",
    }
    assert {name for name in places if part(name) not in {"io", "plot", "cli"}} <= beside


def extras_in(nodes: object) -> set[str]:
    found = set()
    for node in nodes:  # type: ignore[attr-defined]
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found & set(EXTRAS)


# ---------------------------------------------------------------- errors


def is_our_class(value: object) -> bool:
    """`Any` is a class from Python 3.11 on."""
    return inspect.isclass(value) and value.__module__ == errors.__name__


def test_every_error_is_ours_and_those_of_input_are_value_errors() -> None:
    kinds = [value for value in vars(errors).values() if is_our_class(value)]
    assert all(issubclass(kind, pr.PolyregionsError) for kind in kinds)
    of_input = {"InputError", "NetworkError", "DomainError", "OptionError"}
    of_input |= {"FormatError", "MissingFileError", "UnsupportedError"}
    assert {kind.__name__ for kind in kinds if issubclass(kind, ValueError)} == of_input


def test_the_tree_in_the_docstring_has_every_error() -> None:
    kinds = {value.__name__ for value in vars(errors).values() if is_our_class(value)}
    assert all(kind in (errors.__doc__ or "") for kind in kinds)


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = errors.MissingExtraError("matplotlib", "plot", "a picture")
    assert str(error) == 'a picture needs matplotlib: pip install "polyregions[plot]"'
    assert isinstance(error, ImportError)
    assert error.extra == "plot"


def test_a_missing_file_is_a_file_not_found_error() -> None:
    readers = [
        pr.load_network,
        pr.load_domain,
        pr.load_property,
        pr.load_regions,
        pr.load_certificate,
        pr.load_graph,
    ]
    names = ["no.onnx", "no.vnnlib", "no.vnnlib", "no.npz", "no.npz", "no.graphml"]
    for read, name in [*zip(readers, names, strict=True), (pr.load_regions, "no"), (pr.region_blocks, "no")]:
        with pytest.raises(FileNotFoundError, match=rf"^{name}: no such f(ile|older)") as caught:
            read(name)
        assert isinstance(caught.value, errors.FormatError)
        assert (caught.value.filename, caught.value.errno) == (name, 2)


def test_errors_travel_between_processes() -> None:
    error = errors.MissingFileError("x.npz", "no such file; the store had 3 shards")
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.filename) == (type(error), str(error), error.filename)


# ---------------------------------------------------------------- arguments of another kind


def takes(name: str, kind: str) -> bool:
    """Whether the first argument of a public function is of a class."""
    first = next(iter(inspect.signature(getattr(pr, name)).parameters.values()))
    return str(first.annotation) == kind


FUNCTIONS = [name for name in PUBLIC if inspect.isfunction(getattr(pr, name))]
STRANGERS = [1.5, None, object(), b"bytes", {"a": 1}, [2, "b"], len]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_first_argument_of_another_kind_is_named_and_so_is_what_is_expected(name: str) -> None:
    function = getattr(pr, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    others = [p for p in needed[1:] if p.kind is not p.VAR_KEYWORD]
    for stranger in STRANGERS:
        with pytest.raises(errors.InputError, match="expected|cannot") as caught:
            function(stranger, *(GIVEN.get(str(p.annotation).split(" ")[0]) for p in others))
        assert len(str(caught.value)) < 400


SQUARE = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
GIVEN = {"Network": SQUARE, "Domain": pr.Box([-1, -1], [1, 1]), "str": "x.html", "int": 1}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if takes(name, "RegionSet")])
def test_a_network_where_regions_are_expected_is_told_how_to_get_them(name: str) -> None:
    function = getattr(pr, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    with pytest.raises(
        errors.InputError, match="regions: Network, expected a RegionSet, such as enumerate_regions"
    ):
        function(SQUARE, *(None for p in needed[1:]))
