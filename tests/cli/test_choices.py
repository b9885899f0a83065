"""What the help offers, without importing what does the work, is what the work takes."""

from __future__ import annotations

from importlib import import_module

import networkx as nx
import pytest

from polyregions.analysis.counting.count_table import USUAL_BOUNDS, CountTable
from polyregions.analysis.counting.definitions import DEFINITIONS
from polyregions.analysis.counting.literature_bounds import BOUND_NAMES
from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.queries.norms import NORMS
from polyregions.analysis.report import SECTIONS, Report, section_name
from polyregions.analysis.topology.face_complex import FaceComplex
from polyregions.analysis.topology.homology import FIELDS
from polyregions.cli import choices
from polyregions.cli.parser import make_parser
from polyregions.cli.table import PAGES
from polyregions.engine.options import STALL_LIMIT
from polyregions.engine.tally import ENGINES
from polyregions.io.results.report import FORMATS
from polyregions.io.save import CELL_GRAPHS, TABLES, suffixes_of
from polyregions.plot.figure import DPI
from polyregions.plot.fills import COLOURINGS
from polyregions.plot.look import ASPECTS
from polyregions.regions.region_set import RegionSet


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (choices.ENGINES, ENGINES),
        (choices.NORMS, NORMS),
        (choices.COLOURINGS, COLOURINGS),
        (choices.SECTIONS, tuple(map(section_name, SECTIONS))),
        (choices.REPORT_FORMATS, tuple(FORMATS)),
        (choices.STALL_LIMIT, STALL_LIMIT),
        (choices.TABLES, TABLES),
        (choices.REGIONS, suffixes_of(RegionSet)),
        (choices.GRAPHS, suffixes_of(nx.Graph)),
        (choices.CELLS, suffixes_of(DecisionCells)),
        (choices.CELL_GRAPHS, CELL_GRAPHS),
        (choices.REPORTS, suffixes_of(Report)),
        (choices.COMPLEXES, suffixes_of(FaceComplex)),
        (choices.COUNT_TABLES, suffixes_of(CountTable)),
        (choices.DEFINITIONS, tuple(DEFINITIONS)),
        (choices.BOUND_NAMES, tuple(BOUND_NAMES)),
        (choices.USUAL_BOUNDS, tuple(USUAL_BOUNDS)),
        (choices.PAGES, tuple(PAGES)),
        (choices.FIELDS, FIELDS),
        (choices.ASPECTS, ASPECTS),
        (choices.DPI, DPI),
    ],
)
def test_choices(offered: object, taken: object) -> None:
    assert offered == taken


def test_every_verb_has_its_function() -> None:
    verbs = make_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert len(verbs) >= 13
    for parser in verbs.values():
        module, function = parser.get_default("run").split(":")
        assert callable(getattr(import_module(f"polyregions.cli.{module}"), function))
