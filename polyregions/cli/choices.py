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
)
REPORT_FORMATS: Final = ("text", "markdown", "latex", "json", "csv")
STALL_LIMIT: Final = 3600.0

TABLES: Final = (".csv", ".parquet")
REGIONS: Final = (".npz", ".json", ".mat", *TABLES)
GRAPHS: Final = (".graphml", ".gexf", ".json", *TABLES)
CELLS: Final = (".npz", ".json", ".csv", ".parquet")
CELL_GRAPHS: Final = (".graphml", ".gexf")
REPORTS: Final = (".txt", ".md", ".tex", ".json", ".csv")
