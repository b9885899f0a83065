"""What each verb does."""

from __future__ import annotations

import json
import os
import shlex
import sys
from argparse import Namespace
from math import isnan
from pathlib import Path
from typing import Any

from polyregions.adjacency import adjacency_arrays
from polyregions.audit import audit
from polyregions.cli.cluster import executor_of
from polyregions.cli.progress import watched
from polyregions.decision import decision_cells, decision_graph, islands
from polyregions.domain import Box, Domain, WholeSpace
from polyregions.engine.estimate import Estimate, estimate_regions
from polyregions.enumeration import enumerate_regions, tally_regions
from polyregions.errors import DomainError, OptionError
from polyregions.exact.checker import check
from polyregions.graphs import adjacency_graph
from polyregions.io.domains import load_domain
from polyregions.io.files import shortened, suffix_of, write_whole
from polyregions.io.networks import load_network
from polyregions.io.parquet import check_parquet
from polyregions.io.report_files import FORMATS as REPORT_FORMATS
from polyregions.io.report_files import SUFFIXES as REPORT_SUFFIXES
from polyregions.io.report_files import json_sections
from polyregions.io.results import (
    TABLES,
    load_certificate,
    load_regions,
    parquet_pair,
    save,
    save_region_graph,
)
from polyregions.network import Network
from polyregions.plot.picture import FORMATS, check_picture, save_picture
from polyregions.regions import RegionSet
from polyregions.report import SECTIONS, Section, SectionFunction, decision_section, report, section_name
from polyregions.winners import winner_regions

ANSWERED_NO, STOPPED = 1, 3


def count(arguments: Namespace) -> int:
    """``polyregions count``: regions in all and after each layer; merged by winners where there are large maxima."""
    network, domain = problem_of(arguments)
    if network.max_groups is not None and network.max_groups.is_coarser:
        regions = _regions(arguments, network, domain)
        return _finish(arguments, network, _counts(regions), regions.complete)
    expected = _expected(arguments, network, domain)
    with executor_of(arguments.dask) as executor, watched(arguments.quiet, expected) as progress:
        tally = tally_regions(
            network,
            domain,
            engine=arguments.engine,
            workers=arguments.workers,
            executor=executor,
            progress=progress,
            max_regions=arguments.max_regions,
            time_limit=arguments.time_limit,
            store=arguments.store,
        )
    report = {"regions": tally.regions, "after_each_layer": list(tally.after_each_layer)}
    return _finish(arguments, network, report, tally.complete)


def _counts(regions: RegionSet) -> dict[str, Any]:
    """Regions and, where maxima are cut into matches, regions by winners."""
    report: dict[str, Any] = {"regions": len(regions)}
    if regions.network.max_groups is not None:
        report["winner_regions"] = len(winner_regions(regions))
    return report | {"after_each_layer": regions.regions_after_each_layer()}


def enumerate_(arguments: Namespace) -> int:
    """``polyregions enumerate``: the list of regions, into a file if one is named."""
    _check_output(arguments, (".npz", ".json", *TABLES))
    options = _table_options(arguments, TABLES, "a table of regions")
    certify = arguments.certificate is not None
    regions = _regions(arguments, *problem_of(arguments), certify=certify, store=arguments.store)
    report = _counts(regions) | _saved(arguments, regions, **options)
    if arguments.store is not None:
        report["store"] = arguments.store
    if regions.certificate is not None:
        save(regions.certificate, arguments.certificate)
        report["certificate"] = arguments.certificate
    return _finish(arguments, regions.network, report, regions.complete)


def check_(arguments: Namespace) -> int:
    """``polyregions check``: does a certificate prove its list, or is the geometry of regions what it must be?"""
    has_domain = arguments.whole_space or arguments.box is not None or arguments.domain is not None
    if arguments.geometry:
        if has_domain == (arguments.file is not None):
            raise OptionError(
                "check --geometry: expected a FILE of regions or an input set such as --box, one of them"
            )
        return _check_geometry(arguments)
    if has_domain or arguments.file is None:
        raise OptionError("check: expected a certificate, or --geometry with regions or an input set")
    return _check_certificate(arguments)


def _check_certificate(arguments: Namespace) -> int:
    verdict = check(load_certificate(arguments.file), load_network(arguments.network))
    report = {"ok": verdict.ok, "regions": verdict.regions, "reason": verdict.reason}
    proved = f"proved: these are all {verdict.regions} regions"
    print_report(arguments, report, [proved if verdict.ok else f"not proved: {verdict.reason}"])
    return 0 if verdict.ok else ANSWERED_NO


def _check_geometry(arguments: Namespace) -> int:
    regions = _regions_to_check(arguments)
    found = audit(regions, volumes=not arguments.no_volumes)
    findings = [{"name": f.name, "ok": f.ok, "detail": f.detail} for f in found.findings]
    words = {True: "holds", False: "FAILS", None: "does not apply"}
    lines = [f"{f.name}: {words[f.ok]} ({f.detail})" for f in found.findings]
    print_report(arguments, {"ok": bool(found), "regions": len(regions), "findings": findings}, lines)
    return 0 if found else ANSWERED_NO


def _regions_to_check(arguments: Namespace) -> RegionSet:
    if arguments.file is None:
        return _regions(arguments, *problem_of(arguments))
    regions, network = load_regions(arguments.file), load_network(arguments.network)
    if regions.network.fingerprint() != network.fingerprint():
        raise OptionError(f"{arguments.file}: holds regions of another network than {arguments.network}")
    return regions


def print_report(arguments: Namespace, report: dict[str, Any], lines: list[str]) -> None:
    """One JSON object, or lines for people."""
    for line in [json.dumps(report)] if arguments.json else lines:
        print(line)


def graph(arguments: Namespace) -> int:
    """``polyregions graph``: the adjacency graph."""
    _check_output(arguments, (".graphml", ".gexf", ".json", *TABLES))
    options = _table_options(arguments, (".graphml", ".gexf", ".json", ".parquet"), "a file with nodes")
    regions = _regions(arguments, *problem_of(arguments))
    report: dict[str, Any] = {"regions": len(regions)}
    if arguments.output is not None and suffix_of(arguments.output) not in TABLES:
        built = adjacency_graph(regions, **options)
        report |= {"edges": built.number_of_edges()} | _saved(arguments, built)
        return _finish(arguments, regions.network, report, regions.complete)
    adjacency = adjacency_arrays(regions)
    report["edges"] = len(adjacency)
    if arguments.output is not None and suffix_of(arguments.output) == ".parquet":
        save_region_graph(regions, adjacency, arguments.output, **options)
        report["files"] = [str(file) for file in parquet_pair(arguments.output)]
    else:
        report |= _saved(arguments, adjacency)
    return _finish(arguments, regions.network, report, regions.complete)


def cells(arguments: Namespace) -> int:
    """``polyregions cells``: the decision cells, or with a .graphml or .gexf file their graph."""
    _check_output(arguments, (".npz", ".json", *TABLES, ".graphml", ".gexf"))
    regions = _regions(arguments, *problem_of(arguments))
    found = decision_cells(regions, _rule(arguments, regions.network))
    report = {
        "regions": len(regions),
        "cells": len(found),
        "per_class": found.per_class(),
        "ties": len(found.ties),
    }
    if arguments.islands:
        report["islands"] = {k: len(found_islands) for k, found_islands in islands(found).per_class().items()}
    as_graph = arguments.output is not None and suffix_of(arguments.output) in (".graphml", ".gexf")
    report |= _saved(arguments, decision_graph(found) if as_graph else found)
    return _finish(arguments, regions.network, report, regions.complete)


def _rule(arguments: Namespace, network: Network) -> str:
    if arguments.sign or arguments.argmin:
        return "sign" if arguments.sign else "argmin"
    if network.n_outputs == 1 and not arguments.quiet:
        print(
            "note: the network has one output, so the largest is always class 0; "
            "--sign asks for class 1 where it is positive, class 0 elsewhere",
            file=sys.stderr,
        )
    return "argmax"


def plot(arguments: Namespace) -> int:
    """``polyregions plot``: a picture of a two-dimensional domain."""
    if arguments.output is None:
        raise OptionError("plot: -o FILE is missing; its suffix (.png, .svg, .pdf) names the format")
    _check_output(arguments, FORMATS)
    network, domain = problem_of(arguments)
    check_picture(network, domain)
    regions = _regions(arguments, network, domain)
    save_picture(regions, arguments.output, arguments.colour)
    report = {"regions": len(regions), "file": arguments.output}
    return _finish(arguments, regions.network, report, regions.complete)


def report_(arguments: Namespace) -> int:
    """``polyregions report``: one page with everything known, on stdout or into a file."""
    _check_output(arguments, tuple(REPORT_SUFFIXES))
    regions = _regions(arguments, *problem_of(arguments))
    page = report(
        regions, command=shlex.join(["polyregions", *arguments.words]), sections=_sections(arguments)
    )
    summary: dict[str, Any] = {"regions": len(regions)}
    if arguments.output is not None:
        kind = arguments.format or REPORT_SUFFIXES[suffix_of(arguments.output)]
        write_whole(arguments.output, REPORT_FORMATS[kind](page))
        summary["file"] = arguments.output
    elif arguments.json:
        summary["sections"] = json_sections(page)
    else:
        print(REPORT_FORMATS[arguments.format or "text"](page).decode(), end="")
        return 0 if regions.complete else STOPPED
    return _finish(arguments, regions.network, summary, regions.complete)


def _sections(arguments: Namespace) -> list[SectionFunction]:
    chosen = [section for section in SECTIONS if section_name(section) not in arguments.without]
    return [_argmin_section if s is decision_section and arguments.argmin else s for s in chosen]


def _argmin_section(regions: RegionSet) -> Section | None:
    return decision_section(regions, "argmin")


def _expected(arguments: Namespace, network: Network, domain: Domain) -> Estimate | None:
    """An estimate of the run, if one is wanted; what it says is shown beside the progress."""
    if not arguments.estimate or arguments.quiet:
        return None
    return estimate_regions(network, domain, engine=arguments.engine)


def _regions(
    arguments: Namespace, network: Network, domain: Domain, certify: bool = False, store: str | None = None
) -> RegionSet:
    expected = _expected(arguments, network, domain)
    with executor_of(arguments.dask) as executor, watched(arguments.quiet, expected) as progress:
        regions = enumerate_regions(
            network,
            domain,
            engine=arguments.engine,
            workers=arguments.workers,
            executor=executor,
            certify=certify,
            progress=progress,
            max_regions=arguments.max_regions,
            time_limit=arguments.time_limit,
            store=store,
        )
    hull = regions.problem.solid.hull
    if not hull.is_whole and not arguments.quiet:
        print(
            f"note: the input set is {hull.dim}-dimensional in R^{hull.ambient_dim}; "
            "regions are those of the network restricted to it",
            file=sys.stderr,
        )
    return regions


def problem_of(arguments: Namespace) -> tuple[Network, Domain]:
    """The network and the input set that a command names."""
    network = load_network(arguments.network)
    for notice in () if arguments.quiet else network.notices:
        print(f"note: {notice}", file=sys.stderr)
    domain = _domain(arguments, network.n_inputs)
    if domain.dim != network.n_inputs:
        where, name = arguments.domain, arguments.network
        raise DomainError(f"{where}: has {domain.dim} inputs, expected {network.n_inputs}, those of {name}")
    return network, domain


def _domain(arguments: Namespace, dim: int) -> Domain:
    if arguments.whole_space:
        return WholeSpace(dim)
    if arguments.domain is not None:
        return load_domain(arguments.domain)
    lower, upper = (_numbers(text, dim, name) for text, name in zip(arguments.box, ("LO", "HI"), strict=True))
    try:
        return Box(lower, upper)
    except DomainError as error:
        raise DomainError(f"--box: {error}") from None


def _numbers(text: str, dim: int, name: str) -> list[float]:
    """A bound of each input: one number stands for all of them."""
    try:
        values = [_number(part) for part in text.split(",")]
    except ValueError:
        found = shortened(repr(text.strip()))
        raise DomainError(f"--box {name} is {found}, expected a number or numbers joined by commas") from None
    if len(values) not in (1, dim):
        raise DomainError(f"--box {name} has {len(values)} numbers, expected 1 or {dim}, one for each input")
    return values * dim if len(values) == 1 else values


def _number(text: str) -> float:
    value = float(text)
    if isnan(value):
        raise ValueError
    return value


def _check_output(arguments: Namespace, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that could not be written before hours go into what it should hold."""
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


def _table_options(arguments: Namespace, suffixes: tuple[str, ...], what: str) -> dict[str, Any]:
    """What --classes, --argmin and --volume ask for, refused where the file has no place for it."""
    rule = "sign" if arguments.sign else "argmin" if arguments.argmin else "argmax"
    options = {"classes": rule if arguments.classes else None, "volume": arguments.volume}
    if rule != "argmax" and not arguments.classes:
        raise OptionError(f"--{rule}: only together with --classes")
    wanted = arguments.classes or arguments.volume
    if wanted and (arguments.output is None or suffix_of(arguments.output) not in suffixes):
        raise OptionError(f"--classes and --volume: only with -o and {what} ({', '.join(suffixes)})")
    return options


def _saved(arguments: Namespace, result: Any, **options: Any) -> dict[str, str]:
    if arguments.output is None:
        return {}
    wanted = {name: value for name, value in options.items() if value}
    save(result, arguments.output, **wanted)
    return {"file": arguments.output}


def _finish(arguments: Namespace, network: Network, report: dict[str, Any], complete: bool) -> int:
    """Print the report; exit status 3 for a partial one."""
    report = {**report, "complete": complete, "network": network.name}
    if arguments.json and network.notices:
        report["notices"] = list(network.notices)
    if arguments.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name.replace('_', ' ')}: {_text(value)}")
    return 0 if complete else STOPPED


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    if isinstance(value, list):
        return " ".join(str(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
