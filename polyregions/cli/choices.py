"""What options may be: plain words, so that ``--help`` need not import what does the work.

`tests/cli/test_choices.py` compares them with what the work itself accepts.
"""

from __future__ import annotations

from typing import Final

ENGINES: Final = ("auto", "cells", "walk", "highs")
NORMS: Final = ("l1", "l2", "linf")
COLOURINGS: Final = ("auto", "region", "class", "slope", "layer")
SECTIONS: Final = (
    "network",
    "domain",
    "region",
    "layer",
    "rank",
    "definition",
    "bound",
    "neuron",
    "adjacency",
    "decision",
    "topology",
)
REPORT_FORMATS: Final = ("text", "markdown", "latex", "json", "csv")
STALL_LIMIT: Final = 3600.0

TABLES: Final = (".csv", ".parquet")
REGIONS: Final = (".npz", ".json", ".mat", *TABLES)
GRAPHS: Final = (".graphml", ".gexf", ".json", *TABLES)
CELLS: Final = (".npz", ".json", ".csv", ".parquet")
CELL_GRAPHS: Final = (".graphml", ".gexf")
REPORTS: Final = (".txt", ".md", ".tex", ".json", ".csv")
COMPLEXES: Final = (".npz", ".parquet")
COUNT_TABLES: Final = (".tex", ".md", ".csv", ".json")

DEFINITIONS: Final = ("R1", "R2", "R3", "R4", "R5", "R6")
BOUND_NAMES: Final = (
    "trivial",
    "zaslavsky",
    "raghu_2017",
    "montufar_2017_upper",
    "serra_2018_upper",
    "hinz_2019",
    "serra_ramalingam_2020",
    "xiong_2020_upper",
    "pascanu_2013_lower",
    "montufar_2014_lower",
    "serra_2018_lower",
    "xiong_2020_lower",
    "hanin_rolnick_2019",
)
USUAL_BOUNDS: Final = ("trivial", "montufar_2017_upper", "serra_2018_upper", "serra_ramalingam_2020")
PAGES: Final = ("markdown", "latex", "csv")
FIELDS: Final = ("rationals", "GF(2)")
ASPECTS: Final = ("auto", "equal", "free")
DPI: Final = 160
