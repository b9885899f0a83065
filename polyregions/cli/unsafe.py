"""``polyregions verify --all``: every input that violates a property, and their share."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Final

from polyregions.analysis.verification.unsafe import Violations
from polyregions.analysis.verification.unsafe.run import Finish, hunt_for
from polyregions.cli.answers import check_output
from polyregions.cli.partial import print_answer
from polyregions.cli.problem import network_of
from polyregions.cli.status import ANSWERED_NO, DONE, STOPPED
from polyregions.errors import OptionError
from polyregions.io.files import suffix_of, write_whole
from polyregions.io.results.unsafe import violations_about, violations_parquet
from polyregions.io.save import save, suffixes_of
from polyregions.io.specs.vnnlib.property import load_property
from polyregions.progress import stage

PATIENCE: Final = 5.0
"""Seconds that a busy machine has to write what was found before it is lost."""


def all_violations(arguments: Namespace) -> int:
    """Print the share of violating inputs, and write their polytopes if a file is named."""
    check_output(arguments, suffixes_of(Violations))
    if arguments.vnncomp:
        raise OptionError("--vnncomp: a competition wants a verdict, not --all")
    session = arguments.session
    network = network_of(arguments)
    session.note(network=network.name, regions=0)
    with stage("reading the property"):
        prop = load_property(arguments.property)
    finish = hunt_for(
        network,
        prop,
        workers=arguments.workers or 1,
        progress=session.progress,
        max_regions=arguments.max_regions,
        time_limit=session.left(),
    )
    session.patience = PATIENCE
    found = _streamed(arguments, finish) if _is_parquet(arguments) else _collected(arguments, finish)
    return _answer(arguments, found)


def _is_parquet(arguments: Namespace) -> bool:
    return arguments.output is not None and suffix_of(arguments.output) == ".parquet"


def _streamed(arguments: Namespace, finish: Finish) -> Violations:
    """Polytopes go to the file as they are found; what is left to say is said without them."""

    def whole() -> Violations:
        arguments.session.answering()
        ends.append(finish.violations())
        return ends[0]

    ends: list[Violations] = []
    with stage("searching"):
        write_whole(arguments.output, violations_parquet(finish.blocks(), whole))
    return ends[0]


def _collected(arguments: Namespace, finish: Finish) -> Violations:
    with stage("searching"):
        found = finish.collected()
    arguments.session.answering()
    if arguments.output is not None:
        save(found, arguments.output)
    return found


def _answer(arguments: Namespace, found: Violations) -> int:
    session, report = arguments.session, dict[str, Any]()
    about = violations_about(found)
    report = {"verdict": about.pop("verdict"), "polytopes": found.listed, **about}
    if arguments.output is not None:
        report["file"] = arguments.output
    report |= {"network": found.network.name, "property": found.prop.name, "seconds": round(found.seconds, 3)}
    if not found.complete:
        session.look()  # a search that looks at the clock itself may be here first
        if session.reason is not None:
            report["stopped"] = session.reason
    print_answer(arguments, report)
    if not found.complete:
        return STOPPED
    return ANSWERED_NO if found.verdict == "violated" else DONE
