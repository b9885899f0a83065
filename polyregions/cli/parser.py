"""What the command line understands."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import NoReturn, TypeAlias

from polyregions import __version__
from polyregions.cli.choices import (
    ASPECTS,
    BOUND_NAMES,
    CELL_GRAPHS,
    CELLS,
    COLOURINGS,
    COMPLEXES,
    COUNT_TABLES,
    DEFINITIONS,
    DPI,
    ENGINES,
    FIELDS,
    GRAPHS,
    NORMS,
    PAGES,
    REGIONS,
    REPORT_FORMATS,
    REPORTS,
    SECTIONS,
    STALL_LIMIT,
    TABLES,
    USUAL_BOUNDS,
)
from polyregions.cli.completion import SHELLS
from polyregions.errors import OptionError

FORMATTER = argparse.RawDescriptionHelpFormatter
OVERVIEW = """\
Every linear region of a piecewise-linear network, exactly.

NETWORK is a .onnx, .nnet or .npz file (each also .gz), or example:two-moons, which is packaged.
The input set is --box LO HI, --domain FILE (.vnnlib or .npz) or --whole-space.
Results go to stdout or to the -o file, whose suffix names the format; everything else goes to stderr.
Exit status: 0 done, 1 a check failed or a property is violated, 2 bad input, 3 stopped early (the result is
partial, and says so)."""

CHECK = """\
Check a certificate: are these all the linear regions? Exact arithmetic only, no engine involved.
The input set is printed in full. Name the one you mean with --box, --domain or --whole-space, and the answer is no if
the certificate is for another one, however the two are written.
With --geometry, check the geometry of regions instead: volumes add up, every facet has a neighbour, the graph is
connected. The regions are those in FILE, or are enumerated on the input set given.
Exit status 1 if something does not hold."""


WARMUP = """\
Compile beforehand all that is compiled when it is first needed, some minutes of processor time once.
It is kept beside the package if that can be written, else in the user's cache, or in the folder that --into names.
Whoever may read it uses it, in a read-only installation or image too. It is for this kind of processor and these
versions of numba and polyregions."""

VERIFY = """\
Decide a VNN-LIB property: does any input of the file's input sets do what the file says must not happen?
"holds" is proved, "violated" comes with a counterexample checked in rational arithmetic; what the network's own
runtime makes of it in floats stands beside it. Exit status 0 holds, 1 violated, 3 unknown (stopped).
With --all: all violating inputs as polytopes, and what share of the input set they are, exactly; if it is stopped,
proved bounds of that share and exit status 3."""


DIFF = """\
Compare two networks on an input set, exactly: the largest absolute difference of each output and inputs that attain
it, the volume on which they decide for different classes, and whether they are the same function, which is proved
either way. Exit status 0; with --within E it is 1 if an output differs by more than E (0: if they are not equal)."""


LOCAL = """\
Look around a point, in networks of any size: nothing else is enumerated.
Without --hops and --radius: its region, and which neurons carry the facets. With --hops: every region within so many
facets. With --radius: every region whose interior meets the ball. All of R^d if no input set is given."""


LOOP = """\
Apply a network again and again, exactly: x, f(x), f(f(x)), ... Its fixed points and whether they are stable, whether
the input set is ever left, regions and extent of the states after each of --steps; with --cycles those that come back
after just so many steps, with --target how much of the input set gets there, and at which step first.
With --plant the network is a controller u of the linear plant x' = A x + B u(x) + c (with C: u(C x)), whose A, B, c
and C stand in a .json file, {"A": [[1, "1/10"], [0, 1]], "B": [["1/200"], ["1/10"]]}, where texts are exact, or in a
.npz file. Of lists of coordinates those too long to read are printed as floats."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors like any others: one line, no usage text around it."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong.

        Raises:
            OptionError: always.
        """
        raise OptionError(f"{message}{self._meant(message)}; see {self.prog} --help")

    def _meant(self, message: str) -> str:
        """What a misspelt verb, value or option may have been meant to be."""
        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if choice:
            word, known = choice[1], re.findall(r"[^\s',]+", choice[2])
        elif message.startswith("unrecognized arguments: --"):
            word, known = message.split()[2].split("=")[0], sorted(_options(self))
        else:
            return ""
        close = get_close_matches(word, known, 1)
        return f"; did you mean {close[0]}?" if close else ""


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """The names of all long options, those of the verbs included."""
    found: set[str] = set()
    for action in parser._actions:  # argparse has no public list of them
        found.update(name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                found |= _options(verb)
    return found


def listed(suffixes: Sequence[str]) -> str:
    """Endings of file names as people list them: .a, .b or .c."""
    return " or ".join([", ".join(suffixes[:-1]), suffixes[-1]])


Verbs: TypeAlias = "argparse._SubParsersAction[Parser]"


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = Parser(prog="polyregions", description=OVERVIEW, formatter_class=FORMATTER)
    parser.add_argument("--version", action="version", version=f"polyregions {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for add in VERBS:
        add(verbs)
    return parser


def _verb(
    verbs: Verbs, name: str, run: str, text: str, example: str, output: str | None, several: bool = False
) -> argparse.ArgumentParser:
    """A verb with the options that all verbs about regions have; `run` is "module:function" of this folder."""
    epilog = f"example:\n  polyregions {name} {example}"
    sub: argparse.ArgumentParser = verbs.add_parser(
        name, help=text, description=text, epilog=epilog, formatter_class=FORMATTER
    )
    sub.set_defaults(run=run)
    _common(sub, output, several)
    return sub


def _add_count(verbs: Verbs) -> None:
    example = "controller.onnx --box -2 2 --json"
    counting = _verb(verbs, "count", "commands:count", "Count the linear regions.", example, None)
    _store(counting, "remember finished subtrees in this folder")


def _add_enumerate(verbs: Verbs) -> None:
    listing = _verb(
        verbs,
        "enumerate",
        "commands:enumerate_",
        "List every linear region: pattern, interior point, H-representation, affine map.",
        "controller.onnx --box -2 2 -o regions.npz",
        f"{', '.join(s for s in REGIONS if s not in TABLES)}, or as a table {' or '.join(TABLES)}",
    )
    _table_options(listing)
    listing.add_argument(
        "--hrep", action="store_true", help="store minimal H-representations and affine maps (.npz, .parquet)"
    )
    listing.add_argument(
        "--vertices", action="store_true", help="with --hrep and .parquet: store vertices too"
    )
    which = listing.add_mutually_exclusive_group()
    which.add_argument(
        "--after-layer", type=_count, metavar="L", help="store the regions after activation layer L, from 1"
    )
    which.add_argument(
        "--lower-dimensional",
        action="store_true",
        help="store the activation regions without an interior, which definition R1 counts too (.npz, .parquet)",
    )
    _store(listing, "stream the regions to this folder, as Parquet shards")
    listing.add_argument("--certificate", metavar="FILE", help="prove the list complete, into this .npz file")


def _add_graph(verbs: Verbs) -> None:
    graph = _verb(
        verbs,
        "graph",
        "commands:graph",
        "Build the adjacency graph of the regions.",
        "controller.onnx --box -2 2 -o regions.graphml",
        f"{', '.join(s for s in GRAPHS if s not in TABLES)}, .csv (two files, FILE.csv with the edges and "
        "FILE.nodes.csv), or .parquet (FILE.nodes.parquet and FILE.edges.parquet)",
    )
    _table_options(graph)
    graph.add_argument(
        "--measure",
        action="store_true",
        help="store the length, area, ... of each facet that two regions share",
    )


def _add_cells(verbs: Verbs) -> None:
    cells = _verb(
        verbs,
        "cells",
        "commands:cells",
        "Cut the regions into decision cells, one for each class that wins somewhere in them.",
        "classifier.onnx --box -1 1 -o cells.json",
        f"{listed(CELLS)} for the cells, {listed(CELL_GRAPHS)} for the graph of cells",
    )
    _rule(cells)
    cells.add_argument(
        "--volume", action="store_true", help="store the volume of each cell (tables and graphs)"
    )
    cells.add_argument(
        "--islands", action="store_true", help="count the connected components of each class too"
    )


def _add_report(verbs: Verbs) -> None:
    page = _verb(
        verbs,
        "report",
        "commands:report_",
        "Print one page with everything known about the regions, and how to reproduce it.",
        "controller.onnx --box -2 2 -o regions.tex",
        listed(REPORTS),
    )
    page.add_argument(
        "--format", choices=REPORT_FORMATS, help="text unless the -o file's suffix says otherwise"
    )
    _rule(page)
    page.add_argument(
        "--without",
        action="append",
        default=[],
        choices=SECTIONS,
        help="leave a section out; the decision cells and the adjacency take longest",
    )


def _add_table(verbs: Verbs) -> None:
    page = _verb(
        verbs,
        "table",
        "table:table",
        "Count the regions of several networks by several definitions, beside bounds, as a table for a paper.",
        "example:two-moons --box -2,-1.5 3,2 --definitions R2,R4,R6 -o table.tex",
        listed(COUNT_TABLES),
        several=True,
    )
    page.add_argument(
        "--definitions",
        type=_words,
        default=",".join(DEFINITIONS),
        metavar="NAMES",
        help="some of R1 to R6, joined by commas (default: all; R1, R3 and R5 take longest)",
    )
    page.add_argument(
        "--bounds",
        type=_words,
        default=",".join(USUAL_BOUNDS),
        metavar="NAMES",
        help=f"some of {', '.join(BOUND_NAMES)}; all, or none (default: %(default)s)",
    )
    page.add_argument("--names", type=_words, metavar="NAMES", help="what the table calls the networks")
    page.add_argument("--exact", action="store_true", help="print long bounds in full (.tex, .md)")
    page.add_argument("--format", choices=PAGES, default="markdown", help="on stdout (markdown)")


def _add_plot(verbs: Verbs) -> None:
    plot = _verb(
        verbs,
        "plot",
        "pictures:plot",
        "Draw the regions of a two-dimensional input set as a map, of a one-dimensional one as a graph.",
        "example:two-moons --box -2,-1.5 3,2 -o moons.png",
        ".png, .svg or .pdf",
    )
    _colour(plot)
    plot.add_argument(
        "--boundary",
        action=argparse.BooleanOptionalAction,
        help="draw the decision boundary (default: where colours show classes)",
    )
    plot.add_argument("--graph", action="store_true", help="draw the adjacency graph in place")
    instead = plot.add_mutually_exclusive_group()
    instead.add_argument(
        "--layers", action="store_true", help="one panel a layer: how the regions come about"
    )
    instead.add_argument(
        "--surface",
        nargs="?",
        const=0,
        type=_limit,
        metavar="OUTPUT",
        help="one output as a surface in space (counted from 0)",
    )
    plot.add_argument(
        "--aspect",
        choices=ASPECTS,
        default="auto",
        help="one scale on both axes, or each its own (default: one, unless the picture would be a strip)",
    )
    plot.add_argument(
        "--size", nargs=2, type=_length, metavar=("WIDTH", "HEIGHT"), help="of the picture in inches"
    )
    plot.add_argument("--dpi", type=_length, metavar="N", help=f"dots per inch of a .png ({DPI})")
    _classes_and_view(plot)
    _labels_and_data(plot)


def _add_explore(verbs: Verbs) -> None:
    page = _verb(
        verbs,
        "explore",
        "pictures:explore_",
        "Write a web page in which the regions of a two-dimensional input set can be looked at one by one.",
        "example:two-moons --box -2,-1.5 3,2 -o moons.html",
        ".html; the page needs neither a server nor a network",
    )
    _classes_and_view(page)
    _labels_and_data(page)


def _colour(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--colour",
        "--color",
        choices=COLOURINGS,
        default="auto",
        help="what colours show (default: classes or slope)",
    )


def _classes_and_view(parser: argparse.ArgumentParser) -> None:
    _rule(parser)
    parser.add_argument(
        "--view",
        nargs=2,
        metavar=("LO", "HI"),
        help="show only this part: bounds as in --box, of the free inputs",
    )


def _labels_and_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--title", metavar="TEXT", help="instead of the network's name and what it has")
    parser.add_argument(
        "--input-names", type=_words, metavar="NAMES", help="a,b,c: a name for each input, or for each axis"
    )
    parser.add_argument(
        "--class-names",
        type=_words,
        metavar="NAMES",
        help="a,b,c: a name for each output; of one output for output <= 0 and output > 0",
    )
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="draw these points too: .csv, with a last column of labels if it has one more, or .npz with X and y",
    )
    parser.add_argument(
        "--percentiles",
        nargs=2,
        type=_length,
        metavar=("LOW", "HIGH"),
        help="ends of the colour scale; 0 100 for all values (default: all, or 2 98 if there are outliers)",
    )


def _add_estimate(verbs: Verbs) -> None:
    text = "Predict how many regions there are and how long they take, from random parts of the tree."
    guess = verbs.add_parser(
        "estimate",
        help=text,
        description=text,
        epilog="example:\n  polyregions estimate acasxu.onnx --domain prop_1.vnnlib",
        formatter_class=FORMATTER,
    )
    guess.set_defaults(run="estimate:estimate")
    _network(guess)
    _input_set(guess, required=True)
    guess.add_argument("--engine", choices=ENGINES, default="auto", help="which engine would enumerate")
    guess.add_argument("--workers", type=_count, metavar="N", help="predict the time with N workers")
    guess.add_argument("--repeats", type=_count, default=8, metavar="N", help="how often to sample (8)")
    guess.add_argument(
        "--population",
        type=_count,
        metavar="N",
        help="cells gone on with at a time (100; four times as many halve the spread)",
    )
    guess.add_argument("--seed", type=_limit, default=0, metavar="N", help="of the random choices (0)")
    _time_limit(guess)
    _everywhere(guess)


def _add_query(verbs: Verbs) -> None:
    asked = _verb(
        verbs,
        "query",
        "query:query",
        "Ask the complete partition: exact output ranges (the default), Lipschitz constant, robustness radius.",
        "example:two-moons --box -2,-1.5 3,2 --radius 0.5,0.25 --norm linf",
        None,
    )
    asked.add_argument("--range", action="store_true", help="least and largest value of each output")
    asked.add_argument("--lipschitz", action="store_true", help="the Lipschitz constant in the norm")
    asked.add_argument(
        "--radius", metavar="POINT", help="distance from a,b,c to the nearest point of another class"
    )
    _norm(asked, "for distances", "l2")
    _rule(asked)


def _add_local(verbs: Verbs) -> None:
    around = verbs.add_parser(
        "local",
        help="Look around a point without enumerating the rest: its region, or all within some facets or a ball.",
        description=LOCAL,
        epilog="example:\n  polyregions local example:two-moons --at 0.5,0.25 --radius 1/4 --norm l2 --classes",
        formatter_class=FORMATTER,
    )
    around.set_defaults(run="local:local")
    _network(around)
    _input_set(around, required=False)
    around.add_argument(
        "--at", metavar="POINT", required=True, help="the point: a,b,c or one number for all inputs"
    )
    how_far = around.add_mutually_exclusive_group()
    how_far.add_argument("--hops", type=_limit, metavar="N", help="all regions within N facets")
    how_far.add_argument(
        "--radius", type=_number, metavar="R", help="all regions that meet the ball of this radius"
    )
    _norm(around, "of the ball", "linf")
    around.add_argument(
        "--classes", action="store_true", help="which classes win there, and in how many cells"
    )
    _rule(around)
    around.add_argument("-o", "--output", metavar="FILE", help=f"write the regions: {', '.join(REGIONS)}")
    around.add_argument(
        "--max-regions", type=_limit, metavar="N", help="stop after N regions (partial result)"
    )
    _time_limit(around)
    _everywhere(around)


def _norm(parser: argparse.ArgumentParser, what: str, usual: str) -> None:
    parser.add_argument(
        "--norm",
        type=lambda text: f"l{text}" if f"l{text}" in NORMS else text,
        choices=NORMS,
        default=usual,
        help=f"{what}: l1, l2 or linf, or 1, 2 or inf (default {usual})",
    )


def _add_diff(verbs: Verbs) -> None:
    compared = verbs.add_parser(
        "diff",
        help="Compare two networks: largest difference of each output, and where they decide differently.",
        description=DIFF,
        epilog="example:\n  polyregions diff controller.onnx quantised.onnx --box -2 2 --within 1/100",
        formatter_class=FORMATTER,
    )
    compared.set_defaults(run="diff:diff")
    compared.add_argument("network", metavar="NETWORK", help="network file, or example:two-moons")
    compared.add_argument("other", metavar="OTHER", help="the network to compare it with")
    compared.add_argument(
        "--network-output", metavar="NAME", help="which output of ONNX files, if they have several"
    )
    _input_set(compared, required=True)
    compared.add_argument("--engine", choices=ENGINES, default="auto", help="which engine enumerates")
    compared.add_argument("--workers", type=_count, metavar="N", help="enumerate N subtrees at a time")
    compared.add_argument("--time-limit", type=_seconds, metavar="S", help="give up after S seconds")
    compared.add_argument(
        "--within", type=_number, metavar="E", help="exit status 1 if an output differs by more than E"
    )
    _rule(compared)
    _everywhere(compared)


def _add_loop(verbs: Verbs) -> None:
    again = verbs.add_parser(
        "loop",
        help="Apply a network, or a controller with its plant, again and again: fixed points, cycles, reach.",
        description=LOOP,
        epilog="example:\n  polyregions loop controller.onnx --plant plant.json --box -1 1 --steps 5 --target goal.npz",
        formatter_class=FORMATTER,
    )
    again.set_defaults(run="loop:loop")
    _network(again)
    _input_set(again, required=True)
    again.add_argument("--plant", metavar="FILE", help="the network is the controller of this plant")
    again.add_argument("--steps", type=_count, default=1, metavar="K", help="how often (default 1)")
    again.add_argument("--cycles", action="store_true", help="cycles of K points")
    again.add_argument("--target", metavar="FILE", help="states to be reached: .vnnlib or .npz, as --domain")
    again.add_argument("--avoid", metavar="FILE", help="states not to be touched before, the same")
    again.add_argument(
        "-o", "--output", metavar="FILE", help=f"write the regions of K steps: {', '.join(REGIONS)}"
    )
    again.add_argument("--engine", choices=ENGINES, default="auto", help="which engine enumerates")
    again.add_argument("--workers", type=_count, metavar="N", help="enumerate N subtrees at a time")
    _time_limit(again)
    _everywhere(again)


def _add_topology(verbs: Verbs) -> None:
    asked = _verb(
        verbs,
        "topology",
        "topology:topology",
        "Count faces, pieces and holes: Betti numbers of each class and of the decision boundary, exactly.",
        "example:two-moons --box -2,-1.5 3,2 --persistence",
        f"{listed(COMPLEXES)}, with all faces",
    )
    asked.add_argument(
        "--level", type=_number, metavar="T", help="also of where the output is at most, and at least, T"
    )
    asked.add_argument("--persistence", action="store_true", help="follow the levels of the output")
    asked.add_argument(
        "--of-output", type=_limit, default=0, metavar="K", help="which output levels are of (0)"
    )
    asked.add_argument(
        "--field", choices=FIELDS, default="rationals", help="coefficients (default rationals)"
    )
    _rule(asked)


def _add_verify(verbs: Verbs) -> None:
    verify = verbs.add_parser(
        "verify",
        help="Decide a VNN-LIB property, with a proof or an exact counterexample.",
        description=VERIFY,
        epilog="example:\n  polyregions verify acasxu.onnx prop_3.vnnlib --json",
        formatter_class=FORMATTER,
    )
    verify.set_defaults(run="verify:verify_")
    _network(verify)
    verify.add_argument("property", metavar="SPEC", help="a .vnnlib file: what the network must not do")
    verify.add_argument(
        "--timeout", dest="time_limit", type=_timeout, metavar="SECONDS", help="give up after so long"
    )
    verify.add_argument(
        "--vnncomp",
        action="store_true",
        help="print sat, unsat or timeout, and the counterexample, as VNN-COMP does",
    )
    verify.add_argument(
        "--all",
        action="store_true",
        help="all violating inputs as disjoint polytopes, and their exact share of the input set",
    )
    verify.add_argument("--workers", type=_count, metavar="N", help="with --all: so many processes (1)")
    verify.add_argument(
        "--max-regions", type=_limit, metavar="N", help="with --all: stop after N regions (partial result)"
    )
    verify.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the result: .json, or .txt as VNN-COMP has it; with --all the polytopes: .parquet (as they are "
        "found), .npz or .json",
    )
    _everywhere(verify)


def _add_completion(verbs: Verbs) -> None:
    text = "Print a script that makes a shell complete commands."
    words = verbs.add_parser(
        "completion",
        help=text,
        description=text,
        epilog="example:\n  polyregions completion bash > ~/.local/share/bash-completion/completions/polyregions",
        formatter_class=FORMATTER,
    )
    words.set_defaults(run="completion:completion", parser=make_parser)
    words.add_argument("shell", choices=SHELLS, help="which shell")
    words.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_warmup(verbs: Verbs) -> None:
    text = "Compile beforehand all that is compiled when it is first needed."
    warm = verbs.add_parser(
        "warmup",
        help=text,
        description=WARMUP,
        epilog="examples:\n  polyregions warmup\n  polyregions warmup --into /opt/polyregions-cache",
        formatter_class=FORMATTER,
    )
    warm.set_defaults(run="warmup:warmup")
    warm.add_argument(
        "--into", metavar="DIR", help="keep it in this folder, for all who set NUMBA_CACHE_DIR to it"
    )
    warm.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    warm.add_argument("-q", "--quiet", action="store_true", help="no progress and no notices on stderr")
    warm.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_check(verbs: Verbs) -> None:
    check = verbs.add_parser(
        "check",
        help="Check a certificate, or the geometry of regions.",
        description=CHECK,
        epilog="examples:\n  polyregions check controller.onnx proof.npz --box -2 2\n"
        "  polyregions check --geometry controller.onnx regions.npz\n"
        "  polyregions check --geometry controller.onnx --box -2 2",
        formatter_class=FORMATTER,
    )
    check.set_defaults(
        run="commands:check_",
        engine="auto",
        max_regions=None,
        estimate=False,
        store=None,
        output=None,
        workers=None,
        dask=None,
        stall_limit=STALL_LIMIT,
    )
    _network(check)
    check.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="what enumerate --certificate wrote, or with --geometry enumerate -o",
    )
    check.add_argument("--geometry", action="store_true", help="check the geometry of regions")
    check.add_argument("--no-volumes", action="store_true", help="leave the volumes out, which take longest")
    _input_set(check, required=False)
    _time_limit(check)
    _everywhere(check)


VERBS = (
    _add_count,
    _add_estimate,
    _add_enumerate,
    _add_graph,
    _add_cells,
    _add_report,
    _add_table,
    _add_plot,
    _add_explore,
    _add_query,
    _add_local,
    _add_diff,
    _add_loop,
    _add_topology,
    _add_verify,
    _add_check,
    _add_warmup,
    _add_completion,
)


def protect_negative_lists(argv: Sequence[str]) -> list[str]:
    """Keep argparse from taking ``-1,-1`` for an option, and the second corner after ``--box=-1`` for another argument.

    A number list after a space stays a value.
    """
    words = [part for word in argv for part in _parted(word)]
    return [f" {word}" if re.match(r"-(\d|\.\d|inf)", word) else word for word in words]


def _parted(word: str) -> list[str]:
    """Options of two values as they are without an equals sign."""
    name, equals, value = word.partition("=")
    return [name, value] if equals and name in ("--box", "--view") else [word]


def _network(parser: argparse.ArgumentParser, several: bool = False) -> None:
    text = "network file, or example:two-moons"
    if several:
        parser.add_argument("networks", metavar="NETWORK", nargs="+", help=f"{text}; one or more")
    else:
        parser.add_argument("network", metavar="NETWORK", help=text)
    parser.add_argument(
        "--network-output", metavar="NAME", help="which output of an ONNX file, if it has several"
    )


def _common(parser: argparse.ArgumentParser, output: str | None, several: bool = False) -> None:
    _network(parser, several)
    _input_set(parser, required=True)
    if output is not None:
        parser.add_argument("-o", "--output", metavar="FILE", help=f"write the result: {output}")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="which engine enumerates")
    _crew(parser)
    parser.add_argument(
        "--max-regions", type=_limit, metavar="N", help="stop after N regions (partial result)"
    )
    _time_limit(parser)
    parser.add_argument(
        "--estimate", action="store_true", help="sample the tree first, to show how much is left"
    )
    _everywhere(parser)


def _time_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--time-limit", type=_seconds, metavar="S", help="stop after S seconds (partial result)"
    )


def _store(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--store",
        metavar="DIR",
        help=f"{what}; after any stop, or kill, the same command goes on from there",
    )


def _crew(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="enumerate N subtrees at a time (default: as many as there are processors)",
    )
    who.add_argument("--dask", metavar="ADDRESS", help="enumerate on the Dask cluster with this scheduler")
    parser.add_argument(
        "--stall-limit",
        type=_timeout,
        default=STALL_LIMIT,
        metavar="S",
        help="stop if the cluster finishes nothing for S seconds (default: %(default)g)",
    )


def _input_set(parser: argparse.ArgumentParser, required: bool) -> None:
    where = parser.add_mutually_exclusive_group(required=required)
    where.add_argument(
        "--box", nargs=2, metavar=("LO", "HI"), help="bounds: one number for all inputs, or a,b,c for each"
    )
    where.add_argument("--domain", metavar="FILE", help="input set from a .vnnlib or .npz file")
    where.add_argument("--whole-space", action="store_true", help="all of R^d")
    parser.add_argument(
        "--domain-set",
        type=_limit,
        metavar="K",
        help="of a file with several input sets the one of this number, from 0 (count and enumerate take all)",
    )


def _rule(parser: argparse.ArgumentParser) -> None:
    """Which class wins, if not by the rule "auto"."""
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--argmin", action="store_true", help="the smallest output wins (ACAS Xu)")
    rule.add_argument(
        "--sign", action="store_true", help="one output: class 1 where it is positive, else class 0"
    )


def _table_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--volume", action="store_true", help="store the volume of each region")
    parser.add_argument("--classes", action="store_true", help="store the classes that win in each region")
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--argmin", action="store_true", help="with --classes: the smallest output wins")
    rule.add_argument(
        "--sign", action="store_true", help="with --classes: class 1 where the output is positive"
    )


def _everywhere(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no notices on stderr")
    parser.add_argument(
        "--logits",
        action="store_true",
        help="ask about the values in front of a final Softmax, Sigmoid or the like, as if it were not there",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _count(text: str) -> int:
    if not re.fullmatch(r"\s*0*[1-9]\d{0,5}\s*", text):
        raise argparse.ArgumentTypeError(f"{text.strip()!r}, expected a whole number of at least 1")
    return int(text)


def _limit(text: str) -> int:
    if not re.fullmatch(r"\s*\d{1,18}\s*", text):
        raise argparse.ArgumentTypeError(f"{text.strip()!r}, expected a whole number of at least 0")
    return int(text)


def _length(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text.strip()!r}, expected a number of at least 0")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text.strip()!r}, expected a number of seconds")
    return value


def _number(text: str) -> Fraction:
    try:
        return Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text.strip()!r}, expected a number such as 0.5 or 1/3") from None


def _timeout(text: str) -> float:
    value = _seconds(text)
    if value == 0:
        raise argparse.ArgumentTypeError(f"{text.strip()!r}, expected a positive number of seconds")
    return value
