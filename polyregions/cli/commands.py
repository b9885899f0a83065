"""What each verb does."""

from __future__ import annotations

import shlex
from argparse import Namespace
from typing import Any, Final

import networkx as nx

from polyregions.analysis.decisions import DecisionCells, decision_cells, decision_graph, islands
from polyregions.analysis.region_graph import adjacency_graph
from polyregions.analysis.report import SECTIONS, Report, SectionFunction, report, section_name
from polyregions.certificates.check import another_set, check, described
from polyregions.certificates.input_sets import same_set
from polyregions.cli.answers import check_output, finish, is_plain, print_report, saved
from polyregions.cli.cluster import executor_of
from polyregions.cli.parts import check_part, part_of, told_of_part
from polyregions.cli.problem import network_of, problem_of, problems_of
from polyregions.cli.running import expect, or_what_is_finished, regions_of, run_options
from polyregions.cli.status import ANSWERED_NO, DONE, STOPPED
from polyregions.cli.union import count_union, list_union
from polyregions.enumeration import tally_regions
from polyregions.errors import OptionError
from polyregions.io.files import suffix_of, write_whole
from polyregions.io.results.report import FORMATS as REPORT_FORMATS
from polyregions.io.results.report import SUFFIXES as REPORT_SUFFIXES
from polyregions.io.results.report import json_sections
from polyregions.io.save import (
    CELL_GRAPHS,
    HREPS,
    TABLES,
    csv_pair,
    load_certificate,
    load_regions,
    parquet_pair,
    save,
    save_region_graph,
    suffixes_of,
)
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Domain
from polyregions.progress import stage
from polyregions.regions.adjacency import adjacency_arrays
from polyregions.regions.audit import audit
from polyregions.regions.region_set import RegionSet
from polyregions.regions.winners import winner_regions


def count(arguments: Namespace) -> int:
    """``polyregions count``: regions in all and after each layer; merged by winners where there are large maxima."""
    network, domains = problems_of(arguments)
    if len(domains) > 1:
        return count_union(arguments, network, domains)
    domain = domains[0]
    has_large_maxima = network.max_groups is not None and network.max_groups.is_coarser
    if has_large_maxima and arguments.store is None:
        # only their patterns tell which regions have equal winners
        regions = regions_of(arguments, network, domain)
        return finish(arguments, network, _counts(regions), regions.complete)
    arguments.session.note(network=network.name, regions=0)
    expect(arguments, network, domain)
    with executor_of(arguments.dask) as executor:
        tally = or_what_is_finished(
            lambda: tally_regions(
                network,
                domain,
                executor=executor,
                store=arguments.store,
                **run_options(arguments),
            )
        )
    report = {"regions": tally.regions, "after_each_layer": list(tally.after_each_layer)}
    return finish(arguments, network, report, tally.complete)


def _counts(regions: RegionSet) -> dict[str, Any]:
    """Regions and, where maxima are cut into matches, regions by winners."""
    report: dict[str, Any] = {"regions": len(regions)}
    if regions.network.max_groups is not None:
        report["winner_regions"] = len(winner_regions(regions))
    return report | {"after_each_layer": regions.regions_after_each_layer()}


KEEPING: Final = 5.0
"""Seconds that a busy machine has to hand over what was found before it is lost; it takes a third of one otherwise."""


def enumerate_(arguments: Namespace) -> int:
    """``polyregions enumerate``: the list of regions, into a file if one is named."""
    check_output(arguments, suffixes_of(RegionSet))
    options = _table_options(arguments, TABLES, "a table of regions") | _hrep_options(arguments)
    check_part(arguments, options)
    network, domains = problems_of(arguments)
    if arguments.after_layer is not None:
        network.up_to_layer(arguments.after_layer)  # refused before hours go into its regions
    if len(domains) > 1:
        return list_union(arguments, network, domains, options)
    certify = arguments.certificate is not None
    if is_plain(arguments, options):
        arguments.session.patience = KEEPING
    regions = regions_of(arguments, network, domains[0], certify=certify, store=arguments.store)
    part = part_of(arguments, regions)
    file = saved(arguments, part, **options)  # first what may be lost
    report = _counts(regions) | told_of_part(part, regions) | file
    if arguments.store is not None:
        report["store"] = arguments.store
    if regions.certificate is not None:
        save(regions.certificate, arguments.certificate)
        report["certificate"] = arguments.certificate
    return finish(arguments, regions.network, report, regions.complete)


def _hrep_options(arguments: Namespace) -> dict[str, bool]:
    """What --hrep and --vertices ask for, refused where the file has no place for it."""
    suffix = None if arguments.output is None else suffix_of(arguments.output)
    if arguments.hrep and suffix not in HREPS:
        raise OptionError(
            f"--hrep: only with -o and regions as {' or '.join(HREPS)}; .json and .mat have them"
        )
    if arguments.vertices and not (arguments.hrep and suffix == ".parquet"):
        raise OptionError("--vertices: only with --hrep and -o FILE.parquet")
    return {"hrep": arguments.hrep, "vertices": arguments.vertices}


def check_(arguments: Namespace) -> int:
    """``polyregions check``: does a certificate prove its list, or is the geometry of regions what it must be?

    Raises:
        OptionError: no FILE, and with --geometry no input set either.
    """
    if arguments.geometry:
        if not _has_domain(arguments) and arguments.file is None:
            raise OptionError("check --geometry: expected a FILE of regions or an input set such as --box")
        return _check_geometry(arguments)
    if arguments.file is None:
        raise OptionError("check: expected a certificate, or --geometry with regions or an input set")
    return _check_certificate(arguments)


def _has_domain(arguments: Namespace) -> bool:
    return arguments.whole_space or arguments.box is not None or arguments.domain is not None


def _meant(arguments: Namespace) -> tuple[Network, Domain | None]:
    """The network, and the input set if one is given."""
    return problem_of(arguments) if _has_domain(arguments) else (network_of(arguments), None)


def _check_certificate(arguments: Namespace) -> int:
    network, domain = _meant(arguments)
    with stage("checking the certificate"):
        verdict = check(load_certificate(arguments.file), network, domain)
    report = {"ok": verdict.ok, "regions": verdict.regions, "reason": verdict.reason}
    lines = [f"not proved: {verdict.reason}"]
    if verdict.ok:
        report["input_set"] = verdict.input_set
        lines = [
            f"proved: these are all {verdict.regions} regions",
            f"network: sha256 {network.fingerprint()}",
            f"input set: {verdict.input_set}",
        ]
    print_report(arguments, report, lines)
    return DONE if verdict.ok else ANSWERED_NO


def _check_geometry(arguments: Namespace) -> int:
    network, domain = _meant(arguments)
    regions = _regions_to_check(arguments, network, domain)
    where = described(regions.domain)
    if domain is not None and not same_set(regions.domain, domain):
        reason = another_set(where, domain)
        print_report(arguments, {"ok": False, "regions": 0, "reason": reason}, [f"FAILS: {reason}"])
        return ANSWERED_NO
    with stage("checking the geometry"):
        found = audit(regions, volumes=not arguments.no_volumes, progress=arguments.session.progress)
    findings = [{"name": f.name, "ok": f.ok, "detail": f.detail} for f in found.findings]
    words = {True: "holds", False: "FAILS", None: "does not apply"}
    lines = [f"input set: {where}"]
    lines += [f"{f.name}: {words[f.ok]} ({f.detail})" for f in found.findings]
    report = {"ok": bool(found), "regions": len(regions), "input_set": where, "findings": findings}
    print_report(arguments, report, lines)
    return DONE if found else ANSWERED_NO


def _regions_to_check(arguments: Namespace, network: Network, domain: Domain | None) -> RegionSet:
    if arguments.file is None:
        assert domain is not None
        return regions_of(arguments, network, domain)
    regions = load_regions(arguments.file)
    if regions.network.fingerprint() != network.fingerprint():
        raise OptionError(f"{arguments.file}: holds regions of another network than {arguments.network}")
    return regions


def graph(arguments: Namespace) -> int:
    """``polyregions graph``: the adjacency graph."""
    check_output(arguments, suffixes_of(nx.Graph))
    options = _table_options(arguments, suffixes_of(nx.Graph), "a file")
    options["measure"] = arguments.measure
    if arguments.measure and arguments.output is None:
        raise OptionError("--measure: only with -o")
    regions = regions_of(arguments, *problem_of(arguments))
    report: dict[str, Any] = {"regions": len(regions)}
    if arguments.output is not None and suffix_of(arguments.output) not in TABLES:
        with stage("building the graph"):
            built = adjacency_graph(regions, progress=arguments.session.progress, **options)
        arguments.session.note(edges=built.number_of_edges())
        report |= {"edges": built.number_of_edges()} | saved(arguments, built)
        return finish(arguments, regions.network, report, regions.complete)
    with stage("building the graph"):
        adjacency = adjacency_arrays(regions, progress=arguments.session.progress)
    report["edges"] = len(adjacency)
    arguments.session.note(edges=len(adjacency))
    if arguments.output is not None:
        with stage(f"writing {arguments.output}"):
            save_region_graph(regions, adjacency, arguments.output, **options)
        pair = parquet_pair if suffix_of(arguments.output) == ".parquet" else csv_pair
        report["files"] = [str(file) for file in pair(arguments.output)]
    return finish(arguments, regions.network, report, regions.complete)


def cells(arguments: Namespace) -> int:
    """``polyregions cells``: the decision cells, or with a .graphml or .gexf file their graph."""
    check_output(arguments, (*suffixes_of(DecisionCells), *CELL_GRAPHS))
    if arguments.volume and (
        arguments.output is None or suffix_of(arguments.output) not in TABLES + CELL_GRAPHS
    ):
        raise OptionError(f"--volume: only with -o and a name that ends in {', '.join(TABLES + CELL_GRAPHS)}")
    regions = regions_of(arguments, *problem_of(arguments))
    with stage("cutting decision cells"):
        found = decision_cells(regions, rule_of(arguments))
    arguments.session.note(rule=found.rule, cells=len(found))
    report = {
        "regions": len(regions),
        "rule": found.rule,
        "cells": len(found),
        "per_class": found.per_class(),
        "ties": len(found.ties),
    }
    if arguments.islands:
        with stage("counting islands"):
            parts = islands(found).per_class()
        report["islands"] = {label: len(some) for label, some in parts.items()}
    as_graph = arguments.output is not None and suffix_of(arguments.output) in CELL_GRAPHS
    with stage("building the graph of cells"):
        result = decision_graph(found, volume=arguments.volume) if as_graph else found
    report |= saved(arguments, result, **({} if as_graph else {"volume": arguments.volume}))
    return finish(arguments, regions.network, report, regions.complete)


def rule_of(arguments: Namespace) -> str:
    """How outputs decide: as --argmin or --sign say, else "auto"."""
    return "sign" if arguments.sign else "argmin" if arguments.argmin else "auto"


def report_(arguments: Namespace) -> int:
    """``polyregions report``: one page with everything known, on stdout or into a file."""
    check_output(arguments, suffixes_of(Report))
    regions = regions_of(arguments, *problem_of(arguments))
    page = report(
        regions,
        command=shlex.join(["polyregions", *arguments.words]),
        sections=_sections(arguments),
        rule=rule_of(arguments),
        time_limit=arguments.session.left(),
        progress=arguments.session.progress,
    )
    complete = regions.complete and page.complete
    arguments.session.answering()  # all that is finished: a page takes no time to write
    summary: dict[str, Any] = {"regions": len(regions)}
    if arguments.output is not None:
        kind = arguments.format or REPORT_SUFFIXES[suffix_of(arguments.output)]
        write_whole(arguments.output, REPORT_FORMATS[kind](page))
        summary["file"] = arguments.output
    elif arguments.json:
        summary["sections"] = json_sections(page)
    else:
        print(REPORT_FORMATS[arguments.format or "text"](page).decode(), end="")
        return DONE if complete else STOPPED
    return finish(arguments, regions.network, summary, complete)


def _sections(arguments: Namespace) -> list[SectionFunction]:
    return [section for section in SECTIONS if section_name(section) not in arguments.without]


def _table_options(arguments: Namespace, suffixes: tuple[str, ...], what: str) -> dict[str, Any]:
    """What --classes, --argmin and --volume ask for, refused where the file has no place for it."""
    rule = rule_of(arguments)
    options = {"classes": rule if arguments.classes else None, "volume": arguments.volume}
    if rule != "auto" and not arguments.classes:
        raise OptionError(f"--{rule}: only together with --classes")
    wanted = arguments.classes or arguments.volume
    if wanted and (arguments.output is None or suffix_of(arguments.output) not in suffixes):
        raise OptionError(f"--classes and --volume: only with -o and {what} ({', '.join(suffixes)})")
    return options
