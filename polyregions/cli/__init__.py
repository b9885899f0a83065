"""The command line: ``polyregions VERB NETWORK [options]``."""

from __future__ import annotations

from polyregions.cli.main import main as main
