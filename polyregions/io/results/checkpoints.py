"""A table of checkpoints as JSON; its other formats are those of every table for papers."""

from __future__ import annotations

import json

from polyregions.analysis.checkpoints import Checkpoints
from polyregions.io.results.paper_tables import plain_columns


def checkpoints_json(checkpoints: Checkpoints) -> bytes:
    """The columns by name, and which neurons are never and always on."""
    neurons = {
        "never_on_neurons": [row.nonzero()[0].tolist() for row in checkpoints.never_on],
        "always_on_neurons": [row.nonzero()[0].tolist() for row in checkpoints.always_on],
    }
    return json.dumps(plain_columns(checkpoints) | neurons, indent=1).encode()
