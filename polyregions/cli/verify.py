"""``polyregions verify``: a verdict on a VNN-LIB property."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from polyregions.analysis.verification import Verification, verify
from polyregions.cli.problem import network_of
from polyregions.cli.session import Session
from polyregions.cli.status import ANSWERED_NO, DONE, STOPPED
from polyregions.cli.unsafe import all_violations
from polyregions.errors import OptionError, visible
from polyregions.io.files import suffix_of, write_whole
from polyregions.io.models.runtime.run import FloatRun, run_in_floats
from polyregions.io.results.verdict import verdict_as_json, verdict_as_text, verdict_as_vnncomp
from polyregions.io.specs.vnnlib.property import load_property
from polyregions.progress import stage

STATUS = {"holds": DONE, "violated": ANSWERED_NO, "unknown": STOPPED}


def verify_(arguments: Namespace) -> int:
    """Print a verdict, and write it if a file is named; with --all the share of all violations."""
    if arguments.all:
        return all_violations(arguments)
    if arguments.workers is not None or arguments.max_regions is not None:
        raise OptionError("--workers and --max-regions: only with --all")
    _check_output(arguments.output)
    session = arguments.session
    session.note(network=arguments.network)
    session.otherwise = lambda reason: _answer(arguments, _unknown(session), None)
    found, floats = _verified(arguments)
    session.answering()
    return _answer(arguments, found, floats)


def _unknown(session: Session) -> Verification:
    return Verification("unknown", None, 0, 0, 0.0, session.seconds)


def _answer(arguments: Namespace, found: Verification, floats: FloatRun | None) -> int:
    about = {"network": arguments.session.known["network"], "property": Path(arguments.property).name}
    report = {**verdict_as_json(found, floats), **about}
    if arguments.output is not None:
        as_json = suffix_of(arguments.output) == ".json"
        text = json.dumps(report) + "\n" if as_json else verdict_as_vnncomp(found)
        write_whole(arguments.output, text.encode())
        report["file"] = arguments.output
    if arguments.json:
        print(json.dumps(report))
    else:
        print(verdict_as_vnncomp(found) if arguments.vnncomp else verdict_as_text(found, floats), end="")
    return STATUS[found.verdict]


def _verified(arguments: Namespace) -> tuple[Verification, FloatRun | None]:
    """The verdict, and what floats make of its counterexample; reading and setting up count towards the limit."""
    session = arguments.session
    network = network_of(arguments)
    session.note(network=network.name)
    with stage("reading the property"):
        prop = load_property(arguments.property)
    left = session.left()
    if left == 0.0:
        return _unknown(session), None
    with stage("searching"):
        found = verify(network, prop, timeout=left, progress=session.progress)
    for notice in () if arguments.quiet else found.notices:
        print(visible(f"note: {notice}"), file=sys.stderr)
    found = replace(found, notices=(*network.notices, *found.notices))
    example = found.counterexample
    if example is None:
        return found, None
    return found, run_in_floats(arguments.network, network, example.point, arguments.network_output)


def _check_output(output: str | None) -> None:
    """Refuse a file that could not be written before hours go into what it should hold."""
    if output is None:
        return
    if suffix_of(output) not in (".json", ".txt") or output.lower().endswith(".gz"):
        raise OptionError(f"{output}: expected a name that ends in .json or .txt")
    if not Path(output).resolve().parent.is_dir() or Path(output).is_dir():
        raise OptionError(f"{output}: expected the name of a file in a folder that is there")
