"""A table of checkpoints as CSV and JSON."""

from __future__ import annotations

import json

from polyregions.analysis.checkpoints import Checkpoints
from polyregions.io.tables.spreadsheets import neutral_csv


def checkpoints_csv(checkpoints: Checkpoints) -> bytes:
    """One line for each checkpoint under a line of column names."""
    columns = checkpoints.columns()
    return neutral_csv([list(columns), *zip(*columns.values(), strict=True)])


def checkpoints_json(checkpoints: Checkpoints) -> bytes:
    """The columns by name, and which neurons are never and always on."""
    neurons = {
        "never_on_neurons": [row.nonzero()[0].tolist() for row in checkpoints.never_on],
        "always_on_neurons": [row.nonzero()[0].tolist() for row in checkpoints.always_on],
    }
    return json.dumps(checkpoints.columns() | neurons, indent=1).encode()
