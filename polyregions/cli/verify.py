"""``polyregions verify``: a verdict on a VNN-LIB property."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from polyregions.cli.answers import ANSWERED_NO, STOPPED
from polyregions.cli.problem import network_of
from polyregions.cli.progress import watched
from polyregions.errors import OptionError
from polyregions.io.files import suffix_of, write_whole
from polyregions.io.runtime import run_in_floats
from polyregions.io.verdict_files import verdict_as_json, verdict_as_text, verdict_as_vnncomp
from polyregions.io.vnnlib_property import load_property
from polyregions.verification import verify

STATUS = {"holds": 0, "violated": ANSWERED_NO, "unknown": STOPPED}


def verify_(arguments: Namespace) -> int:
    """Print a verdict, and write it if a file is named."""
    _check_output(arguments.output)
    network, prop = network_of(arguments), load_property(arguments.property)
    with watched(arguments.quiet) as progress:
        found = verify(network, prop, timeout=arguments.timeout, progress=progress)
    example = found.counterexample
    floats = None if example is None else run_in_floats(arguments.network, network, example.point)
    report = {
        **verdict_as_json(found, floats),
        "network": network.name,
        "property": Path(arguments.property).name,
    }
    if network.notices:
        report["notices"] = list(network.notices)
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


def _check_output(output: str | None) -> None:
    """Refuse a file that could not be written before hours go into what it should hold."""
    if output is None:
        return
    if suffix_of(output) not in (".json", ".txt") or output.lower().endswith(".gz"):
        raise OptionError(f"{output}: expected a name that ends in .json or .txt")
    if not Path(output).resolve().parent.is_dir() or Path(output).is_dir():
        raise OptionError(f"{output}: expected the name of a file in a folder that is there")
