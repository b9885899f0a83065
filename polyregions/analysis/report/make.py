"""One page with everything known about the regions of a network, as plain data.

A section is a function of the regions; adding a section means adding a function to a list. How a page looks is none
of this package's business.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from threading import Event
from typing import Final

from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.analysis.report.basics import (
    adjacency_section,
    decision_section,
    domain_section,
    layer_section,
    network_section,
    neuron_section,
    region_section,
    topology_section,
)
from polyregions.analysis.report.counts import bound_section, definition_section, rank_section
from polyregions.analysis.report.page import Report, Section, SectionFunction, TableRow
from polyregions.engine.apart import Apart
from polyregions.errors import expect
from polyregions.progress import ProgressFunction, Watch, check_limits, stage
from polyregions.regions.region_set import RegionSet

STOPPED: Final = "The page was stopped before these sections were finished."
PACKAGES: Final = ("polyregions", "numpy", "highspy", "numba", "python-flint", "networkx")

SECTIONS: Final[tuple[SectionFunction, ...]] = (
    network_section,
    domain_section,
    region_section,
    layer_section,
    rank_section,
    definition_section,
    bound_section,
    neuron_section,
    adjacency_section,
    decision_section,
    topology_section,
)

BY_RULE: Final[tuple[Callable[..., Section | None], ...]] = (decision_section, topology_section)
"""The sections that are told how outputs decide."""


def reproduction_section(command: str | None) -> Section:
    """The command that makes this page, and the versions that made it."""
    rows: list[TableRow] = [] if command is None else [("command", command)]
    rows += [("python", platform.python_version()), ("platform", f"{platform.system()} {platform.machine()}")]
    rows += [(package, _version(package)) for package in PACKAGES]
    note = "The counts are exact for the network and the input set with these fingerprints, whatever the versions."
    return Section("reproduce", tuple(rows), note)


def section_name(section: SectionFunction) -> str:
    """What a section function is called in options: "decision" for `decision_section`."""
    return getattr(section, "__name__", repr(section)).removesuffix("_section")


def report(
    regions: RegionSet,
    *,
    command: str | None = None,
    sections: Sequence[SectionFunction] = SECTIONS,
    rule: str = "auto",
    time_limit: float | None = None,
    progress: ProgressFunction | None = None,
) -> Report:
    """Everything known about the regions of a network, as a page of plain tables.

    `save` writes it as text, Markdown, LaTeX, JSON or CSV. There are no times in it: the same regions give the same
    page wherever the same versions are installed.

    Args:
        regions: the regions.
        command: the command line that makes the page, to be printed in it.
        sections: functions from regions to a `Section`, in the order of the page.
        rule: how outputs decide, for the section on decision cells: "argmax", "argmin", "sign" (of one output), or
            "auto" for the largest of several; then a network with one output has no such section.
        time_limit: stop after this many seconds; the sections that are finished make the page, which names the others.
        progress: called now and then with a `Progress`, of which `fraction` is that of the sections and `stage` names
            the one that is made; returning False stops.

    Raises:
        OptionError: a rule that is none or does not fit the network, or a negative limit.

    >>> from polyregions import Box, Network, enumerate_regions
    >>> net = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> page = report(enumerate_regions(net, Box([-1, -1], [1, 1])))
    >>> page.section("adjacency").rows[0]
    ('edges', 4)
    """
    expect(regions, RegionSet, "regions")
    chosen_rule(regions.network, rule)  # refused before anything is computed
    check_limits(None, time_limit)
    made = _made(regions, sections, rule, Watch(progress, time_limit))
    applicable = [section for section in made if section is not None]
    rest = tuple((section_name(section), None) for section in sections[len(made) :])
    if rest:
        applicable.append(Section("not finished", rest, STOPPED))
    title = f"Linear regions of {regions.network.name}"
    return Report(title, (*applicable, reproduction_section(command)), not rest)


def _section(section: SectionFunction, regions: RegionSet, rule: str) -> Section | None:
    """One section, by the rule if it asks for that."""
    ruled = next((one for one in BY_RULE if one is section), None)
    return section(regions) if ruled is None else ruled(regions, rule)


def _made(
    regions: RegionSet, sections: Sequence[SectionFunction], rule: str, watch: Watch
) -> list[Section | None]:
    """The sections that are finished before the watch stops them, in order."""

    def make(stop: Event) -> Generator[tuple[Section | None], None, None]:
        for section in sections:
            with stage(f"making the section {section_name(section)}"):
                made = _section(section, regions, rule)
            yield (made,)
            if stop.is_set():
                return

    if watch.is_idle:
        return [section for (section,) in make(Event())]
    apart, made = Apart(make, watch), list[Section | None]()
    with closing(apart.items()) as tables:
        for one in tables:
            made += one or ()
            if not watch.goes_on(len(regions), len(made) / max(1, len(sections))):
                apart.stop()
    return made


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
