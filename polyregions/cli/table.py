"""``polyregions table``: several networks by several definitions, beside bounds of the literature."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Final

from polyregions.analysis.counting.count import wanted_definitions
from polyregions.analysis.counting.count_table import CountRow, CountTable, count_row, table_of
from polyregions.analysis.counting.literature_bounds import BOUND_NAMES, wanted_bounds
from polyregions.cli.answers import check_output, print_report
from polyregions.cli.problem import problem_of
from polyregions.cli.running import regions_of
from polyregions.cli.status import DONE, STOPPED
from polyregions.errors import OptionError, StoppedError
from polyregions.io.files import suffix_of, write_whole
from polyregions.io.results.paper_tables import plain_columns, table_csv, table_latex, table_markdown
from polyregions.io.save import save, suffixes_of
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Domain
from polyregions.progress import stage

PAGES: Final[dict[str, Callable[[CountTable, bool], bytes]]] = {
    "markdown": table_markdown,
    "latex": table_latex,
    "csv": lambda found, exact: table_csv(found),
}
"""What is written on stdout, by --format; the flag says whether long bounds are printed in full."""

SUFFIXES: Final = {".md": "markdown", ".tex": "latex"}


def table(arguments: Namespace) -> int:
    """``polyregions table``; networks that a limit leaves no time for are left out, and named."""
    check_output(arguments, suffixes_of(CountTable))
    definitions, limits = wanted_definitions(arguments.definitions), _bounds(arguments.bounds)
    problems = _problems(arguments)
    rows = _rows(arguments, problems, definitions)
    left_out = list(problems)[len(rows) :]
    found = table_of(rows, definitions, limits, left_out)
    report: dict[str, Any] = {"networks": len(rows), "left_out": left_out, "complete": not left_out}
    if arguments.output is not None:
        _save(found, arguments.output, arguments.exact)
        lines = [f"networks: {len(rows)}", f"file: {arguments.output}"]
        print_report(arguments, report | {"file": arguments.output}, lines)
    elif arguments.json:
        print(json.dumps(report | {"columns": plain_columns(found), "notes": found.notes()}))
    else:
        print(PAGES[arguments.format](found, arguments.exact).decode(), end="")
    if left_out:
        print(f"stopped; left out: {', '.join(left_out)}", file=sys.stderr)
    return STOPPED if left_out else DONE


def _bounds(names: tuple[str, ...]) -> list[str]:
    return [] if names == ("none",) else wanted_bounds(BOUND_NAMES if names == ("all",) else names)


def _problems(arguments: Namespace) -> dict[str, tuple[Network, Domain]]:
    """The networks and their input sets by name: as --names says, else their own, or their files if these are alike.

    Raises:
        OptionError: names that are not one for each network, or not different.
    """
    words = arguments.networks
    found = [problem_of(Namespace(**vars(arguments) | {"network": word})) for word in words]
    own = [network.name for network, _ in found]
    names = list(arguments.names or (own if len(set(own)) == len(own) else words))
    if len(names) != len(words) or len(set(names)) != len(names):
        raise OptionError(
            f"{len(names)} names, {len(set(names))} of them different, expected {len(words)}: one for each"
        )
    return dict(zip(names, found, strict=True))


def _rows(
    arguments: Namespace, problems: dict[str, tuple[Network, Domain]], definitions: list[str]
) -> list[CountRow]:
    """The rows of the networks that are finished before a limit, or Ctrl-C, ends the run."""
    rows = []
    for name, (network, domain) in problems.items():
        row = _row(arguments, name, network, domain, definitions)
        if row is None:
            break
        rows.append(row)
    return rows


def _row(
    arguments: Namespace, name: str, network: Network, domain: Domain, definitions: list[str]
) -> CountRow | None:
    regions = regions_of(arguments, network, domain)
    if not regions.complete:
        return None
    with stage(f"counting {name}"):
        try:
            return count_row(name, regions, definitions, arguments.session.progress)
        except StoppedError as error:
            print(f"polyregions: {error}", file=sys.stderr)
            return None


def _save(found: CountTable, path: str, exact: bool) -> None:
    """Write the table; only --exact asks for more than `save` does."""
    if exact and suffix_of(path) in SUFFIXES:
        write_whole(path, PAGES[SUFFIXES[suffix_of(path)]](found, True))
    else:
        save(found, path)
