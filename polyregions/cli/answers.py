"""What a command says in the end: on stdout, in a file, and as its exit status."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from polyregions.cli.partial import print_answer
from polyregions.cli.status import DONE, STOPPED
from polyregions.errors import OptionError, visible
from polyregions.io.files import suffix_of
from polyregions.io.save import save
from polyregions.io.tables.parquet import check_parquet
from polyregions.networks.network import Network
from polyregions.progress import stage
from polyregions.regions.region_set import RegionSet


def print_report(arguments: Namespace, report: dict[str, Any], lines: list[str]) -> None:
    """One JSON object, or lines for people."""
    arguments.session.answering()
    for line in [json.dumps(report)] if arguments.json else lines:
        print(line if arguments.json else visible(line))


def check_output(arguments: Namespace, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that could not be written before hours go into what it should hold.

    Raises:
        OptionError: another ending, a folder that is missing or not writable, or the name of a directory.
    """
    if arguments.output is None:
        return
    if suffix_of(arguments.output) not in suffixes or arguments.output.lower().endswith(".gz"):
        raise OptionError(f"{arguments.output}: expected a name that ends in one of {', '.join(suffixes)}")
    if suffix_of(arguments.output) == ".parquet":
        check_parquet()
    folder = Path(arguments.output).resolve().parent
    if not folder.is_dir():
        raise OptionError(f"{arguments.output}: there is no folder {folder}")
    if Path(arguments.output).is_dir():
        raise OptionError(f"{arguments.output}: is a directory, expected the name of a file")
    if not os.access(folder, os.W_OK):
        raise OptionError(f"{arguments.output}: the folder {folder} is not writable")


def is_plain(arguments: Namespace, options: dict[str, Any]) -> bool:
    """Whether regions are written as they are found, so that nothing has to be worked out for the -o file."""
    return (
        arguments.output is not None and suffix_of(arguments.output) == ".npz" and not any(options.values())
    )


def saved(arguments: Namespace, result: Any, **options: Any) -> dict[str, str]:
    """Write a result to the -o file, if there is one; what the report says of it."""
    if arguments.output is None:
        return {}
    wanted = {name: value for name, value in options.items() if value}
    if isinstance(result, RegionSet) and is_plain(arguments, options):
        arguments.session.answering()  # all that was found, as it is: nothing is lost for want of a moment
    with stage(f"writing {arguments.output}"):
        save(result, arguments.output, **wanted)
    return {"file": arguments.output}


def finish(arguments: Namespace, network: Network, report: dict[str, Any], complete: bool) -> int:
    """Print the report; exit status 3 for a partial one."""
    report = {**report, "complete": complete, "network": network.name}
    if not complete:
        arguments.session.look()  # a run that looks at the clock itself may be here first
        if arguments.session.reason is not None:
            report["stopped"] = arguments.session.reason
    if arguments.json and network.notices:
        report["notices"] = list(network.notices)
    arguments.session.answering()
    print_answer(arguments, report)
    return DONE if complete else STOPPED
